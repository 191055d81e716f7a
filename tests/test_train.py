"""`python -m emobed_tf.train`: what it says and leaves, and one line for every mistake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.commands import assert_one_line, command, flags, process
from tests.conftest import ROOT
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack")


class TestTrain:
    def test_says_what_it_does(self, arousal_run):
        folder, result = arousal_run
        assert "emobed on audio (+video_appearance), alpha 0.5, beta 1, seed 0" in result.stdout
        assert "SIMULATED" in result.stdout
        assert str(folder) in result.stdout
        assert "Traceback" not in result.stderr

    def test_simulated_everywhere(self, arousal_run):
        folder, _ = arousal_run
        assert json.loads((folder / "run.json").read_text())["facts"]["simulated"] is True
        assert json.loads((folder / "scores.json").read_text())["simulated"] is True

    @pytest.mark.slow
    def test_another_framework_than_the_files_fixes_its_weights_anew(self, arousal_run, recola, tmp_path):
        file = arousal_run[0] / "config.json"
        for name, expected in (("classic", (0, 0)), ("joint", (0.5, 0)), ("triplet", (0, 1))):
            output = tmp_path / name
            result = command(
                "train", "--no-report", "--config", file, "--framework", name, "--epochs", 1, "--output", output
            )
            assert result.returncode == 0, result.stderr
            kept = json.loads((output / "config.json").read_text())
            assert (kept["alpha"], kept["beta"]) == expected
        result = command(
            "train", "--config", file, "--triplet-preset", "stable", "--epochs", 1, "--output", tmp_path / "stable"
        )
        assert result.returncode == 0, result.stderr
        kept = json.loads((tmp_path / "stable" / "config.json").read_text())
        assert (kept["margin"], kept["normalise"]) == (0.2, True)

    def test_settings_from_a_file_and_flags_over_them(self, recola, tmp_path):
        mine = tmp_path / "mine.json"
        mine.write_text(json.dumps({**TINY, "framework": "joint", "alpha": 0.25, "epochs": 2}))
        result = command(
            "train", "--no-report", "--config", mine, "--data-dir", recola, "--epochs", 1, "--output", tmp_path / "run"
        )
        assert result.returncode == 0, result.stderr
        kept = json.loads((tmp_path / "run" / "config.json").read_text())
        assert (kept["framework"], kept["alpha"], kept["beta"], kept["epochs"]) == ("joint", 0.25, 0.0, 1)

    def test_default_folders_do_not_collide(self, tables, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}))
        for _ in range(2):
            assert command("train", "--no-report", *arguments).returncode == 0
        names = sorted(path.name for path in (tmp_path / "runs").iterdir())
        assert names == ["tables-emotion-audio-contrastive-seed0", "tables-emotion-audio-contrastive-seed0-2"]

    @pytest.mark.slow
    def test_without_recola_the_simulated_package_is_written_once_and_said_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("EMOBED_CACHE", str(tmp_path / "cache"))
        arguments = flags(**{**TINY, "epochs": 1})
        first = command("train", "--no-report", *arguments, "--output", tmp_path / "a")
        assert first.returncode == 0, first.stderr
        assert "this is the simulated package" in first.stdout
        marker = tmp_path / "cache" / "simulated-recola" / "simulated.json"
        written = marker.stat().st_mtime_ns
        second = command("train", "--no-report", "--resume", "--output", tmp_path / "a", "--epochs", 2)
        assert second.returncode == 0, second.stderr
        assert marker.stat().st_mtime_ns == written
        shutil.rmtree(tmp_path / "cache")
        assert command("evaluate", tmp_path / "a").returncode == 0, "written again, the same bytes"

    def test_own_process_is_quiet(self, tables, tmp_path):
        """Neither TensorFlow's greetings nor progress bars where nobody looks."""
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}))
        result = process("train", *arguments, "--output", tmp_path / "run")
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""

    def test_ctrl_c_says_how_to_continue(self, recola, tmp_path):
        folder = tmp_path / "run"
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "emobed_tf.train",
                "--data-dir",
                recola,
                *flags(**{**TINY, "epochs": 500, "patience": 0}),
            ]
            + ["--output", folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 120
        while not (folder / "last.npz").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        heard, interrupted, how = (line for line in errors.splitlines() if line)
        assert heard.startswith("stopping after this step (")
        assert interrupted == "emobed_tf.train: interrupted"
        assert how == f"continue with: python -m emobed_tf.train --resume --output {folder}"

    @pytest.mark.parametrize("named", [True, False])
    def test_ctrl_c_before_anything_was_trained(self, tables, tmp_path, monkeypatch, named):
        """Nothing is announced that isn't there, and no empty folder is left."""

        def interrupted(threads):
            raise KeyboardInterrupt

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("emobed_tf.train.import_tensorflow", interrupted)
        more = ("--output", tmp_path / "runs" / "mine") if named else ()
        result = command("train", "--no-report", "--dataset", "tables", "--data-dir", tables, *flags(**TINY), *more)
        assert result.returncode == 130
        said = ["", "emobed_tf.train: interrupted", "nothing was trained yet, and no run folder was made"]
        assert result.stderr.splitlines() == said
        assert "run folder" not in result.stdout
        assert not list(tmp_path.glob("runs/*"))

    def test_ctrl_c_while_the_page_is_drawn(self, tables, tmp_path, monkeypatch):
        def interrupted(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("emobed_tf.reporting.write_report", interrupted)
        output = tmp_path / "run"
        result = command(
            "train", "--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}), "--output", output
        )
        assert result.returncode == 130
        assert result.stderr.splitlines()[-1] == f"trained; python -m emobed_tf.report {output} draws the page"
        assert (output / "scores.json").exists()

    def test_a_page_is_drawn_unless_it_is_not_wanted(self, arousal_run, tmp_path):
        folder = shutil.copytree(arousal_run[0], tmp_path / "run")
        shutil.rmtree(folder / "report", ignore_errors=True)
        line = ("train", "--resume", "--output", folder)
        assert "report" not in command(*line, "--no-report").stdout
        assert not (folder / "report").exists()
        assert command(*line).stdout.endswith(f"report: {folder / 'report' / 'index.html'}\n")
        assert (folder / "report" / "index.html").is_file()

    def test_a_run_that_has_its_epochs_already(self, arousal_run, tmp_path):
        folder = shutil.copytree(arousal_run[0], tmp_path / "run")
        epochs = json.loads((folder / "scores.json").read_text())["training"]["epochs"]
        result = command("train", "--no-report", "--resume", "--output", folder, "--epochs", 1)
        assert result.returncode == 0, result.stderr
        assert f"nothing to train: {folder} already has {epochs} epochs" in result.stdout
        assert "epochs in" not in result.stdout

    def test_an_encoder_that_does_not_do_leaves_no_folder_and_says_so(self, recola, tmp_path):
        arguments = ("--data-dir", recola, "--encoder", "tests.models.own_encoders:unnamed", *flags(**TINY))
        result = command("train", "--no-report", *arguments, "--output", tmp_path / "run")
        assert_one_line(result, "layer 'mine': expected a name of its own", "; no run folder was made")
        assert not (tmp_path / "run").exists()

    def test_every_setting_is_a_flag(self):
        import dataclasses

        from emobed_tf.config import Config

        shown = process("train", "--help", env={**os.environ, "COLUMNS": "200"}).stdout
        for section in dataclasses.fields(Config):
            for field in dataclasses.fields(section.type):
                assert f"--{field.name.replace('_', '-')}" in shown


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--alhpa", "1"], ["--alhpa", "perhaps --alpha?"]),
            (["--alpha", "much"], ["--alpha", "'much'"]),
            (["--alpha", "-1"], ["--alpha", "0 or more"]),
            (["--framework", "classic", "--beta", "1"], ["--framework classic fixes beta = 0"]),
            (["--framework", "emo"], ["'emo'", "--framework"]),
            (["--dataset", "iemocap"], ["'iemocap'", "recola"]),
            (["--data-dir", "/nowhere"], ["/nowhere"]),
            (["--dataset", "tables"], ["--table NAME=PATH"]),
            (["--dataset", "tables", "--table", "audio"], ["audio", "NAME=PATH"]),
            (["--dataset", "tables", "--table", "audio=/nowhere.csv"], ["/nowhere.csv"]),
            (["--config", "/nowhere.json"], ["/nowhere.json", "no such file"]),
            (["--resume"], ["--output"]),
            (["--resume", "--output", "/nowhere"], ["/nowhere", "no such run folder"]),
            (["--resume", "--output", "/nowhere", "--config", "x.json"], ["--config"]),
            (["stray"], ["stray"]),
        ],
        ids=lambda value: " ".join(value)[:40],
    )
    def test_on_the_command_line(self, arguments, words):
        assert_one_line(command("train", *arguments), *words)

    def test_output_is_a_file(self, recola, tmp_path):
        (tmp_path / "file").write_text("x")
        result = command("train", "--no-report", "--data-dir", recola, *flags(**TINY), "--output", tmp_path / "file")
        assert_one_line(result, "file", "not empty")

    def test_checkpoint_without_its_state(self, arousal_run, tmp_path):
        shutil.copytree(arousal_run[0], tmp_path / "odd")
        np.savez(tmp_path / "odd" / "last.npz", **{"x/y": np.zeros(1)})
        result = command("train", "--no-report", "--resume", "--output", tmp_path / "odd", "--epochs", 9)
        assert_one_line(result, "last.npz", "damaged")

    def test_resume_with_other_settings(self, arousal_run):
        assert_one_line(
            command("train", "--no-report", "--resume", "--output", arousal_run[0], "--seed", 7),
            "was trained with --seed 0, not 7",
        )

    def test_full_disk(self, recola, tmp_path):
        """A real one: a file system of 60 kB, less than an epoch leaves."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a small file system needs root")
        try:
            result = command("train", "--no-report", "--data-dir", recola, *flags(**TINY), "--output", disk / "run")
            assert_one_line(result, "No space left on device")
            for path in (disk / "run").glob("*.npz"):
                with np.load(path) as arrays:
                    assert arrays.files
        finally:
            subprocess.run(["umount", disk], check=True)
