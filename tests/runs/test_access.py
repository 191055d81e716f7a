"""Links in run folders, and two trainings of one."""

import os
import subprocess
import sys

import pytest

from emobed_tf.errors import InputError
from emobed_tf.runs.access import check_inside, held
from tests.conftest import ROOT


class TestCheckInside:
    def test_files_and_folders_and_links_within(self, tmp_path):
        run = tmp_path / "run"
        (run / "predictions" / "dev").mkdir(parents=True)
        (run / "predictions" / "dev" / "a.csv").write_text("")
        (run / "latest").symlink_to(run / "predictions" / "dev")
        check_inside(run)
        (tmp_path / "link").symlink_to(run)
        check_inside(tmp_path / "link")  # the folder itself may be one

    @pytest.mark.parametrize("place", ["config.json", "predictions/dev"])
    @pytest.mark.parametrize("target", ["/etc/passwd", "../..", "/", "../../missing"])
    def test_links_that_lead_out(self, tmp_path, place, target):
        run = tmp_path / "run"
        (run / place).parent.mkdir(parents=True)
        (run / place).symlink_to(target)
        with pytest.raises(InputError, match=rf"{place}: a link that leads out of the run folder"):
            check_inside(run)

    def test_a_link_that_leads_to_itself(self, tmp_path):
        (tmp_path / "a").symlink_to(tmp_path / "a")
        check_inside(tmp_path)

    def test_a_pipe_would_be_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "scores.json")
        with pytest.raises(InputError, match=r"scores\.json: neither a file nor a folder"):
            check_inside(tmp_path)


class TestHeld:
    def test_one_at_a_time(self, tmp_path):
        with held(tmp_path), pytest.raises(InputError, match="another process is training this run"), held(tmp_path):
            pass
        with held(tmp_path):
            pass
        assert not list(tmp_path.iterdir())

    def test_a_killed_process_lets_go(self, tmp_path):
        code = "import sys, pathlib; from emobed_tf.runs.access import held\n"
        code += "with held(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
        other = subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        try:
            assert other.stdout.readline() == b"held\n"
            with pytest.raises(InputError, match="another process"), held(tmp_path):
                pass
        finally:
            other.kill()
            other.communicate()
        with held(tmp_path):
            pass

    def test_a_process_that_was_forked_meanwhile_keeps_nothing(self, tmp_path):
        with held(tmp_path):
            read, write = os.pipe()
            child = os.fork()
            if not child:  # it ends when the test has
                os.close(write)
                os.read(read, 1)
                os._exit(0)
        with held(tmp_path):
            pass
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)
