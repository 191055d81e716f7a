"""Where data sets are found, and the simulated package that stands in for one that is not there."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emobed_tf import console
from emobed_tf.corpora import locate as module
from emobed_tf.corpora import simulate
from emobed_tf.corpora.locate import locate, notice
from emobed_tf.errors import MissingInputError
from tests.corpora.corpus_writers import fails, write

HINT = "set EMOBED_CACHE to a folder that can be written"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Packages that are written in no time."""
    original = simulate.simulate_omg

    def write_small(directory, progress=None):
        return original(directory, utterances=(7, 7, 7), video_columns=1, progress=progress)

    monkeypatch.setattr(simulate, "simulate_omg", write_small)
    monkeypatch.delenv("EMOBED_OMG_DIR", raising=False)
    return write_small


class TestLocate:
    def test_named_folders(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("EMOBED_OMG_DIR", str(tmp_path / "variable"))
        assert locate("omg", None) == tmp_path / "variable"
        assert locate("omg", Path("mine")) == tmp_path / "mine"
        assert locate("tables", None, tables=True) is None
        fails(lambda: locate("tables", None), "--table NAME=PATH", error=MissingInputError)

    def test_simulated_once(self, own_cache):
        calls = []
        folder = locate("omg", None, progress=lambda *call: calls.append(call))
        assert folder == own_cache / "simulated-omg"
        assert calls[-1] == (6, 6, "simulating omg")  # two modalities, three partitions
        before = (folder / "simulated.json").stat().st_mtime_ns
        assert locate("omg", None) == locate("omg", folder) == folder
        assert (folder / "simulated.json").stat().st_mtime_ns == before

    def test_the_cache_matters_to_no_named_folder(self, tmp_path, monkeypatch):
        def unknown():
            raise RuntimeError("no cache")

        monkeypatch.setattr(module, "cache_folder", unknown)
        assert locate("omg", tmp_path) == tmp_path
        assert str(tmp_path) in notice("omg", tmp_path)


class TestAtTheSameTime:
    def test_threads(self, own_cache, monkeypatch, small):
        together = threading.Barrier(3)

        def wait_and_write(directory, progress=None):
            together.wait(30)
            return small(directory, lambda done, total: together.wait(30) if done == 1 else None)

        monkeypatch.setattr(simulate, "simulate_omg", wait_and_write)
        found, errors = [], []

        def run():
            try:
                found.append(locate("omg", None))
            except Exception as error:  # noqa: BLE001 - shown below
                errors.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert errors == []
        assert found == [own_cache / "simulated-omg"] * 3
        assert [path.name for path in own_cache.iterdir()] == ["simulated-omg"]

    def test_another_has_finished_in_between(self, own_cache, monkeypatch, small):
        def late(directory, progress=None):
            small(directory)
            return small(directory, progress)  # "exists and is not an empty folder"

        monkeypatch.setattr(simulate, "simulate_omg", late)
        assert locate("omg", None) == own_cache / "simulated-omg"

    def test_both_fill_an_empty_folder(self, own_cache, monkeypatch, small):
        (own_cache / "simulated-omg").mkdir()

        def slow(directory, progress=None):
            return small(directory, lambda done, total: small(directory) if done == total else None)

        monkeypatch.setattr(simulate, "simulate_omg", slow)
        assert locate("omg", None) == own_cache / "simulated-omg"
        assert json.loads((own_cache / "simulated-omg" / "simulated.json").read_text())["simulated"] is True

    def test_what_is_no_package_is_refused(self, own_cache):
        write(own_cache / "simulated-omg" / "mine", "precious")
        fails(lambda: locate("omg", None), "simulated-omg exists and is not an empty folder")


class TestCacheThatCannotBeWritten:
    def one_line(self, capsys):
        assert console.run("prog", lambda: locate("omg", None) and 0) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    def test_a_file_in_its_place(self, own_cache, monkeypatch, capsys):
        monkeypatch.setenv("EMOBED_CACHE", str(write(own_cache / "file", "") / "cache"))
        with pytest.raises(NotADirectoryError) as caught:
            locate("omg", None)
        assert caught.value.errno == errno.ENOTDIR
        assert str(own_cache / "file") in caught.value.filename
        assert self.one_line(capsys) == f"prog: error: {caught.value.filename}: Not a directory; {HINT}\n"

    def test_full_disk(self, own_cache, monkeypatch, capsys):
        def full(*_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "write_text", full)
        folder = own_cache / "simulated-omg"
        expected = f"prog: error: {folder}: no space left; what had been written is removed again; {HINT}\n"
        assert self.one_line(capsys) == expected

    @pytest.mark.skipif(sys.platform == "win32" or os.getuid() != 0, reason="becomes another user")
    def test_a_folder_of_another_user(self, tmp_path):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        code = (
            "import os, sys\n"
            "import emobed_tf.corpora.simulate\n"
            "from emobed_tf import console\n"
            "from emobed_tf.corpora.locate import locate\n"
            "os.setuid(65534)\n"
            "sys.exit(console.run('prog', lambda: locate('omg', None) and 0))\n"
        )
        environment = {**os.environ, "EMOBED_CACHE": str(closed / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert f"Permission denied; {HINT}" in done.stderr


class TestNotice:
    def test_default_package(self, own_cache):
        folder = own_cache / "simulated-recola"
        assert notice("recola", folder) == (
            "no RECOLA (AVEC 2016 package) given (--data-dir or $EMOBED_RECOLA_DIR): this is the simulated package in "
            f"{folder}. Scores on it are no results."
        )
        assert "no OMG-Emotion given (--data-dir or $EMOBED_OMG_DIR)" in notice("omg", own_cache / "simulated-omg")

    @pytest.mark.parametrize("name", ["recola", "omg", "tables"])
    def test_other_package(self, tmp_path, name):
        for folder in (tmp_path / "sim", tmp_path / f"simulated-{name}"):
            assert notice(name, folder) == f"{folder} is a simulated package. Scores on it are no results."

    def test_tables_alone(self):
        assert notice("tables", None) == "These data are simulated. Scores on them are no results."
