"""Servers that refuse, fail, hang up or say nothing: what the error says, and what is tried again."""

import copy
import json
import socket
import threading
import time

import numpy as np
import pytest

from serving.client.client import Client
from serving.client.connection import Connection, ServingError
from tests.serving.client.talk import FEATURES, PREDICTION, predictions_asked, unavailable


@pytest.fixture
def sleeps(monkeypatch):
    """What urllib3 would have waited between two attempts, in seconds."""
    waited = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waited.append)
    return waited


def closed_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class TestErrors:
    def test_carries_status_text_and_address(self, fake):
        fake.instead = [(400, {}, '{"error": "kernel says no"}')]
        with pytest.raises(ServingError) as caught:
            Client(fake.url, "audio", version=1).predict(FEATURES)
        error = copy.copy(caught.value)
        url = f"{fake.url}/v1/models/audio/versions/1:predict"
        assert (error.status, error.message, error.url) == (400, "kernel says no", url)
        assert str(error) == f"{url}: kernel says no (HTTP 400)"
        assert isinstance(error, RuntimeError)

    def test_nobody_there(self, sleeps):
        url = f"http://127.0.0.1:{closed_port()}"
        try:
            raise KeyError("something that the caller was about")
        except KeyError:
            with pytest.raises(ServingError) as caught:
                Client(url, "audio", retries=5).predict(FEATURES)
        assert caught.value.status is None
        assert str(caught.value) == (
            f"{url}/v1/models/audio/metadata: no answer: Connection refused; is a server running there, and is this "
            "its REST port (usually 8501)?"
        )
        assert sleeps == []

    def test_no_such_host(self):
        with pytest.raises(ServingError, match=r"no answer: (Name or service|No address|Temporary failure)[^()]*;"):
            Client("http://host.invalid", "audio").predict(FEATURES)

    def test_says_nothing(self, sleeps):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", "audio", timeout=0.2, retries=5)
            with pytest.raises(ServingError, match="no answer within 0.2 s") as caught:
                client.predict(FEATURES)
        assert caught.value.status is None
        assert sleeps == []

    def test_hangs_up(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=lambda: server.accept()[0].close())
            thread.start()
            with pytest.raises(ServingError, match="no answer: (Remote end closed|Connection reset)"):
                Client(f"http://127.0.0.1:{server.getsockname()[1]}", "audio").predict(FEATURES)
            thread.join()

    def test_idle_connection_that_the_server_closed_is_opened_again(self, client, fake):
        pinned = client.pinned()
        fake.hangs_up = True
        for pause in (0.3, 0.0, 0.0):  # closed, or being closed at this moment
            np.testing.assert_array_equal(pinned.predict(FEATURES), PREDICTION)
            time.sleep(pause)

    def test_a_server_that_hangs_up_every_time_is_asked_twice_at_most(self):
        """One answer, then silence: the connection that was kept and a new one."""
        accepted = []

        def serve():
            first, _ = server.accept()
            accepted.append(first)
            first.recv(65536)
            first.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            first.recv(65536)
            first.close()
            second, _ = server.accept()
            accepted.append(second)
            second.recv(65536)
            second.close()

        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(10)  # rather than wait for ever for a client that doesn't come
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            connection = Connection(f"http://127.0.0.1:{server.getsockname()[1]}", 10, 0)
            url = f"{connection.url}/x"
            assert connection.get(url) == {}
            with pytest.raises(ServingError, match="no answer: (Remote end closed|Connection reset)"):
                connection.get(url)
            thread.join()
            assert len(accepted) == 2

    def test_breaks_off(self, client, fake):
        fake.instead = [(200, {"Content-Length": "1000", "Connection": "close"}, "{")]
        with pytest.raises(ServingError, match="no answer"):
            client.predict(FEATURES)

    @pytest.mark.parametrize("status", [200, 502])
    def test_proxy(self, client, fake, status):
        fake.instead = [(status, {"Content-Type": "text/html"}, "<html>\n<p>Log in ä</p>" + "x" * 1000)]
        with pytest.raises(ServingError, match="expected a JSON object, got '<html> <p>Log in ä</p>x+'; did") as caught:
            client.predict(FEATURES)
        assert caught.value.status == status
        assert len(str(caught.value)) < 250

    @pytest.mark.parametrize("text", ["[]", "5", "null", ""])
    def test_other_json(self, client, fake, text):
        fake.instead = [(200, {}, text)]
        with pytest.raises(ServingError, match=f"expected a JSON object, got '{text}'".replace("[", r"\[")):
            client.predict(FEATURES)

    def test_json_that_is_nested_too_deeply(self, client, fake):
        fake.instead = [(200, {}, "[" * 200_000)]
        with pytest.raises(ServingError, match="expected a JSON object, got"):
            client.predict(FEATURES)

    def test_words_can_not_write_on_the_terminal(self, client, fake):
        fake.instead = [(400, {}, json.dumps({"error": "\x1b[2Jx\n" + "y" * 200_000}))]
        with pytest.raises(ServingError) as caught:
            client.predict(FEATURES)
        assert ": [2Jx yy" in " ".join(str(caught.value).split()).replace(":  ", ": ")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 1200
        assert len(caught.value.message) > 200_000

    def test_a_password_in_the_address_is_not_shown(self, fake):
        address = fake.url.replace("http://", "http://user:secret@")
        with pytest.raises(ServingError, match="not found") as caught, Client(address, "nobody") as client:
            client.predict(FEATURES)
        assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("address", ["http://a..b", f"http://{'a' * 300}"])
    def test_an_address_that_can_not_be(self, address):
        with pytest.raises(ServingError, match="no answer"):
            Client(address, "audio").predict(FEATURES)

    def test_error_without_a_text(self, client, fake):
        fake.instead = [(500, {}, "{}")]
        with pytest.raises(ServingError, match="Internal Server Error"):
            client.predict(FEATURES)

    def test_redirection_is_not_followed(self, client, fake):
        fake.instead = [(302, {"Location": "https://elsewhere/login"}, "")]
        with pytest.raises(ServingError, match="redirected to https://elsewhere/login; name that address"):
            client.predict(FEATURES)


