"""A positive control: two unpaired feature tables, in which it is a setting how much one modality can teach the other.

The world. Every utterance has a latent of a few dimensions, drawn from a normal distribution. Each modality shows it
through an easy map of its own: its features are the latent and some nuisances, rotated, with an offset for each
speaker and with noise. The class is hard in the latent: it is the one whose *field* is the largest there, and a field
is a plane plus many waves in random directions. Few labels are enough to find the plane, and so to find where the
latent lies in a modality's features; the waves take many.

What can be taught. With strength 1, both modalities have the same fields: whoever knows the auxiliary's classes knows
the target's, once the two maps are found. With strength 0, the auxiliary's fields are others, drawn in the same way.
Between them, the auxiliary's fields are s F + sqrt(1 - s^2) G, with F the target's and G independent ones, so that at
every point of the latent they correlate with the target's by s. Whatever s is, the fields are drawn from the same
distribution and all classes are equally frequent (the target's exactly, the auxiliary's on average); the features and
the target's labels don't even change. What is learnt from one modality alone is therefore as hard at every strength:
only the relation between the two differs.

Who can profit. Data are unpaired and the encoders differ, so the auxiliary teaches the shared head alone. A network
profits if its encoders do little more than find the latent (a thin projection), and its head learns the classes. An
encoder that is wide enough to learn the classes by itself needs no head, and gains little. With exactly as many units
as the latent has dimensions a network gains most, but has no room for two different functions: where strength is low,
the auxiliary harms it. One unit more is enough for that room.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS
from emobed_tf.corpora.simulate.emotion import generator
from emobed_tf.corpora.simulate.fields import Classes, blended, draw_fields, equally_frequent
from emobed_tf.corpora.simulate.files import staged, write_marker, write_table
from emobed_tf.datasets import TABLES
from emobed_tf.errors import InputError

TARGET, AUXILIARY = "audio", "video"
"""Names of the two modalities."""
_SAMPLE = 4000  # latents on which the classes are made equally frequent


def simulate_tables(
    directory: str | Path,
    *,
    strength: float = 1.0,
    target_labels: Sequence[int] = (48, 48, 1000),
    auxiliary_labels: Sequence[int] = (3000, 300, 300),
    classes: int = 8,
    latent: int = 2,
    slope: float = 2.0,
    fineness: float = 2.5,
    features: Sequence[int] = (6, 6),
    nuisance: float = 0.0,
    noise: Sequence[float] = (0.05, 0.05),
    speaker_utterances: Sequence[int] = (4, 20),
    speaker_offset: float = 0.05,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Writes `audio.csv`, the target, and `video.csv`, the auxiliary: id, partition, speaker, label and features.

    The two share no recording and no speaker. The same settings and seed give the same bytes; strengths differ in the
    labels of `video.csv` alone.

    Args:
        directory: where; must not exist, or be an empty folder.
        strength: how far the auxiliary's classes are those of the target, 0 (not at all) to 1 (they are the same).
        target_labels: utterances of audio in train, development and test; each 0 or more, and 1 or more in train.
        auxiliary_labels: the same of video.
        classes: number of classes, 2 to 20.
        latent: dimensions of the latent, 1 to 20.
        slope: how steep the planes are, 0 or more: what makes a modality's map easy to find.
        fineness: how fast the waves change with the latent, above 0: what makes the classes hard.
        features: columns of audio and of video, each at least `latent`; each is a mixture of the latent's dimensions
            and, where there are more, of as many nuisances.
        nuisance: deviation of the nuisances, 0 or more; the latent's is 1.
        noise: deviation of the noise of each feature, of audio and of video, 0 or more.
        speaker_utterances: utterances of each speaker of audio and of video, 1 or more.
        speaker_offset: deviation of the speakers' offsets in each feature, 0 or more.
        seed: a non-negative integer.
        progress: called as progress(done, total) after each table.

    Returns:
        Number of files written.

    Raises:
        InputError: if an argument is out of its range, or `directory` exists and isn't empty.
        OSError: if it can't be written; nothing is left behind then.
    """
    settings = {
        "strength": float(strength),
        "target_labels": list(target_labels),
        "auxiliary_labels": list(auxiliary_labels),
        "classes": classes,
        "latent": latent,
        "slope": float(slope),
        "fineness": float(fineness),
        "features": list(features),
        "nuisance": float(nuisance),
        "noise": [float(deviation) for deviation in noise],
        "speaker_utterances": list(speaker_utterances),
        "speaker_offset": float(speaker_offset),
        "seed": seed,
    }
    _check(settings)
    fields = _fields(strength, classes, latent, slope, fineness, seed)
    with staged(directory) as root:
        for k, modality in enumerate((TARGET, AUXILIARY)):
            _write(root, k, fields[modality], settings)
            if progress is not None:
                progress(k + 1, 2)
        write_marker(root, TABLES.name, settings)
        return sum(path.is_file() for path in root.rglob("*"))


