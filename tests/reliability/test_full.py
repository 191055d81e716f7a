"""No room on the disk, no permission, no folder: one line, nothing lost, and it goes on when that is mended."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from emobed_tf.runs.folder import Run
from tests.commands import assert_one_line, command, flags
from tests.conftest import THREADS
from tests.recordings.sounds import noise, write
from tests.reliability.full import files_of_at_most, small_disk
from tests.reliability.results import assert_whole, contents, differences, is_left, raw
from tests.tiny import TINY

TOO_LARGE = "File too large; raise the limit (ulimit -f), or choose a disk that takes larger files; "
NO_ROOM = "No space left on device; make room there; "
KEPT = "what is done is kept; the same command continues"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stack", "quiet_collapse")]


def training(data, folder):
    return ("train", "--no-report", "--data-dir", data, *flags(**TINY), "--output", folder)


def trained(run):
    """What training leaves in a run's folder; other tests evaluate the same run."""
    return {name: what for name, what in contents(run).items() if name in ("best.npz", "last.npz", "history.csv")}


def comparison(tables, folder):
    small = ("--configurations", 2, "--seeds", 2, "--threads", THREADS, "--systems", "svm", "forest")
    return ("compare", "--dataset", "tables", "--data-dir", tables, *small, "--output", folder)


def sweeping(tables, folder):
    what = ("--parameter", "alpha", "--values", "0,1", "--seeds", 1, "--dataset", "tables", "--data-dir", tables)
    return [*map(str, (*what, "--output", folder)), *flags(**{**TINY, "batch_size": 16, "framework": "joint"})]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    for k in range(3):
        write(folder / f"{k}.wav", noise(0.3, seed=k))
    (folder / "clips.csv").write_text("file\n0.wav\n1.wav\n2.wav\n")
    return folder / "clips.csv"


@pytest.fixture(scope="module")
def compared(tables, stack, tmp_path_factory):
    """A comparison that nothing disturbed."""
    folder = tmp_path_factory.mktemp("compared") / "out"
    assert command(*comparison(tables, folder)).returncode == 0
    return folder


