"""`python -m serving.local` as a user starts it: mistakes, and what it says."""

import contextlib
import io
import json
import signal
import socket
import sys

import pytest

from serving import local
from tests.commands import shell
from tests.conftest import THREADS
from tests.serving.served import serving


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
            (["MODEL", "--timeout", "1e300"], ["--timeout 1e+300", "86,400 at most"]),
            (["MODEL", "--threads", "99999999999"], ["--threads", "1,024 at most"]),
            (["MODEL", "--label", "stable=" + "9" * 5000], ["has no version 9", "but 1, 2"]),
            (["MODEL", "--host", "", "--port", "0"], ["--host", "0.0.0.0 listens on all"]),
            (["MODEL", "--host", "exämple..com", "--port", "0"], ["--host exämple..com: no such address"]),
            (["MODEL", "--host", "192.0.2.1", "--port", "0"], ["--host 192.0.2.1: not an address of this machine"]),
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


class TestStarting:
    def test_what_it_says_to_try_is_a_prediction(self, contract_models, tmp_path):
        with serving(model_dirs=[contract_models / "gru"]) as running:
            found = shell(running.said[2].removeprefix("try: "), tmp_path)
            expected = running.predict("gru", {"instances": [[[0.0] * 88]]})
        assert (200, json.loads(found.stdout)) == expected

    def test_a_model_that_can_not_be_loaded(self, tmp_path):
        """Its status says why."""
        with serving(model_dirs=[versions(tmp_path / "audio", 1)]) as running:
            line = running.said[2].removeprefix("try: ")
            assert line == f"curl {running.url}/v1/models/audio\n"
            (status,) = json.loads(shell(line, tmp_path).stdout)["model_version_status"]
        assert status["state"] == "END"
        assert "saved_model.pb" in status["status"]["error_message"]

    def test_says_what_it_is_and_writes_no_access_log(self, contract_models):
        with serving(f"my gru={contract_models / 'gru'}", "--host", "0.0.0.0") as running:
            assert running.get("/v1/models/my%20gru")[0] == 200
            running.process.send_signal(signal.SIGINT)
            assert running.process.communicate(timeout=60)[0] == "stopped\n"
            written = running.log.read_text()
        assert running.process.returncode == 0
        port = running.url.rsplit(":", 1)[1]
        assert running.said == [
            f"serving my gru at http://0.0.0.0:{port} until Ctrl-C\n",
            "TensorFlow Serving is the server for production: serving/docker-compose.yml\n",
            f"try: curl -d '{{\"instances\": [[[{', '.join('0' * 88)}]]]}}' "
            f"http://0.0.0.0:{port}/v1/models/my%20gru:predict\n",
        ]
        warning, *loaded = written.splitlines()
        assert warning.startswith("warning: --host 0.0.0.0: whoever reaches this machine can use the server")
        assert [line.split(" ", 2)[2].split(" (")[0] for line in loaded] == [
            "my gru: version 2 is served",
            "my gru: version 1 is served",
        ]
