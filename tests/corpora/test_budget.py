"""Steps of an epoch: counted by hand, and the sequences that training makes."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.corpora.budget import (
    epoch_in_words,
    largest_items,
    steps_of_epoch,
    steps_per_epoch,
    training_items,
    with_steps,
    without_auxiliaries,
)
from emobed_tf.corpora.configured import resolved
from emobed_tf.corpora.corpus import Corpus, Modality, Recording


def modality(name, train, frames=1, step=None, dev=2):
    def recording(partition, k):
        values = np.full((frames, 1), k, np.float32)
        label = {"arousal": np.linspace(0, k, frames, dtype=np.float32)} if step else {"label": np.int32(k % 2)}
        return Recording(f"{partition}{k}", partition, f"s{k}", values, label)

    recordings = [recording("train", k) for k in range(train)] + [recording("dev", k) for k in range(dev)]
    return Modality(name, ("x",), tuple(recordings), step, "tables")


def utterances(**train):
    modalities = {name: modality(name, number) for name, number in train.items()}
    return Corpus("tables", "classification", "label", ("a", "b"), modalities, {}, False)


def config(corpus, **changes):
    changes = {"target": "audio", "batch_size": 64, **changes}
    return resolved(preset("tables").replace(**changes), corpus)


SMALL = utterances(audio=24, face=3000, text=700)


class TestItems:
    def test_recordings_or_their_pieces(self):
        # 10 frames of .5 s in pieces of 2 s, 4 frames: 4 + 4 + 2.
        series = modality("audio", 3, frames=10, step=0.5)
        assert training_items(series, "regression", None) == 3
        assert training_items(series, "regression", 2.0) == 9
        assert training_items(modality("audio", 3), "regression", 2.0) == 3
        assert training_items(modality("audio", 3), "classification", 2.0) == 3

    @pytest.mark.usefixtures("stack")
    @pytest.mark.parametrize("seconds", [None, 0.5, 2.0, 60.0])
    def test_those_that_training_makes(self, seconds):
        from emobed_tf.training.streams import training_labels, training_sequences

        series = modality("audio", 3, frames=10, step=0.5)
        labels = training_labels(series, "arousal", 0.0)
        made = training_sequences(series, labels, task="regression", edges=np.array([1.0]), hop=1.0, seconds=seconds)
        assert training_items(series, "regression", seconds) == len(made)


class TestSteps:
    def test_of_so_many_items(self):
        training = preset("tables").replace(batch_size=64).training
        assert [steps_of_epoch(training, n) for n in (0, 1, 64, 65, 3000)] == [1, 1, 1, 2, 47]

    def test_the_largest_modality_or_the_target(self):
        # 3000 / 64 = 46.9; 24 are one batch of 24.
        assert steps_per_epoch(config(SMALL), SMALL) == 47
        assert steps_per_epoch(config(SMALL, epoch="target"), SMALL) == 1
        assert steps_per_epoch(config(SMALL, target="face", epoch="target"), SMALL) == 47
        assert steps_per_epoch(config(SMALL, auxiliary=("text",)), SMALL) == 11
        assert steps_per_epoch(config(SMALL, steps_per_epoch=5), SMALL) == 5
        assert largest_items(config(SMALL), SMALL, ["audio", "text"]) == 700

    def test_classic_counts_the_auxiliaries_that_it_leaves_out(self):
        classic = config(SMALL, framework="classic")
        assert classic.data.auxiliary == ()
        assert steps_per_epoch(classic, SMALL) == 47
        assert resolved(classic, SMALL) == classic
        assert steps_per_epoch(config(SMALL, framework="classic", auxiliary=()), SMALL) == 1
        assert steps_per_epoch(config(SMALL, framework="classic", epoch="target"), SMALL) == 1
        assert config(SMALL, framework="classic", target="face").training.steps_per_epoch is None, "its own are 47"

    def test_a_number_stays_when_modalities_change(self):
        fixed = with_steps(config(SMALL), SMALL)
        assert fixed.training.steps_per_epoch == 47
        assert steps_per_epoch(fixed.replace(target="text", auxiliary=()), SMALL) == 47
        of_target = config(SMALL, epoch="target")
        assert with_steps(of_target, SMALL) == of_target
        alone = without_auxiliaries(config(SMALL), SMALL)
        assert (alone.data.auxiliary, alone.training.steps_per_epoch) == ((), 47)
        alone = without_auxiliaries(config(SMALL, target="face"), SMALL)
        assert (alone.data.auxiliary, alone.training.steps_per_epoch) == ((), None)

    def test_in_words(self):
        found = epoch_in_words(config(SMALL), SMALL)
        assert found == "47 steps, one pass over face, the largest modality (3,000 sequences in batches of 64)"
        alike = dataclasses.replace(SMALL, modalities={"audio": SMALL.modality("audio")})
        found = epoch_in_words(config(alike, framework="classic"), alike)
        assert found == "1 step, one pass over audio (24 sequences in one batch)"
        assert epoch_in_words(config(SMALL, steps_per_epoch=5), SMALL) == "5 steps, by --steps-per-epoch"
        found = epoch_in_words(config(SMALL, framework="classic"), SMALL)
        assert found == "47 steps, by --steps-per-epoch or the auxiliaries that classic leaves out"
