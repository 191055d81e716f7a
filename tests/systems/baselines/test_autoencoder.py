"""An autoencoder on data that lie on a line but for those that don't, and the second network that reads its error."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.errors import InputError
from emobed_tf.systems.baselines.autoencoder import Autoencoder
from emobed_tf.systems.registry import find_system
from emobed_tf.training.session import Session
from tests.systems.baselines.constructed import development_score, modality, problem, utterances
from tests.systems.baselines.test_reconstruction import on_a_line

pytestmark = pytest.mark.usefixtures("stack")


def shortly():
    given = on_a_line()
    return dataclasses.replace(given, config=given.config.replace(epochs=3))


def fitted(given, seed=0, session=None):
    found = Autoencoder()
    found.fit(dataclasses.replace(given, session=session or Session()), {}, seed)
    return found


class TestAutoencoder:
    def test_rebuilds_what_it_knows_and_not_what_it_does_not(self):
        given = on_a_line()
        known = given.recordings("dev")["audio"]
        rng = np.random.default_rng(1)
        deviation = np.nanstd(np.concatenate([r.features for r in known]), axis=0)
        strange = [
            Recording(f"x{k}", "dev", "x", (deviation * rng.normal(size=(1, 12))).astype(np.float32)) for k in range(40)
        ]
        found = fitted(given)
        inside, outside = (np.concatenate(found.difficulty(some)) for some in (known, strange))
        # All of a line is one number, which eight units hold; of noise in twelve dimensions they hold a part.
        assert np.median(inside) < 0.3
        assert np.median(outside) > 2 * np.median(inside)

    def test_reads_no_label(self):
        given = shortly()
        recordings = tuple(
            dataclasses.replace(r, labels={"arousal": -r.labels["arousal"]}) for r in given.modality.recordings
        )
        other = given.with_modality(dataclasses.replace(given.modality, recordings=recordings))
        first, second = (
            np.concatenate(fitted(one).difficulty(given.recordings("dev")["audio"])) for one in (given, other)
        )
        np.testing.assert_array_equal(first, second)

    def test_repeats_and_is_trained_once_in_a_session(self, monkeypatch):
        from emobed_tf.systems.baselines import autoencoder

        given, recordings = shortly(), shortly().recordings("dev")["audio"]
        began, train = [], autoencoder._trained
        monkeypatch.setattr(autoencoder, "_trained", lambda *a: (began.append(1), train(*a))[1])
        with Session() as session:
            first, again = (np.concatenate(fitted(given, 0, session).difficulty(recordings)) for _ in range(2))
            assert began == [1]
            other = np.concatenate(fitted(given, 1, session).difficulty(recordings))
        np.testing.assert_array_equal(first, again)
        assert (first != other).all()
        np.testing.assert_array_equal(first, np.concatenate(fitted(given).difficulty(recordings)))

    @pytest.mark.parametrize("sharing", ["head", "trunk"])
    def test_frames_of_other_lengths_and_missing_ones(self, sharing):
        rng, recordings = np.random.default_rng(0), []
        for name, frames in (("train_0", 9), ("train_1", 5), ("dev_0", 7), ("dev_1", 3)):
            features = rng.normal(size=(frames, 2)).astype(np.float32)
            features[1] = np.nan
            labels = {"arousal": np.zeros(frames, np.float32)}
            recordings.append(Recording(name, name.partition("_")[0], name, features, labels))
        given = problem(
            {"audio": modality("audio", recordings, 0.1)}, framework="classic", sharing=sharing, sequence_seconds=0.4
        )
        found = fitted(given).difficulty(recordings)
        assert [len(values) for values in found] == [9, 5, 7, 3]
        for values in found:
            assert np.isnan(values).tolist() == [k == 1 for k in range(len(values))]

    def test_no_development(self):
        given = shortly()
        training = dataclasses.replace(given.modality, recordings=given.modality.partition("train"))
        with pytest.raises(InputError, match="'audio': no recording in partition 'dev'"):
            fitted(given.with_modality(training))


class TestSecondNetwork:
    def test_wins_where_the_error_tells_the_label(self):
        """The label is how far an utterance lies from the plane on which most of them lie: its sign is lost, so no
        feature says it, and a network of two layers hardly."""
        rng, parts = np.random.default_rng(2), {}
        loadings = rng.normal(size=(2, 10))
        for partition in ("train", "dev"):
            far = rng.exponential(size=120)
            noise = rng.normal(size=(120, 10))
            noise *= (far / np.linalg.norm(noise, axis=1))[:, None]
            parts[partition] = ((rng.normal(size=(120, 2)) @ loadings * 2 + noise).astype(np.float32), far)
        given = problem({"audio": utterances("audio", parts)}, epochs=60, batch_size=20, learning_rate=0.01)
        scores, systems = {}, {name: find_system(name)() for name in ("classic", "mtl_re")}
        for name, system in systems.items():
            system.fit(given, {}, 0)
            scores[name] = development_score(system, given)
        assert scores["mtl_re"] > scores["classic"] + 0.1
        # A GRU of 8 over 10 features and of 6 over 8, 3u(f + u + 2); moments, output; an input more; then 10 outputs.
        second = 2 * 11 + 24 * (11 + 10) + 18 * (8 + 8) + 7
        assert systems["mtl_re"].parameters == 2 * 10 + 24 * (10 + 10) + 10 * 9 + second
