"""A model's folder as a watching server sees it: whole versions, numbered upwards, whatever happens to the writer."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from emobed_tf.errors import InputError
from emobed_tf.saved_model.versions import add_version, check_model_dir, latest_version
from tests.conftest import ROOT


def write(folder):
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables").mkdir()
    (folder / "variables" / "data").write_text("weights")


class TestLatestVersion:
    def test_by_number(self, tmp_path):
        for name in ("9", "10", "latest"):
            (tmp_path / name).mkdir()
        assert latest_version(tmp_path) == tmp_path / "10"

    def test_none(self, tmp_path):
        assert latest_version(tmp_path) is None
        assert latest_version(tmp_path / "nowhere") is None


class TestAddVersion:
    @pytest.mark.parametrize(
        ("entries", "expected"),
        [
            ((), "1"),
            (("1", "2"), "3"),
            (("7",), "8"),
            (("9", "10"), "11"),  # as numbers, not as text
            (("008",), "9"),  # TensorFlow Serving reads it as 8
            (("1", "latest", "2.5", "v9", ".5", "٣"), "2"),  # and none of these
        ],
    )
    def test_next_number(self, tmp_path, entries, expected):
        for name in entries:
            (tmp_path / "model" / name).mkdir(parents=True)
        version = add_version(tmp_path / "model", write)
        assert version == tmp_path / "model" / expected
        assert {entry.name for entry in (tmp_path / "model").iterdir()} == {*entries, expected}
        assert (version / "variables" / "data").read_text() == "weights"

    def test_a_file_takes_a_number_too(self, tmp_path):
        (tmp_path / "4").write_text("")
        assert add_version(tmp_path, write).name == "5"
        assert (tmp_path / "4").read_text() == ""

    def test_parents_are_made(self, tmp_path):
        assert add_version(tmp_path / "a" / "b", write) == tmp_path / "a" / "b" / "1"

    def test_others_may_read_it(self, tmp_path):
        """A server runs as somebody else: the version has the permissions of any new folder here."""
        (tmp_path / "plain").mkdir()
        version = add_version(tmp_path / "model", write)
        assert version.stat().st_mode == (tmp_path / "plain").stat().st_mode

    def test_several_writers_at_once(self, tmp_path):
        """Each has chosen its folder before the other's version appears."""

        def interrupted_by_another(folder):
            write(folder)
            assert add_version(tmp_path, write).name == "1"

        assert add_version(tmp_path, interrupted_by_another).name == "2"

    def test_a_number_that_is_taken_at_the_last_moment(self, tmp_path, monkeypatch):
        rename, taken = Path.rename, []

        def late(self, target):
            if not taken:
                taken.append(target)
                target.mkdir()
                write(target)
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", late)
        assert add_version(tmp_path, write).name == "2"
        assert taken == [tmp_path / "1"]

    def test_nothing_that_can_be_taken_for_a_version_until_it_is_whole(self, tmp_path):
        seen = []

        def slow(folder):
            write(folder)
            seen.extend(entry.name for entry in tmp_path.iterdir())

        add_version(tmp_path, slow)
        assert len(seen) == 1
        assert seen[0].startswith("."), "hidden, and no integer"

    def test_ten_writers_and_a_watcher(self, tmp_path):
        done, partial, seen = threading.Event(), [], set()

        def watch():
            while not done.is_set():
                for entry in tmp_path.iterdir():
                    if entry.name.isdigit():
                        seen.add(entry.name)
                        if not (entry / "variables" / "data").exists():
                            partial.append(entry.name)

        watcher = threading.Thread(target=watch)
        watcher.start()
        writers = [threading.Thread(target=add_version, args=(tmp_path, write)) for _ in range(10)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        done.set()
        watcher.join()
        assert partial == []
        assert {entry.name for entry in tmp_path.iterdir()} == {str(k) for k in range(1, 11)} >= seen


class TestFails:
    @pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("x")])
    def test_leaves_nothing(self, tmp_path, problem):
        def stopped(folder):
            write(folder)
            raise problem

        with pytest.raises(type(problem)):
            add_version(tmp_path / "new", stopped)
        assert not (tmp_path / "new").exists()
        (tmp_path / "old" / "1").mkdir(parents=True)
        with pytest.raises(type(problem)):
            add_version(tmp_path / "old", stopped)
        assert [path.name for path in (tmp_path / "old").rglob("*")] == ["1"]

    def test_a_disk_that_is_full_only_when_it_is_asked(self, tmp_path, monkeypatch):
        def full(descriptor):
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr("emobed_tf.saved_model.versions.os.fsync", full)
        with pytest.raises(OSError, match="No space left on device"):
            add_version(tmp_path, write)
        assert list(tmp_path.iterdir()) == []

    def test_what_a_killed_writer_left_is_no_version(self, tmp_path):
        (tmp_path / ".export-0123").mkdir()
        assert add_version(tmp_path, write).name == "1"

    @pytest.mark.parametrize(
        ("made", "given", "words"),
        [
            ("file", "file", "file: expected a folder for the versions of a model, found a file"),
            ("file", "file/below", "file: expected a folder for the versions of a model, found a file"),
            ("model/saved_model.pb", "model", "that is a version of a model; name the folder of all versions"),
            ("model/1/saved_model.pb", "model/1", "name the folder of all versions, .*/model$"),
            ("model/1/saved_model.pb", "model/2", "name the folder of all versions, .*/model$"),
            ("run/run.json", "run", "that is a run folder"),
        ],
    )
    def test_what_can_not_hold_versions(self, tmp_path, made, given, words):
        path = tmp_path / made
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        before = sorted(tmp_path.rglob("*"))
        for refuse in (check_model_dir, lambda folder: add_version(folder, write)):
            with pytest.raises(InputError, match=words):
                refuse(tmp_path / given)
        assert sorted(tmp_path.rglob("*")) == before

    def test_no_permission(self, tmp_path, monkeypatch):
        """As the system would tell a user who isn't root."""
        monkeypatch.setattr("emobed_tf.saved_model.versions.os.access", lambda path, mode: path != tmp_path)
        with pytest.raises(PermissionError) as caught:
            check_model_dir(tmp_path / "new" / "model")
        assert caught.value.filename == str(tmp_path)

    def test_a_relative_name(self, tmp_path, monkeypatch):
        """`.` has no name of its own: what it stands for is looked at."""
        (tmp_path / "3").mkdir()
        monkeypatch.chdir(tmp_path / "3")
        with pytest.raises(InputError, match="that is a version of a model"):
            check_model_dir(Path("."))
        monkeypatch.chdir(tmp_path)
        assert add_version(Path("."), write) == Path("4")


