"""A search in several processes of this machine; some of them are killed."""

import os
import signal
from pathlib import Path

import pytest

from emobed_tf.errors import InputError
from tests.tuning.processes import PATIENCE, assert_trials, ended, search_line, started, wait_for
from tests.tuning.searches import TWO, config, results, table

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


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

    def test_a_trial_that_kills_its_workers_is_given_up(self, tables, tmp_path, landscape):
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

    def test_one_that_never_gets_to_work(self, tables, tmp_path, landscape):
        workers = self.workers(tables, tmp_path)
        with pytest.raises(
            InputError, match=r"worker-1 ended 3 times before its first trial \(exit code 2\); see .*log"
        ):
            for _ in range(3):
                workers.processes["worker-1"] = Dead(2)
                workers.keep_running(1)

    def test_one_that_is_done_is_left_alone(self, tables, tmp_path, landscape):
        workers = self.workers(tables, tmp_path)
        workers.processes["worker-1"] = Dead(0)
        workers.keep_running(1)
        assert workers.begun == []

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
