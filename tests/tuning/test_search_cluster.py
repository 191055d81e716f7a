"""A search in several processes: workers of this machine, and a cluster by environment variables; some are killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emobed_tf.errors import InputError
from tests.conftest import ROOT
from tests.tuning.test_search import TWO, config, landscape, on_tables, results, table  # noqa: F401
from tuning.plan import role

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")

PATIENCE = 300  # seconds; the machine may be busy with something else


def search_line(tables, *more):
    spaces = [word for entry in TWO for word in ("--space", entry)]
    lines = [word for word in on_tables(tables) if word]
    keep = lines.index("--encoder-layers")
    fixed = ["--epochs", "2", "--batch-size", "16", "--threads", "1", "--no-xla", "--diagnostics", "0"]
    return [sys.executable, "-m", "tuning.search", *lines[:keep], *fixed, *spaces, *map(str, more)]


def started(line, **environment):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    variables = {"no_grpc_proxy": "127.0.0.1", **environment}
    return subprocess.Popen(line, cwd=ROOT, env={**os.environ, **variables}, **pipes)


def workers_of(process):
    """Process ids of workers by name: those that have opened their log."""
    found = {}
    for pid in os.listdir("/proc"):
        if not pid.isdecimal():
            continue
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            log = os.readlink(f"/proc/{pid}/fd/1")
        except OSError:
            continue
        if parent == process.pid and log.endswith(".log"):
            found[os.path.basename(log)[:-4]] = int(pid)
    return found


def wait_for(what, process, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while not (found := what()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
    return found


def ended(folder):
    try:
        return table(folder)
    except FileNotFoundError:
        return []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def assert_trials(folder, alone):
    """Every trial once, with the values and scores of a search in one process."""
    rows = table(folder)
    assert [row["trial"] for row in rows] == [row["trial"] for row in alone]
    for row, expected in zip(rows, alone, strict=True):
        for name, value in expected.items():
            assert row[name] == str(value), (row["trial"], name)


@pytest.fixture(scope="module")
def alone(tables, tmp_path_factory):
    """Results of a search in this process."""
    from tuning.tuners import tuner

    folder = tmp_path_factory.mktemp("alone") / "search"
    search = tuner(config(tables, xla=False), folder, kind="random", parameters=TWO, max_trials=8)
    search.search()
    return results(search)


class TestWorkers:
    @pytest.mark.slow
    def test_one_is_killed_and_every_trial_is_there_once(self, tables, tmp_path, alone):
        folder = tmp_path / "search"
        more = ("--tuner", "random", "--max-trials", 8, "--workers", 2, "--output", folder)
        process = started(search_line(tables, *more))
        try:
            wait_for(lambda: ended(folder), process)
            victim, pid = sorted(workers_of(process).items())[0]
            os.kill(pid, signal.SIGKILL)
            replaced = wait_for(lambda: workers_of(process).get(victim) not in (None, pid), process)
            assert replaced
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        assert process.returncode == 0, err
        assert err == ""
        assert "8 trials, 0 failed" in out
        assert_trials(folder, alone)
        assert (folder / "best" / "scores.json").exists()
        assert {path.name for path in (folder / "workers").iterdir()} == {"worker-1.log", "worker-2.log"}

    @pytest.mark.slow
    def test_ctrl_c_ends_all_and_resume_goes_on(self, tables, tmp_path, alone):
        folder = tmp_path / "search"
        more = ("--tuner", "random", "--max-trials", 8, "--workers", 2, "--output", folder)
        process = started(search_line(tables, *more))
        try:
            wait_for(lambda: ended(folder), process)
            workers = workers_of(process)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        assert process.returncode == 130
        assert f"continue with: python -m tuning.search --resume --output {folder}" in err
        for pid in workers.values():
            assert not os.path.exists(f"/proc/{pid}"), "a worker has outlived its chief"
        from tuning.tuners import tuner

        settings = config(tables, head_units=120)  # as the command's preset has it
        search = tuner(settings, folder, kind="random", parameters=TWO, max_trials=8, resume=True)
        search.search()
        assert results(search) == alone

    def test_a_trial_that_kills_its_workers_is_given_up(self, tables, tmp_path, landscape):  # noqa: F811
        workers = self.workers(tables, tmp_path)
        workers.oracle.create_trial("worker-1")
        for _ in range(2):
            workers.processes["worker-1"] = Dead(-9)
            workers.keep_running(1)
            assert workers.oracle.end_order == []
        workers.processes["worker-1"] = Dead(-9)
        workers.keep_running(1)
        trial = workers.oracle.trials["0000"]
        assert (trial.status, workers.oracle.ongoing_trials) == ("FAILED", {})
        assert "its worker ended 3 times (signal 9)" in trial.message and "worker-1.log" in trial.message
        assert workers.begun == ["worker-1"] * 3
        assert table(tmp_path / "search")[0]["status"] == "failed"

    def test_one_that_never_gets_to_work(self, tables, tmp_path, landscape):  # noqa: F811
        workers = self.workers(tables, tmp_path)
        with pytest.raises(
            InputError, match=r"worker-1 ended 3 times before its first trial \(exit code 2\); see .*log"
        ):
            for _ in range(3):
                workers.processes["worker-1"] = Dead(2)
                workers.keep_running(1)

    def test_one_that_is_done_is_left_alone(self, tables, tmp_path, landscape):  # noqa: F811
        workers = self.workers(tables, tmp_path)
        workers.processes["worker-1"] = Dead(0)
        workers.keep_running(1)
        assert workers.begun == []

    def test_a_trial_that_ends_twice_counts_once(self, tables, tmp_path, landscape):  # noqa: F811
        """By a worker that was thought dead, and by the one that got its trial after the chief came back."""
        from keras_tuner.engine.trial import Trial

        oracle = self.workers(tables, tmp_path).oracle
        trial = oracle.create_trial("worker-1")
        oracle.update_trial(trial.trial_id, {"val_f1_macro": 0.5})
        oracle._retry_queue.append(trial.trial_id)
        oracle.end_trial(Trial(trial.hyperparameters, trial.trial_id, "COMPLETED"))
        assert oracle.ongoing_trials == {} and oracle._retry_queue == []
        oracle.update_trial(trial.trial_id, {"val_f1_macro": 0.9})
        oracle.end_trial(Trial(trial.hyperparameters, trial.trial_id, "FAILED", "late"))
        (row,) = table(tmp_path / "search")
        assert (row["status"], row["val_f1_macro"], row["reason"]) == ("completed", "0.5", "")
        assert oracle.end_order == ["0000"]

    def workers(self, tables, tmp_path):
        from tuning.tuners import tuner

        search = tuner(config(tables), tmp_path / "search", kind="random", parameters=TWO, max_trials=2)
        found = search.local_workers(1)
        found.begun = []
        found._start = lambda name, port: found.begun.append(name)
        return found


class Dead:
    """A process that has ended."""

    def __init__(self, exitcode):
        self.exitcode = exitcode


class TestCluster:
    @pytest.mark.slow
    def test_by_environment_variables_with_a_chief_that_is_killed(self, tables, tmp_path, alone):
        """One worker all the time, a chief that is killed and continued, a worker with other settings."""
        folder = tmp_path / "search"
        where = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": free_port()}
        line = search_line(tables, "--tuner", "random", "--max-trials", 8, "--output", folder)
        worker = started(line, KERASTUNER_TUNER_ID="host-1", **where)
        stranger = started([*line, "--seeds", "2"], KERASTUNER_TUNER_ID="host-2", **where)
        chief = started(line, KERASTUNER_TUNER_ID="chief", **where)
        again = None
        try:
            wait_for(lambda: ended(folder), chief)
            chief.kill()
            chief.wait()
            assert len(table(folder)) < 8
            again = started([*line, "--resume"], KERASTUNER_TUNER_ID="chief", **where)
            out, err = again.communicate(timeout=PATIENCE)
            assert again.returncode == 0, err
            assert worker.wait(PATIENCE) == 0, worker.stderr.read()
            assert stranger.wait(PATIENCE) == 2
            (complaint,) = stranger.stderr.read().splitlines()
        finally:
            for process in (worker, stranger, chief, again):
                if process is not None:
                    process.kill()
        assert "runs another search: a worker needs the chief's settings, space, data and versions" in complaint
        assert "8 trials, 0 failed" in out
        assert_trials(folder, alone)
        assert "no trials left; the chief has the results" in worker.stdout.read()

    def test_an_address_that_cannot_be_had(self, tables, tmp_path, landscape, monkeypatch):  # noqa: F811
        from tuning.tuners import tuner

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
            monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(taken.getsockname()[1]))
            monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
            search = tuner(config(tables), tmp_path / "search", kind="random", parameters=TWO, max_trials=1)
            with pytest.raises(InputError, match=r"can't listen at 127\.0\.0\.1:\d+"):
                search.search()


class TestRole:
    def test_by_tuner_id(self, monkeypatch):
        assert role() == "alone"
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
        assert role() == "chief"
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "host-3")
        assert role() == "worker"

    def test_half_of_the_variables(self, monkeypatch):
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
        with pytest.raises(InputError, match="is set, but not KERASTUNER_TUNER_ID and KERASTUNER_ORACLE_PORT"):
            role()

    @pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
    def test_a_port_that_is_none(self, monkeypatch, port):
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", port)
        with pytest.raises(InputError, match=f"expected a port from 1 to 65535, found '{port}'"):
            role()
