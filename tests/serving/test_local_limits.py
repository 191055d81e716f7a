"""Requests that are too large, too many, too slow, or no HTTP: each is told so, and none stops the server."""

import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from tests.serving.served import serving, wait_until

TIMEOUT = 3.0
MAX_BODY = 10_000
ENDLESS = {"instances": [1e9]}  # hours of counting
STUBBORN = {"signature_name": "stubborn", "instances": [8000]}  # 1 Tflop, one operation
QUICK = {"instances": [3]}


@pytest.fixture(scope="module")
def limited(stack, tmp_path_factory):
    from tests.serving.slow_model import export_slow

    folder = tmp_path_factory.mktemp("limits") / "slow"
    export_slow(folder / "1")
    with serving(
        "--timeout", TIMEOUT, "--max-concurrent", 1, "--max-body", MAX_BODY / 1e6, model_dirs=[folder]
    ) as running:
        assert running.predict("slow", QUICK)[0] == 200
        yield running


@pytest.fixture(autouse=True)
def free_again(limited):
    """Whatever a test did: afterwards, the server answers."""
    yield
    wait_until(lambda: under_way(limited) == 0)
    assert limited.predict("slow", QUICK) == (200, {"predictions": [3.0]})


def under_way(running):
    _, text = running.get("/monitoring/prometheus/metrics")
    (line,) = [line for line in text.splitlines() if line.startswith("emobed_serving_predictions_under_way ")]
    return float(line.split()[1])


def connect(running):
    found = urlsplit(running.url)
    return socket.create_connection((found.hostname, found.port), timeout=30)


def head(length):
    return f"POST /v1/models/slow:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def post(running, body, **headers):
    """Status, headers and JSON of an answer; a body in parts is sent in chunks."""
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=30)
    connection.request("POST", "/v1/models/slow:predict", body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers, json.loads(answer.read())
    connection.close()
    return found


class TestTooLarge:
    WORDS = "the request's body has more than 0.01 MB; send fewer recordings at once"

    def body(self, size):
        text = json.dumps(QUICK)
        return (text + " " * (size - len(text))).encode()

    def test_the_largest(self, limited):
        assert post(limited, self.body(MAX_BODY))[0] == 200

    def test_announced(self, limited):
        status, _, answer = post(limited, self.body(MAX_BODY + 1))
        assert (status, answer) == (413, {"error": self.WORDS})

    def test_without_waiting_for_it(self, limited):
        with connect(limited) as sock:
            sock.sendall(head(10**12))
            assert sock.recv(100).startswith(b"HTTP/1.1 413 ")

    def test_in_chunks(self, limited):
        status, _, answer = post(limited, iter([b" " * 6000, b" " * 6000]))
        assert (status, answer) == (413, {"error": self.WORDS})

    def test_much_too_large_and_sent_anyway(self, limited):
        assert post(limited, b" " * 30_000_000)[0] == 413


class TestTooSlow:
    def test_a_computation(self, limited):
        begun = time.monotonic()
        status, _, answer = post(limited, json.dumps(ENDLESS))
        assert (status, answer) == (504, {"error": "the prediction took longer than 3 s"})
        assert TIMEOUT <= time.monotonic() - begun < 20
        wait_until(lambda: under_way(limited) == 0, 20)

    def test_a_body(self, limited):
        with connect(limited) as sock:
            sock.sendall(head(100) + b"{")
            answer = sock.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"the request did not arrive within 3 s" in answer

    @pytest.mark.slow
    def test_what_can_not_be_stopped_counts_until_it_ends(self, limited):
        begun = time.monotonic()
        assert post(limited, json.dumps(STUBBORN))[0] == 504
        assert under_way(limited) == 1, "1 Tflop within three seconds: a faster machine needs larger matrices"
        status, headers, answer = post(limited, json.dumps(QUICK))
        assert (status, headers["retry-after"]) == (503, "1")
        assert answer == {"error": "as many predictions are under way as this server takes (1); ask again"}
        wait_until(lambda: under_way(limited) == 0)
        assert time.monotonic() - begun > TIMEOUT


class TestTooMany:
    def test_refused_at_once_while_the_rest_answers(self, limited):
        answers = []
        busy = threading.Thread(target=lambda: answers.append(post(limited, json.dumps(ENDLESS))[0]))
        busy.start()
        wait_until(lambda: under_way(limited) == 1)
        begun = time.monotonic()
        assert post(limited, json.dumps(QUICK))[0] == 503
        for path in ("/v1/models/slow", "/v1/models/slow/metadata", "/healthz"):
            assert limited.get(path)[0] == 200
        took = time.monotonic() - begun
        assert busy.is_alive(), f"asked while a prediction ran ({took:.1f} s)"
        busy.join()
        assert answers == [504]

    def test_a_client_that_leaves_makes_room(self, limited):
        with connect(limited) as sock:
            sock.sendall(head(100) + b"{")
            wait_until(lambda: under_way(limited) == 1)
        wait_until(lambda: under_way(limited) == 0, TIMEOUT / 2)


class TestNoHttp:
    @pytest.mark.parametrize(
        "sent",
        [
            b"nonsense\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
            b"POST /v1/models/slow:predict HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/models/slow:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            bytes(range(256)),
        ],
        ids=["line", "headers", "length", "chunk", "bytes"],
    )
    def test_is_refused(self, limited, sent):
        with connect(limited) as sock:
            sock.sendall(sent)
            assert sock.recv(100).startswith(b"HTTP/1.1 400 ")
