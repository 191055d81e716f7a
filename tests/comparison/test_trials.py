"""One fit: its record against scores that are known, and its key."""

import json
from typing import ClassVar

import numpy as np
import pytest

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import OfficialSource, Trial, check_record, recorded_statistics, run_trial
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.evaluation.postprocessing import PostProcessing
from emobed_tf.systems.base import System

HERE = "tests.comparison.test_trials"


class Follower(System):
    """Says the gold standard with half its deviation, one second late."""

    title = "follower"

    def configurations(self, problem, number):
        return [{}]

    def fit(self, problem, settings, seed):
        self.target = problem.target

    def predict(self, recordings):
        return [np.r_[np.full(25, g[0]), g[:-25]] / 2 for g in (r.labels["arousal"] for r in recordings[self.target])]


@pytest.fixture(scope="module")
def outcome(recola, stack):
    source = OfficialSource(preset().replace(data_dir=recola, threads=1))
    return source(), run_trial(Trial(Scenario("audio"), source, f"{HERE}:Follower", {}, 0, final=True))


class TestRegression:
    def test_the_chain_is_learnt_on_development_and_used_on_test(self, outcome):
        problem, found = outcome
        chain = found.record["chain"]
        assert chain["scaled"] and chain["gain"] == pytest.approx(2, rel=0.2)
        golds = [r.labels["arousal"] for r in problem.recordings("test")["audio"]]
        raw = [found.predictions["test"][r.id] for r in problem.recordings("test")["audio"]]
        final = [PostProcessing.from_dict(chain).apply(values) for values in raw]
        scores = found.record["partitions"]["test"]["scores"]
        assert scores["ccc"] == pytest.approx(concordance_cc(np.concatenate(golds), np.concatenate(final)))
        assert scores["raw"]["ccc"] == pytest.approx(concordance_cc(np.concatenate(golds), np.concatenate(raw)))
        assert scores["ccc"] > scores["raw"]["ccc"]

    def test_the_score_is_the_post_processed_one(self, outcome):
        record = outcome[1].record
        assert record["score"] == record["partitions"]["dev"]["scores"]["ccc"]

    def test_statistics_are_the_sums_by_speaker(self, outcome):
        problem, found = outcome
        part = found.record["partitions"]["test"]
        members = problem.recordings("test")["audio"]
        assert part["speakers"] == sorted({r.speaker for r in members})
        assert [row[0] for row in part["statistics"]] == [r.frames for r in sorted(members, key=lambda r: r.speaker)]


class Counting(Follower):
    """Remembers how long it was to train."""

    epochs: ClassVar[list] = []

    def fit(self, problem, settings, seed):
        super().fit(problem, settings, seed)
        Counting.epochs.append(problem.config.training.epochs)


class TestRung:
    def test_is_short_and_says_so(self, recola, stack):
        source = OfficialSource(preset().replace(data_dir=recola, threads=1))
        trial = Trial(Scenario("audio"), source, f"{HERE}:Counting", {}, 0, rung=2, epochs=7)
        found = run_trial(trial)
        assert Counting.epochs[-1] == 7
        assert (found.record["rung"], found.record["epochs"]) == (2, 7)
        assert list(found.record["partitions"]) == ["dev"] and found.predictions == {}

    def test_a_look_reads_test_and_keeps_no_predictions(self, recola, stack):
        source = OfficialSource(preset().replace(data_dir=recola, threads=1))
        found = run_trial(Trial(Scenario("audio"), source, f"{HERE}:Counting", {}, 0, look=True))
        assert list(found.record["partitions"]) == ["dev", "test"] and found.predictions == {}
        assert "rung" not in found.record


