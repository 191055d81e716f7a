"""A search in several processes by environment variables: its chief is killed and continued."""

import socket

import pytest

from emobed_tf.errors import InputError
from tests.tuning.processes import PATIENCE, assert_trials, ended, search_line, started, wait_for
from tests.tuning.searches import TWO, config, table

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


class TestCluster:
    @pytest.mark.soak
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

    def test_an_address_that_cannot_be_had(self, tables, tmp_path, landscape, monkeypatch):
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
