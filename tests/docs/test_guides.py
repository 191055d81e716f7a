"""The first guides, followed: their commands and their Python run, one after another, on small tables."""

import contextlib
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.recordings.films import landmarker, speech
from tests.recordings.sounds import sine, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]  # a dozen trainings before the first test

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
NO_SERVER = "http://127.0.0.1:9"


def follow(folder, *pages, address=NO_SERVER):
    line = [sys.executable, "-m", "tests.docs.follow", *pages, address]
    result = subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the guides speak of: the tables of the first hour, and files of other tools."""
    here = tmp_path_factory.mktemp("guides")
    subprocess.run([sys.executable, ROOT / "examples" / "tables.py"], cwd=here, check=True)
    write_files_of_tools(here)
    (here / "clips").mkdir()
    write_clips(here, [("train", "train", "dev")[k // 12 % 3] for k in range(36)], ("anger", "calm", "joy"))
    return here


def write_clips(here, partitions, emotions):
    """`clips.csv`, and sound of 0.4 s for each row: the higher the voice, the later its emotion in their list."""
    rng = np.random.default_rng(0)
    rows = ["file,partition,speaker,label"]
    for k, partition in enumerate(partitions):
        name, emotion = f"{'a' if partition == 'train' else 'd'}{k + 1}", k % len(emotions)
        voice = sine(150 * (emotion + 1), 0.4, 16_000) + 0.02 * rng.normal(size=6_400)
        write(here / "clips" / f"{name}.wav", voice)
        rows.append(f"clips/{name}.wav,{partition},{partition}-{k // 4},{emotions[emotion]}")
    (here / "clips.csv").write_text("\n".join(rows) + "\n")


def write_files_of_tools(here):
    """openSMILE's functionals of clips, OpenFace's frames of videos, and labels for both."""
    rng = np.random.default_rng(0)
    names = [f"a{k}" for k in range(12)]
    smile = [f"'{name}';0.000000;{rng.normal():.6e};{rng.normal():.6e}" for name in names]
    (here / "egemaps.csv").write_text("\n".join(["name;frameTime;loudness_amean;F0_amean", *smile]) + "\n")
    (here / "openface").mkdir()
    for name in names:
        frames = [f"{k + 1}, 0, {k / 25:.3f}, 0.98, 1, {rng.normal():.2f}, {rng.normal():.2f}" for k in range(10)]
        text = "\n".join(["frame, face_id, timestamp, confidence, success, AU01_r, AU12_r", *frames]) + "\n"
        (here / "openface" / f"{name}.csv").write_text(text)
    labels = [
        f"clips/{name}.wav,{('train', 'train', 'dev')[k // 4]},s{k // 4},{'anger' if k % 2 else 'joy'}"
        for k, name in enumerate(names)
    ]
    (here / "labels.csv").write_text("\n".join(["file,partition,speaker,label", *labels]) + "\n")


@pytest.fixture(scope="module")
def said(folder):
    """What the guides before serving print, in a process of their own."""
    shutil.copy(ROOT / "examples" / "system.py", folder)  # where Python can import it, as the guide says
    return follow(folder, "data", "training", "evaluation", "tuning", "paper-tables")


@contextlib.contextmanager
def served(folder, model):
    """The address of a server at a free port."""
    line = [sys.executable, "-m", "serving.local", model, "--port", "0"]
    with subprocess.Popen(line, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield re.search(r"http://\S+", server.stdout.readline())[0]
        finally:
            server.terminate()


@pytest.fixture
def address(said, folder):
    """A server for the run that the guide to serving exports."""
    line = [sys.executable, "-m", "emobed_tf.export", "runs/both", "models/audio"]
    subprocess.run(line, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)
    with served(folder, "models/audio") as found:
        yield found


def test_data(said):
    assert "classification ('anger', 'calm', 'joy')\naudio 3 features, " in said


def test_files_of_tools(said):
    assert "recognised as openSMILE" in said
    assert "not used as features: frame, face_id, confidence, success (written beside features by OpenFace)" in said


def test_first_hour(tmp_path):
    """Both walks."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    subprocess.run([sys.executable, "examples/tables.py"], cwd=tmp_path, check=True)
    said = follow(tmp_path, "first-hour#1")
    assert "audio: 3 features (loudness to jitter), a row for each utterance" in said
    assert "both better than classic? (F1 macro)" in said
    assert (tmp_path / "runs" / "comparison" / "table.tex").is_file()
    line = [sys.executable, "-m", "emobed_tf.export", "runs/both", "models/audio"]
    subprocess.run(line, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    with served(tmp_path, "models/audio") as address:
        said = follow(tmp_path, "first-hour#2", address=address)
    assert re.search("^by version [12]:\nnew0 (anger|calm|joy)$", said, re.MULTILINE)


def test_recordings(tmp_path):
    """From sound of low and high voices to a run, and to frames with labels over time."""
    rng = np.random.default_rng(0)
    (tmp_path / "clips").mkdir()
    write_clips(tmp_path, ["train"] * 8 + ["dev"] * 4, ("joy", "anger"))
    interviews = ["file,partition,label_file"]
    for partition in ("train", "dev"):
        write(tmp_path / "clips" / f"{partition}.wav", 0.1 * rng.normal(size=16_000 * 6))
        labels = "".join(f"{k / 25},{np.sin(k / 20):.3f}\n" for k in range(150))
        (tmp_path / f"{partition}.csv").write_text(f"time,arousal\n{labels}")
        interviews.append(f"clips/{partition}.wav,{partition},{partition}.csv")
    (tmp_path / "videos.csv").write_text(f"file,start,end,partition,label\n{speech()},1,1.4,train,calm\n")
    (tmp_path / "face_landmarker.task").write_bytes(landmarker().read_bytes())
    (tmp_path / "interviews.csv").write_text("\n".join(interviews) + "\n")
    said = follow(tmp_path, "recordings")
    assert "written: audio.parquet, 12 rows of 200 features from 12 recordings" in said
    assert "written: frames.parquet, 300 rows of 200 features from 2 recordings" in said
    assert "a row every 0.04 s" in said
    assert "written: face.parquet, 1 rows of 116 features from 1 recordings" in said
    assert (tmp_path / "runs" / "clips" / "report" / "index.html").is_file()


def test_training(said, folder):
    for name in ("audio", "both", "classic", "both-beta", "signal"):
        assert (folder / "runs" / name / "report" / "index.html").is_file()
    for alpha in ("0.0", "0.5", "1.0"):
        assert re.search(rf"^{alpha} f1_macro [01]\.\d+$", said, re.MULTILINE)


def test_evaluation(said, folder):
    assert "both better than classic? (F1 macro)" in said
    assert (folder / "report" / "index.html").is_file()
    assert (folder / "learning.svg").is_file()
    assert (folder / "runs" / "both" / "logs" / "embeddings-dev" / "projector_config.pbtxt").is_file()


def test_comparison(said, folder):
    assert "Comparison: F1 macro of emotion, audio.csv and face.csv" in " ".join(said.split())
    assert (folder / "runs" / "comparison" / "table.html").is_file()
    assert (folder / "runs" / "crossvalidation" / "verdict.md").is_file()


def test_readme(tables, tmp_path):
    """Its commands, in a folder of their own, for they make the same runs as the guides'."""
    for name in ("audio", "face"):
        shutil.copy(tables / f"{name}.csv", tmp_path)
    said = follow(tmp_path, "README")
    assert "both better than classic? (F1 macro)" in said
    assert (tmp_path / "runs" / "tables-emotion-crossvalidation" / "crossvalidation-gains.csv").is_file()


def test_tuning(said, folder):
    assert re.search(r"^[01]\.\d+ searches/weights/best$", said, re.MULTILINE)
    assert (folder / "searches" / "weights" / "best" / "scores.json").is_file()
    assert (folder / "searches" / "audio" / "report" / "index.html").is_file()
    assert (folder / "sweeps" / "alpha" / "report" / "sweep1.png").is_file()


def test_serving(address, folder):
    """Three new utterances: the file of `predict`, and the client's, which asked the server."""
    before = (folder / "predictions.csv").read_text().splitlines()
    (folder / "predictions.csv").unlink()
    said = follow(folder, "serving", address=address)
    after = (folder / "predictions.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in before] == ["id", "new0", "new1", "new2"]
    assert [line.split(",")[:2] for line in after] == [line.split(",")[:2] for line in before]
    assert "['anger', 'calm', 'joy']" in said
