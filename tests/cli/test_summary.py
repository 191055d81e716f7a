"""What commands print, from results that can be worked out by hand."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from emobed_tf.cli.summary import (
    announce,
    announce_test,
    show_comparison,
    show_scores,
    show_test_reads,
    show_training,
)
from emobed_tf.config import preset
from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.evaluation.evidence import compare_outputs
from tests.evaluation.systems import evaluated_classes, evaluated_series, facts

EMOTIONS = facts("classification", ("a", "b"))
AROUSAL = facts("regression", step=0.04)


def stub(facts, scores=None, selection="ccc", **more):
    """As much of a run as is shown."""
    read = {"scores.json": scores}.get
    more = {"config": preset} | more
    return SimpleNamespace(
        facts=lambda: facts, read_json=read, selection=selection, path="x", named="x", logs="x/logs", **more
    )


@pytest.fixture
def cells(capsys):
    """Rows of the tables that were printed, by their first cells; and all text."""

    def found():
        text = capsys.readouterr().out
        rows = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in text.splitlines()]
        return {row[0]: row[1:] for row in rows if row}, text

    return found


class TestAnnounce:
    @staticmethod
    def of(simulated):
        def modality(name, columns, step, partitions):
            names = tuple(f"{name}{k}" for k in range(columns))
            features = np.zeros((1, columns), np.float32)
            members = tuple(Recording(f"r{k}", part, "s", features, {}) for k, part in enumerate(partitions))
            return Modality(name, names, members, step, "tables")

        modalities = {
            "audio": modality("audio", 3, 0.1, ("train", "train", "dev", "test")),
            "face": modality("face", 2, None, ("train",)),
        }
        corpus = Corpus("tables", "regression", "arousal", (), modalities, {}, simulated)
        changes = {"target": "audio", "auxiliary": ("face",), "alpha": 0.5, "beta": 0.25, "seed": 7}
        return preset("tables").replace(**changes), corpus

    def test_says_what_is_trained_on_what(self, capsys):
        announce(*self.of(simulated=False))
        assert capsys.readouterr().out.splitlines() == [
            "tables, arousal: emobed on audio (+face), alpha 0.5, beta 0.25, seed 7",
            "  audio: 3 features (audio0 to audio2), a row every 0.1 s; recordings: 2 train, 1 dev, 1 test",
            "  face: 2 features (face0 to face1), a row for each utterance; utterances: 1 train, 0 dev, 0 test",
            "  labels are taken to lag behind by 2.4 s, and moved back; --label-delay 0 if they don't",
            "  an epoch: 1 step, one pass over audio, the largest modality (2 sequences in one batch)",
        ]

    def test_what_is_searched_has_no_value_yet(self, capsys):
        announce(*self.of(simulated=False), searched=("alpha", "hop"))
        first = capsys.readouterr().out.splitlines()[0]
        assert first == "tables, arousal: emobed on audio (+face), beta 0.25, seed 7"

    def test_simulated_data_come_first(self, capsys):
        announce(*self.of(simulated=True))
        assert capsys.readouterr().out.splitlines()[0] == "These data are simulated. Scores on them are no results."


def test_training(cells):
    training = {"epochs": 12, "seconds": 34.4, "best_epoch": 5, "parameters": {"kept": 1234, "training": 56789}}
    scores = {"training": training, "dev": {"ccc": 0.5, "pcc": 0.625, "raw": {"ccc": 0.25}}}
    told = dataclasses.replace(AROUSAL, simulated=True)
    show_training(stub(told, scores))
    rows, text = cells()
    stopped = "12 epochs in 34 s, and stopped there: no better score in 15 (--patience)"  # of 60, by default
    assert text.startswith(f"{stopped}; 1,234 of 56,789 parameters are kept for inference\n")
    assert "the weights are those of epoch 5, with the best development CCC before post-processing\n" in text
    assert "SIMULATED: arousal from audio, development" in text
    first = "CCC, pooled, before post-processing (picked the weights)"
    assert list(rows)[1:3] == [first, "CCC, pooled"]
    assert (rows[first], rows["CCC, pooled"]) == (["0.250"], ["0.500"])
    assert rows["PCC"] == ["0.625"] and "RMSE" not in rows
    assert text.endswith("next: python -m emobed_tf.evaluate x; tensorboard --logdir x/logs\n")


def test_training_says_first_what_picked_the_weights(cells):
    training = {"epochs": 1, "seconds": 1, "best_epoch": 1, "parameters": {"kept": 1, "training": 1}}
    dev = {"f1_micro": 0.5, "f1_macro": 0.25, "uar": 0.75}
    show_training(stub(EMOTIONS, {"training": training, "dev": dev}, selection="uar"))
    rows, text = cells()
    assert "with the best development Unweighted average recall (--selection uar)" in text
    expected = ["Unweighted average recall (picked the weights)", "F1, micro-averaged (accuracy)", "F1, macro-averaged"]
    assert list(rows)[1:] == expected


@pytest.mark.parametrize(("wanted", "why"), [(12, ""), (40, ", and stopped there: no better score in 7 (--patience)")])
def test_a_run_that_has_its_epochs(cells, wanted, why):
    training = {"epochs": 12, "seconds": 34.4, "best_epoch": 5, "parameters": {"kept": 1, "training": 1}}
    config = preset().replace(epochs=wanted, patience=7)
    run = stub(EMOTIONS, {"training": training, "dev": {"uar": 0.5}}, selection="uar", config=lambda: config)
    show_training(run, epochs_before=12)
    assert cells()[1].startswith(f"nothing to train: x already has 12 epochs{why}\nthe weights are those of epoch 5")


class TestScores:
    def test_classification(self, cells):
        # Three of four are right, with every speaker alike. Who is wrong is a b: recalls are 1 and 1 / 2.
        show_scores({"x": stub(EMOTIONS, selection="uar")}, {"x": {"dev": evaluated_classes(3)}})
        rows, text = cells()
        assert "\nemotion from audio, dev (intervals over 5 speakers)" in f"\n{text}"
        assert rows["F1, micro-averaged (accuracy)"] == ["0.750", "0.750 to 0.750"]
        assert list(rows)[1] == "Unweighted average recall (picked the weights)"
        assert (rows["a"], rows["b"]) == (["10", "0"], ["5", "5"])

    def test_runs_side_by_side_by_name(self, cells):
        runs = {"old": stub(EMOTIONS, selection="uar"), "new": stub(EMOTIONS, selection="uar")}
        show_scores(runs, {"old": {"dev": evaluated_classes(3)}, "new": {"dev": evaluated_classes(4)}})
        rows, text = cells()
        assert rows["score"] == ["old", "95 %", "new", "95 %"]
        assert rows["F1, micro-averaged (accuracy)"] == ["0.750", "0.750 to 0.750", "1.000", "1.000 to 1.000"]
        assert text.count("confusion, dev") == 2
        assert rows["old: true class"] == rows["new: true class"] == ["a", "b"]

    def test_regression(self, cells):
        exact = evaluated_series(0)
        parts = {"dev": exact, "test": dataclasses.replace(exact, partition="test")}
        show_scores({"x": stub(AROUSAL)}, {"x": parts})
        rows, text = cells()
        assert "arousal from audio, dev (intervals over 8 speakers)" in text
        assert "arousal from audio, test (intervals over 8 speakers)" in text
        assert rows["CCC, pooled"] == ["1.000", "1.000 to 1.000"]
        assert rows["CCC, pooled, before post-processing (picked the weights)"] == ["1.000", ""]
        assert "confusion" not in text

    def test_a_table_without_speakers(self, capsys):
        """Each recording is then called like its speaker; in RECOLA it is, too, and every recording has one."""
        alone = evaluated_classes(3)
        alone = dataclasses.replace(
            alone, recordings=tuple(dataclasses.replace(r, speaker=r.id) for r in alone.recordings)
        )
        warned = {}
        for name in ("recola", "tables"):
            run = stub(EMOTIONS, selection="uar", config=lambda name=name: preset(name).replace(target="audio"))
            show_scores({"x": run}, {"x": {"dev": alone}})
            warned[name] = "no speaker column" in capsys.readouterr().out
        assert warned == {"recola": False, "tables": True}


class TestTestReads:
    @pytest.mark.parametrize(
        ("times", "said"), [(0, "has not been evaluated on it before"), (2, "has been evaluated on it twice before")]
    )
    def test_before_it_is_read(self, capsys, times, said):
        announce_test(stub(AROUSAL, test_reads=lambda: [{}] * times))
        assert capsys.readouterr().out.startswith(f"evaluating on the test set: x {said}; ")

    @pytest.mark.parametrize(("times", "said"), [(1, "once"), (3, "3 times")])
    def test_after_it(self, capsys, times, said):
        show_test_reads(stub(AROUSAL, test_reads=lambda: [{}] * times))
        assert capsys.readouterr().out == f"x: evaluated on the test set {said}; test_reads.json says when\n"


def test_comparison(cells):
    comparison = compare_outputs(evaluated_classes(3), evaluated_classes(4), "f1_micro")
    show_comparison(dataclasses.replace(EMOTIONS, simulated=True), ("old", "new"), {"dev": comparison})
    rows, text = cells()
    assert "SIMULATED: new better than old? (F1 micro)" in text
    assert (rows["old"], rows["new"], rows["difference"]) == (["0.750"], ["1.000"], ["+0.250"])
    # All five speakers gain alike: of the 2^5 exchanges one is as good, and one as bad.
    assert rows["p of the exchange test over speakers, one-sided"] == ["0.0312"]
    assert rows["the least that so many speakers allow"] == ["0.0312"]
    assert rows["two-sided (a difference either way)"] == ["0.0625"]
    assert rows["exchanges tried"] == ["all 32 of 5 speakers"]
    assert rows["95 % interval of it: bootstrap over speakers"] == ["+0.250 to +0.250"]
    assert "dev: With 5 speakers the smallest possible p is 1/32 = .0312." in text
    # 15 and 20 right of 20: z = 0.25 / sqrt(35/40 * 5/40 * 2/20) = 2.390.
    assert rows["p of the paper's test (z-test of the shares of right answers), one-sided"] == ["0.0084"]
    assert rows["utterances that it treats as independent"] == ["20"]
