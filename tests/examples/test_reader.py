"""The example of a reader: a corpus in a form of its own through the commands, as the built-in ones go through them."""

import json
import sys

import numpy as np
import pytest

from emobed_tf.config import preset, read_config
from emobed_tf.corpora import load
from emobed_tf.runs.folder import Run
from tests.commands import assert_one_line, command, flags, process
from tests.corpora.corpus_writers import fails
from tests.training.test_loop import TINY

NAME = "examples.reader:CLIPS"
CLASSES = ("anger", "joy", "sadness")
COLUMNS = {"voice": ("pitch", "energy", "rate"), "face": ("smile", "brow")}
SETTINGS = flags(**{**TINY, "epochs": 2, "batch_size": 8})

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """24 clips heard and 12 seen, of speakers who stay in their partition; the k-th is of the class k mod 3."""
    folder, rng = tmp_path_factory.mktemp("clips"), np.random.default_rng(0)
    for (modality, columns), count in zip(COLUMNS.items(), (24, 12), strict=True):
        (folder / modality).mkdir()
        for k in range(count):
            partition = ("train", "train", "dev", "test")[k // 3 % 4]
            values = rng.normal(k % 3, 0.3, len(columns)).round(4).tolist()
            clip = {"speaker": f"{partition}_{k // 12}", "partition": partition, "emotion": CLASSES[k % 3]}
            clip["features"] = dict(zip(columns, values, strict=True))
            (folder / modality / f"{modality}_{k:02d}.json").write_text(json.dumps(clip))
    return folder


@pytest.fixture(scope="module")
def run(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    result = command("train", "--no-report", "--dataset", NAME, "--data-dir", clips, *SETTINGS, "--output", folder)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("clips, emotion: emobed on voice (+face), alpha 0.5, beta 0.3, seed 0\n")
    return Run.open(folder)


class TestReading:
    def test_what_is_read(self, clips):
        corpus = load(NAME, clips)
        assert (corpus.name, corpus.task, corpus.classes) == ("clips", "classification", CLASSES)
        assert {m.name: m.feature_names for m in corpus} == {name: COLUMNS[name] for name in ("face", "voice")}
        written = json.loads((clips / "voice" / "voice_04.json").read_text())
        recording = corpus.modality("voice").recordings[4]
        assert (recording.id, recording.partition, recording.speaker) == ("voice_04", "train", "train_0")
        np.testing.assert_array_equal(recording.features, np.float32([list(written["features"].values())]))
        assert CLASSES[recording.labels["emotion"]] == written["emotion"] == "joy"  # 4 mod 3 is 1
        assert len(corpus.fingerprints) == 24 + 12

    def test_a_damaged_clip_is_told_in_one_line(self, clips, tmp_path):
        (tmp_path / "voice").mkdir()
        for text in ("{", "[1]", '{"features": {"pitch": "high"}}', '{"features": {"pitch": 1}, "emotion": "awe"}'):
            (tmp_path / "voice" / "x.json").write_text(text)
            fails(lambda: load(NAME, tmp_path), str(tmp_path / "voice" / "x.json"), "anger")

    def test_a_regression_is_refused(self, clips):
        fails(lambda: load(NAME, clips, task="regression"), "'clips' has no arousal", "classification")


class TestCommands:
    def test_the_run_has_the_settings_of_the_record(self, run, clips):
        config = read_config(run.config_file)
        assert (config.data.dataset, config.data.target, config.data.auxiliary) == (NAME, "voice", ("face",))
        assert config.network.encoder_layers == TINY["encoder_layers"]
        assert preset(NAME).training.batch_size == 16
        assert config.data.data_dir == clips
        assert run.facts().corpus == "clips"
        assert "voice/voice_00.json" in run.facts().fingerprints

    def test_evaluate(self, run):
        result = command("evaluate", run.path, "--test")
        assert result.returncode == 0, result.stderr
        for part in ("dev", "test"):
            assert f"emotion from voice, {part} (intervals over 2 speakers)" in result.stdout

    def test_predict_from_a_file_of_its_own_form_and_from_a_table(self, run, tmp_path):
        values = {"rate": 2.0, "pitch": 2.1, "energy": 1.9}  # in another order than in training
        (tmp_path / "new.json").write_text(json.dumps({"features": values}))
        (tmp_path / "new.csv").write_text("id,energy,pitch,rate\nnew,1.9,2.1,2\n")
        found = []
        for name in ("new.json", "new.csv"):
            out = tmp_path / "out.csv"
            result = command("predict", run.path, "--features", tmp_path / name, "--output", out)
            assert result.returncode == 0, result.stderr
            found.append(out.read_text())
        assert found[0] == found[1]
        assert found[0].splitlines()[1].startswith("new,")
        (tmp_path / "new.wav").write_text("x")
        result = command("predict", run.path, "--features", tmp_path / "new.wav", "--output", out)
        assert_one_line(result, ".json, .arff, .csv or .parquet")

    @pytest.mark.slow
    def test_a_worker_of_another_process_finds_it(self, clips, tmp_path):
        line = ["--dataset", NAME, "--data-dir", clips, "--targets", "voice", "--systems", "classic", "forest"]
        line += ["--folds", "2", "--seeds", "1", "--configurations", "1", "--workers", "2", *SETTINGS]
        result = process("crossvalidate", *line, "--output", tmp_path / "cv")
        assert result.returncode == 0, result.stderr
        assert "emotion: 6 (face 3, voice 6) speakers" in result.stdout

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("clips", ("unknown data set 'clips'", "recola, omg, tables, recordings, or package.module:NAME")),
            ("examples.reader:SONGS", ("examples.reader:SONGS", "no attribute 'SONGS'")),
            ("examples.writer:CLIPS", ("No module named 'examples.writer'",)),
            ("examples.reader:find_modalities", ("expected an emobed_tf.datasets.DataSet", "found a function")),
        ],
    )
    def test_a_wrong_name_is_one_line(self, name, words):
        assert_one_line(command("train", "--dataset", name), *words)

    def test_no_folder(self):
        assert_one_line(command("train", "--dataset", NAME), "--data-dir DIR, a folder with a folder for each modality")

    def test_a_run_is_opened_without_its_reader(self, run, monkeypatch):
        monkeypatch.setitem(sys.modules, "examples.reader", None)  # as if it couldn't be imported
        assert Run.open(run.path).config().data.dataset == NAME
        assert_one_line(command("evaluate", run.path), NAME, "expected a DataSet in a module that Python can import")
