"""Ctrl-C before a command runs."""

import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
BEGIN = 'from emobed_tf import interrupts; interrupts.end_at_once("emobed_tf.train")\n'


def start(code):
    line = [sys.executable, "-c", code]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", CODES)
def test_ends_where_an_exception_would_be_swallowed(number):
    """In a destructor and in a callback of a weak reference, where Python ignores all exceptions."""
    code = "class Last:\n    def __del__(self):\n        while True: pass\nprint('begun', flush=True); Last()"
    process = start(BEGIN + code)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == CODES[number]
    assert said.strip() == ("emobed_tf.train: interrupted" if number == signal.SIGINT else "")


def test_a_command_that_runs_hears_an_exception():
    """By which it says how to go on."""
    code = (
        "import sys, time\nfrom emobed_tf import console\n"
        "def main():\n    with console.if_interrupted(lambda: 'go on'):\n        print('begun', flush=True)\n"
        "        time.sleep(60)\nsys.exit(console.run('cmd', main))"
    )
    process = start(BEGIN + code)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == "\ncmd: interrupted\ngo on\n"
    assert process.returncode == 130


def test_what_is_ignored_stays_so():
    """As a shell has it for what it starts in the background."""
    code = (
        "import os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"{BEGIN}os.kill(os.getpid(), signal.SIGINT)\ninterrupts.raise_again()\nos.kill(os.getpid(), signal.SIGINT)\n"
        "print('goes on', signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)"
    )
    assert start(code).communicate(timeout=30) == ("goes on True\n", "")


def test_puts_back_only_what_it_has_changed():
    code = (
        "import signal\nfrom emobed_tf import interrupts\nmine = lambda *_: None\nsignal.signal(signal.SIGINT, mine)\n"
        "interrupts.raise_again()\nprint(signal.getsignal(signal.SIGINT) is mine)"
    )
    assert start(code).communicate(timeout=30) == ("True\n", "")


@pytest.mark.parametrize("command", ["emobed_tf.train", "tuning.search"])
@pytest.mark.parametrize("late", [0.1, pytest.param(0.5, marks=pytest.mark.slow)])
def test_while_a_command_is_imported(command, late):
    """From when its own module is read: what Python itself imports before is out of reach."""
    process = subprocess.Popen(
        [sys.executable, "-v", "-m", command, "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    for line in process.stderr:
        if line.startswith(b"import 'emobed_tf.interrupts'"):
            break
    time.sleep(late)
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(timeout=30) == 130
    assert b"Traceback" not in rest and f"\n{command}: interrupted\n".encode() in rest
