"""A simulated package in the on-disk form of the OMG-Emotion challenge, with feature tables beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS
from emobed_tf.corpora.simulate.emotion import generator
from emobed_tf.corpora.simulate.files import staged, write_marker, write_table
from emobed_tf.corpora.simulate.recola import TEST_LABELS, TRANSFERS
from emobed_tf.datasets import OMG
from emobed_tf.errors import InputError

MODALITIES = ("audio", "video")
UTTERANCES = (2442, 617, 2229)
VIDEO_COLUMNS = 256

_AUDIO_COLUMNS = 88
# Utterances of each class on the real development set: anger, disgust, fear, happiness, neutral, sadness, surprise.
_COUNTS = np.array([61, 48, 18, 207, 196, 79, 8])
_AROUSAL = np.array([0.62, 0.45, 0.60, 0.55, 0.30, 0.28, 0.60])
_VALENCE = np.array([-0.45, -0.40, -0.35, 0.45, 0.02, -0.35, 0.15])
# What `hurts` shows instead: neutral for anger, surprise for fear, sadness for happiness, and the other way round.
_OPPOSITE = np.array([4, 1, 6, 5, 0, 3, 2])
_FILES = {"train": "omg_TrainVideos.csv", "dev": "omg_ValidationVideos.csv"}
_CODE_SIZE = 6
_NUISANCES = 5
_HEADER = "link,start,end,video,utterance"
_LABELS = ",arousal,valence,EmotionMaxVote"
# Deviations of what hides the emotion in each modality: of the two dimensions, of the class's own code.
_ERRORS = {"audio": ((2.0, 3.5), 6.0), "video": ((3.5, 2.0), 5.0)}


@dataclass(frozen=True)
class _Utterances:
    """A partition's rows: `[utterances]` each, `person` the index of who is seen."""

    videos: list[str]
    names: list[str]
    clips: list[str]
    person: np.ndarray
    emotion: np.ndarray
    arousal: np.ndarray
    valence: np.ndarray


