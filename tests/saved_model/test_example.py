"""Lines that are copied into a shell: what a shell makes of them, here of bodies and of files."""

import json
import shlex
import shutil
import subprocess
import sys

import pytest

from emobed_tf.runs.folder import Run
from emobed_tf.saved_model.example import client_line, curl_line

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def body_and_address(line, folder):
    """What `curl` is given by a shell that knows `python`."""
    (folder / "curl").write_text('#!/bin/sh\ntest "$2" = @- && cat || echo "$2"\necho "$3"\n')
    (folder / "python").symlink_to(sys.executable)
    (folder / "curl").chmod(0o755)
    shown = subprocess.run(line, shell=True, env={"PATH": f"{folder}:/bin:/usr/bin"}, capture_output=True, text=True)
    assert not shown.stderr
    body, address = shown.stdout.splitlines()
    return json.loads(body), address


class TestCurl:
    @pytest.mark.parametrize("shape", [(1, 3), (2, 3), (4,), (1, 100), (1, 101), (7, 88), (1, 2, 6373)], ids=str)
    def test_asks_with_one_instance_of_zeros(self, shape, tmp_path):
        line = curl_line("http://localhost:8501", "audio", shape)
        body, address = body_and_address(line, tmp_path)
        expected = 0
        for size in reversed(shape):
            expected = [expected] * size
        assert body == {"instances": [expected]}
        assert address == "http://localhost:8501/v1/models/audio:predict"
        assert len(line) < 450

    def test_odd_names(self, tmp_path):
        _, address = body_and_address(curl_line("http://[::1]:80", "it's a/b", (1,)), tmp_path)
        assert address == "http://[::1]:80/v1/models/it%27s%20a%2Fb:predict"


class TestClient:
    def test_names_a_file_of_the_run(self, arousal, recola):
        line = client_line(arousal.run, "http://localhost:8501", "audio")
        file = recola / "features_audio" / "arousal" / "dev_1.arff"
        expected = f"python -m serving.client http://localhost:8501 audio --features {file}"
        assert shlex.split(line) == expected.split()

    def test_names_a_table(self, emotion, tables):
        line = client_line(emotion.run, "http://localhost:8501", "my model")
        assert shlex.split(line)[4:] == ["my model", "--features", str(tables / "audio.csv")]

    def test_tables_that_are_gone_or_changed(self, emotion, tables, tmp_path):
        shutil.copytree(emotion.run.path, tmp_path / "run")
        run = Run(tmp_path / "run")
        config = json.loads(run.config_file.read_text())
        run.write_json("config.json", {**config, "data_dir": str(tmp_path)})
        assert client_line(run, "http://localhost:8501", "audio") is None
        (tmp_path / "audio.csv").write_text("id,other\nu1,1\n")
        assert client_line(run, "http://localhost:8501", "audio") is None
        shutil.copy(tables / "audio.csv", tmp_path / "moved.csv")
        run.write_json("config.json", {**config, "data_dir": None, "table": [f"audio={tmp_path / 'moved.csv'}"]})
        assert client_line(run, "http://localhost:8501", "audio").endswith(f" {tmp_path / 'moved.csv'}")