def _check(settings: Mapping[str, Any]) -> None:
    for name, least in (("target_labels", (1, 0, 0)), ("auxiliary_labels", (1, 0, 0)), ("speaker_utterances", (1, 1))):
        counts = settings[name]
        if len(counts) != len(least) or any(count < low for count, low in zip(counts, least, strict=True)):
            raise InputError(
                f"{_words(name)} must be {len(least)} numbers, at least {_listed(least)}; got {_listed(counts)}"
            )
    latent = settings["latent"]
    for name, low, high in (
        ("strength", 0, 1),
        ("classes", 2, 20),
        ("latent", 1, 20),
        ("slope", 0, 1000),
        ("fineness", 0.001, 1000),
        ("nuisance", 0, 1000),
        ("speaker_offset", 0, 1000),
        ("seed", 0, math.inf),
    ):
        if not low <= settings[name] <= high:
            expected = f"{low:g} to {high:g}" if high < math.inf else f"{low:g} or more"
            raise InputError(f"{_words(name)} must be {expected}, got {settings[name]:g}")
    for name, low, high in (("features", latent, 9999), ("noise", 0, 1000)):
        values = settings[name]
        if len(values) != 2 or not all(low <= value <= high for value in values):
            raise InputError(f"{name} must be two numbers (audio, video) of {low} to {high}, got {_listed(values)}")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _listed(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values) or "none"


def _fields(strength: float, classes: int, latent: int, slope: float, fineness: float, seed: int) -> dict[str, Classes]:
    """What the classes of each modality are, as functions of the latent."""
    target = draw_fields(generator(seed, "tables fields", TARGET), latent, classes, slope, fineness)
    other = draw_fields(generator(seed, "tables fields", AUXILIARY), latent, classes, slope, fineness)
    sample = generator(seed, "tables sample").standard_normal((_SAMPLE, latent))
    mixed = blended(target, other, strength)
    return {TARGET: equally_frequent(target, sample), AUXILIARY: equally_frequent(mixed, sample)}


def _write(root: Path, place: int, classes: Classes, settings: Mapping[str, Any]) -> None:
    """Writes the table of a modality, by its place in the settings that are two numbers."""
    modality, columns = (TARGET, AUXILIARY)[place], settings["features"][place]
    counts = settings[("target_labels", "auxiliary_labels")[place]]
    mixing = _rotation(settings["seed"], modality, columns)
    mixing[settings["latent"] :] *= settings["nuisance"]
    keys: list[str] = []
    values = []
    for partition, count in zip(PARTITIONS, counts, strict=True):
        rng = generator(settings["seed"], "tables", modality, partition)
        sources = _dealt(rng, count, columns, classes) if modality == TARGET else rng.standard_normal((count, columns))
        speaker = np.arange(count) // settings["speaker_utterances"][place]
        offsets = settings["speaker_offset"] * rng.standard_normal((count, columns))[speaker]
        shown = np.einsum("ns,sc->nc", sources, mixing) + offsets
        values.append(shown + settings["noise"][place] * rng.standard_normal((count, columns)))
        stem = f"{modality}-{partition}"
        labels = classes(sources)
        keys += [
            f"{stem}-{row:05d},{partition},{stem}-speaker-{who:04d},class_{label + 1:02d}"
            for row, (who, label) in enumerate(zip(speaker, labels, strict=True))
        ]
    names = [f"{modality}_{number:04d}" for number in range(1, columns + 1)]
    head = ",".join(("id", "partition", "speaker", "label", *names)) + "\n"
    write_table(root / f"{modality}.csv", head, keys, np.concatenate(values))


def _dealt(rng: np.random.Generator, count: int, columns: int, classes: Classes) -> np.ndarray:
    # As many of each class, so that few labels lack none. The auxiliary's are not dealt: what they show would then
    # depend on their classes, and so on the strength.
    number = len(classes.offsets)
    wanted = count // number + (rng.permutation(number) < count % number)
    sources = np.empty((0, columns))
    while True:
        sources = np.concatenate([sources, rng.standard_normal((4 * count + 100, columns))])
        labels = classes(sources)
        if (np.bincount(labels, minlength=number) >= wanted).all():
            break
    kept = [np.flatnonzero(labels == k)[:many] for k, many in enumerate(wanted)]
    return sources[np.sort(np.concatenate(kept))]


def _rotation(seed: int, modality: str, columns: int) -> np.ndarray:
    """An orthogonal matrix `[columns, columns]`: its first rows show the latent, the others nuisances."""
    drawn = generator(seed, "tables map", modality).standard_normal((columns, columns))
    found, triangular = np.linalg.qr(drawn)
    return (found * np.sign(np.diag(triangular))).T
