"""Training from the signal on TensorFlow, log-mel energies alone, and the memory of a training on long recordings."""

import dataclasses
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.training_tf import _FOR_EVER, _loss_and_gradient, _paced
from tests.benchmarks.worker import Driver, peak, resident

RATE, SAMPLES = 16_000, 640
STEPS = 4  # of an epoch
_CLIP_SECONDS = 10


@dataclasses.dataclass
class _InMemory:
    """Samples that a `SampleFrames` reads."""

    samples: np.ndarray


def corpus_and_config(arguments: dict[str, Any]):
    """Recordings of noise in memory, and the configuration of a small network behind a front end, resolved.

    Args:
        arguments: `front_end`, `threads`, `seconds` of a recording, `batch` of them.
    """
    from emobed_tf.config import preset
    from emobed_tf.corpora.corpus import Corpus, Modality, Recording
    from emobed_tf.corpora.samples import SampleFrames, sample_names

    rng, frames = np.random.default_rng(0), arguments["seconds"] * RATE // SAMPLES
    recordings = []
    for partition in ("train", "dev"):
        for k in range(arguments["batch"]):
            sound = _InMemory(rng.normal(0, 2000, frames * SAMPLES).astype(np.int16))
            label = {"arousal": rng.normal(size=frames).cumsum().astype(np.float32)}
            recordings.append(
                Recording(f"{partition}{k}", partition, f"{partition}{k}", SampleFrames(sound, SAMPLES), label)
            )
    audio = Modality("audio", sample_names(SAMPLES), tuple(recordings), SAMPLES / RATE, "tables", sample_rate=RATE)
    corpus = Corpus("recordings", "regression", "arousal", (), {"audio": audio}, {})
    config = preset("recordings").replace(
        **{"target": "audio", "auxiliary": (), "task": "regression", "framework": "classic", "label_delay": 0.0},
        **{"front_end": arguments["front_end"], "head_layers": 0, "batch_size": arguments["batch"]},
        **{"epochs": _FOR_EVER, "steps_per_epoch": STEPS, "patience": 0, "diagnostics": 0},
        threads=arguments["threads"],
    )
    return corpus, config.check()


def ours(driver: Driver) -> None:
    """`train_run` with defaults."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    from emobed_tf.training.loop import train_run
    from emobed_tf.training.setup import prepare

    corpus, config = corpus_and_config(driver.arguments)
    computes = _loss_and_gradient(prepare(config, corpus))
    before = resident()
    with tempfile.TemporaryDirectory() as folder:
        train_run(config, Path(folder) / "run", corpus=corpus, callbacks=[_paced(driver, before, computes=computes)])


def reference(driver: Driver) -> None:
    """Our initial weights and a batch in a file, samples in [-1, 1); and how they are standardised."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    from emobed_tf.models.weights import weight_arrays
    from emobed_tf.training.setup import prepare

    corpus, config = corpus_and_config(driver.arguments)
    setup = prepare(config, corpus)
    arrays = {f"weights/{name}": values for name, values in weight_arrays(setup.model).items()}
    arrays |= {f"batch/{key}": value.numpy() for key, value in setup.batch(0)["audio"].items()}
    np.savez(driver.arguments["file"], **arrays)
    [layer] = [part for part in setup.model.encoder("audio").layers if hasattr(part, "fitted")]
    driver.answer(
        stages=[dataclasses.astuple(stage) for stage in layer.fitted],
        activation=layer.activation,
        tail=layer.tail,
        layer=layer.name,
        l2=config.objective.l2,
        rate=config.training.learning_rate,
    )


def logmel(driver: Driver) -> None:
    """The energies of recordings, in a graph."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    import tensorflow as tf

    from emobed_tf.models.front_ends.logmel import LogMel

    frames = driver.arguments["seconds"] * RATE // SAMPLES
    signal = tf.random.stateless_normal([driver.arguments["batch"], frames, SAMPLES], seed=(0, 0), stddev=0.1)
    energies = tf.function(LogMel(), autograph=False)

    def repeat() -> None:
        energies(signal).numpy()

    driver.serve(repeat)


def memory(driver: Driver) -> None:
    """A training on so many hours of sound on disk: its peak, and what was resident before data were read."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    from emobed_tf.config import preset
    from emobed_tf.corpora.configured import load_corpus
    from emobed_tf.training.loop import train

    table = clips(Path(driver.arguments["folder"]), driver.arguments["hours"])
    config = preset("recordings").replace(
        **{"table": (f"audio={table}",), "framework": "classic", "front_end": driver.arguments["front_end"]},
        **{"epochs": 1, "steps_per_epoch": 20, "label_delay": 0.0, "threads": driver.arguments["threads"]},
    )

    def repeat() -> dict[str, int]:
        train(*load_corpus(config))
        return {"peak": peak()}

    driver.serve(repeat)


def clips(folder: Path, hours: float) -> Path:
    """Clips of noise, four of five for training, written where they are not there yet.

    Args:
        folder: that they are in; shared by all numbers of hours.
        hours: of sound in all.

    Returns:
        A table that names them, with a number for each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = max(10, round(hours * 3600 / _CLIP_SECONDS))
    noise = np.random.default_rng(0).normal(0, 2000, 20 * RATE).astype("<i2")
    rows = ["file,partition,speaker,arousal"]
    for k in range(count):
        path = folder / f"{k}.wav"
        if not path.exists():
            samples = np.roll(noise, 977 * k)[: _CLIP_SECONDS * RATE]
            samples[:2] = k % 30_000, k // 30_000  # no two files are alike
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(samples.tobytes())
        partition = "train" if k % 5 else "dev"
        rows.append(f"{k}.wav,{partition},{partition}{k % 20},{np.sin(k):.3f}")
    table = folder / f"clips-{count}.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


if __name__ == "__main__":
    _driver = Driver()
    {"ours": ours, "reference": reference, "logmel": logmel, "memory": memory}[_driver.arguments["what"]](_driver)
