"""The trainings of this package as a `keras_tuner.HyperModel`."""

from collections.abc import Sequence

import keras
import keras_tuner

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.models.emobed import EmoBed
from emobed_tf.training.loop import lessons_for, train
from emobed_tf.training.session import Session
from emobed_tf.training.setup import prepare
from tuning.space import Space

EPOCHS = "tuner/epochs"  # what Hyperband sets


class EmoBedHyperModel(keras_tuner.HyperModel):
    """Builds and trains by the values of a trial; for any tuner of KerasTuner.

    Trainings of the same shape share one compiled step, also between trials.

    Args:
        config: the ground, resolved, from `load_corpus`.
        corpus: from `load_corpus`; its test partition is never looked at.
        space: what is searched.
        session: that trains. Default: that of this process.
    """

    def __init__(self, config: Config, corpus: Corpus, space: Space, session: Session | None = None):
        super().__init__(name="emobed")
        self.config, self.corpus, self.space, self.session = config, corpus, space, session

    @property
    def score(self) -> str:
        """Name of the score: `val_ccc`, or `val_` and an F1."""
        return f"val_{'ccc' if self.corpus.task == REGRESSION else self.config.classification_score}"

    @property
    def objective(self) -> keras_tuner.Objective:
        """Best development score of the target, the label delay undone: to be maximised."""
        return keras_tuner.Objective(self.score, "max")

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares what is searched; the defaults are the settings as they stand.

        Args:
            hp: where to declare.
        """
        self.space.declare(hp, self.config)

    def settings(self, hp: keras_tuner.HyperParameters) -> Config:
        """The configuration of a trial.

        Args:
            hp: of the trial. Hyperband's number of epochs is taken from it, too.

        Returns:
            Resolved, as the ground is.
        """
        config = self.space.settings(self.config, hp.values)
        return config.replace(epochs=int(hp.values[EPOCHS])) if EPOCHS in hp.values else config

    def build(self, hp: keras_tuner.HyperParameters) -> EmoBed:
        """The compiled model of a trial, with initial weights.

        Args:
            hp: of the trial; what is searched is declared in it.

        Returns:
            With the trial's layers and units; nothing is trained yet.

        Raises:
            InputError: for data that nothing can be learnt from.
        """
        self.declare_hyperparameters(hp)
        config = self.settings(hp)
        lessons = lessons_for(config, self.corpus, session=self.session)
        setup = prepare(config, self.corpus, session=self.session, lessons=lessons)
        setup.leave()  # `fit` takes it from there
        return setup.model

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: EmoBed | None = None,
        *,
        seed: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int | str = 0,
        epochs: int | None = None,
        initial_epoch: int = 0,
    ) -> dict[str, float]:
        """Trains a trial from scratch.

        A training is a function of its settings, so one that Hyperband continues to `tuner/epochs` has the weights
        that it would have had if it had gone on; no trial needs another one's files.

        Args:
            hp: of the trial.
            model: from `build`, or None: `train` finds it by its shape.
            seed: of initial weights and batches. Default: the configuration's.
            callbacks: further Keras callbacks.
            verbose: what KerasTuner's tuners hand on; nothing is printed here.
            epochs: what Hyperband hands on beside `tuner/epochs`; the latter counts.
            initial_epoch: the same.

        Returns:
            The score, `epochs`, `best_epoch`, `seconds`, and `parameters` that are kept.

        Raises:
            DivergedError: for a loss that became NaN or infinite.
        """
        config = self.settings(hp)
        if seed is not None:
            config = config.replace(seed=seed)
        trained = train(config, self.corpus, callbacks=callbacks, session=self.session)
        return {
            self.score: float(trained.score),
            "epochs": len(trained.history),
            "best_epoch": trained.best_epoch,
            "seconds": round(trained.seconds, 3),
            "parameters": trained.parameters["kept"],
        }
