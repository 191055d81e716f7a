"""A simulated package in the on-disk form of RECOLA, as the AVEC 2016 challenge distributed it."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import DIMENSIONS, PARTITIONS
from emobed_tf.corpora.ratings import gold_standard_from_ratings
from emobed_tf.corpora.simulate.emotion import (
    FRAME_SECONDS,
    RATERS,
    frames_of,
    ratings,
    scene,
)
from emobed_tf.corpora.simulate.features import EXTRACTORS, descriptors, functionals
from emobed_tf.corpora.simulate.files import staged, write_marker, write_table
from emobed_tf.datasets import RECOLA
from emobed_tf.errors import InputError

TRANSFERS = ("helps", "none", "hurts")
TEST_LABELS = "test_labels"
# Shorter than this, a recording would be little more than one window.
LEAST_SECONDS = 10.0
MOST_SECONDS = 3600.0

Progress = Callable[[int, int], None]


def simulate_recola(
    directory: str | Path,
    *,
    seconds: float = 60.0,
    recordings: int = 9,
    modalities: Sequence[str] = ("audio", "video_appearance"),
    dimensions: Sequence[str] = DIMENSIONS,
    transfer: str = "helps",
    seed: int = 0,
    progress: Progress | None = None,
) -> int:
    """Writes a simulated RECOLA package.

    The labels of the test partition, which the real package withholds, are in `test_labels`, in the same form. The
    same settings and seed give the same bytes, and a recording's files don't depend on which others are written (but
    for the video of a partition's last one with `none`).

    Args:
        directory: where; must not exist, or be an empty folder.
        seconds: length of a recording, 10 to 3600; one row every 40 ms, both ends included.
        recordings: recordings in each of the three partitions.
        modalities: some of `audio` (88 features), `video_appearance` (168), `video_geometric` (632).
        dimensions: `arousal`, `valence` or both.
        transfer: what audio and video share (see the package's docstring): `helps`, `none` or `hurts`.
        seed: a non-negative integer.
        progress: called as progress(done, total) after each recording.

    Returns:
        Number of files written.

    Raises:
        InputError: if an argument is out of its range, or `directory` exists and isn't empty.
        OSError: if it can't be written; nothing is left behind then.
    """
    modalities, dimensions = tuple(modalities), tuple(dimensions)
    _check(seconds, recordings, modalities, dimensions, transfer, seed)
    settings = {
        "seconds": float(seconds),
        "recordings": recordings,
        "modalities": list(modalities),
        "dimensions": list(dimensions),
        "transfer": transfer,
        "seed": seed,
    }
    names = [(partition, number) for partition in PARTITIONS for number in range(1, recordings + 1)]
    with staged(directory) as root:
        for done, (partition, number) in enumerate(names, start=1):
            _write_labels(root, partition, number, settings)
            _write_features(root, partition, number, settings)
            if progress is not None:
                progress(done, len(names))
        write_marker(root, RECOLA.name, settings)
        return sum(path.is_file() for path in root.rglob("*"))


def _check(
    seconds: float,
    recordings: int,
    modalities: tuple[str, ...],
    dimensions: tuple[str, ...],
    transfer: str,
    seed: int,
) -> None:
    if not (math.isfinite(seconds) and LEAST_SECONDS <= seconds <= MOST_SECONDS):
        raise InputError(f"seconds must be {LEAST_SECONDS:g} to {MOST_SECONDS:g}, got {seconds:g}")
    if recordings < 1:
        raise InputError(f"recordings (of each partition) must be 1 or more, got {recordings}")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, got {seed}")
    for name, given, known in (
        ("modalities", modalities, tuple(EXTRACTORS)),
        ("dimensions", dimensions, DIMENSIONS),
        ("transfer", (transfer,), TRANSFERS),
    ):
        unknown = [value for value in given if value not in known]
        if unknown or not given or len(set(given)) < len(given):
            raise InputError(f"{name} must be of {', '.join(known)}, each once; got {', '.join(given) or 'none'}")


def shown_by(modality: str, number: int, recordings: int, transfer: str) -> tuple[int, int]:
    """Which recording's emotion a modality shows in recording `number`, and with which sign.

    Audio always shows its own. With `none`, video shows that of the next recording of the partition (the last shows
    the first's; a single one that of a second, which is never written); with `hurts`, the opposite of its own.

    Args:
        modality: a key of `EXTRACTORS`.
        number: of the recording in its partition, from 1.
        recordings: number of recordings in the partition.
        transfer: `helps`, `none` or `hurts`.

    Returns:
        Number of the recording in the same partition, and 1 or -1.
    """
    if modality == "audio" or transfer == "helps":
        return number, 1
    if transfer == "none":
        return number % max(recordings, 2) + 1, 1
    return number, -1


def _write_labels(root: Path, partition: str, number: int, settings: dict[str, Any]) -> None:
    frames = frames_of(settings["seconds"])
    what = scene(settings["seed"], partition, number, frames)
    name = f"{partition}_{number}"
    home = root / TEST_LABELS if partition == "test" else root
    for dimension in settings["dimensions"]:
        written = ratings(settings["seed"], partition, number, dimension, what)
        rows = "".join(
            ";".join(f"{value:.2f}" for value in (FRAME_SECONDS * frame, *row)) + "\n"
            for frame, row in enumerate(written.tolist())
        )
        header = "time;" + " ;".join(RATERS) + "\n"
        _write_text(home / "ratings_individual" / dimension / f"{name}.csv", header + rows)
        head = (
            f"@relation GOLDSTANDARD_{dimension.upper()}\r\n\r\n@attribute Instance_name string\r\n"
            "@attribute frameTime numeric\r\n@attribute GoldStandard numeric\r\n\r\n\r\n@data\r\n\r\n"
        )
        gold = np.clip(gold_standard_from_ratings(written), -1, 1)
        gold = (np.round(gold, 6) + 0.0).tolist()
        rows = "".join(f"{name},{time},{value:.6f}\r\n" for time, value in zip(_times(frames), gold, strict=True))
        _write_text(home / "ratings_gold_standard" / dimension / f"{name}.arff", head + rows)


def _write_features(root: Path, partition: str, number: int, settings: dict[str, Any]) -> None:
    frames = frames_of(settings["seconds"])
    here = scene(settings["seed"], partition, number, frames)
    for modality in settings["modalities"]:
        source, sign = shown_by(modality, number, settings["recordings"], settings["transfer"])
        what = here if source == number else scene(settings["seed"], partition, source, frames)
        values = descriptors(settings["seed"], modality, partition, number, what, sign)
        for dimension in settings["dimensions"]:
            columns = "".join(f"@attribute {name} numeric\n" for name in EXTRACTORS[modality].names)
            head = f"@relation features_{modality}_{dimension}\n\n@attribute frameTime numeric\n{columns}\n\n@data\n\n"
            path = root / f"features_{modality}" / dimension / f"{partition}_{number}.arff"
            write_table(path, head, _times(frames), functionals(values, modality, dimension, what))


def _times(frames: int) -> list[str]:
    """Times of the frames in their shortest form: 0, 0.04, 0.4, 300."""
    return [f"{frame * 4 / 100:.10g}" for frame in range(frames)]


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("ascii"))
