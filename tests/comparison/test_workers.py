"""Fan-out on one machine: every task once, in processes that end when they should. The cluster is in tests/tuning."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from emobed_tf.comparison import workers as fanout
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.errors import EmoBedWarning, InputError
from tests.conftest import ROOT, THREADS

TWO = Workers(2)


def process_of(seconds):
    time.sleep(seconds)
    return os.getpid()


def threads_of(_):
    import tensorflow as tf
    from threadpoolctl import threadpool_info

    blas = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    return os.getpid(), tf.config.threading.get_intra_op_parallelism_threads(), blas


def has_tensorflow(_):
    return os.getpid(), "tensorflow" in sys.modules


def square(task):
    if task == 3:
        raise InputError("three is not a number")
    if task == 4:
        raise KeyError("four")
    return task**2


def dying(task):
    """The task of that name kills its process, the first time or (without a folder) always."""
    folder, name = task
    if name == "dies":
        mark = folder and Path(folder) / "died"
        if mark is None or not mark.exists():
            if mark is not None:
                mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)
    return name


def named_pid(folder):
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(120)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


class TestHere:
    """One worker is this process."""

    def test_results_in_turn(self):
        assert list(fan_out(square, [0, 1, 2, 5], Workers(), threads=THREADS)) == [(0, 0), (1, 1), (2, 4), (3, 25)]
        assert list(fan_out(process_of, [0], Workers(), threads=THREADS)) == [(0, os.getpid())]
        assert list(fan_out(square, [], Workers(), threads=THREADS)) == []
        assert list(fan_out(threads_of, [0], Workers(), threads=THREADS)) == [(0, (os.getpid(), THREADS, {THREADS}))]

    def test_nothing_is_done_ahead(self):
        results = fan_out(square, [1, 3], Workers(), threads=THREADS)
        assert next(results) == (0, 1)
        with pytest.raises(InputError):
            next(results)

    def test_errors_name_their_task(self):
        with pytest.raises(InputError, match=r"^task 2 of 2, 3: three is not a number$"):
            list(fan_out(square, [1, 3], Workers(), threads=THREADS))
        with pytest.raises(KeyError) as error:
            list(fan_out(square, [4, 1], Workers(), threads=THREADS))
        assert error.value.__notes__ == ["task 1 of 2, 4"]


class TestCheck:
    @pytest.mark.parametrize("count", [0, -1])
    def test_numbers(self, count):
        with pytest.raises(InputError, match=f"--workers: expected 1 or more, found {count}"):
            fan_out(square, [], Workers(count), threads=THREADS)

    def test_either_workers_or_a_scheduler(self):
        with pytest.raises(InputError, match="leave --workers out"):
            Workers(2, "tcp://localhost:8786").check()

    def test_without_dask(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InputError, match=r"pip install 'emobed-tf\[cluster\]'"):
            Workers(scheduler="tcp://localhost:8786").check()
        assert Workers(2).check() == Workers(2)


@pytest.mark.slow
class TestProcesses:
    def test_every_task_once_in_two_processes(self):
        results = dict(fan_out(process_of, [0.5] * 6, TWO, threads=THREADS))
        assert sorted(results) == list(range(6))
        assert len(set(results.values())) == 2
        assert os.getpid() not in results.values()
        # The same processes go on, so TensorFlow isn't imported again.
        found = [result for _, result in fan_out(threads_of, range(6), TWO, threads=THREADS)]
        assert {process for process, *_ in found} <= set(results.values())
        assert all(rest == [THREADS, {THREADS}] for _, *rest in found)

    def test_results_come_as_they_are_done(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            order = [index for index, _ in fan_out(process_of, [3, 0, 0, 0], TWO, threads=THREADS)]
        assert sorted(order) == [0, 1, 2, 3]
        assert order[-1] == 0

    def test_errors_name_their_task(self):
        with pytest.raises(InputError, match=r"^task 2 of 2, 3: three is not a number$"):
            list(fan_out(square, [1, 3], TWO, threads=THREADS))

    def test_a_killed_worker_s_tasks_are_done_by_others(self, tmp_path):
        tasks = [(str(tmp_path), name) for name in ("a", "b", "dies", "c", "d", "e")]
        with pytest.warns(EmoBedWarning, match=r"a worker process was killed, \d of 6 tasks are not done; they go on"):
            results = list(fan_out(dying, tasks, TWO, threads=THREADS))
        assert sorted(results) == list(enumerate(name for _, name in tasks))

    def test_a_task_that_always_kills_ends_it(self, monkeypatch):
        monkeypatch.setattr(fanout, "_LOSSES", 2)
        results = []
        with (
            pytest.raises(InputError, match=r"of 3 tasks are not done, and this happened 2 times in a row"),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", EmoBedWarning)
            results.extend(name for _, name in fan_out(dying, [(None, n) for n in ("a", "dies", "b")], TWO, threads=1))
        assert "dies" not in results
        assert len(set(results)) == len(results)  # what came before is not done again

    @pytest.mark.parametrize("workers", [1, 2])
    def test_without_tensorflow_there_are_other_processes(self, workers):
        list(fan_out(threads_of, [0, 0], TWO, threads=THREADS))  # leaves processes in which TensorFlow is
        found = dict(fan_out(has_tensorflow, range(4), Workers(workers), threads=THREADS, tensorflow=False))
        assert sorted(found) == list(range(4))
        assert not any(imported for _, imported in found.values())
        assert os.getpid() not in {process for process, _ in found.values()}
        assert not any(alive(process) for process, _ in found.values())

    def test_without_tensorflow_a_killed_worker_s_tasks_are_done_by_others(self, tmp_path):
        tasks = [(str(tmp_path), name) for name in ("a", "dies", "b")]
        with pytest.warns(EmoBedWarning, match=r"a worker process was killed"):
            results = list(fan_out(dying, tasks, Workers(1), threads=THREADS, tensorflow=False))
        assert sorted(results) == list(enumerate(name for _, name in tasks))
        with pytest.raises(InputError, match=r"^task 1 of 1, 3: three is not a number$"):
            list(fan_out(square, [3], Workers(1), threads=THREADS, tensorflow=False))

    def test_ctrl_c_ends_the_workers(self, tmp_path):
        code = (
            "from emobed_tf import console\nfrom emobed_tf.comparison.workers import Workers, fan_out\n"
            "from tests.comparison.test_workers import named_pid\nif __name__ == '__main__':\n"
            f"    tasks = [{str(tmp_path)!r}] * 4\n"
            "    raise SystemExit(console.run('it', lambda: list(fan_out(named_pid, tasks, Workers(2), threads=1))))\n"
        )
        script = tmp_path / "script.py"
        script.write_text(code)
        with subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            workers = []
            until = time.monotonic() + 240
            while len(workers) < 2 and time.monotonic() < until:
                time.sleep(0.2)
                workers = [int(file.name) for file in tmp_path.iterdir() if file.name.isdigit()]
            assert all(map(alive, workers))
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all get it
            _, errors = process.communicate(timeout=120)
        assert process.returncode == 130
        assert errors.strip() == "it: interrupted"
        assert len(workers) == 2
        until = time.monotonic() + 60
        while any(map(alive, workers)) and time.monotonic() < until:
            time.sleep(0.2)
        assert not any(map(alive, workers))