class TestRetries:
    def test_waits_longer_each_time(self, client, fake, sleeps):
        fake.instead = [unavailable()] * 3
        np.testing.assert_array_equal(client.predict(FEATURES), PREDICTION)
        assert sleeps == [0.5, 1]  # the first attempt again is at once

    def test_waits_as_long_as_the_server_says(self, fake, sleeps):
        client = Client(fake.url, "audio", version=1)
        client.manifest()
        fake.instead = [unavailable(**{"Retry-After": "3"}), unavailable(**{"Retry-After": "3600"})]
        np.testing.assert_array_equal(client.predict(FEATURES), PREDICTION)
        assert sleeps == [3, 10]
        assert len(predictions_asked(fake)) == 3

    def test_odd_words_of_when_are_no_error(self, fake, sleeps):
        fake.instead = [unavailable(**{"Retry-After": "banana"})]
        client = Client(fake.url, "audio", version=1, retries=0)
        with client, pytest.raises(ServingError, match=r"overloaded \(HTTP 503\)"):
            client.predict(FEATURES)

    @pytest.mark.parametrize("retries", [0, 2])
    def test_gives_up(self, fake, sleeps, retries):
        fake.instead = [unavailable()] * 9
        with pytest.raises(ServingError, match="overloaded") as caught:
            Client(fake.url, "audio", retries=retries).predict(FEATURES)
        assert caught.value.status == 503
        assert len(fake.asked) == retries + 1

    @pytest.mark.parametrize("status", [400, 404, 413, 429, 500, 502, 504])
    def test_nothing_else_is_tried_again(self, client, fake, sleeps, status):
        fake.instead = [(status, {"Retry-After": "1"}, '{"error": "no"}')] * 2
        with pytest.raises(ServingError):
            client.predict(FEATURES)
        assert len(fake.asked) == 1
        assert sleeps == []
