"""Epochs: steps, then a development score; callbacks are told as Keras tells them."""

from collections.abc import Sequence

import keras

from emobed_tf.training.setup import Setup


def fit(setup: Setup, callbacks: Sequence[keras.callbacks.Callback], *, first: int, epochs: int) -> None:
    """Trains, and scores after each epoch: `keras.Model.fit` without what it prepares for every score.

    An epoch of few steps is over before `fit` has made the iterator of its validation.

    Args:
        setup: model and data; steps and scores are those of `keras.Model.fit`, bit for bit.
        callbacks: told in this order. Those after the first find what it added to an epoch's logs. `on_test_begin` and
            `on_test_end` stand around a score; there are no batches between them.
        first: epochs that were done before.
        epochs: that will have been done at the end, unless a callback sets `model.stop_training`.
    """
    model = setup.model
    calls = setup.steps_per_epoch // model.steps
    listeners = keras.callbacks.CallbackList(list(callbacks), model=model, epochs=epochs, steps=calls, verbose=0)
    batches = iter(setup.batches(first * setup.steps_per_epoch, model.steps))
    model.make_train_function()
    model.stop_training = False
    listeners.on_train_begin()
    logs = {}
    for epoch in range(first, epochs):
        model.reset_metrics()
        listeners.on_epoch_begin(epoch)
        for call in range(calls):
            listeners.on_train_batch_begin(call)
            logs = model.train_function(batches)
            listeners.on_train_batch_end(call, logs)
            if model.stop_training:
                break
        listeners.on_test_begin()
        score = model.development_score(setup.development)
        listeners.on_test_end({model.score.name: score})
        logs = {**logs, f"val_{model.score.name}": score}
        listeners.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    listeners.on_train_end(logs)
