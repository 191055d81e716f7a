"""What the server answers beside the recorded contract; and requests too large, too many, too slow, or no HTTP."""

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest

from serving.app import App, Limits
from serving.metrics import Metrics
from tests.serving.served import ask, serving, wait_until


class TestAnswers:
    """What the recorded contract does not hold."""

    def test_the_models_own_words(self, server):
        status, answer = server.predict("audio", {"instances": [[[0.0] * 87]]})
        assert status == 400
        assert list(answer) == ["error"]
        assert "expected 88 audio features a frame, got 87" in answer["error"]

    def test_a_missing_value(self, server):
        """NaN, which Python's json writes, is the mean: after standardisation, 0."""
        features = np.zeros((1, 1, 5))
        features[0, 0, 2] = np.nan
        status, answer = server.predict("speech", {"instances": features.tolist()})
        assert status == 200
        assert sum(answer["predictions"][0]["probabilities"]) == pytest.approx(1, abs=1e-5)

    def test_rows_and_columns_agree(self, server):
        features = np.random.default_rng(0).normal(size=(2, 1, 5)).tolist()
        _, rows = server.predict("speech", {"instances": features})
        _, columns = server.predict("speech", {"inputs": {"features": features}})
        for name in ("label", "probabilities"):
            assert [row[name] for row in rows["predictions"]] == columns["outputs"][name]

    def test_labels_name_versions(self, server):
        body = {"instances": np.ones((1, 2, 88)).tolist()}
        answers = {
            which: server.predict("audio", body, which)[1]["predictions"]
            for which in ("", "/versions/1", "/versions/2", "/labels/stable", "/labels/canary")
        }
        assert answers["/labels/stable"] == answers["/versions/1"]
        assert answers["/labels/canary"] == answers["/versions/2"] == answers[""]
        assert answers["/versions/1"] != answers["/versions/2"]

    def test_infinity_is_the_models_business(self, server):
        """A number that is too large for a float arrives as infinity, and the model refuses it."""
        for value in ("1e39", "-Infinity"):
            status, answer = _post(server, f'{{"instances": [[[0, {value}, 0, 0, 0]]]}}'.encode())
            assert status == 400
            assert "got an infinite one at [batch, frame, feature] = [0, 0, 1]" in answer["error"]

    def test_three_frames_are_no_utterance(self, server):
        status, answer = server.predict("speech", {"instances": np.zeros((1, 3, 5)).tolist()})
        assert status == 400
        assert "expected one frame for each utterance, [batch, 1, 5], got 3 frames" in answer["error"]

    @pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
    def test_a_compressed_body(self, server, encoding):
        """The real server uncompresses where the header holds the word gzip."""
        content = json.dumps({"instances": np.ones((2, 1, 5)).tolist()}).encode()
        expected = _post(server, content)
        assert expected[0] == 200
        assert _post(server, gzip.compress(content), encoding) == expected

    def test_a_body_that_is_not_compressed_as_it_says(self, server):
        found = _post(server, b'{"instances": [[[0, 0, 0, 0, 0]]]}', "gzip")
        assert found == (400, {"error": "JSON Parse error: The document is empty"})

    def test_a_byte_order_mark(self, server):
        assert _post(server, b'\xef\xbb\xbf{"instances": [[[0, 0, 0, 0, 0]]]}')[0] == 200

    def test_integers_that_a_float_rounds(self, server):
        assert _post(server, b'{"instances": [[[16777217, 0, 0, 0, 0]]]}')[0] == 200

    def test_verbs_have_small_letters(self, server):
        found = ask(f"{server.url}/v1/models/speech:PREDICT", {"instances": [[[0.0] * 5]]})
        assert found == (400, {"error": "Malformed request: POST /v1/models/speech:PREDICT"})

    def test_a_version_of_no_model(self, server):
        assert server.get("/v1/models/nope/versions/3") == (404, {"error": "Could not find version 3 of model nope"})

    def test_a_signature_by_name(self, server):
        status, answer = server.predict("audio", {"signature_name": "manifest", "instances": ["", {"b64": "AA=="}]})
        assert status == 200
        expected = json.loads((server.model_dirs["audio"] / "2" / "manifest.json").read_text())
        assert [json.loads(text) for text in answer["predictions"]] == [expected] * 2


