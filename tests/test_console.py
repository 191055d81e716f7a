"""What a command shows while it works: on a terminal what it does, elsewhere nothing."""

import io
import os
import pty
import re
import subprocess
import sys
import warnings

import pytest

from emobed_tf import console
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError
from tests.conftest import ROOT


def run(code, *, stdout=None):
    """Runs code on a pseudo-terminal, with stdout on it or in a file: what the terminal got, and the exit code."""
    terminal, end = pty.openpty()
    line = [sys.executable, "-c", f"import os, sys, time\nfrom emobed_tf import console\n{code}"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(line, cwd=ROOT, stdin=end, stdout=stdout or end, stderr=end, env=environment) as process:
        os.close(end)
        seen = b""
        while True:
            try:
                read = os.read(terminal, 65536)
            except OSError:  # the process has closed its end
                break
            seen += read
        os.close(terminal)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode()), process.returncode


WAITING = """\
with console.waiting('starting the engine'):
    time.sleep(0.3)
    print('inside')
"""
PROGRESS = """\
with console.progress('reading') as tell:
    tell(1, 4, 'file 1')
    print('inside')
    time.sleep(0.3)
"""
LED_ELSEWHERE = """\
with console.waiting('starting the engine'):
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    time.sleep(1.5)
    os._exit(0)
"""


class TestWaiting:
    def test_says_what_and_how_long(self):
        seen, code = run(WAITING + "print('end')")
        assert code == 0
        assert re.search(r"starting the engine 0:00:00", seen)
        assert seen.rstrip().endswith("end")

    def test_a_bar_is_enough(self):
        """Two that draw themselves on one terminal would write over each other."""
        both = "with console.progress('reading'):\n    time.sleep(0.2)\n    " + WAITING.replace("\n", "\n    ")
        seen, code = run(both)
        assert code == 0
        assert "reading" in seen
        assert "starting" not in seen
        seen, _ = run(both.rstrip() + "\n" + WAITING)
        assert "starting the engine" in seen, "afterwards there is none"

    def test_is_seen_before_anything_else_can_be_done(self):
        """Importing a large library holds Python's lock: no thread could draw the line later."""
        seen, _ = run("with console.waiting('starting the engine'):\n    os._exit(3)")
        assert "starting the engine" in seen

    def test_is_seen_though_the_block_leads_stderr_elsewhere(self):
        seen, _ = run(LED_ELSEWHERE)
        assert "starting the engine 0:00:01" in seen

    def test_lines_of_a_log_stand_alone(self):
        log = "import logging\nlogging.basicConfig(stream=console.LogStream(), format='%(message)s')\n"
        inside = WAITING.replace("print('inside')", "logging.warning('[one] is loaded')\n    time.sleep(0.3)")
        seen, _ = run(f"{log}{inside}logging.warning('afterwards')")
        lines = [line.rpartition("\r")[2] for line in seen.replace("\r\n", "\n").splitlines()]
        assert "[one] is loaded" in lines and "afterwards" in lines

    def test_an_error_goes_through(self):
        code = "def main():\n    with console.waiting('x'):\n        raise InputError('went wrong')\n"
        seen, returned = run(f"from emobed_tf.errors import InputError\n{code}sys.exit(console.run('cmd', main))")
        assert returned == 2
        assert "cmd: error: went wrong" in seen


class TestProgress:
    def test_says_what_and_how_far(self):
        seen, _ = run(PROGRESS)
        assert "file 1" in seen
        assert "1/4" in seen

    @pytest.mark.parametrize("name", ["[/red]a", "[bold]x.wav", "a\x1b]0;b\x07.wav"])
    def test_a_name_is_no_markup_and_no_command_to_the_terminal(self, name):
        seen, code = run(PROGRESS.replace("tell(1, 4, 'file 1')", "tell(1, 4, " + repr(name) + ")"))
        assert code == 0
        assert name.replace("\x1b", "\\x1b").replace("\x07", "\\x07") in seen


