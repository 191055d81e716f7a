"""`python -m emobed_tf.extract`: from recordings to a table that is trained on, and what it says on the way."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.recordings.audio import decode
from emobed_tf.recordings.logmel import LogMel
from emobed_tf.recordings.vggface import VGGFace
from tests.commands import command
from tests.comparison.test_workers import has_tensorflow
from tests.conftest import ROOT, SHARED, THREADS
from tests.oracles.vgg16 import random_weights
from tests.recordings.films import landmarker, speech
from tests.recordings.sounds import noise, sine, speech_like, write
from tests.recordings.weights import as_keras
from tests.tuning.dask_cluster import Cluster

RAVDESS = SHARED / "data/ravdess-audio"

PROBE = """
import sys

from emobed_tf.recordings.extractors import Extractor


class Probe(Extractor):
    version = "1"
    columns = ("tensorflow",)

    def of(self, samples):
        return ["tensorflow" in sys.modules]
"""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two classes that sound different, in all partitions, as a table of recordings; and what was extracted of them."""
    folder = tmp_path_factory.mktemp("clips")
    lines = ["file,partition,speaker,label"]
    for partition, count in (("train", 12), ("dev", 8), ("test", 8)):
        for k in range(count):
            label, samples = (("low", sine(200, 0.3, 16_000)), ("high", sine(3_000, 0.3, 16_000)))[k % 2]
            name = f"{partition}_{k}.wav"
            write(folder / name, samples + noise(0.3, amplitude=0.02, seed=len(lines)))
            lines.append(f"{name},{partition},{partition}_{k // 2},{label}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    done = command("extract", folder / "clips.csv", "--output", folder / "audio.parquet", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return folder, done


class TestTable:
    def test_features_are_those_of_the_extractor(self, clips):
        folder, done = clips
        table = parquet.read_table(folder / "audio.parquet")
        expected = LogMel().of(decode(folder / "train_1.wav"))
        found = [table.column(name)[1].as_py() for name in LogMel.columns]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert done.stdout == f"written: {folder / 'audio.parquet'}, 28 rows of 200 features from 28 recordings\n"
        assert done.stderr == ""

    def test_is_trained_on(self, clips, stack, tmp_path):
        folder, _ = clips
        small = ["--encoder", "dense", "--encoder-layers", 1, "--encoder-units", 6, "--head-layers", 0, "--epochs", 25]
        result = command(
            *("train", "--table", f"audio={folder / 'audio.parquet'}", "--framework", "classic", *small),
            *("--no-xla", "--threads", THREADS, "--learning-rate", 0.01, "--output", tmp_path / "run"),
        )
        assert result.returncode == 0, result.stderr
        scores = json.loads((tmp_path / "run" / "scores.json").read_text())
        assert scores["dev"]["f1_macro"] > 0.7  # of 200 Hz and 3 kHz, from 12 clips; chance is 0.5

    def test_the_same_command_has_nothing_left_to_do(self, clips):
        folder, _ = clips
        before = (folder / "audio.parquet").read_bytes()
        done = command("extract", folder / "clips.csv", "--output", folder / "audio.parquet")
        assert done.stdout.startswith("28 of 28 recordings are kept from before\n")
        assert (folder / "audio.parquet").read_bytes() == before

    def test_metadata(self, clips):
        found = json.loads(parquet.read_schema(clips[0] / "audio.parquet").metadata[b"emobed_tf"])
        assert found["extractor"] == "logmel"
        assert found["sound"] == "mean of all channels, 16000 Hz"
        assert found["licence"] == ""


class TestUgly:
    @pytest.fixture
    def ugly(self, tmp_path):
        write(tmp_path / "good.wav", noise(1))
        write(tmp_path / "silent.wav", np.zeros(16_000))
        write(tmp_path / "short.wav", noise(0.01))
        (tmp_path / "empty.wav").touch()
        (tmp_path / "text.wav").write_text("hello\n" * 100)
        (tmp_path / "cut.wav").write_bytes((tmp_path / "good.wav").read_bytes()[:16_044])  # 0.5 s
        names = ("good", "silent", "short", "empty", "text", "cut", "none")
        (tmp_path / "clips.csv").write_text("file\n" + "".join(f"{name}.wav\n" for name in names))
        return tmp_path

    def test_each_is_a_line_and_the_rest_goes_on(self, ugly):
        done = command("extract", ugly / "clips.csv", "--output", ugly / "audio.csv")
        assert done.returncode == 0
        said = sorted(done.stderr.splitlines())
        assert said == sorted(
            [
                f"warning: {ugly / 'silent.wav'}: digital silence, 1.00 s of zeros, kept",
                f"warning: {ugly / 'short.wav'}: 0.010 s are too short; expected 0.025 s, a frame, or more; left out",
                f"warning: {ugly / 'empty.wav'}: the file is empty; copy or make it again; left out",
                f"warning: {ugly / 'text.wav'}: no sound that can be read (Format not recognised); expected what its "
                "suffix says, such as wav, flac, ogg or mp3; left out",
                f"warning: {ugly / 'cut.wav'}: breaks off at 0.50 s (its header announces more); copy or make it "
                "again; left out",
                f"warning: {ugly / 'none.wav'}: no such file; left out",
            ]
        )
        assert "2 rows of 200 features from 2 recordings, 5 left out" in done.stdout

    def test_names_behind_which_there_is_no_file(self, ugly):
        os.mkfifo(ugly / "pipe.wav")
        (ugly / "loop.wav").symlink_to(ugly / "loop.wav")
        names = ("good", "pipe", "loop", "x" * 300)
        (ugly / "clips.csv").write_text("file\n" + "".join(f"{name}.wav\n" for name in names))
        done = command("extract", ugly / "clips.csv", "--output", ugly / "audio.csv")
        assert done.returncode == 0, done.stderr
        assert sorted(done.stderr.splitlines()) == sorted(
            [
                f"warning: {ugly / 'pipe.wav'}: expected a recording, got a pipe; left out",
                f"warning: {ugly / 'loop.wav'}: can't be read: Too many levels of symbolic links; left out",
                f"warning: {ugly / ('x' * 300)}.wav: can't be read: File name too long; left out",
            ]
        )

    def test_strict_stops(self, ugly):
        done = command("extract", ugly / "clips.csv", "--output", ugly / "audio.csv", "--strict")
        assert done.returncode == 2
        assert re.search(r"^emobed_tf\.extract: error: .*\.wav: [^\n]+\n$", done.stderr, re.MULTILINE)
        assert not (ugly / "audio.csv").exists()

    def test_nothing_that_can_be_read(self, ugly):
        (ugly / "clips.csv").write_text("file\nempty.wav\n")
        done = command("extract", ugly / "clips.csv", "--output", ugly / "audio.csv")
        assert done.returncode == 2
        assert "no features of any of its 1 recordings" in done.stderr


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--output", "a.arff"], "--output a.arff: expected the suffix .parquet or .csv"),
            (["--window", "4"], "--window and --step go together"),
            (["--align", "causal"], "--align has no effect without --window and --step"),
            (["--window", "1", "--step", "2"], "--window: expected seconds, as many as --step (2) or more"),
            (["--workers", "0"], "--workers: expected 1 or more"),
            (["--features", "mfcc"], "--features mfcc: expected logmel, egemaps"),
            (["--labels"], "nrecognized"),
            (["--face", "0"], "--face has no effect on --features logmel; leave it out"),
            (["--picture-step", "0"], "--picture-step: expected 0.01 s or more, found 0"),
            (["--features", "landmarks"], "--model: expected the path of MediaPipe's face_landmarker.task; or set EMO"),
            (["--features", "vgg-face", "--model", "no.h5"], "no.h5: no such file; expected VGG-Face's weights"),
        ],
    )
    def test_are_one_line(self, tmp_path, arguments, message):
        (tmp_path / "clips.csv").write_text("file\n1.wav\n")
        usual = [] if "--output" in arguments else ["--output", tmp_path / "a.csv"]
        done = command("extract", tmp_path / "clips.csv", *usual, *arguments)
        assert done.returncode == 2
        assert re.fullmatch(r"emobed_tf\.extract: error: [^\n]+\n", done.stderr)
        assert message in done.stderr

    def test_labels_over_time_need_windows(self, tmp_path):
        (tmp_path / "clips.csv").write_text("file,label_file\n1.wav,l.csv\n")
        done = command("extract", tmp_path / "clips.csv", "--output", tmp_path / "a.csv")
        assert "clips.csv:2: column 'label_file' has labels over time" in done.stderr


