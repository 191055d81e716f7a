"""A stand-in for TensorFlow Serving with two models, and a client of one of them."""

import pytest

from serving.client.client import Client
from tests.serving.fake_serving import FakeModel, serving


@pytest.fixture
def fake():
    with serving(audio=FakeModel(), speech=FakeModel("classification", frame_seconds=None)) as server:
        yield server


@pytest.fixture
def client(fake):
    with Client(fake.url, "audio") as client:
        yield client
