"""What commands print, from results that can be worked out by hand."""

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emobed_tf.cli.summary import announce, show_comparison, show_scores, show_training
from emobed_tf.config import preset
from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.evaluation.evidence import compare_outputs
from tests.evaluation.systems import evaluated_classes, evaluated_series, facts

EMOTIONS = facts("classification", ("a", "b"))
AROUSAL = facts("regression", step=0.04)


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
        announce(*self.of(simulated=False), Path("runs/x"))
        assert capsys.readouterr().out.splitlines() == [
            "tables, arousal: emobed on audio (+face), alpha 0.5, beta 0.25, seed 7",
            "  audio: 3 features (audio0 to audio2), a row every 0.1 s; recordings: 2 train, 1 dev, 1 test",
            "  face: 2 features (face0 to face1), a row for each utterance; utterances: 1 train, 0 dev, 0 test",
            "  labels are taken to lag behind by 2.4 s, and moved back; --label-delay 0 if they don't",
            "  run folder: runs/x",
        ]

    def test_simulated_data_come_first(self, capsys):
        announce(*self.of(simulated=True), Path("runs/x"))
        assert capsys.readouterr().out.splitlines()[0] == "These data are simulated. Scores on them are no results."


def test_training(cells):
    training = {"epochs": 12, "seconds": 34.4, "best_epoch": 5, "parameters": {"kept": 1234, "training": 56789}}
    scores = {"training": training, "dev": {"ccc": 0.5, "pcc": 0.625, "raw": {"ccc": 0.25}}}
    told = dataclasses.replace(AROUSAL, simulated=True)
    show_training(SimpleNamespace(read_json={"scores.json": scores}.get, facts=lambda: told, path="x", logs="x/logs"))
    rows, text = cells()
    assert text.startswith("12 epochs in 34 s, best after 5; 1,234 of 56,789 parameters are kept\n")
    assert "SIMULATED: arousal from audio, development" in text
    assert (rows["CCC, pooled, before post-processing"], rows["CCC, pooled"]) == (["0.250"], ["0.500"])
    assert rows["PCC"] == ["0.625"] and "RMSE" not in rows
    assert text.endswith("next: python -m emobed_tf.evaluate x; tensorboard --logdir x/logs\n")


class TestScores:
    def test_classification(self, cells):
        # Three of four are right, with every speaker alike. Who is wrong is a b: recalls are 1 and 1 / 2.
        show_scores(EMOTIONS, [evaluated_classes(3)])
        rows, text = cells()
        assert "\nemotion from audio (intervals over speakers: 5 dev)" in f"\n{text}"
        assert rows["F1, micro-averaged (accuracy)"] == ["0.750", "0.750 to 0.750"]
        assert (rows["a"], rows["b"]) == (["10", "0"], ["5", "5"])

    def test_regression(self, cells):
        exact = evaluated_series(0)
        show_scores(AROUSAL, [exact, dataclasses.replace(exact, partition="test")])
        rows, text = cells()
        assert "(intervals over speakers: 8 dev, 8 test)" in text
        assert rows["CCC, pooled"] == ["1.000", "1.000 to 1.000"] * 2
        assert rows["CCC, pooled, before post-processing"] == ["1.000", ""] * 2
        assert "confusion" not in text


def test_comparison(cells):
    comparison = compare_outputs(evaluated_classes(3), evaluated_classes(4), "f1_micro")
    show_comparison(dataclasses.replace(EMOTIONS, simulated=True), ("old", "new"), {"dev": comparison})
    rows, text = cells()
    assert "SIMULATED: is the second better than the first? (f1_micro)" in text
    assert (rows["first: old"], rows["second: new"], rows["difference"]) == (["0.750"], ["1.000"], ["+0.250"])
    # All five speakers gain alike: of the 2^5 exchanges one is as good, and one as bad.
    assert rows["PRIMARY: swap test by speaker, p one-tailed"] == ["0.0312"]
    assert rows["two-sided"] == ["0.0625"]
    assert rows["exchanges"] == ["all, 5 speakers"]
    assert rows["bootstrap over speakers, 95 % of the difference"] == ["+0.250 to +0.250"]
    # 15 and 20 right of 20: z = 0.25 / sqrt(35/40 * 5/40 * 2/20) = 2.390.
    assert rows["as published: z-test of the shares of right answers, p one-tailed"] == ["0.0084"]
    assert rows["counts as independent"] == ["n = 20"]
