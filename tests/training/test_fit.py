"""Epochs: the numbers of `keras.Model.fit`, and what callbacks are told."""

import numpy as np
import pytest

from emobed_tf.training.session import Session
from tests.tiny import settings
from tests.training.test_loop import assert_equal_weights

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


def listener(stop_at=None):
    """A callback that notes events, and the logs of epochs."""
    import keras

    class Notes(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.events, self.logs = [], []

        def on_train_begin(self, logs=None):
            self.events.append("train")

        def on_epoch_begin(self, epoch, logs=None):
            self.events.append(f"epoch {epoch}")

        def on_train_batch_end(self, batch, logs=None):
            self.events.append(f"batch {batch}")
            self.model.stop_training = len([e for e in self.events if e.startswith("batch")]) == stop_at

        def on_test_begin(self, logs=None):
            self.events.append("score")

        def on_epoch_end(self, epoch, logs=None):
            self.logs.append({name: float(value) for name, value in logs.items()})

        def on_train_end(self, logs=None):
            self.events.append("end")

    return Notes()


def prepared(folder, data_set, **changes):
    from emobed_tf.corpora.configured import load_corpus
    from emobed_tf.training.setup import prepare

    if data_set == "recola":
        config = settings(folder, **changes)
    else:
        named = tuple(f"{name}={folder / name}.csv" for name in ("audio", "face"))
        config = settings(None, "tables", table=named, target="audio", batch_size=16, **changes)
    return prepare(*load_corpus(config), session=Session())


@pytest.mark.parametrize("data_set", ["recola", "tables"])
def test_steps_and_scores_are_those_of_keras(data_set, request):
    """One setup trained by `keras.Model.fit`, with its validation batch by batch, and one by `fit`: the same bits."""
    import tensorflow as tf

    from emobed_tf.models.weights import weight_arrays
    from emobed_tf.training.fit import fit

    folder = request.getfixturevalue(data_set)
    theirs, ours, expected, found = prepared(folder, data_set), prepared(folder, data_set), listener(), listener()
    theirs.model.fit(
        theirs.batches(0, theirs.model.steps),
        steps_per_epoch=theirs.steps_per_epoch // theirs.model.steps,
        epochs=3,
        validation_data=tf.data.Dataset.from_tensor_slices(theirs.development),
        callbacks=[expected],
        shuffle=False,
        verbose=0,
    )
    fit(ours, [found], first=0, epochs=3)
    assert found.logs == expected.logs
    assert found.events == expected.events
    assert_equal_weights(weight_arrays(theirs.model), weight_arrays(ours.model))


def test_an_epoch_has_its_steps_and_ends_with_a_score(recola):
    from emobed_tf.training.fit import fit

    setup, told = prepared(recola, "recola", steps_per_epoch=2), listener()
    fit(setup, [told], first=1, epochs=3)
    epochs = [["epoch 1", "batch 0", "batch 1", "score"], ["epoch 2", "batch 0", "batch 1", "score"]]
    assert told.events == ["train", *epochs[0], *epochs[1], "end"]
    assert int(setup.model.optimizer.iterations) == 4
    assert np.isfinite(told.logs[-1]["val_ccc"])


def test_stops_where_a_callback_says_so(recola):
    from emobed_tf.training.fit import fit

    setup, told = prepared(recola, "recola", steps_per_epoch=3), listener(stop_at=2)
    fit(setup, [told], first=0, epochs=5)
    assert told.events == ["train", "epoch 0", "batch 0", "batch 1", "score", "end"]
