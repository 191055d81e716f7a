"""The same recordings, written in every form that is recognised, are the same corpus."""

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emobed_tf.corpora import load
from emobed_tf.errors import EmoBedWarning
from emobed_tf.settings import Reading

STEP = 0.25  # exact in binary and in milliseconds, so that every form can say it
NAMES = ("F0 [Hz]", "mfcc1.x", "loud-ness", "x_0")  # none of them a column that a tool is known for


@dataclass
class Made:
    """A corpus as it was made up.

    Attributes:
        keys: a row for each of the recordings: id, partition, speaker, label.
        rows: for each recording: its features `[frames, features]`, NaN where missing, and arousal `[frames]`.
        framewise: whether rows are frames, with arousal to learn; otherwise there are classes.
    """

    keys: list[tuple[str, str, str, str]]
    rows: list[tuple[np.ndarray, np.ndarray]]
    names: tuple[str, ...]
    framewise: bool

    def frame(self, *, features=True, keys=True, labels=True):
        """One row for each row, with columns id, time (of frames), partition, speaker, arousal or label, features."""
        parts = []
        for (name, partition, speaker, label), (values, arousal) in zip(self.keys, self.rows, strict=True):
            columns = {"id": [name] * len(values)}
            if self.framewise:
                columns["time"] = np.arange(len(values)) * STEP
            if keys:
                columns |= {"partition": [partition] * len(values), "speaker": [speaker] * len(values)}
            if labels:
                columns |= {"arousal": arousal} if self.framewise else {"label": [label] * len(values)}
            if features:
                columns |= {column: values[:, k].astype(np.float64) for k, column in enumerate(self.names)}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)


@st.composite
def corpora(draw):
    framewise = draw(st.booleans())
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    keys = []
    for partition in ("train", "dev", "test"):
        for index in range(draw(st.integers(2, 4))):
            keys.append((f"{partition}-{index} é", partition, f"s {partition}{index // 2}", ("joy", "fear")[index % 2]))
    keys = draw(st.permutations(keys))
    gaps = draw(st.sampled_from((0.0, 0.2)))
    rows = []
    for _ in keys:
        frames = draw(st.integers(3, 6)) if framewise else 1
        values = rng.normal(scale=100, size=(frames, len(names))).astype(np.float32)
        values[rng.random(values.shape) < gaps] = np.nan
        rows.append((values, np.round(rng.uniform(-1, 1, frames), 3)))
    return Made(keys, rows, names, framewise)


def csv(frame, path, separator=","):
    frame.to_csv(path, index=False, sep=separator)
    return path


def parquet(frame, path, index=False):
    frame.to_parquet(path, index=index)
    return path


def indexed(frame):
    return frame.set_index([name for name in ("id", "time", "partition", "speaker") if name in frame])


def open_smile(made, folder):
    """CSV as SMILExtract writes it: quoted names, `frameTime` (0 of functionals), semicolons."""
    frame = made.frame(keys=False, labels=False).rename(columns={"id": "name", "time": "frameTime"})
    frame["name"] = "'" + frame["name"] + "'"
    if not made.framewise:
        frame.insert(1, "frameTime", 0.0)
    return csv(frame, folder / "smile.csv", ";")


def arff(made, folder):
    """ARFF as SMILExtract writes it, with a class that nobody filled."""
    frame = made.frame(keys=False, labels=False)
    lines = ["@relation x", "", "@attribute name string"]
    if made.framewise:
        lines.append("@attribute frameTime numeric")
    lines += [f"@attribute '{name}' numeric" for name in made.names] + ["@attribute class numeric", "", "@data", ""]
    for _, row in frame.iterrows():
        cells = ["?" if cell != cell else repr(float(cell)) for cell in row.iloc[1:]]
        lines.append(",".join([f"'{row['id']}'", *cells, "?"]))
    path = folder / "smile.arff"
    path.write_text("\n".join(lines) + "\n")
    return path


def open_face(made, folder):
    """A file for each recording, blanks after commas; a missing frame has no success, and zeros."""
    folder = folder / "faces"
    folder.mkdir()
    for (name, *_), (values, _) in zip(made.keys, made.rows, strict=True):
        lines = [", ".join(["frame", "face_id", "timestamp", "confidence", "success", *made.names])]
        for k, row in enumerate(values):
            failed = np.isnan(row).all()
            cells = ["0" if failed else "-nan(ind)" if np.isnan(cell) else repr(float(cell)) for cell in row]
            lines.append(", ".join([str(k + 1), "0", f"{k * STEP:.3f}", *("00" if failed else "91"), *cells]))
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def mu_se(made, folder):
    """A file for each recording, in milliseconds."""
    folder = folder / "muse"
    folder.mkdir()
    for (name, *_), (values, _) in zip(made.keys, made.rows, strict=True):
        frame = pd.DataFrame({column: values[:, k].astype(float) for k, column in enumerate(made.names)})
        frame.insert(0, "timestamp", (np.arange(len(values)) * STEP * 1000).astype(int))
        frame.insert(1, "segment_id", 1)
        csv(frame, folder / f"{name}.csv")
    return folder