def simulate_omg(
    directory: str | Path,
    *,
    utterances: Sequence[int] = UTTERANCES,
    video_columns: int = VIDEO_COLUMNS,
    modalities: Sequence[str] = MODALITIES,
    transfer: str = "helps",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Writes a simulated OMG-Emotion package: the challenge's CSV files and a feature table per modality.

    `omg_TrainVideos.csv`, `omg_ValidationVideos.csv` and `omg_TestVideos_WithoutLabels.csv` are at the root,
    `omg_TestVideos_WithLabels.csv` in `test_labels`. The tables `features_<modality>_<train|dev|test>.csv` have the
    columns video, utterance and the features. Speakers are never in two partitions.

    Args:
        directory: where; must not exist, or be an empty folder.
        utterances: number of utterances of train, development and test; at least seven each.
        video_columns: features of the video table (VGG-Face's layer has 4096).
        modalities: `audio` (88 features), `video` or both.
        transfer: what the two share: `helps`, `none` or `hurts`, as for RECOLA; `none` gives video the emotions of
            the partition's other utterances.
        seed: a non-negative integer.
        progress: called as progress(done, total) after each table.

    Returns:
        Number of files written.

    Raises:
        InputError: if an argument is out of its range, or `directory` exists and isn't empty.
        OSError: if it can't be written; nothing is left behind then.
    """
    utterances, modalities = tuple(utterances), tuple(modalities)
    _check(utterances, video_columns, modalities, transfer, seed)
    settings = {
        "utterances": list(utterances),
        "video_columns": video_columns,
        "modalities": list(modalities),
        "transfer": transfer,
        "seed": seed,
    }
    with staged(directory) as root:
        for number, partition in enumerate(PARTITIONS):
            rows = _utterances(seed, partition, utterances[number])
            _write_labels(root, partition, rows)
            for done, modality in enumerate(modalities, start=1 + number * len(modalities)):
                _write_features(root, modality, partition, rows, settings)
                if progress is not None:
                    progress(done, len(PARTITIONS) * len(modalities))
        write_marker(root, OMG.name, settings)
        return sum(path.is_file() for path in root.rglob("*"))


def _check(
    utterances: tuple[int, ...], video_columns: int, modalities: tuple[str, ...], transfer: str, seed: int
) -> None:
    if len(utterances) != len(PARTITIONS) or min(utterances) < len(_COUNTS):
        raise InputError(
            f"utterances must be three numbers (train, development, test) of {len(_COUNTS)} or more, "
            f"got {' '.join(map(str, utterances)) or 'none'}"
        )
    if video_columns < 1:
        raise InputError(f"video columns must be 1 or more, got {video_columns}")
    if seed < 0:
        raise InputError(f"seed must be 0 or more, got {seed}")
    unknown = [name for name in modalities if name not in MODALITIES]
    if unknown or not modalities or len(set(modalities)) < len(modalities):
        raise InputError(
            f"modalities must be of {', '.join(MODALITIES)}, each once; got {', '.join(modalities) or 'none'}"
        )
    if transfer not in TRANSFERS:
        raise InputError(f"transfer must be one of {', '.join(TRANSFERS)}, got {transfer}")


def _utterances(seed: int, partition: str, count: int) -> _Utterances:
    rng = generator(seed, "omg", partition)
    # Largest remainders of the real development set's shares, and one of each class at least.
    shares = 1 + _COUNTS / _COUNTS.sum() * (count - len(_COUNTS)) if count != _COUNTS.sum() else _COUNTS.astype(float)
    quota = np.floor(shares).astype(int)
    quota[np.argsort(quota - shares, kind="stable")[: count - quota.sum()]] += 1
    emotion = rng.permutation(np.repeat(np.arange(len(_COUNTS)), quota))
    arousal = np.clip(_AROUSAL[emotion] + 0.12 * rng.standard_normal(count), 0, 1)
    valence = np.clip(_VALENCE[emotion] + 0.2 * rng.standard_normal(count), -1, 1)
    videos: list[str] = []
    names: list[str] = []
    clips: list[str] = []
    people: list[int] = []
    person = -1
    while len(videos) < count:
        person += 1
        # Nine hexadecimal digits: the first tells the partition, the last four the person, so that none comes twice.
        base = f"{'5a3'[PARTITIONS.index(partition)]}{rng.integers(16**4):04x}{person:04x}"
        parts = [base] if rng.random() < 0.85 else [f"{base}_1", f"{base}_2"]
        for video in parts:
            number, start = 0, 0.0
            for _ in range(rng.integers(4, 16)):
                # Utterances that the annotators didn't agree on are left out: their numbers are missing.
                number += 1 + int(rng.random() < 0.2)
                length = rng.uniform(1.5, 12.0)
                videos.append(video)
                names.append(f"utterance_{number}.mp4")
                clips.append(f"{start:.2f},{start + length:.2f}")
                people.append(person)
                start += length
    rows = slice(count)
    return _Utterances(videos[rows], names[rows], clips[rows], np.array(people[rows]), emotion, arousal, valence)


def _write_labels(root: Path, partition: str, rows: _Utterances) -> None:
    known = [
        f"https://simulated.invalid/watch?v={video},{clip},{video},{name}"
        for video, name, clip in zip(rows.videos, rows.names, rows.clips, strict=True)
    ]
    labels = [
        f",{arousal:.6f},{valence:.6f},{emotion}"
        for arousal, valence, emotion in zip(rows.arousal, rows.valence + 0.0, rows.emotion, strict=True)
    ]
    labelled = [row + label for row, label in zip(known, labels, strict=True)]
    if partition != "test":
        _write_lines(root / _FILES[partition], [_HEADER + _LABELS, *labelled])
    else:
        _write_lines(root / "omg_TestVideos_WithoutLabels.csv", [_HEADER, *known])
        _write_lines(root / TEST_LABELS / "omg_TestVideos_WithLabels.csv", [_HEADER + _LABELS, *labelled])


def _write_features(root: Path, modality: str, partition: str, rows: _Utterances, settings: dict[str, Any]) -> None:
    columns = _AUDIO_COLUMNS if modality == "audio" else settings["video_columns"]
    head = ",".join(("video", "utterance", *_feature_names(modality, columns))) + "\n"
    keys = [f"{video},{name}" for video, name in zip(rows.videos, rows.names, strict=True)]
    values = _features(settings["seed"], modality, partition, rows, columns, settings["transfer"])
    write_table(root / f"features_{modality}_{partition}.csv", head, keys, values)


def _write_lines(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode("ascii"))


def _feature_names(modality: str, columns: int) -> list[str]:
    stem, digits = ("egemaps", 2) if modality == "audio" else ("fc7", 4)
    return [f"{stem}_{number:0{digits}d}" for number in range(1, columns + 1)]


def _features(seed: int, modality: str, partition: str, rows: _Utterances, columns: int, transfer: str) -> np.ndarray:
    """Features of a partition's utterances, `[utterances, columns]`; video's are averages of rectified units."""
    rng = generator(seed, "omg features", modality, partition)
    count = len(rows.emotion)
    emotion, arousal, valence = rows.emotion, rows.arousal, rows.valence
    if modality == "video" and transfer == "none":
        other = np.roll(rng.permutation(count), 1)
        emotion, arousal, valence = emotion[other], arousal[other], valence[other]
    elif modality == "video" and transfer == "hurts":
        emotion, arousal, valence = _OPPOSITE[emotion], 1 - arousal, -valence
    dimension_errors, code_error = _ERRORS[modality]
    dimensions = np.column_stack([(arousal - 0.42) / 0.18, valence / 0.4])
    extractor = generator(0, "omg extractor", modality)
    codes = extractor.standard_normal((len(_COUNTS), _CODE_SIZE))
    shown = np.hstack(
        [
            dimensions + dimension_errors * rng.standard_normal((count, 2)),
            codes[emotion] + code_error * rng.standard_normal((count, _CODE_SIZE)),
            rng.standard_normal((count, _NUISANCES)),
        ]
    )
    weights = extractor.standard_normal((shown.shape[1], columns)) / np.sqrt(shown.shape[1])
    offsets = 0.5 * rng.standard_normal((rows.person.max() + 1, columns))
    mixed = np.einsum("us,sc->uc", shown, weights) + offsets[rows.person]
    mixed += 0.5 * rng.standard_normal((count, columns))
    if modality == "video":
        return np.logaddexp(0, 2 * (mixed - extractor.uniform(0, 1, columns)))
    return 10 ** extractor.uniform(-0.5, 1.5, columns) * (mixed + extractor.standard_normal(columns))
