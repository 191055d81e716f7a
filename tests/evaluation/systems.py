"""Systems that answer as they are told: predictions with noise, answers that are right as often as wanted."""

from collections.abc import Sequence

import numpy as np

from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.evaluation.metrics import confusion_by_unit, moments_by_recording
from emobed_tf.evaluation.scores import Evaluated, evaluate
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics

SPEAKERS, SEEDS, FRAMES = 6, 3, 40


def noisy(noise: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Gold standards `[speakers, frames]`, always the same, and predictions `[speakers, seeds, frames]`."""
    golds = np.random.default_rng(0).normal(size=(SPEAKERS, FRAMES))
    return golds, golds[:, None] + noise * np.random.default_rng(seed).normal(size=(SPEAKERS, SEEDS, FRAMES))


def of_series(golds: np.ndarray, predicted: np.ndarray, seeds: Sequence[int] = (0, 1, 2)) -> SpeakerStatistics:
    """Statistics of predictions `[speakers, seeds, frames]`, a recording each."""
    sums = np.stack([moments_by_recording(golds, predicted[:, k]) for k in range(predicted.shape[1])], axis=1)
    return SpeakerStatistics(tuple(f"s{k}" for k in range(len(golds))), tuple(seeds), sums, golds.size)


def answers(right: float, seeds: int = SEEDS, seed: int = 0, utterances: int = 12, speakers: int = SPEAKERS):
    """True classes `[speakers, n]`, and answers that are right in that share of utterances, `[seeds, speakers, n]`."""
    true = np.random.default_rng(0).integers(0, 3, (speakers, utterances))
    rng = np.random.default_rng(seed)
    wrong = rng.random((seeds, *true.shape)) >= right
    return true, np.where(wrong, (true + rng.integers(1, 3, wrong.shape)) % 3, true)


def of_answers(true: np.ndarray, said: np.ndarray, seeds: Sequence[int] | None = None) -> SpeakerStatistics:
    """Statistics of answers `[seeds, speakers, n]` in three classes."""
    names = tuple(f"s{k}" for k in range(len(true)))
    unit = np.repeat(names, true.shape[1])
    counts = [confusion_by_unit(true.ravel(), by_seed.ravel(), unit, 3) for by_seed in said]
    seeds = tuple(range(len(said))) if seeds is None else tuple(seeds)
    return SpeakerStatistics(names, seeds, np.stack(counts, axis=1).astype(float), true.size)


def facts(task: str, classes: tuple[str, ...] = (), step: float | None = None, delay: int = 0) -> Facts:
    """Of a system that recognises arousal, or an emotion among classes, from audio."""
    return Facts(
        corpus="tables",
        simulated=False,
        task=task,
        label="emotion" if classes else "arousal",
        classes=classes,
        target="audio",
        features={},
        frame_seconds={"audio": step},
        delay=delay,
        deviation=1.0,
        edges=(),
        fingerprints={},
    )


def evaluated_series(
    noise: float,
    order: Sequence[int] | None = None,
    speakers: Sequence[str] = tuple(f"s{k}" for k in range(8)),
    label_of: float | np.ndarray = 0.0,
) -> Evaluated:
    """A recording of 50 frames for each speaker named, predicted with that much noise."""
    rng = np.random.default_rng(0)
    recordings, raw = [], []
    for k, speaker in enumerate(speakers):
        gold, error = rng.normal(size=50), rng.normal(size=50)
        features = np.zeros((50, 1), np.float32)
        recordings.append(Recording(f"r{k}", "dev", speaker, features, {"arousal": gold + label_of}))
        raw.append(gold + noise * error)
    order = range(len(speakers)) if order is None else order
    members, outputs = [recordings[k] for k in order], [raw[k] for k in order]
    return evaluate("dev", members, outputs, facts("regression", step=0.04), None)


def evaluated_classes(right: int) -> Evaluated:
    """Twenty utterances of five speakers, two classes; the first `right` of every four are answered rightly."""
    recordings, raw = [], []
    for k in range(20):
        label = k % 2
        answer = label if k % 4 < right else 1 - label
        labels = {"emotion": np.int32(label)}
        recordings.append(Recording(f"u{k}", "dev", f"s{k // 4}", np.zeros((1, 1), np.float32), labels))
        raw.append(np.eye(2)[answer])
    return evaluate("dev", recordings, raw, facts("classification", ("a", "b")), None)
