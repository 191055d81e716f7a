"""Columns that are probably no features."""

import warnings

import numpy as np
import pytest
from scipy import stats

from emobed_tf.corpora.corpus import Recording, Target
from emobed_tf.corpora.suspects import by_name, counters, matches, suspects_in, telling, warn_of, warn_of_segments
from emobed_tf.errors import EmoBedWarning


class TestNames:
    @pytest.mark.parametrize(
        "name",
        ["index", "level_0", "frame", "face_id", "success", "confidence", "start", "end", "segment_id", "timestamp"]
        + [
            "frameTime",
            "speaker_id",
            "SpeakerAge",
            "gender",
            "Gender_male",
            "age",
            "subjectAge",
            "dominance",
            "liking",
        ],
    )
    def test_beside_features(self, name):
        assert by_name(name)

    @pytest.mark.parametrize(
        "name",
        ["F0_amean", "average", "pose_Rx", "AU01_r", "image_12", "percentage", "f1", "0"],
    )
    def test_features(self, name):
        assert by_name(name) is None

    def test_patterns(self):
        assert matches("pose_Rx", ["AU*", "pose_*"])
        assert not matches("pose_Rx", ["pose"])
        assert not matches("pose_rx", ["pose_R?"])  # in the same letters
        assert matches("mfcc[1]", ["mfcc[1]"])  # by its name, though it is a pattern, too
        assert matches("(x|y)?", ["(x|y)?"])


class TestTelling:
    """Against scipy, which knows neither formula's shortcut."""

    @staticmethod
    def eta_squared(values, labels):
        groups = [values[labels == label] for label in np.unique(labels)]
        f = stats.f_oneway(*groups).statistic
        between, within = len(groups) - 1, len(values) - len(groups)
        return f * between / (f * between + within)

    @pytest.mark.parametrize("gaps", [0.0, 0.3])
    def test_of_classes(self, gaps):
        rng = np.random.default_rng(0)
        labels = rng.integers(0, 3, 90)
        features = labels[:, None] + rng.normal(scale=(0.02, 0.05, 0.1, 0.5), size=(90, 4))
        features[rng.random(features.shape) < gaps] = np.nan
        found = telling(features.astype(np.float32), labels, 3)
        for column, share in enumerate(found):
            known = ~np.isnan(features[:, column])
            expected = self.eta_squared(features[known, column], labels[known])
            assert share == pytest.approx(expected if expected > 0.95 else 0, abs=1e-5)
        assert (found > 0).tolist() == [True, True, True, False]

    @pytest.mark.parametrize("gaps", [0.0, 0.3])
    def test_of_numbers(self, gaps):
        rng = np.random.default_rng(1)
        labels = rng.normal(size=90) + 1000
        features = -3 * labels[:, None] + rng.normal(scale=(0.05, 0.4, 3), size=(90, 3))
        features[rng.random(features.shape) < gaps] = np.nan
        found = telling(features, labels, 0)
        for column, share in enumerate(found):
            known = ~np.isnan(features[:, column])
            expected = stats.pearsonr(features[known, column], labels[known]).statistic ** 2
            assert share == pytest.approx(expected if expected > 0.95 else 0, abs=1e-9)
        assert (found > 0).tolist() == [True, True, False]

    @pytest.mark.parametrize(("rows", "columns"), [(10, 20), (12, 88), (12, 6373), (20, 6373), (200, 2000)])
    def test_no_random_feature_is_suspected(self, rows, columns):
        for seed in range(8):
            rng = np.random.default_rng(seed)
            features = rng.normal(size=(rows, columns)).astype(np.float32)
            for classes in (2, 7):
                assert not telling(features, rng.integers(0, classes, rows), classes).any()
            assert not telling(features, rng.normal(size=rows), 0).any()

    def test_nothing_to_say(self):
        labels = np.arange(20) % 2
        constant, missing = np.ones(20), np.full(20, np.nan)
        few = np.where(np.arange(20) < 3, labels, np.nan)
        features = np.stack([constant, missing, few], axis=1)
        assert not telling(features, labels, 2).any()
        assert not telling(features, labels.astype(float), 0).any()
        assert not telling(labels[:9, None].astype(float), labels[:9], 2).any()  # too few rows

    def test_great_values(self):
        features = np.float32([[3e38, -3e38]] * 10 + [[-3e38, -3e38]] * 10)
        labels = np.arange(20) // 10
        with np.errstate(all="raise"):
            np.testing.assert_allclose(telling(features, labels, 2), [1, 0])


