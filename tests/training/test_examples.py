"""A corpus as examples: further labels, weights and bins follow the label; what a goal takes from the data."""

import json
import shutil

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.extraction import Extraction
from emobed_tf.errors import InputError
from emobed_tf.models.design import EMOBED, Design, Head
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.multitask import with_training_label
from tests.gaps import paused, with_gaps
from tests.systems.baselines.constructed import modality, problem, utterances
from tests.training.test_loop import settings

pytestmark = pytest.mark.usefixtures("stack")


def examples(config, corpus, design=EMOBED):
    from emobed_tf.training.examples import training_examples

    return training_examples(config, corpus, design)


@pytest.fixture(scope="module")
def given(recola):
    from emobed_tf.corpora.configured import load_corpus

    return Problem(*load_corpus(settings(recola, framework="classic", label_delay=2.4, sequence_seconds=5.0)))


class TestDisagreement:
    def test_weights_follow_the_mined_frames(self, recola):
        """12 s in pieces of 5 s: 5, 5 and 2 s; one frame of 25 is mined in each second."""
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.streams import agreement

        config, corpus = load_corpus(settings(recola, disagreement="weighed", sequence_seconds=5.0))
        sequences = examples(config, corpus).sequences["audio"]
        assert sequences.mined_weights.shape == sequences.mined_classes.shape
        whole = agreement(corpus.modality("audio"), "arousal", 2.4)[0]
        assert len(np.unique(whole[::25])) > 5
        for piece, first in enumerate((0, 125, 250)):
            expected = whole[first : first + 125][::25]
            np.testing.assert_array_equal(sequences.mined_weights[piece, : len(expected)], expected)
        assert "mined_weights" not in examples(*load_corpus(settings(recola))).sequences["audio"].arrays()

    def test_classes_have_no_raters(self, tables):
        from emobed_tf.corpora.configured import load_corpus

        files = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
        config, corpus = load_corpus(settings(None, "tables", table=files, disagreement="weighed"))
        with pytest.raises(InputError, match="--disagreement weighed needs a regression"):
            examples(config, corpus)


def test_what_made_the_features_is_kept(tables, tmp_path):
    from emobed_tf.corpora.configured import load_corpus

    files = {name: shutil.copy(tables / f"{name}.csv", tmp_path) for name in ("audio", "face")}
    made = {"extractor": "logmel", "version": "1", "settings": {"bands": 40}, "licence": "for nobody"}
    (tmp_path / "audio.csv.json").write_text(json.dumps({**made, "sound": "mean of all channels"}))
    config, corpus = load_corpus(settings(None, "tables", table=tuple(f"{n}={path}" for n, path in files.items())))
    assert examples(config, corpus).facts.extraction == {"audio": Extraction(**made)}


class TestFurtherArrays:
    def test_labels_are_delayed_cut_and_padded_as_the_label_is(self, given):
        copied = with_training_label(given, "copy", lambda recording: recording.labels["arousal"])
        heads = {Head("copy"): 1.0, Head("input", 88, reconstructs=True): 1.0}
        sequences = examples(copied.config, copied.corpus, Design(heads=heads)).sequences["audio"]
        np.testing.assert_array_equal(sequences.more["copy"], sequences.labels)
        # Three recordings of 301 frames in pieces of 125; labels 60 frames earlier than they were.
        assert sequences.labels.shape == (9, 125)
        assert sequences.labels[0, 0] == given.modality.recordings[0].labels["arousal"][60]
        np.testing.assert_array_equal(sequences.more["present"], ~np.isnan(sequences.features))
        assert sequences.arrays().keys() >= {"features", "labels", "copy", "present"}

    def test_bins_of_utterances(self):
        rng = np.random.default_rng(0)
        parts = {p: (rng.normal(size=(6, 2)).astype(np.float32), np.arange(6) % 3) for p in ("train", "dev")}
        audio = utterances("audio", parts, task="classification")
        given = problem({"audio": audio}, "classification", classes=("a", "b", "c"), framework="classic")
        binned = with_training_label(given, "hard", lambda recording: np.float32(recording.id[-1] == "4"))
        more = examples(binned.config, binned.corpus, Design(easy_first="hard")).sequences["audio"].more
        assert more["bin"].tolist() == [0, 0, 0, 0, 1, 0]

    def test_none_where_none_are_asked_for(self, given):
        assert not examples(given.config, given.corpus).sequences["audio"].more


