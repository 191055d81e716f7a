"""`python -m serving.local` as a user starts it: help, mistakes, what it says, what it answers, how it ends."""

import contextlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import numpy as np
import pytest

from serving import local
from tests.conftest import ROOT, THREADS
from tests.serving.served import ask, serving, wait_until


def mistake(*arguments):
    """The line on stderr of a command that a user got wrong."""
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        code = local.main([str(argument) for argument in arguments])
    assert code == 2, err.getvalue()
    (line,) = err.getvalue().splitlines()
    assert line.startswith("serving.local: error: ")
    return line


def versions(folder, *numbers):
    for number in numbers:
        (folder / str(number)).mkdir(parents=True)
    return folder


class TestHelp:
    def test_explains_and_imports_nothing_heavy(self):
        result = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "serving.local", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert result.returncode == 0
        for flag in (
            "--label",
            "--host",
            "--port",
            "--threads",
            "--max-body",
            "--max-concurrent",
            "--timeout",
            "--poll",
        ):
            assert flag in result.stdout
        assert "TensorFlow Serving is the server for production" in result.stdout
        for heavy in ("tensorflow", "keras", "uvicorn", "prometheus_client", "scipy.stats"):
            assert f" {heavy}\n" not in result.stderr, f"{heavy} is imported before the arguments are read"


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], ["expected the folder of a model's versions"]),
            (["/nowhere"], ["/nowhere", "no such folder", "emobed_tf.export"]),
            (["MODEL/1"], ["that is a version of a model", "name the folder of all versions"]),
            (["EMPTY"], ["expected versions of a model", "found none"]),
            (["MODEL", "MODEL"], ["there is a model 'audio' already", "NAME="]),
            (["a/b=MODEL"], ["'a/b' can't be a model's name"]),
            (["=MODEL"], ["'' can't be a model's name"]),
            (["MODEL", "--label", "stable"], ["--label stable", "LABEL=VERSION"]),
            (["MODEL", "--label", "stable=x"], ["--label stable=x", "LABEL=VERSION"]),
            (["MODEL", "--label", "stable=7"], ["has no version 7, but 1, 2"]),
            (["MODEL", "--label", "face/stable=1"], ["no model is called 'face'", "there are audio"]),
            (["MODEL", "b=MODEL", "--label", "stable=1"], ["of which model? Write NAME/stable=1", "audio, b"]),
            (["MODEL", "--port", "65536"], ["--port 65536", "0 to 65535"]),
            (["MODEL", "--timeout", "0"], ["--timeout 0", "more than 0"]),
            (["MODEL", "--max-body", "nan"], ["--max-body nan"]),
            (["MODEL", "--max-concurrent", "-1"], ["--max-concurrent -1"]),
            (["MODEL", "--threads", "0"], ["--threads 0"]),
            (["MODEL", "--poll", "inf"], ["--poll inf"]),
            (["MODEL", "--host", "300.1.1.1", "--port", "0"], ["--host 300.1.1.1"]),
            (["MODEL", "--prot", "1"], ["--prot", "--port"]),
        ],
        ids=lambda value: " ".join(value)[:30],
    )
    def test_one_line(self, tmp_path, arguments, words):
        model = versions(tmp_path / "audio", 1, 2)
        (model / "1" / "saved_model.pb").touch()
        versions(tmp_path / "empty", "x")
        places = (("MODEL", model), ("EMPTY", tmp_path / "empty"))
        for name, path in places:
            arguments = [argument.replace(name, str(path)) for argument in arguments]
        line = mistake(*arguments)
        for word in words:
            assert word in line

    def test_the_port_is_taken(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            line = mistake(versions(tmp_path / "audio", 1), "--port", port)
        assert f"--port {port}: Address already in use" in line
        assert line.endswith("; --port 0 takes any free one")

    def test_installed_without_the_server(self, stack, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "uvicorn", None)
        monkeypatch.delitem(sys.modules, "serving.server", raising=False)
        line = mistake(versions(tmp_path / "audio", 1), "--port", 0, "--threads", THREADS)
        assert "uvicorn is not installed; pip install 'emobed-tf[serving]' brings it" in line


class TestAnswers:
    """What the recorded contract does not hold."""

    def test_the_models_own_words(self, server):
        status, answer = server.predict("audio", {"instances": [[[0.0] * 87]]})
        assert status == 400
        assert list(answer) == ["error"]
        assert "expected 88 audio features a frame, got 87" in answer["error"]

    def test_a_missing_value(self, server):
        """NaN, which Python's json writes, is the mean: after standardisation, 0."""
        features = np.zeros((1, 4, 5))
        features[0, 1, 2] = np.nan
        status, answer = server.predict("speech", {"instances": features.tolist()})
        assert status == 200
        assert sum(answer["predictions"][0]["probabilities"]) == pytest.approx(1, abs=1e-5)

    def test_rows_and_columns_agree(self, server):
        features = np.random.default_rng(0).normal(size=(2, 3, 5)).tolist()
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

    def test_a_signature_by_name(self, server):
        status, answer = server.predict("audio", {"signature_name": "manifest", "instances": ["", {"b64": "AA=="}]})
        assert status == 200
        expected = json.loads((server.model_dirs["audio"] / "2" / "manifest.json").read_text())
        assert [json.loads(text) for text in answer["predictions"]] == [expected] * 2


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


class TestStarting:
    def test_says_what_it_is_and_writes_no_access_log(self, contract_models):
        with serving(f"my gru={contract_models / 'gru'}", "--host", "0.0.0.0") as running:
            assert running.get("/v1/models/my%20gru")[0] == 200
            running.process.send_signal(signal.SIGINT)
            assert running.process.communicate(timeout=60)[0] == ""
            written = running.log.read_text()
        assert running.process.returncode == 0
        port = running.url.rsplit(":", 1)[1]
        assert running.said == [
            f"serving my gru at http://0.0.0.0:{port} until Ctrl-C\n",
            "TensorFlow Serving is the server for production: serving/docker-compose.yml\n",
            f"try: curl http://0.0.0.0:{port}/v1/models/my%20gru\n",
        ]
        warning, *loaded = written.splitlines()
        assert warning.startswith("warning: --host 0.0.0.0: whoever reaches this machine can use the server")
        assert [line.split(" ", 2)[2].split(" (")[0] for line in loaded] == [
            "my gru: version 2 is served",
            "my gru: version 1 is served",
        ]


@pytest.mark.slow
class TestEnding:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_what_is_under_way_is_finished(self, stack, tmp_path, number):
        from tests.serving.slow_model import export_slow

        export_slow(tmp_path / "slow" / "1")
        answers = []
        with serving(model_dirs=[tmp_path / "slow"]) as running:
            body = {"signature_name": "stubborn", "instances": [4000]}
            client = threading.Thread(target=lambda: answers.append(running.predict("slow", body)))
            client.start()
            wait_until(lambda: "predictions_under_way 1.0" in running.get("/monitoring/prometheus/metrics")[1])
            running.process.send_signal(number)
            client.join()
            assert running.process.wait(timeout=30) == 0
            with pytest.raises(OSError, match="refused"):
                running.get("/healthz")
        assert answers == [(200, {"predictions": [4000.0]})]

    def test_killed_and_started_again(self, contract_models):
        body = {"instances": np.random.default_rng(0).normal(size=(3, 9, 88)).tolist()}
        with serving(model_dirs=[contract_models / "gru"]) as running:
            before = running.predict("gru", body)
            running.process.kill()
            running.process.wait()
            port = running.url.rsplit(":", 1)[1]
        with serving("--port", port, model_dirs=[contract_models / "gru"]) as running:
            assert running.url.endswith(f":{port}")
            assert running.predict("gru", body) == before
        assert before[0] == 200