def audformat(made, seconds):
    """`file`, `start` and `end` of every row; times as timedelta, or in seconds."""
    frame = made.frame(keys=False, labels=False)
    starts = frame["time"] if made.framewise else pd.Series(0.0, index=frame.index)
    ends = starts + STEP
    if not seconds:
        starts, ends = pd.to_timedelta(starts, unit="s"), pd.to_timedelta(ends, unit="s")
    frame.insert(1, "start", starts)
    frame.insert(2, "end", ends)
    frame["id"] = "/data/" + frame["id"] + ".wav"
    return frame.rename(columns={"id": "file"}).drop(columns=["time"] if made.framewise else [])


def tables_of_labels(made, folder):
    """By id, by file, and by file and segment; of frames with times."""
    by_id = made.frame(features=False)
    by_file = by_id.rename(columns={"id": "file"}).assign(file="c:\\elsewhere\\data\\" + by_id["id"] + ".flac")
    starts = by_file["time"] if made.framewise else 0.0
    by_segment = by_file.assign(start=starts, end=starts + STEP).drop(columns=["time"] if made.framewise else [])
    return (
        csv(by_id, folder / "labels.csv", "\t"),
        by_id,
        parquet(by_file, folder / "labels.parquet"),
        by_segment.set_index(["file", "start", "end"]),
    )


def forms(made, folder):
    """(title, table, table of labels or None) of every form."""
    frame = made.frame()
    shuffled = frame.sample(frac=1, random_state=0).sort_values(
        "id", key=lambda ids: ids.map(order(made)), kind="stable"
    )
    yield "comma", csv(frame, folder / "comma.csv"), None
    yield "rows of a recording in any order", csv(shuffled, folder / "shuffled.csv"), None
    yield "semicolon", csv(frame, folder / "semicolon.csv", ";"), None
    yield "tab", csv(frame, folder / "tab.csv", "\t"), None
    yield "Parquet", parquet(frame, folder / "p.parquet"), None
    yield "data frame", frame, None
    yield "data frame, index", indexed(frame), None
    yield "Parquet, index", parquet(indexed(frame), folder / "i.parquet", index=True), None
    bare = frame.drop(columns=["partition", "speaker", "arousal" if made.framewise else "label"])
    segments, seconds = audformat(made, False), audformat(made, True)
    files = list(tables_of_labels(made, folder))
    unlabelled = [
        ("plain", bare),
        ("openSMILE's CSV", open_smile(made, folder)),
        ("openSMILE's ARFF", arff(made, folder)),
        ("audformat's data frame", segments.set_index(["file", "start", "end"])),
        (
            "audformat's Parquet",
            parquet(segments.set_index(["file", "start", "end"]), folder / "a.parquet", index=True),
        ),
        ("audformat's CSV", csv(segments, folder / "segments.csv")),
        ("audformat in seconds", csv(seconds, folder / "seconds.csv")),
    ]
    if made.framewise:
        unlabelled += [("OpenFace", open_face(made, folder)), ("MuSe", mu_se(made, folder))]
    for title, table in unlabelled:
        for labels in files:
            yield title, table, labels
    for title, table in ((title, table) for title, table in unlabelled if isinstance(table, Path) and table.is_file()):
        if table.suffix == ".csv":
            yield f"{title}, a file for each", in_parts(table, folder / f"parts of {table.stem}"), files[0]


def order(made):
    return {name: index for index, (name, *_) in enumerate(made.keys)}


def in_parts(path, folder):
    """The rows of a CSV file in a file for each recording."""
    folder.mkdir()
    header, *lines = path.read_text().splitlines()
    parts = {}
    for line in lines:
        parts.setdefault(line.replace(";", ",").split(",")[0], []).append(line)
    for number, part in enumerate(parts.values()):
        (folder / f"{number:03}.csv").write_text("\n".join([header, *part]) + "\n")
    return folder


def check(made, corpus, title):
    (modality,) = corpus
    assert modality.feature_names == made.names, title
    assert modality.frame_seconds == (STEP if made.framewise else None), title
    assert corpus.classes == (() if made.framewise else ("fear", "joy")), title
    found = {recording.id: recording for recording in modality.recordings}
    assert len(found) == len(made.keys), title
    for (name, partition, speaker, label), (values, arousal) in zip(made.keys, made.rows, strict=True):
        recording = found[name]
        assert (recording.partition, recording.speaker, recording.start) == (partition, speaker, 0), title
        np.testing.assert_array_equal(recording.features, values, err_msg=title)
        if made.framewise:
            np.testing.assert_array_equal(recording.labels["arousal"], np.float32(arousal), err_msg=title)
        else:
            assert int(recording.labels["emotion"]) == ("fear", "joy").index(label), title


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpora())
def test_every_form_is_the_same_corpus(made):
    # Random features tell the labels of a handful of rows now and then; what is left out for it is tested elsewhere.
    keep = Reading(keep=made.names)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error", EmoBedWarning)
        for title, table, labels in forms(made, Path(folder)):
            check(made, load("tables", tables={"m": table}, labels=labels, reading=keep), title)
