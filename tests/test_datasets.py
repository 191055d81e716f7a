"""The registry of data sets: names, records of one's own, and that records agree with what they name."""

import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

from emobed_tf import datasets, settings
from emobed_tf.config import Config, preset
from emobed_tf.corpora import simulate
from emobed_tf.corpora.reader import reader_of
from emobed_tf.datasets import OMG, RECOLA, REGISTERED, TABLES, DataSet
from tests.corpora.corpus_writers import fails


@pytest.fixture
def module(monkeypatch):
    """A module of a user's, with a record."""
    found = types.ModuleType("mine")
    found.SONGS = DataSet("songs", "songs", settings={"epochs": 7}, alpha=0.25, beta=0.0, classification_score="uar")
    found.number = 3
    monkeypatch.setitem(sys.modules, "mine", found)
    return found


class TestNames:
    def test_built_in(self):
        assert [datasets.get(name).name for name in ("recola", "omg", "tables")] == ["recola", "omg", "tables"]

    def test_of_ones_own(self, module):
        assert datasets.get("mine:SONGS") is module.SONGS

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("iemocap", ("unknown data set 'iemocap'", "recola, omg, tables, recordings, or package.module:NAME")),
            ("", ("unknown data set ''",)),
            ("mine:", ("unknown data set",)),
            (":SONGS", ("unknown data set",)),
            ("mine:TALKS", ("mine:TALKS", "no attribute 'TALKS'")),
            ("mine:number", ("mine:number", "expected an emobed_tf.datasets.DataSet", "found a int")),
            ("nobody:SONGS", ("nobody:SONGS", "No module named 'nobody'")),
        ],
    )
    def test_wrong(self, module, name, words):
        fails(lambda: datasets.get(name), *words)
        assert datasets.is_name(name) is (len(name.strip(":").split(":")) == 2)

    @pytest.mark.parametrize("name", ["", "my corpus", "../x", "2d", "a/b"])
    def test_of_a_record_becomes_part_of_file_names(self, name):
        fails(lambda: DataSet(name, "x"), "letters, digits")


class TestPresets:
    def test_of_ones_own(self, module):
        config = preset("mine:SONGS")
        assert config == Config().replace(dataset="mine:SONGS", epochs=7)
        assert (config.check().objective.alpha, config.check().objective.beta) == (0.25, 0.0)
        assert config.classification_score == "uar"

    def test_weights_of_section_5_4(self):
        weights = {name: (d.alpha, d.beta) for name, d in REGISTERED.items()}
        others = dict.fromkeys(("omg", "tables", "recordings"), (0.5, 0.3))
        assert weights == {"recola": (0.5, 1.0), **others}

    @pytest.mark.parametrize("name", REGISTERED)
    def test_settings_are_settings(self, name):
        assert preset(name).check().data.dataset == name


class TestRecordsAgreeWithWhatTheyName:
    @pytest.mark.parametrize("dataset", [RECOLA, OMG], ids=lambda dataset: dataset.name)
    def test_readers(self, dataset):
        assert reader_of(dataset).__name__ == f"emobed_tf.corpora.{dataset.name}"

    @pytest.mark.parametrize(
        ("dataset", "function"),
        [(RECOLA, simulate.simulate_recola), (OMG, simulate.simulate_omg), (TABLES, simulate.simulate_tables)],
        ids=lambda value: getattr(value, "name", ""),
    )
    def test_flags_of_the_simulator_are_its_arguments(self, dataset, function):
        arguments = dict(inspect.signature(function).parameters)
        del arguments["directory"], arguments["progress"]
        assert {option.name: option.default for option in dataset.simulator.options} == {
            name: argument.default for name, argument in arguments.items()
        }


def test_nothing_heavy_is_imported():
    code = "import sys, emobed_tf.config; print({'numpy', 'pyarrow', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_help_gives_their_defaults():
    text, known = Path(settings.__file__).read_text(), datasets.REGISTERED.values()
    assert {found.alpha for found in known} == {0.5}
    assert "auxiliary modalities' loss (default: 0.5; 0 where" in text
    assert {found.beta for found in known if found.name != "recola"} == {0.3} and datasets.RECOLA.beta == 1
    assert "triplet loss (default: 0.3, RECOLA 1; 0 where" in text
    scores = {found.name: found.classification_score for found in known}
    assert {name for name, score in scores.items() if score != "f1_macro"} == {"omg"} and scores["omg"] == "f1_micro"
    assert "(default: ccc; of classes f1_macro, OMG-Emotion f1_micro)" in text
