"""`load`: what a data set teaches, which modalities are read, and what it says of a record of one's own."""

import subprocess
import sys
import types

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora import Modality, Recording, load
from emobed_tf.corpora.loading import find_modalities
from emobed_tf.datasets import OMG, RECOLA, TABLES, DataSet
from emobed_tf.errors import EmoBedWarning, MissingInputError
from emobed_tf.settings import Reading
from tests.corpora.corpus_writers import fails, omg, recola, table_text, write


@pytest.fixture
def mine(monkeypatch):
    """A data set `mine:MINE` whose reader makes up two speakers in a partition."""
    module = types.ModuleType("mine")
    monkeypatch.setitem(sys.modules, "mine", module)

    def read(folder, modalities, dimension, progress):
        recordings = [
            Recording(f"{partition}{k}", partition, f"{partition}{k}", np.zeros((1, 2), np.float32), labels(k))
            for partition in ("train", "dev")
            for k in range(2)
        ]
        return [Modality(name, ("a", "b"), tuple(recordings), None, "mine") for name in modalities], {}

    def labels(k):
        return {"emotion": np.array(k, np.int32), "valence": np.float32([k])}

    module.read, module.find_modalities = read, lambda folder: {"voice": folder / "voice", "face": folder / "face"}

    def define(**attributes):
        module.MINE = DataSet("mine", "mine", reader="mine", **attributes)
        return module

    return define


class TestWhatIsLearnt:
    @pytest.mark.parametrize(
        ("attributes", "task", "dimension", "expected"),
        [
            ({"classes": ("u", "v")}, "auto", "valence", ("classification", "emotion", ("u", "v"))),
            ({"classes": ("u", "v")}, "regression", "valence", ("regression", "valence", ())),
            ({}, "auto", "valence", ("regression", "valence", ())),
        ],
    )
    def test_by_the_record(self, mine, tmp_path, attributes, task, dimension, expected):
        mine(**attributes)
        corpus = load("mine:MINE", tmp_path, task=task, dimension=dimension)
        assert (corpus.task, corpus.label, corpus.classes) == expected
        assert (corpus.name, list(corpus.modalities)) == ("mine", ["voice", "face"])

    def test_what_there_is_not(self, mine, tmp_path):
        mine(dimensions=("valence",))
        fails(lambda: load("mine:MINE", tmp_path, task="classification"), "'mine' has no classes", "regression")
        fails(lambda: load("mine:MINE", tmp_path, dimension="arousal"), "'mine' has no arousal", "expected valence")
        fails(lambda: load("mine:MINE", tmp_path, dimension="liking"), "'mine' has no liking", "expected valence")
        fails(lambda: load("mine:MINE", tmp_path, task="ranking"), "unknown task 'ranking'")
        fails(lambda: load("iemocap", tmp_path), "unknown data set 'iemocap'")


class TestModalities:
    def test_only_those_asked_for(self, mine, tmp_path):
        mine(classes=("u", "v"))
        assert list(load("mine:MINE", tmp_path, modalities=["face"]).modalities) == ["face"]
        fails(lambda: load("mine:MINE", tmp_path, modalities=["gait"]), str(tmp_path), "no modality 'gait'")
        fails(lambda: load("mine:MINE", tmp_path, modalities=[]), "no modality chosen")

    def test_a_table_beside_them_shares_the_classes(self, mine, tmp_path):
        mine(classes=("joy", "anger"))
        table = write(tmp_path / "gait.csv", table_text())
        corpus = load("mine:MINE", tmp_path, tables=[f"gait={table}"])
        assert list(corpus.modalities) == ["voice", "face", "gait"]
        # The table's first utterance is of anger, which is the second class here.
        assert corpus.modality("gait").recordings[0].labels["emotion"] == 1
        assert (corpus.modality("gait").corpus, corpus.modality("face").corpus) == ("tables", "mine")

    def test_a_name_that_can_be_no_flag(self, mine, tmp_path):
        module = mine(classes=("u", "v"))
        for path, better in (("my_Face v2.txt", "my_face_v2.txt"), ("x", "face_v2")):
            module.find_modalities = lambda folder, path=path: {"face v2": folder / path}
            fails(lambda: load("mine:MINE", tmp_path), "modality 'face v2'", f"rename it, such as {better}")

    def test_no_folder(self, mine):
        mine(layout="a folder of songs")
        fails(lambda: load("mine:MINE"), "'mine': no data folder given", "one with a folder of songs")


class TestSharedSpeakers:
    @pytest.fixture
    def shared(self, mine):
        def define(**attributes):
            module = mine(classes=("u", "v"), **attributes)
            read = module.read

            def same(*arguments):
                (voice,), _ = read(*arguments)
                both = tuple(Recording(r.id, r.partition, "ann", r.features, r.labels) for r in voice.recordings)
                return [Modality("voice", ("a", "b"), both, None, "mine")], {}

            module.read, module.find_modalities = same, lambda folder: {"voice": folder}

        return define

    def test_is_an_error(self, shared, tmp_path):
        shared()
        fails(lambda: load("mine:MINE", tmp_path), "speaker 'ann' is in two partitions: train", "dev")

    def test_is_a_warning_where_it_is_known(self, shared, tmp_path):
        shared(shared_speakers="actors")
        with pytest.warns(EmoBedWarning, match=r"1 actors are in more than one partition of mine \(the first: ann\)"):
            load("mine:MINE", tmp_path)


