"""The page's files over HTTP, what they may load, and which models it is told of. The page itself: tests/browser."""

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest

from serving.demo import Demo
from serving.models import Model, Models
from tests.conftest import ROOT
from tests.serving.served import serving

FILES = sorted(path.name for path in (ROOT / "serving" / "demo_page").iterdir())


class Servable:
    """What a version's signatures are called."""

    def __init__(self, path):
        self.metadata = {"manifest": {}, "serving_default": {}, **({"wav": {}} if path.name == "2" else {})}


@pytest.fixture
def demo(tmp_path):
    for name, numbers in (("audio", (1, 2)), ("words", (1,)), ("gone", ())):
        (tmp_path / name).mkdir()
        for number in numbers:
            (tmp_path / name / str(number)).mkdir()
    models = Models([Model(name, tmp_path / name, {}, Servable) for name in ("audio", "words", "gone")])
    models.refresh()
    return Demo(models)


def test_models_are_those_that_answer_by_their_highest_version(demo):
    answer = demo.answer("GET", "/demo/models")
    assert json.loads(answer.body) == {
        "models": [
            {"name": "audio", "version": 2, "signatures": ["manifest", "serving_default", "wav"]},
            {"name": "words", "version": 1, "signatures": ["manifest", "serving_default"]},
        ]
    }


def test_every_file_is_there_with_its_type(demo):
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
    for name in FILES:
        answer = demo.answer("GET", "/demo" if name == "index.html" else f"/demo/{name}")
        assert (answer.status, answer.content_type) == (200, f"{types[name.rsplit('.')[-1]]}; charset=utf-8")
        assert answer.body == (ROOT / "serving" / "demo_page" / name).read_bytes()


def test_nothing_comes_from_elsewhere(demo):
    policy = dict(demo.answer("GET", "/demo").headers)["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    sources = {source for rule in policy for source in rule.split()[1:]}
    assert sources <= {"'none'", "'self'", "blob:", "data:"}, "neither other hosts nor anything inline"
    for name in FILES:
        text = (ROOT / "serving" / "demo_page" / name).read_text()
        assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}, "a name, not an address"
        assert not re.search(r"\son\w+=|style=|innerHTML|eval\(", text)


@pytest.mark.parametrize("path", ["/demo/", "/demo/../local.py", "/demo/%2e%2e/local.py", "/demo/nope.js"])
def test_anything_else_is_not_found(demo, path):
    assert demo.answer("GET", path).status == 404


def test_other_paths_and_verbs(demo):
    assert demo.answer("GET", "/demonstration") is None
    assert demo.answer("POST", "/demo").status == 405


@pytest.mark.slow
def test_off(contract_models):
    with serving("--no-demo", model_dirs=[contract_models / "gru"]) as running:
        status, answer = running.get("/demo")
        assert (status, answer) == (404, {"error": "Not found: /demo; models are at /v1/models/NAME"})


@pytest.mark.slow
def test_over_http(contract_models):
    with serving(model_dirs=[contract_models / "gru"]) as running:
        connection = http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=60)
        connection.request("GET", "/demo?x=1")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("x-content-type-options")) == (200, "nosniff")
        assert b"<h1>Hear a model</h1>" in answer.read()
        connection.close()