class TestBoth:
    @pytest.mark.parametrize("block", [WAITING, PROGRESS])
    def test_what_is_printed_goes_where_stdout_goes(self, block, tmp_path):
        with open(tmp_path / "out.txt", "w") as out:
            seen, _ = run(block, stdout=out)
        assert (tmp_path / "out.txt").read_text() == "inside\n"
        assert "inside" not in seen

    @pytest.mark.parametrize("block", [WAITING, PROGRESS])
    def test_nothing_where_nobody_looks(self, block):
        line = [sys.executable, "-c", f"import time\nfrom emobed_tf import console\n{block}"]
        result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert (result.returncode, result.stdout, result.stderr) == (0, "inside\n", "")


class TestTable:
    COLUMNS = ("system", "UAR", "95 %", "F1 macro", "gain", "95 %", "excluded above", "p, Holm", "chosen settings")
    ROWS = (
        ("classic", ".591", ".541 to .640", ".588", "", "", "", "", "learning rate 0.001, L2 0.0001"),
        ("EmoBed, stable", ".633", ".591 to .690", ".628", "-.012", "-.063 to +.040", "+.040", ".875", "alpha 0.5"),
    )

    def printed(self, width, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys, "stdout", Terminal())
        console.table("Scores of systems", list(self.COLUMNS), [list(row) for row in self.ROWS])
        return re.sub(r"\x1b\[[\d;]*m", "", sys.stdout.getvalue()).splitlines()

    @pytest.mark.parametrize("width", [50, 60, 80, 100, 120, 200])
    def test_no_number_is_cut_or_broken(self, width, monkeypatch):
        lines = self.printed(width, monkeypatch)
        assert max(map(len, lines)) <= width
        cells = {cell.strip() for line in lines for cell in line.split("│")}
        assert {cell for row in self.ROWS for cell in row[1:-1]} <= cells
        assert not any("…" in line for line in lines)

    def test_a_name_is_no_command_to_the_terminal(self, capsys):
        console.table("a\x1b[31m", ["system\x9b31m"], [["class\x07"]])
        printed = capsys.readouterr().out
        assert all(shown in printed for shown in ("a\\x1b[31m", "system\\x9b31m", "class\\x07"))
        assert not set(printed) & set("\x1b\x9b\x07")

    def test_columns_without_room_come_below_beside_the_first_again(self, monkeypatch):
        def of(width):
            lines = self.printed(width, monkeypatch)
            return sum(line.startswith("┏") for line in lines), sum("Scores of systems" in line for line in lines)

        assert of(200) == (1, 1)
        assert of(80) == (2, 1)


HOSTILE, SHOWN = "class \x1b]0;title\x07\x1b[31mred\x9b0m", r"class \x1b]0;title\x07\x1b[31mred\x9b0m"


@pytest.mark.filterwarnings("always::emobed_tf.errors.EmoBedWarning")
class TestNamesOfOthers:
    """Escape sequences in a file of a stranger must not reach the terminal."""

    def test_in_errors_and_warnings(self, capsys, monkeypatch):
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

        def main():
            warnings.warn(HOSTILE, EmoBedWarning, stacklevel=1)
            raise InputError(HOSTILE)

        assert console.run("cmd", main) == 2
        assert capsys.readouterr().err == f"warning: {SHOWN}\ncmd: error: {SHOWN}\n"

    def test_in_what_is_said(self, capsys):
        console.say(f"one\n\ttwo, jöy ☃ {HOSTILE}")
        assert capsys.readouterr().out == f"one\n\ttwo, jöy ☃ {SHOWN}\n"


SAYING = """\
import sys
from emobed_tf import console
def main():
    console.say('jöy ☃')
    console.table('☃', ['ö'], [['☃']])
sys.exit(console.run('cmd', main))
"""


