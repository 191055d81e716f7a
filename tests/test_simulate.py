"""`python -m emobed_tf.simulate`: what it writes and prints, one line for every mistake, nothing left behind."""

import contextlib
import json
import re
import subprocess
import sys

import pytest

from emobed_tf import console
from emobed_tf.simulate import main


class TestCommand:
    def test_recola(self, tmp_path, capsys):
        arguments = ["--seconds", "10", "--recordings", "1", "--modalities", "audio", "--dimensions", "arousal"]
        assert main(["recola", str(tmp_path / "p"), *arguments, "--transfer", "none", "--seed", "5"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        # 3 recordings, each with features, gold standard and ratings, and the marker
        assert printed.out.startswith(f"Wrote 10 files to {tmp_path / 'p'}.")
        assert "simulated" in printed.out
        settings = json.loads((tmp_path / "p" / "simulated.json").read_text())["settings"]
        assert settings == {
            "seconds": 10.0,
            "recordings": 1,
            "modalities": ["audio"],
            "dimensions": ["arousal"],
            "transfer": "none",
            "seed": 5,
        }

    def test_omg(self, tmp_path, capsys):
        arguments = ["--utterances", "20", "10", "7", "--video-columns", "3", "--modalities", "video"]
        assert main(["omg", *arguments, str(tmp_path / "p")]) == 0
        assert "Wrote 8 files" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "arguments",
        [
            ["recola", "DIR", "--seconds", "1"],
            ["recola", "DIR", "--modalities", "smell"],
            ["omg", "DIR", "--transfer", "perhaps"],
            ["recola", "/dev/null/p"],
        ],
    )
    def test_errors_are_one_line(self, tmp_path, capsys, monkeypatch, arguments):
        monkeypatch.chdir(tmp_path)
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert re.fullmatch(r"emobed_tf\.simulate: error: [^\n]+\n", printed.err)
        assert printed.out == ""

    @pytest.mark.parametrize("arguments", [[], ["recola"], ["iemocap", "DIR"], ["recola", "DIR", "--seed", "x"]])
    def test_wrong_options_are_one_line(self, capsys, arguments):
        assert main(arguments) == 2
        assert re.fullmatch(r"emobed_tf\.simulate: error: [^\n]+\n", capsys.readouterr().err)

    def test_interrupted(self, tmp_path, capsys, monkeypatch):
        def stop(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("emobed_tf.corpora.simulate.recola.write_marker", stop)
        assert main(["recola", str(tmp_path / "p"), "--seconds", "10", "--recordings", "1"]) == 130
        assert capsys.readouterr().err == "\nemobed_tf.simulate: interrupted\n"
        assert not list(tmp_path.iterdir())

    def test_progress(self, tmp_path, monkeypatch):
        seen = []

        @contextlib.contextmanager
        def progress(what):
            yield lambda done, total, now="": seen.append((what, done, total))

        monkeypatch.setattr(console, "progress", progress)
        assert main(["recola", str(tmp_path / "p"), "--seconds", "10", "--recordings", "1"]) == 0
        assert seen == [("simulating recola", done, 3) for done in (1, 2, 3)]

    def test_help_imports_nothing_heavy(self):
        code = (
            "import sys, emobed_tf.simulate as s\n"
            "try:\n    s.main(['--help'])\nexcept SystemExit:\n    pass\n"
            "light = not {'numpy', 'scipy', 'tensorflow'} & set(sys.modules)\n"
            "import emobed_tf.corpora.simulate\n"
            "sys.exit(0 if light and 'tensorflow' not in sys.modules else 1)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def test_really_full_disk(self, tmp_path, capsys):
        disk = tmp_path / "disk"
        disk.mkdir()
        try:
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
            )
        except FileNotFoundError:
            pytest.skip("no mount")
        if mounted.returncode:
            pytest.skip("mounting needs root")
        try:
            code = main(["recola", str(disk / "p"), "--seconds", "10", "--recordings", "1"])
            left = list(disk.iterdir())
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        assert code == 2
        assert left == []
        error = capsys.readouterr().err
        assert error.startswith(f"emobed_tf.simulate: error: {disk / 'p'}: no space left; ")
        assert error.count("\n") == 1