class TestBalancedRegression:
    """Bins of means, cut at the median of the target's labels.

    Its frames are twelve of -1, eleven of 1 and one of 5, so the median is 0. Of the auxiliary's own labels it is .5.
    """

    AUDIO = (*[[-1, -1]] * 5, [-1, -1, 5], [1] * 11, [np.nan, np.nan])  # bins 0 (five times), 1, 1, none
    FACE = ([0.2], [0.4], [0.6], [3], [5], [-0.1])  # bins 1 (five times) and 0

    def recordings(self, labels):
        """The number of a recording is its feature."""
        return [
            Recording(f"r{k}", "train", f"s{k}", np.full((len(v), 1), k, np.float32), {"arousal": np.float32(v)})
            for k, v in enumerate(labels)
        ]

    @pytest.mark.parametrize("framework", ["joint", "emobed"])  # without and with a triplet term
    def test_every_bin_counts_alike(self, framework):
        from emobed_tf.training.streams import batch_maker

        development = utterances("audio", {"dev": (np.zeros((4, 1), np.float32), np.arange(4))}).recordings
        audio = modality("audio", [*self.recordings(self.AUDIO), *development], 0.1)
        face = modality("face", self.recordings(self.FACE), 0.1)
        given = problem({"audio": audio, "face": face}, framework=framework, batches="balanced", bins=2, batch_size=6)
        drawn = {}
        for name, values in examples(given.config, given.corpus).sequences.items():
            batch = batch_maker(values, 6, seed=0)
            drawn[name] = np.array([batch(k)["features"][:, 0, 0] for k in range(10)], int)
        # Three classes in batches of six: two of the five, two of the two, and the one without a label twice.
        for batch in drawn["audio"]:
            assert [np.isin(batch, bin).sum() for bin in (range(5), (5, 6), 7)] == [2, 2, 2]
        # 20 of each class in ten batches.
        assert np.bincount(drawn["audio"].ravel()).tolist() == [4] * 5 + [10] * 2 + [20]
        for batch in drawn["face"]:
            assert [np.isin(batch, bin).sum() for bin in (range(5), 5)] == [3, 3]
        assert np.bincount(drawn["face"].ravel()).tolist() == [6] * 5 + [30]


class TestGoal:
    def test_deviations_are_constants_only_where_a_loss_is_scaled(self, given):
        """Else other data, in the folds of a cross-validation say, would be a reason to compile again."""
        heads = Design(heads={Head("valence"): 1.0})
        ccc = examples(given.config, given.corpus, heads).goal
        assert (ccc.deviation, dict(ccc.head_deviations)) == (1.0, {})
        found = examples(given.config.replace(regression_loss="mse"), given.corpus, heads)
        training = [r.labels for r in given.modality.partition("train")]

        def deviation(name):  # labels 60 frames earlier, the last one repeated
            return np.concatenate([np.append(r[name][60:], np.repeat(r[name][-1], 60)) for r in training]).std()

        assert found.goal.deviation == found.facts.deviation == pytest.approx(deviation("arousal"), rel=1e-5)
        assert found.goal.head_deviations == {"valence": pytest.approx(deviation("valence"), rel=1e-5)}

    def test_what_the_design_says(self, given):
        own = examples(given.config, given.corpus).goal
        assert (own.spread, own.easy_first) == (True, False)
        copied = with_training_label(given, "bins", lambda recording: recording.labels["arousal"])
        other = examples(copied.config, copied.corpus, Design(easy_first="bins")).goal
        assert (other.spread, other.easy_first) == (False, True)

    @pytest.mark.parametrize("bins", [2, 3])
    def test_alignment_has_classes_in_joint_training_too(self, given, bins):
        config = given.config.replace(framework="joint", beta=0.0, alignment="coral", bins=bins)
        found = examples(config, given.corpus)
        assert (found.goal.classes, len(found.facts.edges)) == (bins, bins - 1)
        classes = {int(c) for values in found.sequences.values() for c in np.unique(values.mined_classes)}
        assert classes - {-1} == set(range(bins))
        without = examples(given.config.replace(framework="joint", beta=0.0), given.corpus)
        assert (without.goal.classes, len(without.facts.edges)) == (0, 0)


