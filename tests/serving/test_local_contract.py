"""What a real TensorFlow Serving answered to 60 requests, and what our server answers, over a socket."""

import http.client
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

CASES = json.loads(Path(__file__).with_name("rest_contract.json").read_text())["cases"]
PREDICTION = re.compile(r"/v1/models/(\w+)(?:/versions/(\d+))?:predict")


def send(url, request):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    body = request["body"]
    connection.request(
        request["method"], request["path"], None if body is None else body.encode(), request["headers"] or {}
    )
    answer = connection.getresponse()
    found = answer.status, answer.getheader("content-type"), answer.read().decode()
    connection.close()
    return found


def shape(value):
    """Lists by their lengths, objects by their keys, numbers as such."""
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return type(value)


@pytest.fixture(scope="module")
def computed(stack, server):
    """The contract's models, loaded and called without a server: [batch, frames, 88] -> answer."""
    versions = {"gru": {1, 2}, "gruseq": {1}}
    loaded = {
        (name, k): stack.saved_model.load(str(server.model_dirs[name] / str(k)))
        for name in versions
        for k in versions[name]
    }

    def compute(name, version, features):
        return loaded[name, version or max(versions[name])].serve(np.float32(features)).numpy()

    return compute


def test_all_cases_are_there():
    assert len(CASES) == 60
    assert {case["match"] for case in CASES} == {"json", "error_text", "error_key", "text"}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_answers_like_tensorflow_serving(case, server, computed):
    expected, match = case["expect"], case["match"]
    status, content_type, text = send(server.url, case["request"])
    assert (status, content_type) == (expected["status"], expected["content_type"])
    if match == "text":
        assert text == expected["body"]
    elif match == "error_text":
        assert json.loads(text) == {"error": expected["error"]}
    elif match == "error_key":
        answer = json.loads(text)
        assert list(answer) == ["error"]
        assert answer["error"].split("\n")[0] == expected["error"].split("\n")[0]
    elif ":predict" not in case["request"]["path"]:
        assert json.loads(text) == json.loads(expected["json_text"])
    else:
        answer = json.loads(text)
        assert shape(answer) == shape(json.loads(expected["json_text"]))
        name, version = PREDICTION.fullmatch(case["request"]["path"]).groups()
        asked, _ = json.JSONDecoder().raw_decode(case["request"]["body"])
        features = asked.get("instances", asked.get("inputs"))
        if isinstance(features, dict):
            features = features["features"]
        if isinstance(features[0], dict):
            features = [instance["features"] for instance in features]
        (found,) = answer.values()
        np.testing.assert_allclose(found, computed(name, int(version or 0), features), atol=1e-6)
