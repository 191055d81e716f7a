"""Two processes at the same time: on one cache, one ledger, one search, one run folder, one model, one table."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.commands import assert_one_line, command
from tests.conftest import ROOT
from tests.reliability.results import contents, is_left, raw
from tests.reliability.test_full import clips, comparison, training
from tests.tuning.processes import search_line

__all__ = ["clips"]
LONGEST = 300  # seconds, on a machine that is busy

pytestmark = pytest.mark.slow


def started(*line, **variables):
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, line)],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, err = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, err
    return out


@contextlib.contextmanager
def held_still(process, sign):
    """Stops a process as soon as a file has something in it: it is in the middle. Lets it go on afterwards."""
    try:
        until = time.monotonic() + LONGEST
        while not (sign.exists() and sign.stat().st_size):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        yield
        process.send_signal(signal.SIGCONT)
        ended(process)
    finally:
        process.kill()
        process.communicate()


def test_one_cache(recola, tmp_path):
    line = ("emobed_tf.check", "--dataset", "recola", "--data-dir", recola)
    both = [started(*line, EMOBED_CACHE=str(tmp_path / "both")) for _ in range(2)]
    said = [ended(process) for process in both]
    assert said[0] == said[1] == ended(started(*line, EMOBED_CACHE=str(tmp_path / "alone")))
    assert raw(tmp_path / "both") == raw(tmp_path / "alone")
    assert not [path for path in tmp_path.rglob("*") if is_left(path)]


def test_one_table(clips, tmp_path):
    """The last to end has the table; it is whole, and the same."""
    table, cache = tmp_path / "audio.parquet", str(tmp_path / "cache")
    for process in [started("emobed_tf.extract", clips, "--output", table, EMOBED_CACHE=cache) for _ in range(2)]:
        ended(process)
    both = table.read_bytes()
    assert command("extract", clips, "--output", table).returncode == 0
    assert table.read_bytes() == both
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["audio.parquet"]


@pytest.mark.usefixtures("stack", "quiet_collapse")
class TestTheSecondIsTold:
    def test_one_ledger(self, tables, tmp_path):
        name, *line = comparison(tables, tmp_path / "out")
        first = started(f"emobed_tf.{name}", *line)
        with held_still(first, tmp_path / "out" / "ledger.jsonl"):
            assert_one_line(
                command(name, *line), "ledger.jsonl: another process works in this folder; wait, or choose another"
            )
        assert (tmp_path / "out" / "table.csv").exists()

    def test_one_run_folder(self, arousal_run, recola, tmp_path):
        run = tmp_path / "run"
        first = started(f"emobed_tf.{training(recola, run)[0]}", *training(recola, run)[1:])
        with held_still(first, run / "config.json"):
            before = raw(run)
            result = command("train", "--no-report", "--resume", "--output", run)
            assert_one_line(result, "another process is training this run; wait until it has ended, or stop it")
            assert_one_line(command(*training(recola, run)), str(run))
            assert raw(run) == before
        assert contents(run)["best.npz"] == contents(arousal_run[0])["best.npz"]

    def test_one_search(self, tables, tmp_path, capsys):
        from tuning.search import main

        folder = tmp_path / "search"
        line = search_line(tables, "--tuner", "random", "--max-trials", 2, "--output", folder)
        first = started(*line[2:])
        with held_still(first, folder / "trials" / "oracle.json"):
            before = raw(folder)
            assert main(["--resume", "--output", str(folder)]) == 2
            assert "another process is at work on this search; wait until it has ended" in capsys.readouterr().err
            assert main(line[3:]) == 2
            assert raw(folder) == before
        assert (folder / "best" / "scores.json").exists()


def test_one_model(arousal_run, tmp_path):
    """Both are added, each under a number of its own."""
    for process in [started("emobed_tf.export", arousal_run[0], tmp_path / "model") for _ in range(2)]:
        ended(process)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["1", "2"]
    one, two = (raw(tmp_path / "model" / version) for version in "12")
    assert one.keys() == two.keys()
    known = contents(tmp_path / "model")
    assert known["1/manifest.json"] == known["2/manifest.json"]
