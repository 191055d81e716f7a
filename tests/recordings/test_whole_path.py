"""The whole path on a real film: sound and face, a network that learns from both unpaired, and a server that hears."""

import base64
import csv

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.extract import main as extract
from serving.client.audio import as_wav, wav_of
from tests.recordings.films import landmarker, speech
from tests.serving.served import serving
from tests.tiny import TINY

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stack", "quiet_collapse")]
RATE = 16_000


def write_segments(path, begin):
    """A table of eight segments of the film: four of each made-up mood, half of them for training."""
    rows = [
        {
            "id": f"{path.stem}{k}",
            "file": speech(),
            "start": f"{begin + k:.1f}",
            "end": f"{begin + k + 0.6:.1f}",
            "partition": ("train", "dev")[k // 4],
            "speaker": f"{path.stem}{k // 4}",
            "label": ("calm", "joy")[k % 2],
        }
        for k in range(8)
    ]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def run(stack, tmp_path_factory):
    """EmoBed on the sound itself and on what a face does at other times of the film; nothing is paired."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("film")
    face, sound = folder / "face.parquet", write_segments(folder / "heard.csv", begin=0.0)
    seen = write_segments(folder / "seen.csv", begin=0.1)
    line = ["--features", "blendshapes", "--model", str(landmarker()), "--picture-step", "0.2", "--face", "tracked"]
    assert extract([str(seen), *line, "--output", str(face)]) == 0
    config = preset("recordings").replace(
        **{"table": (f"audio={sound}", f"face={face}"), "target": "audio", "auxiliary": ("face",)},
        **{
            **TINY,
            "batch_size": 4,
            "framework": "emobed",
            "front_end": "logmel",
            "head_layers": 0,
            "triplet_preset": "stable",
        },
    )
    return train_run(config, folder / "run")


def test_both_modalities_are_learnt_from(run):
    facts, history = run.facts(), run.history()
    assert facts.target == "audio"
    assert {"target", "auxiliary_face", "triplet"} <= set(history.columns)
    assert np.isfinite(history[["target", "auxiliary_face", "triplet"]].to_numpy(float)).all()


def decoded_by_pyav(film):
    """Samples int16 `[samples]`, decoded and resampled by nothing of this package's."""
    import av

    with av.open(str(film)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE)
        parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        parts += resampler.resample(None)
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def test_a_server_answers_the_sound_of_the_film(run, tmp_path):
    """What `predict` says of the film itself, to the bytes that the client would send, and nearly to another decoder's.

    Nearly: FFmpeg resamples by a filter of its own. Silence tells how far apart answers can be.
    """
    from emobed_tf.runs.scoring import predict_rows
    from emobed_tf.saved_model.export import export_run

    [said] = predict_rows(run, [speech()])
    expected = np.array([said["p_calm"], said["p_joy"]])
    sounds = {
        "client": wav_of(speech(), {"waveform": {"sample_rate": RATE}}),
        "pyav": as_wav(decoded_by_pyav(speech()), RATE),
        "silence": as_wav(np.zeros(RATE * 8, np.int16), RATE),
    }
    export_run(run, tmp_path / "voice")
    answers = {}
    with serving(model_dirs=[tmp_path / "voice"]) as server:
        for name, wav in sounds.items():
            given = {"wav": [{"b64": base64.b64encode(wav).decode()}]}
            status, answer = server.predict("voice", {"inputs": given, "signature_name": "wav"})
            assert status == 200, answer
            answers[name] = np.array(answer["outputs"]["probabilities"][0])
    np.testing.assert_allclose(answers["client"], expected, atol=1e-5)
    far = np.abs(answers["silence"] - expected).max()
    assert far > 0.01
    np.testing.assert_allclose(answers["pyav"], expected, atol=far / 5)
