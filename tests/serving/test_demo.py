"""The page's files over HTTP, what they may load, and which models it is told of. The page itself: tests/browser."""

import asyncio
import json
import re

import pytest

from serving.app import App, Limits
from serving.demo import Demo
from serving.metrics import Metrics
from serving.models import Model, Models
from tests.conftest import ROOT

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


def asked(demo, path):
    """Status, headers and body of the server's answer."""
    sent = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    app = App(Models([]), Limits(1000, 1, 1.0), Metrics(), workers=1, demo=demo)
    scope = {"method": "GET", "raw_path": path.encode(), "query_string": b"x=1", "headers": []}
    asyncio.run(app(scope, receive, send))
    app.close()
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def test_the_server_has_it(demo):
    status, headers, body = asked(demo, "/demo")
    assert (status, headers[b"x-content-type-options"]) == (200, b"nosniff")
    assert b"<h1>Try a model on sound</h1>" in body


def test_the_server_without_it():
    status, _, body = asked(None, "/demo")
    assert (status, json.loads(body)) == (404, {"error": "Not found: /demo; models are at /v1/models/NAME"})
