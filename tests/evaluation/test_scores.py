"""Outputs of a system scored: post-processed and raw, by utterance and by frame; a model asked in any batches."""

from dataclasses import replace

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.evaluation.scores import evaluate, labelled, learn_chain, outputs, predict
from tests.evaluation.systems import evaluated_classes, facts


def recordings(frames, columns=2, label="arousal"):
    rng = np.random.default_rng(0)
    return [
        Recording(
            f"r{k}", "dev", f"s{k}", rng.normal(size=(n, columns)).astype(np.float32), {label: rng.normal(size=n)}
        )
        for k, n in enumerate(frames)
    ]


class SumsColumns:
    """A model whose prediction of a frame is the sum of its features; remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def predict_on_batch(self, batch):
        self.asked.append(batch.shape)
        return batch.sum(axis=2)


class TestPredict:
    def test_recordings_of_equal_length_are_asked_together(self):
        members, model = recordings([5, 7, 5, 5]), SumsColumns()
        found = predict(model, members)
        for values, recording in zip(found, members, strict=True):
            assert values == pytest.approx(recording.features.sum(axis=1))
        assert sorted(model.asked) == [(1, 7, 2), (3, 5, 2)]

    def test_long_ones_are_asked_in_parts(self):
        members, model = recordings([60_000] * 3, columns=1), SumsColumns()
        predict(model, members)
        assert model.asked == [(1, 60_000, 1)] * 3, "two of them would be more than 100,000 frames"

    def test_what_is_not_finite_is_refused(self):
        members = recordings([5, 5])
        members[1].features[2, 0] = np.nan
        with pytest.raises(InputError, match="recording r1 is not finite"):
            predict(SumsColumns(), members)


class TestOutputs:
    def test_the_label_delay_is_undone(self):
        """A model trained on labels two frames early answers two frames early; the first answer fills the start."""
        (member,) = recordings([6])
        sums = member.features.sum(axis=1)
        (found,) = outputs(SumsColumns(), [member], facts("regression", step=0.04, delay=2))
        assert found == pytest.approx([sums[0], sums[0], *sums[:4]])


class TestEvaluate:
    def test_scores_are_of_what_is_post_processed_and_raw_stands_beside(self):
        members = recordings([40, 60])
        golds = [r.labels["arousal"] for r in members]
        raw = [gold / 2 + 0.3 for gold in golds]
        chain, trace = learn_chain(members, raw, facts("regression", step=0.04), windows=(0.04,))
        found = evaluate("dev", members, raw, facts("regression", step=0.04), chain)
        true, halved = np.concatenate(golds), np.concatenate(raw)
        # Half the deviation and a constant: centring and scaling on the same data give the gold standard back.
        assert found.scores["ccc"] == pytest.approx(1.0)
        assert found.scores["raw"]["ccc"] == pytest.approx(concordance_cc(true, halved))
        assert list(trace.values())[-1] == pytest.approx(1.0)
        assert found.frames == 100

    def test_frames_without_a_label_are_not_scored(self):
        """Brute force over the rest; what is predicted in the gaps makes no difference, and is there."""
        members = recordings([40, 60])
        counts = [np.random.default_rng(k).random(len(r.features)) < 0.5 for k, r in enumerate(members)]
        gaps = [
            replace(r, labels={"arousal": np.where(count, r.labels["arousal"], np.nan)})
            for r, count in zip(members, counts, strict=True)
        ]
        rng = np.random.default_rng(9)
        raw = [r.labels["arousal"] + rng.normal(size=r.frames) for r in members]
        found = evaluate("dev", gaps, raw, facts("regression", step=0.04), None)
        true = np.concatenate([r.labels["arousal"][count] for r, count in zip(members, counts, strict=True)])
        said = np.concatenate([values[count] for values, count in zip(raw, counts, strict=True)])
        ccc = 2 * np.mean((true - true.mean()) * (said - said.mean()))
        ccc /= true.var() + said.var() + (true.mean() - said.mean()) ** 2
        assert found.scores["ccc"] == found.scores["raw"]["ccc"] == pytest.approx(ccc)
        assert found.scores["pcc"] == pytest.approx(np.corrcoef(true, said)[0, 1])
        assert found.scores["rmse"] == pytest.approx(np.sqrt(np.mean((true - said) ** 2)))
        assert found.frames == len(true) < 100
        assert [len(values) for values in found.final] == [40, 60]
        other = [np.where(count, values, 7.0) for values, count in zip(raw, counts, strict=True)]
        assert evaluate("dev", gaps, other, facts("regression", step=0.04), None).scores == found.scores

    def test_an_utterance_has_no_concordance_of_its_own(self):
        members = recordings([1] * 5)
        raw = [r.labels["arousal"] * 0.9 for r in members]
        found = evaluate("dev", members, raw, facts("regression"), None)
        assert "ccc_mean" not in found.scores and "ccc" in found.scores

    def test_the_largest_score_decides_a_class(self):
        """Of 20 utterances in classes 0 1 0 1 …, the first of every four is right: 5 of class 0, none of class 1."""
        found = evaluated_classes(1)
        assert found.confusion.tolist() == [[5, 5], [10, 0]]
        assert found.scores["f1_micro"] == 5 / 20
        assert found.scores["confusion"] == [[5, 5], [10, 0]]


class TestLabelled:
    def test_nothing_but_gaps_is_as_good_as_no_label(self):
        members = recordings([3, 3])
        members[0].labels["arousal"][:] = np.nan
        members[1].labels["arousal"][:2] = np.nan
        audio = Modality("audio", ("a", "b"), tuple(members), 0.04, "x")
        corpus = Corpus("x", "regression", "arousal", (), {"audio": audio}, {})
        assert [r.id for r in labelled(corpus, "audio", "dev")] == ["r1"]
