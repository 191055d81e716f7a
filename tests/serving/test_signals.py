"""SIGINT and SIGTERM at any moment of the server's life."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from serving import signals
from tests.conftest import ROOT
from tests.serving.served import serving, wait_until
from tests.serving.test_app import connect, head

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def start(code, *arguments):
    line = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_calling_puts_back_what_was_there():
    called = []
    before = signal.getsignal(signal.SIGTERM)
    with signals.calling(lambda: called.append(1)):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert called == [1, 1]
    assert signal.getsignal(signal.SIGTERM) is before


class TestEndIfHeldUp:
    @pytest.mark.parametrize(("work", "expected"), [("pass", 4), ("import time; time.sleep(600)", 3)])
    def test_whatever_threads_do(self, work, expected):
        code = (
            "import sys, threading; from serving import signals\n"
            f"def work():\n    {work}\n"
            "threading.Thread(target=work, name='predict_0').start(); print('all of it')\n"
            "signals.end_if_held_up(3, ('predict',)); sys.exit(4)"
        )
        process = start(code)
        begun = time.monotonic()
        assert process.communicate(timeout=30)[0] == "all of it\n"
        assert process.returncode == expected
        assert time.monotonic() - begun < 15


@pytest.fixture(scope="module")
def slow(stack, tmp_path_factory):
    from tests.serving.slow_model import export_slow

    folder = tmp_path_factory.mktemp("signals") / "slow"
    export_slow(folder / "1")
    return folder


class TestAtAnyMoment:
    """While it is imported, while TensorFlow is, while models are loaded, and when it serves."""

    @pytest.mark.parametrize(
        ("number", "seconds"),
        [
            (signal.SIGINT, 0.6),
            (signal.SIGTERM, 1.2),
            *(pytest.param(n, 0.3 + 0.5 * k, marks=pytest.mark.slow) for k in range(16) for n in CODES),
        ],
    )
    def test_it_ends_without_a_traceback(self, slow, number, seconds):
        line = [sys.executable, "-m", "serving.local", str(slow), "--port", "0", "--threads", "1"]
        process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(seconds)
        process.send_signal(number)
        begun = time.monotonic()
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - begun < 8
        assert process.returncode == (0 if " at http://" in out else CODES[number])
        assert "Traceback" not in err and "Exception ignored" not in err


class TestEnding:
    @pytest.mark.parametrize("number", CODES)
    def test_what_has_not_arrived_is_not_waited_for(self, slow, number):
        with serving("--timeout", 60, model_dirs=[slow]) as running, contextlib.ExitStack() as closing:
            stalled = [closing.enter_context(connect(running)) for _ in range(5)]
            for sock in stalled[:4]:
                sock.sendall(head(100) + b"{")
            time.sleep(0.5)
            begun = time.monotonic()
            running.process.send_signal(number)
            assert running.process.wait(timeout=30) == 0
            assert time.monotonic() - begun < 8
            for sock in stalled[:4]:
                answer = sock.makefile("rb").read()
                assert answer.startswith(b"HTTP/1.1 503 ") and b"the server is ending" in answer

    @pytest.mark.slow
    def test_what_can_not_be_stopped_does_not_hold_up_the_end(self, slow):
        """One product of two matrices that takes a minute; the limit of a prediction is a second."""
        body = json.dumps({"signature_name": "stubborn", "instances": [16000]})
        with serving("--timeout", 1, model_dirs=[slow]) as running:
            asking = threading.Thread(target=lambda: running.predict("slow", json.loads(body)))
            asking.start()
            wait_until(lambda: "predictions_under_way 1.0" in running.get("/monitoring/prometheus/metrics")[1])
            begun = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(timeout=30) == 0
            assert time.monotonic() - begun < 8
            asking.join()
