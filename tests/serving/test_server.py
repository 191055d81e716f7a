"""A server while versions come, go or are broken, with 50 clients meanwhile; and how it ends."""

import http.client
import json
import shutil
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.serving.served import serving, wait_until

CLIENTS = 50


@pytest.fixture
def gru(contract_models, tmp_path):
    """A folder of which version 1 is served, and a function that adds the contract's version 2 under a number."""
    folder = tmp_path / "gru"
    shutil.copytree(contract_models / "gru" / "1", folder / "1")

    def add(number, damage=lambda path: None):
        beside = folder / f".{number}"
        shutil.copytree(contract_models / "gru" / "2", beside)
        damage(beside)
        beside.rename(folder / str(number))

    return folder, add


@pytest.fixture(scope="module")
def truth(stack, contract_models):
    """What `gru` says, without a server: version, [batch, frames, 88] -> [batch, 1]."""
    loaded = {k: stack.saved_model.load(str(contract_models / "gru" / str(k))) for k in (1, 2)}
    return lambda version, features: loaded[version].serve(features).numpy()


def states(running):
    _, answer = running.get("/v1/models/gru")
    return {int(row["version"]): row["state"] for row in answer["model_version_status"]}


def served_version(running, truth):
    """The version that answers a request without one."""
    features = np.ones((1, 2, 88), np.float32)
    status, answer = running.predict("gru", {"instances": features.tolist()})
    assert status == 200
    return next(k for k in (1, 2) if np.allclose(truth(k, features), answer["predictions"], atol=1e-6))


@pytest.mark.slow
def test_versions_come_and_go(gru, truth):
    folder, add = gru
    with serving("--poll", 0.1, "--label", "stable=1", model_dirs=[folder]) as running:
        assert served_version(running, truth) == 1
        add(2)
        wait_until(lambda: states(running).get(2) == "AVAILABLE")
        assert served_version(running, truth) == 2

        add(3, damage=lambda path: (path / "variables" / "variables.index").write_bytes(b"?"))
        wait_until(lambda: states(running).get(3) == "END")
        time.sleep(0.5)  # five more looks
        (row,) = running.get("/v1/models/gru/versions/3")[1]["model_version_status"]
        assert row["status"]["error_code"] != "OK"
        assert row["status"]["error_message"]
        said = [line for line in running.log.read_text().splitlines() if "version 3" in line]
        assert len(said) == 1, said
        assert served_version(running, truth) == 2

        shutil.rmtree(folder / "2")
        wait_until(lambda: states(running)[2] == "END")
        assert served_version(running, truth) == 1

        shutil.rmtree(folder / "1")
        wait_until(lambda: running.get("/healthz")[0] == 503)
        assert running.get("/healthz")[1] == {"status": "no version is available", "models": ["gru"]}
        features = np.ones((1, 2, 88)).tolist()
        for which, words in (("", "Latest(gru)"), ("/labels/stable", "Specific(gru, 1)")):
            status, answer = running.predict("gru", {"instances": features}, which)
            assert (status, answer) == (404, {"error": f"Servable not found for request: {words}"})

        add(7)
        wait_until(lambda: running.get("/healthz")[0] == 200)
        assert served_version(running, truth) == 2


@pytest.mark.slow
def test_a_server_whose_only_version_is_broken_waits_for_a_better_one(gru, truth):
    folder, add = gru
    model = folder / "1" / "saved_model.pb"
    model.write_bytes(model.read_bytes()[:50])
    with serving("--poll", 0.1, model_dirs=[folder]) as running:
        assert running.get("/healthz")[0] == 503
        assert states(running) == {1: "END"}
        add(2)
        wait_until(lambda: running.get("/healthz")[0] == 200)
        assert served_version(running, truth) == 2


@pytest.mark.parametrize("seconds", [pytest.param(5, marks=pytest.mark.slow), pytest.param(30, marks=pytest.mark.soak)])
def test_fifty_clients_and_a_new_version(gru, truth, seconds):
    """Each gets the answer to its own question: of version 1 or 2, and of 2 once it has been seen."""
    folder, add = gru
    rng = np.random.default_rng(0)
    questions = [rng.normal(size=(1, 1 + k % 7, 88)).astype(np.float32) for k in range(200)]
    expected = {version: [truth(version, features)[0, 0] for features in questions] for version in (1, 2)}
    bodies = [json.dumps({"instances": features.tolist()}) for features in questions]
    wrong, answered = [], Counter()
    with serving("--poll", 0.2, model_dirs=[folder]) as running:
        end = time.monotonic() + seconds

        def client(number):
            connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=60)
            chosen = np.random.default_rng(number)
            version = 1
            while time.monotonic() < end:
                k = int(chosen.integers(len(questions)))
                connection.request("POST", "/v1/models/gru:predict", bodies[k])
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    wrong.append((answer.status, text))
                    continue
                found = json.loads(text)["predictions"][0][0]
                right = [v for v in (1, 2) if v >= version and abs(expected[v][k] - found) < 1e-6]
                if not right:
                    wrong.append((k, version, found))
                    continue
                version = right[0]
                answered[version] += 1

        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(client, number) for number in range(CLIENTS)]
            time.sleep(seconds / 2)
            add(2)
            for finished in clients:
                finished.result()
        _, text = running.get("/monitoring/prometheus/metrics")
    assert wrong == []
    assert answered[1] > CLIENTS
    assert answered[2] > CLIENTS
    assert f'request_count{{model_name="gru",status="OK"}} {answered.total()}.0\n' in text


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
