"""What a run folder's JSON files may hold."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from emobed_tf.corpora.extraction import Extraction
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.moments import SpeakerPrior
from emobed_tf.errors import InputError
from emobed_tf.runs.records import check_reads, check_run, check_scores, read_facts, typed

PATH = Path("run.json")
FACTS = Facts(
    corpus="c",
    simulated=False,
    task="regression",
    label="arousal",
    classes=(),
    target="audio",
    features={"audio": ("f", "g"), "video": ("h",)},
    frame_seconds={"audio": 0.04, "video": None},
    delay=3,
    deviation=0.5,
    edges=(0.25,),
    fingerprints={"a.csv": "00"},
    left_out={"audio": ("x",)},
    zeros_missing=("video",),
    speaker_prior=SpeakerPrior((0.0, 1.0), (1.0, 2.0), 50.0),
    extraction={"audio": Extraction("logmel", "1", {"window": 4.0, "align": "causal"}, "no licence")},
)


def stored(**changes):
    return {**json.loads(json.dumps(dataclasses.asdict(FACTS))), **changes}


class TestFacts:
    def test_there_and_back(self):
        assert read_facts(stored(), PATH) == FACTS
        assert read_facts(stored(zeros_missing=None, speaker_prior=None), PATH).speaker_prior is None

    def test_of_the_first_runs(self):
        """Whatever came later: they have these twelve."""
        names = "corpus simulated task label classes target features frame_seconds delay deviation edges fingerprints"
        former = {name: stored()[name] for name in names.split()}
        facts = read_facts(former, PATH)
        assert (facts.left_out, facts.zeros_missing, facts.speaker_prior) == ({}, None, None)
        assert (facts.sample_rates, facts.extraction) == ({}, {})
        for name in former:
            with pytest.raises(InputError, match="written by another version"):
                read_facts({k: v for k, v in former.items() if k != name}, PATH)

    @pytest.mark.parametrize(
        "changes",
        [
            {"task": "translation"},
            {"task": "classification"},
            {"classes": ["a"]},
            {"target": "text"},
            {"target": 1},
            {"features": {"audio": []}},
            {"features": {"audio": "fg", "video": ["h"]}},
            {"features": [["audio", ["f"]]]},
            {"frame_seconds": {"audio": 0, "video": None}},
            {"frame_seconds": {"audio": "0.04", "video": None}},
            {"delay": -1},
            {"delay": 10**9},
            {"delay": 1.5},
            {"delay": True},
            {"deviation": -1.0},
            {"deviation": None},
            {"edges": [None]},
            {"edges": {"0": 1}},
            {"fingerprints": {"a.csv": 1}},
            {"simulated": 0},
            {"speaker_prior": {"mean": [0.0], "deviation": [1.0], "weight": 1.0}},
            {"speaker_prior": {"mean": [0.0, 0.0]}},
            {"unknown": 1},
        ],
    )
    def test_others(self, changes):
        with pytest.raises(InputError, match=r"^run\.json: [^\n]+$"):
            read_facts(stored(**changes), PATH)

    @pytest.mark.parametrize("values", [None, [], "facts", {}])
    def test_no_facts(self, values):
        with pytest.raises(InputError, match="another version, or damaged"):
            read_facts(values, PATH)


SCORES = {
    "simulated": True,
    "training": {"epochs": 3, "best_epoch": 2, "seconds": 1.5, "parameters": {"kept": 1, "training": 2}},
    "dev": {"ccc": 0.5, "raw": {"ccc": 0.4}},
    "test": {"uar": 0.5, "confusion": [[1, 2], [0, 3]]},
}


class TestScores:
    def test_of_a_run(self):
        check_scores(SCORES, PATH)
        check_scores({"dev": {}}, PATH)

    @pytest.mark.parametrize(
        ("part", "values"),
        [
            ("dev", 3),
            ("dev", {"ccc": "0.5"}),
            ("dev", {"ccc": 0.5}),
            ("dev", {"ccc": 0.5, "raw": [0.4]}),
            ("dev", {"uar": None}),
            ("test", {"confusion": [[1, 2], [3]]}),
            ("test", {"confusion": [[1, -2], [3, 4]]}),
            ("test", {"confusion": [[0.5]]}),
            ("test", {"confusion": 1}),
            ("training", []),
            ("training", {"epochs": "3"}),
            ("training", {"epochs": 3, "parameters": {"kept": 1}}),
        ],
    )
    def test_others(self, part, values):
        with pytest.raises(InputError, match=r"^run\.json: damaged"):
            check_scores({**SCORES, part: values}, PATH)


def test_provenance():
    origin = {"packages": {"numpy": "2"}, "command": ["train"], "environment": {}, "processors": None, "seed": 3}
    check_run({"provenance": origin}, PATH)
    check_run({}, PATH)
    for name, value in (("packages", [1]), ("command", "train"), ("environment", {"TF": 1}), ("commit", [])):
        with pytest.raises(InputError, match=f"provenance: {name}"):
            check_run({"provenance": {**origin, name: value}}, PATH)


def test_reads():
    check_reads({"reads": [{"when": "today"}]}, PATH)
    for reads in (None, {}, [1], [{}], [{"when": 1}]):
        with pytest.raises(InputError, match="damaged"):
            check_reads({"reads": reads}, PATH)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (float, 1, 1.0),
        (float | None, None, None),
        (tuple[str, ...], ["a"], ("a",)),
        (Sequence[int], [1, 2], [1, 2]),
        (Mapping[str, tuple[float, ...]], {"a": [1]}, {"a": (1.0,)}),
        (Sequence[float], [0.5, 1.5], [0.5, 1.5]),
        (tuple[float, ...], [0.5, 2], (0.5, 2.0)),
        (Sequence[float | Sequence[float]], [0.5, [1, 2.5]], [0.5, [1.0, 2.5]]),
        (tuple[()], [], ()),
    ],
)
def test_typed(kind, value, expected):
    found = typed(kind, value, "x")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [(float, True), (float, float("nan")), (int, 1.0), (bool, 1), (str, None), (tuple[int, ...], "12"), (dict, [])]
    + [(Sequence[float], [0.5, wrong]) for wrong in (math.nan, math.inf, True, None, "1", [1.0])]
    + [(Sequence[float | Sequence[float]], [[0.5, wrong]]) for wrong in (math.nan, True, [1.0])],
)
def test_not_typed(kind, value):
    with pytest.raises(InputError, match=r"^x(\[\d\])*: expected .*, found"):
        typed(kind, value, "x")