class TestFindModalities:
    def test_of_every_kind(self, tmp_path):
        recola(tmp_path / "recola")
        omg(tmp_path / "omg")
        table = write(tmp_path / "tables" / "gait.csv", table_text())
        found = find_modalities(RECOLA, tmp_path / "recola")
        assert found == {n: tmp_path / "recola" / f"features_{n}" for n in ("audio", "video_appearance")}
        assert list(find_modalities(OMG, tmp_path / "omg")) == ["audio", "face"]
        assert find_modalities(TABLES, tmp_path / "tables") == {"gait": table}

    def test_nothing_there(self, tmp_path):
        for dataset in (RECOLA, OMG, TABLES):
            fails(lambda: find_modalities(dataset, tmp_path / "x"), dataset.layout, error=MissingInputError)  # noqa: B023


def test_tensorflow_is_not_imported():
    code = "import sys, emobed_tf.corpora; print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_bad_arguments(tmp_path, table):
    fails(lambda: load("tables"), "neither a folder nor a table", error=MissingInputError)
    fails(lambda: load("tables", tmp_path / "none"), "no such folder", error=MissingInputError)
    fails(
        lambda: load("tables", tables=["f=none.csv"]),
        "none.csv: no such file",
        "--table f=PATH",
        error=MissingInputError,
    )
    write(tmp_path / "notes" / "README", "x")
    fails(lambda: load("tables", tmp_path / "notes"), "no table", error=MissingInputError)
    fails(lambda: load("tables", tables=["face"]), "'face'", "NAME=PATH")
    fails(lambda: load("tables", tables=["=x.csv"]), "NAME=PATH")
    fails(lambda: load("tables", tables=[f"f={table}", f"f={table}"]), "'f' a second time")
    fails(lambda: load("tables", tables=[f"f={tmp_path / 'f.xlsx'}"]), "f.xlsx", ".csv, .parquet or .arff")
    fails(lambda: load("tables", tables=[f"f={table}"], modalities=["g"]), "no modality 'g'", "found f")
    pd.read_csv(table).to_parquet(tmp_path / "face.parquet")
    fails(lambda: load("tables", tmp_path), "modality 'face' a second time")


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("face.v2", "face_v2"),
        ("my face", "my_face"),
        ("../face", "face"),
        ("2d", "d"),
        ("_face", "face"),
        ("Gesichtszüge", "Gesichtszuge"),
        ("脸", "modality"),
        ("face\n", "face"),
    ],
)
def test_names_of_modalities(tmp_path, table, name, good):
    allowed = "ASCII letters, digits, '_' and '-' that begins with a letter"
    fails(lambda: load("tables", tables=[f"{name}={table}"]), allowed, f"--table {good}={table}")
    fails(lambda: load("tables", tables=[(name, table)]), allowed, f"--table {good}={table}")
    if "/" in name:
        return
    path = table.rename(tmp_path / f"{name}.csv")
    shown = str(path).replace("\n", r"\n")
    fails(lambda: load("tables", tmp_path), f"--table {good}={shown}")
    # What the message says helps.
    assert list(load("tables", tmp_path, tables=[(good, path)]).modalities) == [good]
    write(tmp_path / "voice-1_B.csv", table_text())
    assert list(load("tables", tmp_path, modalities=["voice-1_B"]).modalities) == ["voice-1_B"]


class TestSettingsThatFitNoColumn:
    """A name with a letter wrong must not do nothing."""

    @pytest.mark.parametrize(
        "settings", [{"ignore": ("c",)}, {"ignore": ("a", "pose_*")}, {"keep": ("c*",)}, {"column": ("who=speaker",)}]
    )
    def test_is_an_error(self, table, settings):
        fails(lambda: load("tables", tables=[f"f={table}"], reading=Reading(**settings)), "no table has such a column")

    def test_is_none_where_another_table_has_it(self, tmp_path, table):
        other = write(tmp_path / "o.csv", table_text("y", features=("g", "h")))
        both, reading = [f"f={table}", f"o={other}"], Reading(ignore=("a", "g"))
        found = [modality.feature_names for modality in load("tables", tables=both, reading=reading)]
        assert found == [("b",), ("h",)]
        # Scoring reads the target alone, with all that training was told.
        assert list(load("tables", tables=both, modalities=["f"], reading=reading).modalities) == ["f"]

    def test_a_table_of_labels_counts(self, tmp_path):
        features = write(tmp_path / "f.csv", "id,f\n" + "".join(f"{k},{k * k}\n" for k in range(4)))
        rows = "".join(f"{k},{('train', 'dev')[k // 2]},{'uv'[k % 2]},{k // 2}\n" for k in range(4))
        labels = write(tmp_path / "l.csv", f"id,partition,label,who\n{rows}")
        corpus = load("tables", tables=[f"f={features}"], labels=labels, reading=Reading(column=("who=speaker",)))
        assert [recording.speaker for recording in corpus.modality("f").recordings] == ["0", "0", "1", "1"]

    def test_a_dimension(self, table):
        fails(lambda: load("tables", tables=[f"f={table}"], dimension="dominanse"), "--dimension dominanse", "label")