class TestWhatKilledWritersLeave:
    @staticmethod
    def left(model_dir, name=".export-0", seconds=3600):
        folder = model_dir / name
        (folder / "variables").mkdir(parents=True)
        (folder / "saved_model.pb").write_text("half")
        os.utime(folder, (time.time() - seconds,) * 2)
        return folder

    def test_is_removed_by_the_next(self, tmp_path):
        gone = self.left(tmp_path)
        kept = [self.left(tmp_path, ".export-1", seconds=5), self.left(tmp_path, ".other"), self.left(tmp_path, "3")]
        assert add_version(tmp_path, write) == tmp_path / "4"
        assert not gone.exists()
        assert all((folder / "saved_model.pb").exists() for folder in kept)

    def test_but_not_what_another_is_writing(self, tmp_path):
        """A process that is at work, and then killed."""
        code = (
            "import os, sys, time, pathlib\n"
            "from emobed_tf.saved_model.versions import add_version\n"
            "def write(folder):\n"
            "    os.utime(folder, (0, 0)); print(folder, flush=True); time.sleep(600)\n"
            "add_version(pathlib.Path(sys.argv[1]), write)"
        )
        other = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            theirs = Path(other.stdout.readline().strip())
            assert theirs.parent == tmp_path
            add_version(tmp_path, write)
            assert theirs.exists()
        finally:
            other.kill()
            other.communicate()
        add_version(tmp_path, write)
        assert {entry.name for entry in tmp_path.iterdir()} == {"1", "2"}

    def test_a_link_is_not_followed(self, tmp_path):
        elsewhere = self.left(tmp_path / "elsewhere", "precious")
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / ".export-1").symlink_to(elsewhere)
        add_version(tmp_path / "model", write)
        assert (elsewhere / "saved_model.pb").exists()