class TestFilesThatMayNotGrow:
    """What a full disk is for whoever writes, with no need to mount one."""

    def test_training(self, arousal_run, recola, tmp_path):
        """Full at the checkpoint of the first epoch (about 80 kB) after best.npz (27 kB); then it is continued."""
        run = tmp_path / "run"
        with files_of_at_most(40_000):
            result = command(*training(recola, run))
        go_on = f"continue with: python -m emobed_tf.train --resume --output {run}"
        assert_one_line(result, f"{run / 'last.npz'}: {TOO_LARGE}{go_on}")
        assert_whole(run)
        assert command("train", "--no-report", "--resume", "--output", run).returncode == 0
        assert not differences(trained(run), trained(arousal_run[0]))

    def test_more_epochs_of_a_finished_run(self, arousal_run, tmp_path):
        run = tmp_path / "run"
        shutil.copytree(arousal_run[0], run)
        with files_of_at_most(40_000):
            result = command("train", "--no-report", "--resume", "--output", run, "--epochs", 4)
        assert_one_line(result, f"{run / 'last.npz'}: {TOO_LARGE}continue with: ")
        assert Run(run).history().index.tolist() == [1, 2, 3]
        assert_whole(run)
        assert command("train", "--no-report", "--resume", "--output", run, "--epochs", 4).returncode == 0
        assert Run(run).history().index.tolist() == [1, 2, 3, 4]

    def test_ledger(self, compared, tables, tmp_path):
        """Full in the middle: what came before stays, and only the rest is done when there is room."""
        ledger, out = (compared / "ledger.jsonl").read_bytes(), tmp_path / "out"
        with files_of_at_most(len(ledger) // 2):
            result = command(*comparison(tables, out))
        assert_one_line(result, f"{out / 'ledger.jsonl'}: {TOO_LARGE}{KEPT}")
        kept = (out / "ledger.jsonl").read_bytes()
        assert kept.endswith(b"\n") and len(ledger) // 4 < len(kept) <= len(ledger) // 2
        assert {path.name for path in out.iterdir()} == {"ledger.jsonl", "predictions"}
        assert command(*comparison(tables, out)).returncode == 0
        assert (out / "ledger.jsonl").read_bytes().startswith(kept)
        assert not differences(contents(out), contents(compared))

    def test_sweep(self, tables, tmp_path, capsys):
        from tuning.sweep import main

        with files_of_at_most(1_000):
            assert main(sweeping(tables, tmp_path / "sweep")) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert f"{tmp_path / 'sweep' / 'trials.jsonl'}: {TOO_LARGE}" in error

    def test_search(self, tables, tmp_path, capsys):
        from tests.tuning.processes import search_line
        from tuning.search import main

        line = search_line(tables, "--tuner", "random", "--max-trials", 2, "--output", tmp_path / "search")[3:]
        with files_of_at_most(8_000):
            assert main(line) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1, error
        assert TOO_LARGE in error

    def test_extraction(self, clips, tmp_path, monkeypatch):
        """What can't be kept stays in memory; the table can't be written, and the one before is as it was."""
        monkeypatch.setenv("EMOBED_CACHE", str(tmp_path / "cache"))
        table = tmp_path / "audio.parquet"
        line = ("extract", clips, "--output", table)
        assert command(*line).returncode == 0
        before = table.read_bytes()
        shutil.rmtree(tmp_path / "cache")
        with files_of_at_most(500):
            result = command(*line)
        assert_one_line(result, f"{table}: {TOO_LARGE}{KEPT}")
        assert "features can't be kept here (File too large)" in result.stderr
        assert table.read_bytes() == before
        assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != table]
        assert command(*line).returncode == 0
        assert table.read_bytes() == before

    def test_cache(self, recola, tmp_path, monkeypatch):
        """Reading goes on without it, and nothing half is left there."""
        monkeypatch.setenv("EMOBED_CACHE", str(tmp_path / "cache"))
        with files_of_at_most(1_000):
            without = command("check", "--dataset", "recola", "--data-dir", recola)
        assert without.returncode == 0
        assert "parsed features can't be kept here (File too large)" in without.stderr
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        assert command("check", "--dataset", "recola", "--data-dir", recola).stdout == without.stdout
        assert raw(tmp_path / "cache")

    def test_export(self, arousal_run, tmp_path):
        model = tmp_path / "model"
        assert command("export", arousal_run[0], model).returncode == 0
        before = raw(model)
        for size in (1_000, 100_000):
            with files_of_at_most(size):
                result = command("export", arousal_run[0], model)
            assert_one_line(result, f"{TOO_LARGE}no version was added; the same command writes it")
            assert raw(model) == before
            assert not [path for path in model.iterdir() if is_left(path)]
        assert command("export", arousal_run[0], model).returncode == 0
        assert {path.name for path in model.iterdir()} == {"1", "2"}

    def test_simulation(self, tmp_path):
        with files_of_at_most(10_000):
            result = command("simulate", "recola", tmp_path / "data", "--seconds", 12, "--recordings", 1)
        assert_one_line(result, "File too large")
        assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def closed(folder):
    """A folder that nobody may write to; root, who may everything, is somebody else meanwhile."""
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def public():
    """A folder that everybody can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_where_a_folder_should_be(recola, tables, clips, arousal_run, tmp_path):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" / "out"
    for line in (
        training(recola, out),
        comparison(tables, out),
        ("extract", clips, "--output", out / "audio.parquet"),
        ("export", arousal_run[0], out),
    ):
        assert_one_line(command(*line), str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.soak
class TestNoPermission:
    """Another user has to be able to read all of this checkout and its packages."""

    @pytest.fixture
    def mine(self, public, tables, recola, arousal_run):
        """Copies of all that is read, and a folder to be closed."""
        for name, source in (("tables", tables), ("recola", recola), ("run", arousal_run[0])):
            shutil.copytree(source, public / name)
            (public / name).chmod(0o755)
        (public / "closed").mkdir()
        return public

    @pytest.mark.parametrize("name", ["train", "compare", "export", "simulate"])
    def test_one_line_and_nothing_changed(self, mine, name, monkeypatch):
        monkeypatch.setenv("EMOBED_CACHE", str(mine / "cache"))
        out = mine / "closed" / "out"
        line = {
            "train": training(mine / "recola", out),
            "compare": comparison(mine / "tables", out),
            "export": ("export", mine / "run", out),
            "simulate": ("simulate", "recola", out, "--seconds", 12, "--recordings", 1),
        }[name]
        elsewhere = [mine / "elsewhere" if word == out else word for word in line]
        assert command(*elsewhere).returncode == 0  # what a user may not read, such as root's Python, is in memory now
        with closed(mine / "closed"):
            result = command(*line)
        assert_one_line(result, f"{mine / 'closed'}", "Permission denied")
        assert list((mine / "closed").iterdir()) == []
        assert command(*line).returncode == 0


@pytest.mark.soak
class TestSmallDisk:
    """Real ones, which root can mount: less and less room, then enough."""

    @pytest.fixture
    def disk(self, tmp_path):
        with small_disk(tmp_path / "disk") as disk:
            if disk is None:
                pytest.skip("mounting a small file system needs root")
            yield disk

    @pytest.mark.parametrize("left", [4_096, 16_384, 40_000, 120_000, 200_000])
    def test_training(self, disk, arousal_run, recola, left):
        run = disk.folder / "run"
        disk.fill(left)
        result = command(*training(recola, run))
        assert_one_line(result, NO_ROOM)
        assert_whole(disk.folder)
        disk.free()
        goes_on = ("train", "--resume", "--output", run) if "--resume" in result.stderr else training(recola, run)
        assert command(*goes_on).returncode == 0
        assert not differences(trained(run), trained(arousal_run[0]))

    @pytest.mark.parametrize("left", [4_096, 16_384, 300_000])
    def test_export(self, disk, arousal_run, left):
        disk.fill(left)
        assert_one_line(command("export", arousal_run[0], disk.folder / "model"), NO_ROOM)
        assert not (disk.folder / "model").exists()
        disk.free()
        assert command("export", arousal_run[0], disk.folder / "model").returncode == 0

    @pytest.mark.parametrize("left", [0, 4_096, 12_288])
    def test_comparison(self, disk, compared, tables, left):
        disk.fill(left)
        assert_one_line(command(*comparison(tables, disk.folder / "out")), NO_ROOM)
        disk.free()
        assert command(*comparison(tables, disk.folder / "out")).returncode == 0
        assert not differences(contents(disk.folder / "out"), contents(compared))

    def test_extraction(self, disk, clips, monkeypatch):
        monkeypatch.setenv("EMOBED_CACHE", str(disk.folder / "cache"))
        line = ("extract", clips, "--output", disk.folder / "audio.parquet")
        disk.fill(0)
        assert_one_line(command(*line), NO_ROOM)
        disk.free()
        assert command(*line).returncode == 0

    def test_read_only(self, disk, arousal_run, recola, tables, clips):
        assert command(*comparison(tables, disk.folder / "before")).returncode == 0
        before = raw(disk.folder)
        subprocess.run(["mount", "-o", "remount,ro", disk.folder], check=True)
        for line in (
            training(recola, disk.folder / "run"),
            comparison(tables, disk.folder / "out"),
            ("extract", clips, "--output", disk.folder / "audio.parquet"),
            ("export", arousal_run[0], disk.folder / "model"),
            ("simulate", "recola", disk.folder / "data", "--seconds", 12, "--recordings", 1),
        ):
            assert_one_line(command(*line), "Read-only file system")
        assert raw(disk.folder) == before
