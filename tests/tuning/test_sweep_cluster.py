"""Fan-out over a Dask cluster: a scheduler and workers in processes of their own, some of them killed on the way."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emobed_tf.comparison import workers as fanout
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.errors import InputError
from tests.comparison.test_workers import process_of, square
from tests.conftest import ROOT, THREADS
from tests.tuning.test_sweep import FLAGS, scores
from tuning.sweep import main

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")

_PATIENCE = 180


class Cluster:
    """A Dask scheduler, and workers that do one task at a time. No nanny: a worker that is killed stays away."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        self.workers: list[subprocess.Popen] = []
        self._until(lambda: _listens(port), "the scheduler doesn't listen")

    def add_worker(self, *flags: str, path: Path = ROOT) -> subprocess.Popen:
        """Starts one more, and waits until the scheduler knows it."""
        from distributed import Client

        threads = () if "--nthreads" in flags else ("--nthreads", "1")
        where = ("--no-nanny", "--local-directory", str(self.folder))
        worker = self._start("worker", self.address, *threads, *where, *flags, path=path)
        self.workers.append(worker)
        with Client(self.address, timeout=_PATIENCE, set_as_default=False) as client:
            self._until(lambda: str(worker.pid) in self._known(client), "the worker doesn't come")
        return worker

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _known(self, client):
        return {str(pid) for pid in client.run(os.getpid).values()}

    def _start(self, *line: str, path: Path = ROOT):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *line, "--no-dashboard"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _until(self, holds, complaint):
        until = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < until, complaint
            time.sleep(0.2)


def _listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def two(cluster):
    """The cluster with two workers."""
    while len(cluster.workers) < 2:
        cluster.add_worker()
    return cluster


def suicide(task):
    if task == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return task


class TestUnreachable:
    @pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tcp://", "http://127.0.0.1:9", "tcp://a b"])
    def test_one_line(self, address, monkeypatch):
        monkeypatch.setattr(fanout, "_SECONDS_TO_CONNECT", 1)
        with pytest.raises(InputError, match="no Dask scheduler answers there") as error:
            list(fan_out(square, [1], Workers(scheduler=address), threads=THREADS))
        assert str(error.value).startswith(f"--scheduler {address}: ")
        assert "\n" not in str(error.value)

    @pytest.mark.slow
    def test_command(self, tables, tmp_path):
        line = ["--parameter", "alpha", "--values", "0", "--dataset", "tables", "--data-dir", str(tables)]
        line += ["--output", str(tmp_path / "sweep"), "--scheduler", "tcp://127.0.0.1:9", *FLAGS]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tuning.sweep", *line], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("tuning.sweep: error: --scheduler tcp://127.0.0.1:9: ")
        assert 9 < time.monotonic() - began < 120  # ten seconds, on a busy machine


@pytest.mark.slow
class TestCluster:
    """In this order: workers come, and the scheduler goes at last."""

    def test_without_workers(self, cluster, monkeypatch):
        monkeypatch.setattr(fanout, "_SECONDS_TO_CONNECT", 2)
        with pytest.raises(InputError, match=r"no workers; start some with: dask worker tcp://.* --nthreads 1$"):
            list(fan_out(square, [1], Workers(scheduler=cluster.address), threads=THREADS))

    def test_every_task_once_on_two_workers(self, two):
        results = dict(fan_out(process_of, [1] * 6, Workers(scheduler=two.address), threads=THREADS))
        assert sorted(results) == list(range(6))
        assert set(results.values()) == {worker.pid for worker in two.workers}

    def test_errors_name_their_task(self, two):
        with pytest.raises(InputError, match=r"^task 2 of 2, 3: three is not a number$"):
            list(fan_out(square, [1, 3], Workers(scheduler=two.address), threads=THREADS))

    def test_another_version(self, two, monkeypatch):
        monkeypatch.setattr(fanout, "__version__", "99.0")
        with pytest.raises(InputError, match=r"its worker tcp://.* has emobed_tf \d.*, here is 99\.0$"):
            list(fan_out(square, [1], Workers(scheduler=two.address), threads=THREADS))

    def test_a_module_that_only_this_machine_has(self, two, tmp_path, monkeypatch):
        (tmp_path / "only_here.py").write_text("def function(task):\n    return task\n")
        monkeypatch.syspath_prepend(tmp_path)
        import only_here

        with pytest.raises(InputError, match=r"its worker tcp://.* can't import only_here"):
            list(fan_out(only_here.function, [1], Workers(scheduler=two.address), threads=THREADS))

    def test_a_sweep_with_one_worker_killed_on_the_way(self, two, tables, tmp_path):
        """Every training is there once, with the bits that one process finds."""
        line = ["--parameter", "alpha", "--values", "0:1.5:0.1", "--seeds", "2", "--dataset", "tables"]
        line += ["--data-dir", str(tables), *FLAGS]
        ledger = tmp_path / "cluster" / "trials.jsonl"
        with subprocess.Popen(
            [sys.executable, "-m", "tuning.sweep", *line, "--output", str(tmp_path / "cluster")]
            + ["--scheduler", two.address],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            until = time.monotonic() + _PATIENCE
            while (not ledger.exists() or ledger.read_bytes().count(b"\n") < 5) and time.monotonic() < until:
                time.sleep(0.02)
            done = ledger.read_bytes().count(b"\n") - 2
            two.workers.pop(0).kill()
            _, errors = process.communicate(timeout=400)
        assert process.returncode == 0, errors
        assert errors == ""
        assert 3 <= done < 32
        keys = [json.dumps(json.loads(line)["key"]) for line in ledger.read_text().splitlines()[1:]]
        assert len(keys) == len(set(keys)) == 1 + 32
        assert main([*line, "--output", str(tmp_path / "here")]) == 0
        assert scores(tmp_path / "cluster") == scores(tmp_path / "here")

    def test_a_task_that_always_kills_ends_it(self, two):
        while len(two.workers) < 4:  # Dask gives it to four
            two.add_worker()
        with pytest.raises(InputError, match=r"^task 1 of 1, dies: every worker that began it has died"):
            list(fan_out(suicide, ["dies"], Workers(scheduler=two.address), threads=THREADS))
        assert [worker.wait(_PATIENCE) for worker in two.workers] == [-signal.SIGKILL] * 4
        two.workers.clear()

    def test_workers_of_many_threads(self, cluster):
        worker = cluster.add_worker("--nthreads", "3")
        with pytest.raises(InputError, match=r"does 3 tasks at a time.*start it with: .* --nthreads 1 --nworkers 3$"):
            list(fan_out(square, [1], Workers(scheduler=cluster.address), threads=THREADS))
        worker.kill()

    def test_a_lost_scheduler(self, tmp_path):
        alone = Cluster(tmp_path)
        try:
            alone.add_worker()
            results = fan_out(process_of, [0, 60, 60], Workers(scheduler=alone.address), threads=THREADS)
            assert next(results) == (0, alone.workers[0].pid)
            alone.scheduler.kill()
            with pytest.raises(InputError, match=f"^--scheduler {alone.address}: lost; "):
                next(results)
        finally:
            alone.close()
