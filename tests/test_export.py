"""`python -m emobed_tf.export`: what it says and leaves, and one line for every mistake."""

import json
import shlex
import shutil
import subprocess

import pytest

from emobed_tf.runs.folder import Run
from tests.commands import assert_one_line, command, flags, process, shell
from tests.corpora.sounds import write_clips
from tests.saved_model.test_sound import small
from tests.serving.served import serving
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.fixture(scope="module")
def speech(stack, tables, tmp_path_factory):
    """The folder of a run on utterances that are not simulated."""
    folder = tmp_path_factory.mktemp("speech") / "run"
    chosen = flags(**{**TINY, "epochs": 1, "batch_size": 8})
    result = command("train", "--no-report", "--dataset", "tables", "--data-dir", tables, *chosen, "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder


class TestExport:
    def test_says_what_it_wrote_and_how_to_serve_it(self, arousal_run, recola, tmp_path):
        (tmp_path / "audio" / "1").mkdir(parents=True)
        result = command("export", arousal_run[0], tmp_path / "audio")
        assert result.returncode == 0, result.stderr
        scores = json.loads((arousal_run[0] / "scores.json").read_text())["dev"]
        names = {"CCC": "ccc", "mean CCC": "ccc_mean", "PCC": "pcc", "RMSE": "rmse"}
        file = recola / "features_audio" / "arousal" / "dev_1.arff"
        features = json.loads((tmp_path / "audio" / "2" / "manifest.json").read_text())["features"]
        assert result.stdout.splitlines() == [
            f"{tmp_path / 'audio' / '2'}: arousal from 88 audio features (trained on SIMULATED data)",
            f"takes: {', '.join(features[:8])} and 80 more; returns: numbers for arousal; "
            f"{tmp_path / 'audio' / '2' / 'manifest.json'} says it all",
            "development: " + ", ".join(f"{short} {scores[name]:.3f}" for short, name in names.items()),
            "signatures: serving_default, embed, postprocessed, packed, stream, manifest",
            f"serve it: python -m serving.local {tmp_path / 'audio'}",
            f"then ask it: python -m serving.client http://localhost:8501 audio --features {file}",
        ]
        assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == {
            "audio/2/saved_model.pb",
            "audio/2/fingerprint.pb",
            "audio/2/variables/variables.index",
            "audio/2/variables/variables.data-00000-of-00001",
            "audio/2/assets/manifest.json",
            "audio/2/assets.extra/tf_serving_warmup_requests",
            "audio/2/manifest.json",
        }

    @pytest.mark.slow
    def test_of_a_model_that_takes_sound(self, stack, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(small(write_clips(tmp_path), "conv"), tmp_path / "run")
        said = command("export", run.path, tmp_path / "voice").stdout.splitlines()
        assert said[0].endswith("from sound (16,000 Hz, one channel)")
        assert said[1].startswith("takes: sound; returns: ") and "and their probabilities" in said[1]
        line = "then ask it: python -m serving.client http://localhost:8501 voice --audio clip.wav"
        assert said[-2:] == [line, "or try it in a browser: http://localhost:8501/demo"]

    def test_real_data_is_not_called_simulated(self, speech, tmp_path):
        assert "SIMULATED" not in command("export", speech, tmp_path / "speech").stdout

    def test_of_data_that_are_gone(self, speech, tmp_path):
        """There is no file to ask about, so zeros do."""
        shutil.copytree(speech, tmp_path / "run")
        config = json.loads((tmp_path / "run" / "config.json").read_text())
        (tmp_path / "run" / "config.json").write_text(json.dumps({**config, "data_dir": str(tmp_path)}))
        said = command("export", tmp_path / "run", tmp_path / "my model").stdout.splitlines()
        assert said[3] == "signatures: serving_default, embed, packed, manifest"
        assert said[4] == f"serve it: python -m serving.local '{tmp_path / 'my model'}'"
        body, address = '{"instances": [[[0, 0, 0, 0, 0]]]}', "http://localhost:8501/v1/models/my%20model:predict"
        assert said[5] == f"then ask it: curl -d '{body}' {address}"

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["file", "zeros"])
    def test_its_lines_work_when_they_are_copied(self, speech, tmp_path, kind):
        """In a shell, but for the port, since another server may have that one."""
        folder = speech
        if kind == "zeros":
            folder = tmp_path / "run"
            shutil.copytree(speech, folder)
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**config, "data_dir": str(tmp_path)}))
        said = command("export", folder, tmp_path / "speech").stdout.splitlines()
        serve = shlex.split(said[4].removeprefix("serve it: "))
        assert serve[:3] == ["python", "-m", "serving.local"]
        with serving(model_dirs=serve[3:]) as running:
            line = said[5].removeprefix("then ask it: ").replace("http://localhost:8501", running.url)
            found = shell(line, tmp_path)
            assert found.returncode == 0, found.stderr
            assert "p_anger" in found.stdout if kind == "file" else json.loads(found.stdout)["predictions"][0]["label"]
            tried = shell(running.said[2].removeprefix("try: "), tmp_path)
            assert len(json.loads(tried.stdout)["predictions"][0]["probabilities"]) == 3

    @pytest.mark.slow
    def test_own_process_is_quiet(self, speech, tmp_path):
        """Neither TensorFlow's greetings nor progress bars where nobody looks."""
        result = process("export", speech, tmp_path / "speech")
        assert (result.returncode, result.stderr) == (0, "")


