"""Training on TensorFlow: ours as `train_run` does it, stock Keras, and the rate of large matrix products."""

import dataclasses
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import data
from tests.benchmarks.worker import Driver, resident

LARGE_PRODUCT = 2048
_FOR_EVER = 1_000_000  # epochs: until the driver has enough


def corpus_and_config(arguments: dict[str, Any]):
    """The data of a size, and the preset's configuration for them, resolved.

    Args:
        arguments: `dataset`, `threads`, `features` by modality, and `frames` (recola) or `utterances` (omg);
            `epochs` of a repeat, 1 if absent.
    """
    from emobed_tf.config import preset

    target, *auxiliaries = features = arguments["features"]
    config = preset(arguments["dataset"])
    if arguments["dataset"] == "recola":
        corpus = data.framewise(features, arguments["frames"], recordings=config.training.batch_size)
    else:
        corpus = data.utterances(features, arguments["utterances"])
    # Steps are measured and nothing else: no epoch looks at gradients, and none is the last.
    changes = {"epochs": _FOR_EVER, "patience": 0, "diagnostics": 0, "threads": arguments["threads"]}
    config = config.replace(target=target, auxiliary=tuple(auxiliaries), task=corpus.task, **changes)
    return corpus, config.check()


def ours(driver: Driver) -> None:
    """`train_run` with defaults."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    from emobed_tf.training.loop import train_run

    corpus, config = corpus_and_config(driver.arguments)
    before = resident()
    with tempfile.TemporaryDirectory() as folder:
        train_run(config, Path(folder) / "run", corpus=corpus, callbacks=[_paced(driver, before)])


def reference(driver: Driver) -> None:
    """Our initial weights and a batch in a file, features standardised; and loss and gradient of it."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    import numpy as np

    from emobed_tf.models.weights import weight_arrays
    from emobed_tf.training.setup import prepare

    corpus, config = corpus_and_config(driver.arguments)
    setup = prepare(config, corpus)
    arrays = {f"weights/{name}": values for name, values in weight_arrays(setup.model).items()}
    for name, batch in next(iter(setup.batches())).items():
        arrays |= {f"batch/{name}/{key}": value.numpy() for key, value in batch.items()}
    np.savez(driver.arguments["file"], **arrays)
    facts = {name: getattr(config.objective, name) for name in ("alpha", "beta", "l2")}
    facts |= {"target": config.data.target, "task": corpus.task, "rate": config.training.learning_rate}
    facts["strides"] = {name: sequences.stride for name, sequences in setup.sequences.items()}
    driver.answer(
        computes=_loss_and_gradient(setup),
        facts=facts,
        steps=setup.steps_per_epoch,
        repeated=setup.steps_per_epoch * driver.arguments.get("epochs", 1),
        batch=arrays[f"batch/{config.data.target}/mask"].shape,
        network=dataclasses.asdict(config.network),
        outputs=setup.facts.outputs,
    )


def stock(driver: Driver) -> None:
    """The same network of stock GRU layers, fitted as a user of stock Keras would."""
    corpus, config = corpus_and_config(driver.arguments)
    del os.environ["TF_ENABLE_ONEDNN_OPTS"]  # set by our package; stock Keras has TensorFlow's default
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(config.training.threads)
    tf.config.threading.set_inter_op_parallelism_threads(config.training.threads)
    from emobed_tf.training.setup import prepare

    before = resident()
    setup = prepare(config.replace(fused=False), corpus)
    optimizer = keras.optimizers.Adam(config.training.learning_rate)
    xla, at_once = driver.arguments["xla"], driver.arguments["steps_at_once"]
    goal, objective = setup.model.goal, config.objective
    setup.model.compile(optimizer, goal=goal, objective=objective, jit_compile=xla, steps_per_execution=at_once)
    callbacks = [_paced(driver, before, computes=_loss_and_gradient(setup, xla))]
    steps = setup.steps_per_epoch
    setup.model.fit(
        setup.batches(), steps_per_epoch=steps, epochs=_FOR_EVER, callbacks=callbacks, shuffle=False, verbose=0
    )


def product(driver: Driver) -> None:
    """One product of two large float32 matrices."""
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    import tensorflow as tf

    a = tf.random.stateless_normal([LARGE_PRODUCT, LARGE_PRODUCT], seed=(0, 0))
    multiply = tf.function(tf.matmul).get_concrete_function(a, a)

    def repeat() -> None:
        multiply(a, a).numpy()

    driver.serve(repeat)


def _loss_and_gradient(setup, xla: bool = False) -> list[float]:
    """Eq. 8 of the first batch, and the Euclidean norm of its gradient."""
    import tensorflow as tf

    model = setup.model

    @tf.function(jit_compile=xla)
    def compute(batch):
        with tf.GradientTape() as tape:
            loss = model.weigh(model.forward(batch)[0])
        return loss, tf.linalg.global_norm(tape.gradient(loss, model.trainable_variables))

    return [float(value) for value in compute(next(iter(setup.batches())))]


def _paced(driver: Driver, before: int, **ready: Any):
    """A callback that lets epochs begin when the driver asks, and answers how long one of their steps took.

    What happens between the steps of two epochs is not counted.
    """
    import keras

    epochs = driver.arguments.get("epochs", 1)

    class Paced(keras.callbacks.Callback):
        done, seconds, counting = 0, 0.0, False

        def on_train_begin(self, logs=None):
            driver.answer(before=before, **ready)

        def on_epoch_begin(self, epoch, logs=None):
            if self.done == epochs:  # only now: until here the process was busy with the end of the epoch
                driver.answer(seconds=self.seconds / (epochs * self.params["steps"] * self.model.steps))
                self.done, self.seconds = 0, 0.0
            if self.done == 0:
                driver.wait()
            self.counting, self.started = True, time.perf_counter()

        def on_test_begin(self, logs=None):
            self._steps_are_done()

        def on_epoch_end(self, epoch, logs=None):
            self._steps_are_done()

        def _steps_are_done(self):
            if self.counting:
                self.seconds += time.perf_counter() - self.started
                self.done, self.counting = self.done + 1, False

    return Paced()


if __name__ == "__main__":
    _driver = Driver()
    {"ours": ours, "reference": reference, "stock": stock, "product": product}[_driver.arguments["what"]](_driver)
