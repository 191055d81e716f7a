"""Small packages on disk in the forms that the readers expect, written with nothing but f-strings; and short checks."""

from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora import load
from emobed_tf.errors import InputError

RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def time(frame: int) -> str:
    """0, 0.04, 0.4: the shortest form."""
    return f"{frame * 4 / 100:g}"


def arff_text(rows, names=None, time_name="frameTime", end="\n") -> str:
    names = names or [f"f{index}" for index in range(len(rows[0]))]
    lines = ["@relation x", "", f"@attribute {time_name} numeric", *(f"@attribute {name} numeric" for name in names)]
    lines += ["", "", "@data", ""]
    lines += [f"{time(frame)}," + ",".join(map(str, row)) for frame, row in enumerate(rows)]
    return end.join(lines) + end


def gold_text(name, values, end="\r\n") -> str:
    lines = ["@relation GOLDSTANDARD_AROUSAL", "", "@attribute Instance_name string", "@attribute frameTime numeric"]
    lines += ["@attribute GoldStandard numeric", "", "", "@data", ""]
    lines += [f"{name},{time(frame)},{value}" for frame, value in enumerate(values)]
    return end.join(lines) + end


def ratings_text(ratings) -> str:
    lines = ["time;" + " ;".join(RATERS) + "     "]
    lines += [";".join(f"{value:.2f}" for value in (frame * 0.04, *row)) for frame, row in enumerate(ratings)]
    return "\n".join(lines) + "\n"


def recola(root: Path, frames=4, audio=2, video=3, dimensions=("arousal", "valence"), ratings=True) -> Path:
    """One recording a partition; feature k of frame t of the n-th file is n + t / 10 + k / 100, + 5 for valence."""
    for number, recording in enumerate(("train_1", "dev_1", "test_1"), start=1):
        for dimension in dimensions:
            base = number + 5 * (dimension == "valence")
            for folder, columns in (("features_audio", audio), ("features_video_appearance", video)):
                rows = [
                    [round(base + frame / 10 + column / 100, 2) for column in range(columns)] for frame in range(frames)
                ]
                write(root / folder / dimension / f"{recording}.arff", arff_text(rows))
            if recording == "test_1":
                continue
            values = [round(number / 10 + frame / 100, 2) for frame in range(frames)]
            write(root / "ratings_gold_standard" / dimension / f"{recording}.arff", gold_text(recording, values))
            if ratings:
                given = [[value + rater / 100 for rater in range(6)] for value in values]
                write(root / "ratings_individual" / dimension / f"{recording}.csv", ratings_text(given))
    return root


OMG_LABELS = {
    "train": "omg_TrainVideos.csv",
    "dev": "omg_ValidationVideos.csv",
    "test": "omg_TestVideos_WithLabels.csv",
}
OMG_HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"


def omg_rows(partition: str) -> list[str]:
    """Seven utterances, one of each class, of two videos of one person."""
    return [
        f"https://example.invalid/{partition},0.0,1.5,{partition}cafe_{1 + code % 2},utterance_{code + 1}.mp4,"
        f"0.{code},-0.{code},{code}"
        for code in range(7)
    ]


def omg(root: Path, modalities=("audio", "face")) -> Path:
    for partition, name in OMG_LABELS.items():
        rows = omg_rows(partition)
        write(root / name, "\n".join([OMG_HEADER, *rows]) + "\n")
        for modality in modalities:
            keys = [",".join(row.split(",")[3:5]) for row in rows]
            lines = ["video,utterance,a,b", *(f"{key},{index}.5,-{index}" for index, key in enumerate(keys))]
            write(root / f"features_{modality}_{partition}.csv", "\n".join(lines) + "\n")
    return root


EMOTIONS = ("anger", "joy")


def table_text(name="x", classes=EMOTIONS, partitions=("train", "dev", "test"), features=("a", "b")) -> str:
    """An utterance of each class in each partition."""
    lines = ["id,partition,speaker,label," + ",".join(features)]
    for partition in partitions:
        for index, label in enumerate(classes):
            values = ",".join(f"{index}.{column}" for column in range(len(features)))
            lines.append(f"{name}_{partition}_{index},{partition},{name}_{partition},{label},{values}")
    return "\n".join(lines) + "\n"


FRAMES = """id,time,partition,speaker,arousal,f
v,0.1,dev,eve,0.5,5
u,0.2,train,ann,0.2,2

u,0.0,train,ann,0.0,0
v,0.0,dev,eve,0.4,4
u,0.1,train,ann,0.1,1
"""


def replace(path: Path, old: str, new: str) -> Path:
    """Changes one passage, which must be there."""
    text = path.read_bytes().decode()
    if old not in text:
        raise LookupError(f"{old!r} is not in {path}")
    return write(path, text.replace(old, new, 1))


def fails(function, *parts: str, error: type[Exception] = InputError) -> str:
    """The message of the InputError that `function` raises: one line that has all the parts."""
    with pytest.raises(error) as caught:
        function()
    message = str(caught.value)
    if "\n" in message or not message:
        pytest.fail(f"not one line: {message!r}")
    for part in parts:
        if part not in message:
            pytest.fail(f"{part!r} is not in: {message}")
    return message


def close(array, expected) -> None:
    np.testing.assert_allclose(array, expected, rtol=1e-6, atol=1e-7)


def only(path, **kwargs):
    """The corpus of one table, and its one modality."""
    corpus = load("tables", tables=[("m", path)], **kwargs)
    return corpus, corpus.modality("m")