class TestMistakes:
    def test_arguments(self, arousal_run, tmp_path):
        assert_one_line(command("export", arousal_run[0]), "MODEL_DIR")
        assert_one_line(command("export", tmp_path / "nowhere", tmp_path / "m"), "nowhere: no such run folder")
        assert_one_line(command("export", arousal_run[0], arousal_run[0]), "that is a run folder")
        assert command("export", arousal_run[0], tmp_path / "model").returncode == 0
        version = tmp_path / "model" / "1"
        assert_one_line(command("export", arousal_run[0], version), "that is a version of a model")
        (tmp_path / "file").write_text("")
        assert_one_line(command("export", arousal_run[0], tmp_path / "file"), "found a file")

    @pytest.mark.parametrize(
        ("name", "content", "word"),
        [
            ("scores.json", None, "--resume"),
            ("best.npz", None, "best.npz"),
            ("best.npz", b"PK", "best.npz"),
            ("run.json", b"{", "run.json"),
            ("config.json", b"[]", "config.json"),
            ("postprocessing.json", None, "postprocessing.json"),
            ("scores.json", b"[]", "scores.json"),
        ],
    )
    def test_damaged_run(self, arousal_run, tmp_path, name, content, word):
        shutil.copytree(arousal_run[0], tmp_path / "run")
        if content is None:
            (tmp_path / "run" / name).unlink()
        else:
            (tmp_path / "run" / name).write_bytes(content)
        assert_one_line(command("export", tmp_path / "run", tmp_path / "model"), word)
        assert not (tmp_path / "model").exists()

    def test_weights_of_another_network(self, arousal_run, tmp_path):
        shutil.copytree(arousal_run[0], tmp_path / "run")
        run = Run(tmp_path / "run")
        run.write_json("config.json", {**json.loads(run.config_file.read_text()), "head_units": 7})
        assert_one_line(
            command("export", run.path, tmp_path / "model"), "shared.gru_1/kernel", "expected shape (6, 21)"
        )

    @pytest.mark.parametrize("size", ["4k", "16k", "300k"])
    def test_full_disk(self, arousal_run, tmp_path, size):
        """A real one, full while the manifest, the variables or the graph is written."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a small file system needs root")
        try:
            result = command("export", arousal_run[0], disk / "model")
            assert_one_line(result, "No space left on device")
            assert "Op:" not in result.stderr
            assert list(disk.iterdir()) == []
        finally:
            subprocess.run(["umount", disk], check=True)
