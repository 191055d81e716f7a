"""Comparison of two systems: the direction of every kind of evidence, and pairing by id."""

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("stack")

FACTS = {
    "corpus": "tables",
    "simulated": False,
    "target": "audio",
    "features": {},
    "delay": 0,
    "deviation": 1.0,
    "edges": (),
    "fingerprints": {},
}


def facts(task, classes=(), step=None):
    from emobed_tf.corpora.facts import Facts

    label = "emotion" if classes else "arousal"
    return Facts(**FACTS, task=task, label=label, classes=classes, frame_seconds={"audio": step})


def regression(noise, order=None, speakers=8, label_of=0.0):
    """Eight recordings of 50 frames, predicted with that much noise."""
    from emobed_tf.evaluation.scores import evaluate

    rng = np.random.default_rng(0)
    recordings, raw = [], []
    for k in range(speakers):
        gold = rng.normal(size=50)
        error = rng.normal(size=50)
        features = np.zeros((50, 1), np.float32)
        recordings.append(Recording(f"r{k}", "dev", f"s{k}", features, {"arousal": gold + label_of}))
        raw.append(gold + noise * error)
    order = range(speakers) if order is None else order
    return evaluate(
        "dev", [recordings[k] for k in order], [raw[k] for k in order], facts("regression", step=0.04), None
    )


def classification(right):
    """Twenty utterances of five speakers, two classes; the first `right` of every four are answered rightly."""
    from emobed_tf.evaluation.scores import evaluate

    recordings, raw = [], []
    for k in range(20):
        label = k % 2
        answer = label if k % 4 < right else 1 - label
        labels = {"emotion": np.int32(label)}
        recordings.append(Recording(f"u{k}", "dev", f"s{k // 4}", np.zeros((1, 1), np.float32), labels))
        raw.append(np.eye(2)[answer])
    return evaluate("dev", recordings, raw, facts("classification", ("a", "b")), None)


class TestCompare:
    def test_a_better_second_system(self):
        from emobed_tf.evaluation.evidence import compare

        found = compare(regression(1.0), regression(0.2), "ccc")
        assert found.second > found.first + 0.2
        # All eight recordings favour the second: one of 2^8 exchanges, and with its mirror image two of them.
        assert found.swap == 1 / 256
        assert found.swap_two_sided == 2 / 256
        assert found.published < 1e-6
        assert 0 < found.low < found.second - found.first < found.high

    def test_a_worse_second_system(self):
        from emobed_tf.evaluation.evidence import compare

        found = compare(regression(0.2), regression(1.0), "ccc")
        assert found.swap == 1
        assert found.published > 1 - 1e-6
        assert found.high < 0

    def test_classes(self):
        from emobed_tf.evaluation.evidence import compare

        # Shares of right answers 1/4 and 3/4 of 20; every one of five speakers gains as much: 1 of 32 exchanges.
        found = compare(classification(1), classification(3), "f1_micro")
        assert (found.first, found.second) == (0.25, 0.75)
        assert found.swap == 1 / 32
        # Pooled share 1/2: z = 0.5 / sqrt(1/4 * 2/20) = 3.162, one-tailed p = .00078.
        assert found.published == pytest.approx(0.00078, abs=5e-6)
        assert (found.low, found.high) == (0.5, 0.5)

    def test_recordings_are_paired_by_id(self):
        from emobed_tf.evaluation.evidence import compare

        order = [3, 1, 7, 0, 2, 5, 6, 4]
        assert compare(regression(1.0), regression(0.2, order), "ccc") == compare(
            regression(1.0), regression(0.2), "ccc"
        )

    def test_other_recordings_or_labels(self):
        from emobed_tf.evaluation.evidence import compare

        for other in (regression(0.2, speakers=7), regression(0.2, label_of=1.0)):
            with pytest.raises(InputError, match="different recordings or labels"):
                compare(regression(1.0), other, "ccc")

    def test_a_single_speaker_has_no_interval(self):
        from emobed_tf.evaluation.evidence import compare, interval

        found = compare(regression(1.0, speakers=1), regression(0.2, speakers=1), "ccc")
        assert (found.low, found.high) == (None, None)
        assert interval(regression(1.0, speakers=1), "ccc") is None