class TestCheckLabels:
    def test_a_delay_beyond_the_recordings(self, given):
        with pytest.raises(InputError, match="modality 'audio': all training labels are"):
            examples(given.config.replace(label_delay=60.0), given.corpus)


class TestCheckSizes:
    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize("size", [1.1e15, 3e38])
    def test_a_column_that_is_too_large_is_named(self, given, size, sign):
        """The mean of such a one is more than a weight may be; and no learning rate would help."""
        from emobed_tf.training.examples import check_sizes

        modality = given.corpus.modality("audio")
        features = np.full((2, 5, len(modality.feature_names)), 1e15, np.float32)
        features[0, 3], features[1, 2, 4] = np.nan, -1e15
        check_sizes(modality, features)
        features[1, 1, 7] = sign * size
        expected = f"audio: {modality.feature_names[7]} reaches {size:.3g} in training".replace("+", "\\+")
        with pytest.raises(InputError, match=expected):
            check_sizes(modality, features)


class TestGaps:
    def test_deviations_and_edges_are_of_the_labels_that_there_are(self, given):
        corpus = with_gaps(given.corpus, paused)
        config = given.config.replace(regression_loss="mse", framework="triplet", auxiliary=())
        found = examples(config, corpus).facts
        training = [r.labels["arousal"] for r in corpus.modality("audio").partition("train")]
        every = np.concatenate([np.append(x[60:], np.repeat(x[-1], 60)) for x in training])
        assert found.deviation == pytest.approx(np.nanstd(every), rel=1e-5)
        assert found.edges == pytest.approx([np.nanmedian(every)], rel=1e-5)

    def test_another_heads_gaps_are_its_own(self, given):
        corpus = with_gaps(given.corpus, paused, "valence")
        sequences = examples(given.config, corpus, Design(heads={Head("valence"): 1.0})).sequences["audio"]
        assert sequences.labelled is None
        first = corpus.modality("audio").partition("train")[0].labels["valence"]
        np.testing.assert_array_equal(sequences.more["valence.labelled"][0], ~np.isnan(first[60:185]))
        assert np.isfinite(sequences.more["valence"]).all()

    def test_a_delay_that_leaves_none(self, given):
        corpus = with_gaps(given.corpus, lambda recording: np.arange(recording.frames) >= 60)
        with pytest.raises(
            InputError, match="modality 'audio': no training label is left after the label delay of 2.4"
        ):
            examples(given.config, corpus)


class TestOneLabelForEachRecording:
    """A dimension that is one number for a clip, with features of its frames: what differs is between the clips."""

    def labels(self, *values):
        return {"face": [np.full(20, value, np.float32) for value in values]}

    def test_is_something_to_learn(self):
        from emobed_tf.training.examples import check_labels

        check_labels(self.labels(1, 2), 1.0, self.labels(1, 2))
        check_labels(self.labels(1, 2), 0.0)

    def test_all_the_same_is_not(self):
        from emobed_tf.training.examples import check_labels

        with pytest.raises(InputError, match="all training labels are 3, so there is nothing to learn"):
            check_labels(self.labels(3, 3), 1.0, self.labels(3, 3))

    def test_changes_that_the_delay_has_left_nothing_of(self):
        from emobed_tf.training.examples import check_labels

        given = {"face": [np.linspace(0, value, 20, dtype=np.float32) for value in (1, 2)]}
        with pytest.raises(InputError, match="equal within each recording after the label delay of 2 s"):
            check_labels(self.labels(1, 2), 2.0, given)