def test_faces_of_a_video(tmp_path):
    """Rows as of sound, whichever person is meant; what has no picture is left out, and the model is on record."""
    write(tmp_path / "a.wav", noise(1))
    (tmp_path / "clips.csv").write_text(f"file,start,end,label\n{speech()},1,2,joy\na.wav,,,joy\n")
    line = ["--features", "blendshapes", "--model", landmarker(), "--window", 0.5, "--step", 0.25, "--output"]
    tables = []
    for face in (0, 1):
        done = command("extract", tmp_path / "clips.csv", *line, tmp_path / "a.parquet", "--face", face)
        assert done.returncode == 0, done.stderr
        assert done.stderr == f"warning: {tmp_path / 'a.wav'}: there is no picture in it; left out\n"
        tables.append(parquet.read_table(tmp_path / "a.parquet"))
    left, right = tables
    assert left.column("time").to_pylist() == [1, 1.25, 1.5, 1.75]
    for mine, other in zip(*(table.column("pose_x_mean").to_pylist() for table in (left, right)), strict=True):
        assert mine < 0 < other  # centimetres from the middle of the picture
    found = json.loads(left.schema.metadata[b"emobed_tf"])
    assert found["picture"] == "what is shown every 0.04 s, by time stamps"
    assert "sound" not in found
    assert found["settings"]["model_sha256"] == hashlib.sha256(landmarker().read_bytes()).hexdigest()
    assert found["settings"]["face"] == "0"