class TestStreams:
    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
    def test_of_any_encoding(self, encoding):
        """A character that it lacks is shown by its number, and ends nothing."""
        line, environment = [sys.executable, "-c", SAYING], {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run(line, cwd=ROOT, capture_output=True, env=environment, timeout=120)
        assert (done.returncode, done.stderr) == (0, b"")
        expected = {"ascii": rb"j\xf6y \u2603", "latin-1": b"j\xf6y \\u2603", "utf-8": "jöy ☃".encode()}
        assert done.stdout.splitlines()[0] == expected[encoding]

    def test_all_of_them_closed(self):
        """The next files that are opened must not become the standard streams."""
        code = (
            "import os, sys\nfrom emobed_tf import console\n"
            "def main():\n    assert os.open(os.devnull, os.O_RDONLY) > 2\n    print('x')\n    os.dup(2)\n"
            "sys.exit(console.run('cmd', main))"
        )
        closed = f'exec "{sys.executable}" -c "$1" >&- 2>&- <&-'
        assert subprocess.run(["sh", "-c", closed, "sh", code], cwd=ROOT, timeout=120).returncode == 0

    def test_a_full_disk_under_stdout(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-c", SAYING], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert (done.returncode, done.stderr) == (2, "cmd: error: No space left on device; make room there\n")


class TestInterrupted:
    def test_how_to_go_on_comes_last(self):
        code = (
            "def main():\n    with console.if_interrupted(lambda: 'go on with this'), console.progress('x'):\n"
            "        raise KeyboardInterrupt\nsys.exit(console.run('cmd', main))"
        )
        seen, returned = run(code)
        assert returned == 130
        assert seen.split()[-6:] == ["cmd:", "interrupted", "go", "on", "with", "this"]

    def test_nothing_to_say(self):
        code = "def main():\n    with console.if_interrupted(lambda: ''):\n        raise KeyboardInterrupt\n"
        assert run(f"{code}sys.exit(console.run('cmd', main))")[0].split() == ["cmd:", "interrupted"]

    @pytest.mark.parametrize(
        ("problem", "said"),
        [
            (
                OSError(28, "No space left on device", "a"),
                "a: No space left on device; make room there; go on",
            ),
            (OSError(30, "Read-only file system", "a"), "a: Read-only file system; go on"),
            (OSError(28, "said in other words", "a"), "a: said in other words; go on"),
            (OSError("no number"), "no number; go on"),
            (InputError("says it all"), "says it all"),
            (MissingInputError("is missing"), "is missing"),
        ],
    )
    def test_errors_of_the_file_system(self, problem, said, capsys, monkeypatch):
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # which `run` replaces

        def main():
            with console.if_interrupted(lambda: "go on"):
                raise problem

        assert console.run("cmd", main) == 2
        assert capsys.readouterr().err == f"cmd: error: {said}\n"

    def test_it_is_heard_within_a_call_that_lasts(self):
        """Python's own handler waits for the end of the call into a library; the line on the terminal doesn't."""
        code = (
            "import hashlib, signal, threading\n"
            "signal.signal(signal.SIGINT, lambda *_: print('handled', flush=True))\n"
            "threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
            "with console.saying_at_interrupt('stopping'):\n"
            "    hashlib.pbkdf2_hmac('sha256', b'x', b'y', 3_000_000)\n"
            "    print('end of the call', flush=True)\n"
        )
        seen = run(code)[0].split("\r\n")
        assert seen[0] == "stopping"
        assert sorted(seen[1:3]) == ["end of the call", "handled"]

    def test_what_others_have_set_stays(self):
        code = (
            "import signal, socket\na, b = socket.socketpair()\nb.setblocking(False)\n"
            "signal.set_wakeup_fd(b.fileno())\n"
            "with console.saying_at_interrupt('stopping'):\n    pass\n"
            "print(signal.set_wakeup_fd(-1) == b.fileno())"
        )
        assert run(code)[0].strip() == "True"


class TestWarnings:
    @pytest.mark.filterwarnings("always::emobed_tf.errors.EmoBedWarning")
    def test_each_is_said_once_in_a_command(self, capsys):
        def main():
            for text in ("one", "another", "one"):
                warnings.warn(text, EmoBedWarning, stacklevel=1)

        for _ in range(2):
            assert console.run("prog", main) in (0, None)
            assert capsys.readouterr().err.splitlines() == ["warning: one", "warning: another"]
