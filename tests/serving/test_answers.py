"""Answers of the server, as HTTP sends them."""

import json

from serving.answers import error_answer, json_answer
from serving.rest import RestError


def test_json():
    answer = json_answer({"a": 1}, headers=(("x", "y"),))
    assert (answer.status, answer.content_type, answer.headers) == (200, "application/json", (("x", "y"),))
    assert json.loads(answer.body) == {"a": 1}


def test_an_error_keeps_its_status_and_headers():
    answer = error_answer(RestError("UNAVAILABLE", "full", headers=(("retry-after", "1"),)))
    assert (answer.status, json.loads(answer.body), answer.headers) == (503, {"error": "full"}, (("retry-after", "1"),))
    assert error_answer(RestError("NOT_FOUND", "no", status=405)).status == 405
