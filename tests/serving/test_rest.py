"""Request lines that the recorded contract doesn't hold."""

import pytest

from serving.rest import CODES, RestError, Route, parse_route, version_of


@pytest.mark.parametrize(
    ("line", "route"),
    [
        ("GET /v1/models/audio/versions/12/metadata", Route("metadata", "audio", version=12)),
        ("GET /v1/models/audio/labels/stable", Route("status", "audio", label="stable")),
        ("POST /v1/models/a%20b/labels/st%C3%A4:predict", Route("predict", "a b", label="stä")),
        ("POST /V1/Models/Audio:predict", Route("predict", "Audio")),
        # http_rest_api_handler.cc compares with "metadata" in small letters; anything else that fits asks for status.
        ("GET /v1/models/audio/METADATA", Route("status", "audio")),
        ("POST /v1/models/audio/versions/1:regress", Route("regress", "audio", version=1)),
    ],
)
def test_routes(line, route):
    assert parse_route(*line.split(" ")) == route


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("GET /v1/models/audio:predict", "Malformed request: GET /v1/models/audio:predict"),
        ("POST /v1/models/audio:predict?x=1", "Malformed request: POST /v1/models/audio:predict?x=1"),
        # Its pattern takes these, but then it compares with "predict".
        ("POST /v1/models/audio:PREDICT", "Malformed request: POST /v1/models/audio:PREDICT"),
        ("POST /v1/models/audio:Classify", "Malformed request: POST /v1/models/audio:Classify"),
        ("PUT /v1/models/audio", "Malformed request: PUT /v1/models/audio"),
        ("POST /v1/models/audio/versions/1/labels/a:predict", "Malformed request: POST /v1/models/audio/versions/1"),
        ("GET /v1/models/audio/versions/²", "Malformed request: GET"),
        ("GET /v1/models/a/versions/9223372036854775808", "Failed to convert version: 9223372036854775808 to numeric."),
        (f"GET /v1/models/a/versions/{'9' * 5000}", "Failed to convert version: 99"),  # Python reads 4,300 digits
    ],
)
def test_refused(line, words):
    with pytest.raises(RestError) as caught:
        parse_route(*line.split(" "))
    assert str(caught.value).startswith(words)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("digits", "number"),
    [("0", 0), ("007", 7), ("0" * 5000 + "7", 7), (str(2**63 - 1), 2**63 - 1), (str(2**63), None), ("9" * 5000, None)],
    ids=lambda value: str(value)[:20],
)
def test_versions(digits, number):
    assert version_of(digits) == number


def test_all_codes_are_known(stack):
    from tensorflow.core.protobuf.error_codes_pb2 import Code

    assert set(CODES) == {name for name in Code.keys() if not name.startswith("DO_NOT_USE")}  # noqa: SIM118
