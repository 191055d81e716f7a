"""Data in memory for the sections that don't read files: random numbers from a fixed seed, no recordings."""

import zlib

import numpy as np

FRAME_SECONDS = 0.04
CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


def framewise(features: dict[str, int], frames: int, recordings: int):
    """A `Corpus` like RECOLA's: `recordings` for training, and a short one for development.

    Args:
        features: number of features by modality, target first.
        frames: of a training recording.
        recordings: for training.
    """
    from emobed_tf.corpora.corpus import REGRESSION, Recording

    def recording(modality: str, partition: str, number: int, frames: int) -> Recording:
        name = f"{partition}_{number}"
        slow = np.cumsum(_generator(name).standard_normal(frames + 50))
        arousal = np.tanh((slow[50:] - slow[:-50]) / 10).astype(np.float32)  # varies over seconds, like emotion
        noise = _generator(f"{name} {modality}").standard_normal((frames, features[modality]))
        values = (noise + arousal[:, None]).astype(np.float32)
        return Recording(name, partition, name, values, {"arousal": arousal})

    def members(modality: str) -> list:
        return [recording(modality, "train", k, frames) for k in range(recordings)] + [
            recording(modality, "dev", 0, min(frames, 250))
        ]

    return _corpus(REGRESSION, "arousal", (), features, members, FRAME_SECONDS)


def utterances(features: dict[str, int], count: int):
    """A `Corpus` like OMG-Emotion's: `count` utterances of seven classes for training, 64 for development."""
    from emobed_tf.corpora.corpus import CLASSIFICATION, EMOTION, Recording

    def members(modality: str) -> list:
        rng = _generator(modality)
        names = [("train", k) for k in range(count)] + [("dev", k) for k in range(64)]
        centres = rng.standard_normal((len(CLASSES), features[modality]))
        return [
            Recording(
                f"{partition}_{k}",
                partition,
                f"{partition}_{k // 8}",
                (centres[k % 7] + rng.standard_normal((1, features[modality]))).astype(np.float32),
                {EMOTION: np.array(k % 7, np.int32)},
            )
            for partition, k in names
        ]

    return _corpus(CLASSIFICATION, EMOTION, CLASSES, features, members, None)


A_FEW = 1100


def embeddings_and_a_few(count: int, width: int, classes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Embeddings, float32 `[count, width]`, and their classes, int64 `[count]`; and a few of them, to warm up with."""
    rng = _generator("embeddings")
    points = rng.standard_normal((count, width)).astype(np.float32)
    labels = rng.integers(0, classes, count)
    return [(points, labels), (points[:A_FEW], labels[:A_FEW])]


def _corpus(task, label, classes, features, members, frame_seconds):
    from emobed_tf.corpora.corpus import Corpus, Modality

    modalities = {
        name: Modality(
            name, tuple(f"{name}_{k}" for k in range(width)), tuple(members(name)), frame_seconds, "benchmark"
        )
        for name, width in features.items()
    }
    return Corpus("benchmark", task, label, classes, modalities, {}, simulated=True)


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))