class TestCounters:
    def test_of_the_table(self):
        rng = np.random.default_rng(0)
        count = np.arange(30) + 1000
        columns = [count, rng.permutation(count), -count, count * 1.5, rng.normal(size=30), np.ones(30), count // 2]
        features = np.stack(columns, axis=1).astype(np.float32)
        assert counters(list(features[:, None])).tolist() == [True, True, True, False, False, False, False]
        some = features[np.sort(rng.choice(30, 26, replace=False))]  # rows are taken out
        assert counters([some]).tolist()[:3] == [True, True, True]
        features[3, 0] = np.nan
        assert counters([features]).tolist()[:2] == [False, True]

    def test_of_each_recording(self):
        frames = [np.arange(12, dtype=np.float32), np.arange(20, dtype=np.float32)]
        assert counters([frame[:, None] for frame in frames]).tolist() == [True]
        assert counters([frames[0][:, None], frames[1][:, None] * 2.5]).tolist() == [False]

    def test_too_few_rows_to_tell(self):
        assert counters([np.arange(9, dtype=np.float32)[:, None]]).tolist() == [False]


class TestAltogether:
    LABELS = tuple(range(2)) * 10

    def recordings(self, columns):
        features = np.stack(columns, axis=1).astype(np.float32)
        return [
            Recording(
                str(k), ("train", "dev")[k >= 14], "s", features[k : k + 1], {"emotion": np.array(label, np.int32)}
            )
            for k, label in enumerate(self.LABELS)
        ]

    def test_reasons(self):
        rng = np.random.default_rng(0)
        noise = rng.normal(size=20)
        names = ("Joy", "count", "code", "f")
        recordings = self.recordings([noise, np.arange(20), np.array(self.LABELS) * 3.0, rng.normal(size=20)])
        target = Target("classification", "emotion", ("anger", "joy"))
        found = suspects_in(names, recordings, target, ())
        assert found == {
            "Joy": "named after a class",
            "count": "counts rows",
            "code": "predicts the label on its own",
        }
        assert suspects_in(names, recordings, target, ("c*", "Joy")) == {}

    def test_only_training_tells(self):
        """Whether a feature goes must not depend on the labels of development and test."""
        labels = np.array(self.LABELS, float)
        labels[:14] = np.random.default_rng(0).permutation(labels[:14])
        labels[:2] = 1 - labels[:2]
        target = Target("classification", "emotion", ("anger", "joy"))
        assert suspects_in(("f",), self.recordings([labels]), target, ()) == {}

    def test_warning(self):
        with pytest.warns(EmoBedWarning) as caught:
            warn_of("face", {"speaker_id": "says who", "age": "says who", "n": "counts rows"})
        message = str(caught[0].message)
        assert "'face': 3 columns are left out" in message
        assert "speaker_id, age (says who); n (counts rows)" in message
        for flag in ("--ignore speaker_id", "--keep speaker_id", "--column speaker_id=speaker", "take patterns"):
            assert flag in message
        with pytest.warns(EmoBedWarning) as caught:
            warn_of("face", {"n": "counts rows"})
        assert "patterns" not in str(caught[0].message)
        warn_of("face", {})


class TestSegments:
    def test_they_are_named_and_trained_on(self):
        names = ("duration", "Onset_s", "n_frames", "clip_length", "F0", "VoicedSegmentLengthSec", "spectralOnset2")
        with pytest.warns(EmoBedWarning, match=r": duration, Onset_s, n_frames, clip_length\. --ignore dur"):
            warn_of_segments("audio", names, ())

    def test_nothing_to_say(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warn_of_segments("audio", ("duration", "offset"), ("dur*", "offset"))
            warn_of_segments("audio", ("loudness", "durations_of_vowels"), ())
