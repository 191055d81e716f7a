"""A served waveform: files and samples as bytes, chunks that are the whole, and what is refused in words."""

import io
import struct
import wave

import numpy as np
import pytest

from emobed_tf.config import preset
from tests.conftest import THREADS
from tests.corpora.sounds import tone, write_clips, write_table, write_wav
from tests.saved_model.exported import export
from tests.saved_model.test_export import PLAIN

pytestmark = pytest.mark.usefixtures("stack")

# What front ends, and reading sound, need beside.
OF_SOUND = """
    All BroadcastTo ComplexAbs Conv2D DecodeRaw DecodeWav ExpandDims FloorDiv FloorMod FloorMul GreaterEqual Imag Log
    IsFinite LogicalNot LogicalOr Max Mod Neg NotEqual RFFT Real Relu Square StringLength Substr TensorListConcatV2
    TensorListLength While
"""


def small(table, front_end, **changes):
    """Settings of a small network of one modality."""
    sizes = {"encoder_layers": 1, "encoder_units": 6, "head_layers": 0, "epochs": 1, "diagnostics": 0}
    sizes |= {"xla": False, "threads": THREADS, "framework": "classic"}
    return preset("recordings").replace(table=(f"audio={table}",), front_end=front_end, **{**sizes, **changes})


@pytest.fixture(scope="module")
def classes(stack, tmp_path_factory):
    """A classification of clips."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("classes")
    return export(train_run(small(write_clips(folder), "conv"), folder / "run"), folder), folder


@pytest.fixture(scope="module")
def arousal(stack, tmp_path_factory):
    """A regression of frames."""
    from emobed_tf.training.loop import train_run

    folder, rng, rows = tmp_path_factory.mktemp("arousal"), np.random.default_rng(0), []
    for name, partition in (("a", "train"), ("b", "train"), ("c", "dev")):
        write_wav(folder / f"{name}.wav", tone(1, 500, rng))
        rows += [
            {
                "file": f"{name}.wav",
                "time": f"{k / 25:.2f}",
                "partition": partition,
                "speaker": name,
                "arousal": f"{v:.3f}",
            }
            for k, v in enumerate(np.cumsum(rng.normal(size=25)))
        ]
    run = train_run(small(write_table(folder / "labels.csv", rows), "logmel", label_delay=0.2), folder / "run")
    return export(run, folder), folder


def samples_of(path):
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def wav_of(samples, *, rate=16_000, channels=1, width=2):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples)
    return buffer.getvalue()


def texts(*values):
    """Bytes as a tensor's: NumPy's own arrays of them end at the last byte that isn't zero."""
    return np.array(values, object)


class TestWav:
    def test_answers_what_predict_says_of_the_file(self, classes):
        from emobed_tf.runs.scoring import predict_rows

        exported, folder = classes
        file = folder / "dev_1.wav"
        [row] = predict_rows(exported.run, [file])
        answer = exported.server("wav", wav=texts(file.read_bytes()))
        np.testing.assert_allclose(answer["probabilities"], [[row["p_calm"], row["p_joy"]]], atol=1e-6)
        assert answer["label"] == [row["prediction"].encode()]

    def test_a_regression_answers_postprocessed_too(self, arousal):
        from emobed_tf.runs.scoring import predict_rows

        exported, folder = arousal
        rows = predict_rows(exported.run, [folder / "c.wav"])
        answer = exported.server("wav", wav=texts((folder / "c.wav").read_bytes()))
        assert answer["prediction"].shape == (1, 25)
        np.testing.assert_allclose(answer["postprocessed"][0], [row["postprocessed"] for row in rows], atol=1e-5)

    @pytest.mark.parametrize(
        ("wav", "message"),
        [
            (wav_of(bytes(3200), rate=44_100), "expected sound at 16,000 Hz, got 44100 Hz; resample it"),
            (wav_of(bytes(3200), channels=2), "expected one channel, got 2; mix them down to one"),
            (wav_of(bytes(3000), width=3), "expected a WAV file of 16-bit PCM, got another kind of samples"),
            (wav_of(b""), "expected sound, got a file without a sample"),
            (b"OggS" + bytes(100), "expected the bytes of a WAV file"),
            (b"", "expected the bytes of a WAV file"),
        ],
        ids=["rate", "channels", "width", "empty", "ogg", "nothing"],
    )
    def test_what_is_no_such_file_is_refused_in_words(self, classes, wav, message):
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            classes[0].server("wav", wav=texts(wav))

    def test_one_file_at_a_time(self, classes):
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError, match="expected one file a request, got 2"):
            classes[0].server("wav", wav=texts(*[wav_of(bytes(3200))] * 2))

    def test_less_than_a_frame_is_one(self, arousal):
        assert arousal[0].server("wav", wav=texts(wav_of(bytes(200))))["prediction"].shape == (1, 1)