def _post(server, content, encoding=None):
    """Status and JSON of the answer of the model `speech` to these bytes."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    headers = {} if encoding is None else {"Content-Encoding": encoding}
    connection.request("POST", "/v1/models/speech:predict", content, headers)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


class TestOurs:
    """What only this server has."""

    @pytest.fixture
    def ours(self, server):
        if server.process is None:
            pytest.skip("EMOBED_SERVER is another server")
        return server

    def test_health(self, ours):
        assert ours.get("/healthz") == (200, {"status": "ok"})

    def test_elsewhere(self, ours):
        assert ours.get("/")[0] == 404
        assert "/v1/models/NAME" in ours.get("/models/audio")[1]["error"]

    def test_classify(self, ours):
        status, answer = ask(f"{ours.url}/v1/models/audio:classify", {"examples": [{"x": 1.0}]})
        assert (status, answer) == (400, {"error": "no signature of audio is made for :classify; ask :predict"})

    def test_metrics(self, ours):
        def counts():
            status, text = ours.get("/monitoring/prometheus/metrics")
            assert status == 200
            rows = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
            return {name: float(value) for name, value in rows}, text

        series = ':tensorflow:serving:request_count{{model_name="gru",status="{}"}}'
        before, _ = counts()
        for body in ({"instances": np.zeros((1, 1, 88)).tolist()}, {"instances": 5}, {"instances": []}):
            ours.predict("gru", body)
        ours.predict("nobody", {"instances": [1]})
        after, text = counts()
        for code, expected in (("OK", 1), ("INVALID_ARGUMENT", 2)):
            assert after[series.format(code)] - before.get(series.format(code), 0) == expected
        latency = ':tensorflow:serving:request_latency_count{API="predict",entrypoint="REST",model_name="gru"}'
        assert after[latency] - before.get(latency, 0) == 3
        assert "nobody" not in text, "a name that a client thinks up would be a time series for ever"
        loads = (
            f':tensorflow:cc:saved_model:load_attempt_count{{model_path="{ours.model_dirs["gru"]}/1",status="success"}}'
        )
        assert after[loads] == 1
        assert "# TYPE :tensorflow:serving:request_count counter" in text

    def test_a_connection_that_is_kept_open_does_not_wait_for_acknowledgements(self, ours):
        connection = http.client.HTTPConnection(urlsplit(ours.url).netloc, timeout=60)
        seconds = []
        for _ in range(40):
            begun = time.monotonic()
            connection.request("GET", "/v1/models/gru")
            connection.getresponse().read()
            seconds.append(time.monotonic() - begun)
        connection.close()
        assert np.quantile(seconds, 0.25) < 0.03, "a delayed acknowledgement takes 40 ms"

    def test_a_query_string_is_no_name(self, ours):
        assert ours.get("/healthz?x=1")[0] == 200


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


@pytest.fixture
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


@pytest.mark.usefixtures("free_again")
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

    def test_uncompressed(self, limited):
        content = gzip.compress(self.body(MAX_BODY + 1))
        assert len(content) < 200
        status, _, answer = post(limited, content, **{"Content-Encoding": "gzip"})
        assert status == 413
        assert answer == {"error": self.WORDS.replace("MB;", "MB when it is uncompressed;")}
        assert post(limited, gzip.compress(self.body(MAX_BODY)), **{"Content-Encoding": "gzip"})[0] == 200

    @pytest.mark.parametrize(("element", "marks"), [("[]", 2), ("1", 1), ('""', 1), ("{}", 2)])
    def test_elements(self, limited, element, marks):
        """1250, one for every eight bytes of the largest body: commas and brackets are counted, two are around them."""
        for count, expected in (((1250 - 1) // marks, (200, 400)), ((1250 - 1) // marks + 1, (413,))):
            status, _, answer = post(limited, f'{{"instances": [{",".join([element] * count)}]}}'.encode())
            assert status in expected
        assert answer["error"] == (
            "the request's body has more than 1250 numbers and lists; send fewer recordings at once"
        )

    def test_much_too_large_and_sent_anyway(self, limited):
        assert post(limited, b" " * 30_000_000)[0] == 413


def wide(numbers):
    return json.dumps({"signature_name": "wide", "instances": [numbers]})


@pytest.mark.usefixtures("free_again")
class TestLargeAnswers:
    """16.8 MB at most, for which a million numbers of 16 bytes count; `1.0, ` a million times are 5 MB."""

    def test_too_large(self, limited):
        status, _, answer = post(limited, wide(2_000_000))
        assert status == 413
        assert answer["error"].startswith("the answer would have up to 32 MB, and this server sends 17 MB at most")

    def test_clients_that_do_not_read(self, limited):
        """Three of them take the room, until the time is over in which they should have read something."""
        assert len(post(limited, wide(1_000_000))[2]["predictions"][0]) == 1_000_000
        body = wide(1_000_000).encode()
        with contextlib.ExitStack() as closing:
            for _ in range(3):
                sock = socket.socket()
                closing.enter_context(sock).setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.connect((urlsplit(limited.url).hostname, urlsplit(limited.url).port))
                sock.sendall(head(len(body)) + body)
                assert sock.recv(12) == b"HTTP/1.1 200"
            status, headers, answer = post(limited, body)
            assert (status, headers["retry-after"]) == (503, "1")
            assert answer == {"error": "as many large answers are being sent as this server takes; ask again"}
            assert post(limited, json.dumps(QUICK))[0] == 200
            wait_until(lambda: post(limited, body)[0] == 200, 30)
        assert "a client has read nothing for 3 s" in limited.log.read_text()


def test_pages_of_other_sites_are_refused(limited):
    """Browsers say where a request comes from; a link to a page may come from anywhere."""
    for site, status in (("cross-site", 403), ("same-origin", 200), ("none", 200)):
        assert post(limited, json.dumps(QUICK), **{"Sec-Fetch-Site": site})[0] == status


def test_whatever_fails_is_told_in_words(caplog):
    class Broken:
        def signature(self, name):
            return SimpleNamespace(dtypes={"x": "float"})

        def run(self, signature, inputs, seconds):
            raise ZeroDivisionError("by\nhand")

    class Known(dict):
        def find(self, route):
            return 1, self[route.model]

    async def asked(app):
        sent = []

        async def receive():
            return {"type": "http.request", "body": b'{"instances": [1]}'}

        async def send(message):
            sent.append(message)

        scope = {"method": "POST", "raw_path": b"/v1/models/broken:predict", "query_string": b"", "headers": []}
        await app(scope, receive, send)
        return sent

    app = App(Known(broken=Broken()), Limits(1000, 1, 10.0), Metrics(), workers=1)
    start, body = asyncio.run(asked(app))
    app.close()
    assert start["status"] == 500
    assert json.loads(body["body"]) == {"error": "the server failed (ZeroDivisionError: by hand); its log has more"}
    assert "a prediction of broken failed" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.usefixtures("free_again")
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


@pytest.mark.usefixtures("free_again")
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

    def test_bodies_that_do_not_arrive_hold_up_nobody(self, limited):
        """There is one place, and a hundred clients that have sent half of their bodies."""
        with contextlib.ExitStack() as closing:
            for _ in range(100):
                closing.enter_context(connect(limited)).sendall(head(100) + b"{")
            for _ in range(3):
                begun = time.monotonic()
                assert post(limited, json.dumps(QUICK))[0] == 200
                assert time.monotonic() - begun < TIMEOUT / 2
            assert under_way(limited) == 0

    def test_a_client_that_leaves_makes_room(self, limited):
        with connect(limited) as sock:
            sock.sendall(head(100) + b"{")
        assert post(limited, json.dumps(QUICK))[0] == 200


@pytest.mark.usefixtures("free_again")
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