def test_windows_and_labels_over_time(tmp_path):
    write(tmp_path / "1.wav", noise(3))
    (tmp_path / "l.csv").write_text("time,arousal\n" + "".join(f"{k / 25},{k / 100}\n" for k in range(75)))
    (tmp_path / "clips.csv").write_text("file,partition,label_file\n1.wav,train,l.csv\n")
    line = ["--window", "1", "--step", "0.04", "--align", "causal"]
    done = command("extract", tmp_path / "clips.csv", "--output", tmp_path / "a.parquet", *line)
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names[:5] == ["id", "file", "time", "partition", "arousal"]
    assert table.column("time").to_pylist() == [round(k * 0.04, 9) for k in range(75)]
    assert table.column("arousal").to_pylist() == [k / 100 for k in range(75)]


@pytest.mark.skipif(not RAVDESS.is_dir(), reason="no RAVDESS recordings beside the repository (shared/data)")
def test_real_clips(tmp_path):
    """openSMILE on real speech, as a user types it: its licence is said, and TensorFlow stays out of all processes."""
    lines = (RAVDESS / "recordings.csv").read_text().splitlines()
    chosen = [line.replace("clips/", f"{RAVDESS}/clips/") for line in lines[1:4]]
    (tmp_path / "clips.csv").write_text("\n".join([lines[0], *chosen]) + "\n")
    line = [sys.executable, "-m", "emobed_tf.extract", tmp_path / "clips.csv", "--features", "egemaps", "--output"]
    done = subprocess.run([*line, tmp_path / "a.csv"], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("note: openSMILE is for non-commercial use only")
    assert "non-commercial" in json.loads((tmp_path / "a.csv.json").read_text())["licence"]
    header, *rows = (tmp_path / "a.csv").read_text().splitlines()
    assert len(rows) == 3
    assert header.split(",")[:5] == ['"id"', '"file"', '"partition"', '"speaker"', '"label"']
    pitch = [float(row.split(",")[5]) for row in rows]  # semitones above 27.5 Hz: 100 to 300 Hz are 22 to 41
    assert all(20 < value < 45 for value in pitch)


def test_nothing_of_it_imports_tensorflow(clips):
    """Neither this command's process, nor the workers': what the latter have in memory when they have worked."""
    folder, _ = clips
    (folder / "probe.py").write_text(PROBE)
    line = [sys.executable, "-c", "import sys; from emobed_tf.extract import main; code = main(sys.argv[1:]); "]
    line[-1] += "sys.exit(code or 'tensorflow' in sys.modules)"
    line += [folder / "clips.csv", "--features", "probe:Probe", "--output", folder / "probe.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    rows = (folder / "probe.csv").read_text().splitlines()[1:]
    assert {row.rpartition(",")[2] for row in rows} == {"0"}


@pytest.mark.slow
def test_a_network_runs_where_it_extracts(tmp_path):
    """VGG-Face, small: TensorFlow and MTCNN in the worker, and not in this command's process."""
    model = as_keras(tmp_path / "small.h5", random_weights(channels=2, units=6))
    (tmp_path / "clips.csv").write_text(f"file,start,end\n{speech()},1,1.4\n")
    line = [sys.executable, "-c", "import sys; from emobed_tf.extract import main; code = main(sys.argv[1:]); "]
    line[-1] += "sys.exit(code or 'tensorflow' in sys.modules)"
    line += [tmp_path / "clips.csv", "--features", "tests.recordings.test_vggface:Small", "--model", model]
    line += ["--face", "tracked", "--output", tmp_path / "a.csv"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"note: {VGGFace.licence}\n"
    header, row = (tmp_path / "a.csv").read_text().splitlines()
    assert header.split(",")[-1] == '"fc7_0006_mean"'
    assert sum(float(value) > 0 for value in row.split(",")[-6:]) > 1


@pytest.mark.slow
def test_ctrl_c_and_how_it_goes_on(tmp_path):
    """Stopped while it is at a long recording: at once, with a word on how to go on, and what was done is kept."""
    write(tmp_path / "first.wav", noise(1))
    with wave.open(str(tmp_path / "long.wav"), "wb") as file:  # an hour
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        for k in range(60):
            file.writeframes(np.rint(noise(60, seed=k) * 2**15).astype(np.int16).tobytes())
    (tmp_path / "clips.csv").write_text("file\nfirst.wav\nlong.wav\n")
    environment = {**os.environ, "EMOBED_CACHE": str(tmp_path / "kept")}
    line = [sys.executable, "-m", "emobed_tf.extract", tmp_path / "clips.csv", "--window", "4", "--step", "0.04"]
    line = [*map(str, line), "--features", "egemaps", "--output", str(tmp_path / "a.csv")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, cwd=ROOT, env=environment, start_new_session=True, **pipes) as process:
        until = time.monotonic() + 120
        while not list(Path(tmp_path / "kept").rglob("*.npz")) and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(3)  # it is at the long one now
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        took = time.monotonic() - began
    assert process.returncode == 130
    assert said.endswith("emobed_tf.extract: interrupted\nwhat is done is kept; the same command continues\n")
    assert took < 30  # the hour of sound takes minutes
    assert not (tmp_path / "a.csv").exists()
    (tmp_path / "clips.csv").write_text("file\nfirst.wav\n")
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.stdout.startswith("1 of 1 recordings are kept from before")


@pytest.mark.slow
def test_on_a_cluster(tmp_path):
    """openSMILE in a worker of Dask; and a word where a training has brought TensorFlow into that worker."""
    write(tmp_path / "a.wav", speech_like(1))
    (tmp_path / "a.csv").write_text("file\na.wav\n")
    cluster = Cluster(tmp_path)
    try:
        cluster.add_worker()
        line = [sys.executable, "-m", "emobed_tf.extract", tmp_path / "a.csv", "--features", "egemaps"]
        line += ["--scheduler", cluster.address, "--output", tmp_path / "a.parquet"]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        assert "1 rows of 88 features from 1 recordings" in done.stdout
        ((_, (_, was_trained_in)),) = fan_out(has_tensorflow, [0], Workers(scheduler=cluster.address), threads=THREADS)
        assert was_trained_in
        line += ["--window", "0.5", "--step", "0.25"]
        refused = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=240)
        assert refused.returncode == 2
        assert "TensorFlow is in this process already" in refused.stderr
        assert "start Dask's workers anew" in refused.stderr
    finally:
        cluster.close()