class TestKey:
    def trial(self, **changes):
        fields = {"scenario": Scenario("audio", ("face",), 1, 5), "source": None, "system": "emobed"}
        return Trial(**{**fields, "settings": {"beta": 0.5, "alpha": 1.0}, "seed": 3, **changes})

    def test_has_all_that_tells_trials_apart(self):
        assert self.trial().key == {
            "target": "audio",
            "auxiliaries": ["face"],
            "fold": 1,
            "folds": 5,
            "system": "emobed",
            "settings": {"beta": 0.5, "alpha": 1.0},
            "seed": 3,
            "purpose": "choice",
        }

    @pytest.mark.parametrize(
        "change",
        [
            {"scenario": Scenario("audio", ("face",), 2, 5)},
            {"scenario": Scenario("audio", ("face",))},
            {"scenario": Scenario("audio+face", (), 1, 5)},
            {"system": "joint"},
            {"settings": {"alpha": 1.0}},
            {"seed": 4},
            {"final": True},
        ],
    )
    def test_another_trial_has_another_key(self, change):
        assert self.trial(**change).key != self.trial().key

    def test_is_json(self):
        assert json.loads(json.dumps(self.trial().key)) == self.trial().key


class TestRecordedStatistics:
    def records(self, names=("ab", "ab")):
        test = [{"speakers": list(n), "statistics": [[k, 1], [k, 2]], "frames": 9} for k, n in enumerate(names)]
        return [{"seed": 4 + k, "partitions": {"test": part}} for k, part in enumerate(test)]

    def test_speakers_then_seeds(self):
        found = recorded_statistics(self.records(), "test")
        assert found.sums.tolist() == [[[0, 1], [1, 1]], [[0, 2], [1, 2]]]
        assert (found.speakers, found.seeds, found.count) == (("a", "b"), (4, 5), 9)

    def test_other_speakers(self):
        with pytest.raises(InputError, match="different speakers"):
            recorded_statistics(self.records(("ab", "ac")), "test")


PART = {"scores": {"ccc": 0.5, "raw": {"ccc": 0.4}}, "frames": 10, "speakers": ["a"], "statistics": [[1.0, 2.0]]}
RECORD = {"settings": {"C": 1}, "seed": 0, "seconds": 0.1, "score": 0.5, "warnings": [], "partitions": {"dev": PART}}


class TestCheckRecord:
    """What a stranger's hand may have made of a line; keys of a trial are objects, and were texts."""

    KEYS = ({"purpose": "choice"}, "audio | svm | {} | 0 | choice")

    def test_what_a_trial_leaves_is_one(self, outcome):
        _, found = outcome
        record = json.loads(json.dumps(found.record))
        for key in self.KEYS:
            for sound in (record, RECORD, {"settings": {}, "seed": 1, "failed": "no data"}):
                check_record(key, sound, "f, line 2")
        check_record({"deal": 2}, {"folds": []}, "f, line 2")  # no trial

    @pytest.mark.parametrize("key", KEYS)
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            *(({"score": value}, "f, line 2: score: expected float, found") for value in (None, "x", {}, [], True)),
            ({"score": 1e308}, r"score: expected -1 to 1, found 1e\+308"),
            ({"score": -2}, "score: expected -1 to 1, found -2"),
            ({"seconds": "x"}, "seconds: expected float"),
            ({"total_seconds": -1.0}, "total_seconds: expected 0 or more, found -1"),
            ({"seed": None}, "seed: expected int"),
            ({"epochs_done": 0}, "epochs_done: expected 1 or more, found 0"),
            ({"epochs_done": "3"}, "epochs_done: expected int"),
            ({"warnings": "x"}, "warnings: expected"),
            ({"failed": 5}, "failed: expected str"),
            ({"partitions": {"test": PART}}, "a trial without development"),
            ({"partitions": {"dev": {**PART, "speakers": ["a", "b"]}}}, "dev: expected statistics of each"),
            ({"partitions": {"dev": {}}}, "dev: expected scores, frames, speakers, statistics, found nothing"),
        ],
    )
    def test_one_line_for_what_is_wrong(self, key, changes, words):
        with pytest.raises(InputError, match=words):
            check_record(key, {**RECORD, **changes}, "f, line 2")

    @pytest.mark.parametrize("name", ["settings", "seed", "score", "warnings", "partitions"])
    def test_nothing_is_missing(self, name):
        with pytest.raises(InputError, match=f"f, line 2: a trial without {name}; remove that line"):
            check_record(self.KEYS[0], {part: value for part, value in RECORD.items() if part != name}, "f, line 2")