class TestPcm:
    def test_is_the_wav_without_its_header(self, arousal):
        exported, folder = arousal
        files = [folder / "a.wav", folder / "c.wav"]
        answer = exported.server("pcm", pcm=texts(*(samples_of(file).tobytes() for file in files)))
        for k, file in enumerate(files):
            expected = exported.server("wav", wav=texts(file.read_bytes()))
            np.testing.assert_allclose(answer["prediction"][k], expected["prediction"][0], atol=1e-6)

    def test_is_that_of_features(self, arousal):
        exported, folder = arousal
        samples = samples_of(folder / "c.wav")
        features = (samples / 32_768).astype(np.float32).reshape(1, 25, 640)
        expected = exported.server(features=features)["prediction"]
        np.testing.assert_allclose(
            exported.server("pcm", pcm=texts(samples.tobytes()))["prediction"], expected, atol=1e-6
        )

    @pytest.mark.parametrize(
        ("pcm", "message"),
        [
            ([bytes(1281)], "expected 16-bit samples, got an odd number of bytes, 1281"),
            ([bytes(1278)], "expected a frame, 640 samples of 16 bits, or more; .* got 639"),
            ([bytes(1280), bytes(2560)], "expected as many samples in each element of the batch"),
        ],
        ids=["odd", "short", "unlike"],
    )
    def test_what_are_no_samples_is_refused_in_words(self, arousal, pcm, message):
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            arousal[0].server("pcm", pcm=texts(*pcm))


class TestStream:
    def test_chunks_of_any_length_are_the_whole(self, arousal):
        exported, folder = arousal
        samples = samples_of(folder / "c.wav")
        whole = exported.server("pcm", pcm=texts(samples.tobytes()))["prediction"][0]
        inputs = exported.server.meta_graph.signature_def["stream_pcm"].inputs
        states = {
            name: np.zeros([1, *(dim.size for dim in inputs[name].tensor_shape.dim[1:])], np.float32)
            for name in inputs
            if name.endswith(tuple("0123456789"))
        }
        assert states["encoder_state_1"].shape == (1, 240)  # samples of log-mel's windows
        rest, parts = b"", []
        for chunk in np.split(samples, [700, 1400, 2041, 9000, 10_001]):
            answer = exported.server("stream_pcm", pcm=texts(chunk.tobytes()), rest_bytes=texts(rest), **states)
            parts.append(answer["prediction"][0])
            states, [rest] = {name: answer[name] for name in states}, answer["rest_bytes"]
        assert [len(part) for part in parts] == [
            1,
            1,
            1,
            11,
            1,
            10,
        ]  # 700, 1400, 2041, ... samples are 1, 2, 3, ... frames
        np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)

    def test_frames_of_features_stream_as_ever(self, arousal):
        exported, folder = arousal
        features = (samples_of(folder / "c.wav") / 32_768).astype(np.float32).reshape(1, 25, 640)
        states = {"encoder_state_1": np.zeros((1, 240), np.float32), "encoder_state_2": np.zeros((1, 6), np.float32)}
        parts = []
        for chunk in np.split(features, [1, 9], axis=1):
            answer = exported.server("stream", features=chunk, **states)
            parts.append(answer["prediction"])
            states = {name: answer[name] for name in states}
        np.testing.assert_allclose(
            np.concatenate(parts, axis=1), exported.server(features=features)["prediction"], atol=1e-6
        )


class TestExport:
    @pytest.mark.parametrize("name", ["classes", "arousal"])
    def test_plain_operations(self, name, request):
        server = request.getfixturevalue(name)[0].server
        assert {node.op for node in server.nodes()} - {*PLAIN.split(), *OF_SOUND.split()} == set()

    def test_manifest_says_what_a_frame_is(self, classes):
        import json

        manifest = json.loads((classes[0].version / "manifest.json").read_text())
        expected = {"sample_rate": 16_000, "samples_per_frame": 640, "front_end": "conv"}
        assert manifest["waveform"] == expected
        assert {"wav", "pcm", "stream", "stream_pcm"} <= manifest["signatures"].keys()

    def test_warm_up_requests_are_answered(self, classes):
        """A server that can't answer one doesn't load the version."""
        import tensorflow as tf
        from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

        exported = classes[0]
        path = exported.version / "assets.extra" / "tf_serving_warmup_requests"
        names = []
        for record in tf.data.TFRecordDataset(str(path)):
            request = PredictionLog.FromString(record.numpy()).predict_log.request
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            exported.server(request.model_spec.signature_name, **inputs)
            names.append(request.model_spec.signature_name)
        assert {"wav", "pcm", "stream_pcm"} <= set(names)


def test_example_is_a_wav_file():
    from emobed_tf.saved_model.sound import example_sound

    example = example_sound(640, 16_000)
    with wave.open(io.BytesIO(example["wav"])) as file:
        assert (file.getnframes(), file.getframerate(), file.getsampwidth(), file.getnchannels()) == (640, 16_000, 2, 1)
    assert struct.unpack("<640h", example["pcm"]) == (0,) * 640
