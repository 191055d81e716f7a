"""SVR + offset: linear support vector regression of single frames, with the annotation delay searched.

Source: M. Valstar et al., "AVEC 2016: Depression, mood, and emotion recognition workshop and challenge", 2016:
liblinear's L2-regularised L2-loss support vector regression on standardised features, complexity between 1e-5 and 1,
delay from 0 to 8 s by 0.4 s, and the post-processing chain with median filters of up to 500 frames (20 s), all chosen
on development.

The source tries every pair of complexity and delay, and so does this system, whatever the number of configurations of
the others. At RECOLA's size (67,500 frames) one of the 126 fits takes 1 to 3 s with 88 features, 4 to 9 s with 168, and
25 to 50 s with 632 on one core, so all of them take from a few minutes to an hour and a half. With one configuration it
is the default, as everywhere; utterances have no delay, and search as many complexities as other systems have
configurations.

The source leaves the other windows open: six more between those of EmoBed, section 4.2, and 20 s. All labelled frames
are used. liblinear solves the primal problem where there are more frames than features: the same solution, faster.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.labels import known
from emobed_tf.corpora.time import frames_of, shift
from emobed_tf.errors import InputError
from emobed_tf.evaluation.postprocessing import WINDOWS
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.baselines.rows import Rows, frames
from emobed_tf.systems.spread import Choice, Range, spread

COMPLEXITY = Range(1e-5, 1.0, logarithmic=True)
COMPLEXITIES = Choice((1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0))
DELAYS = Choice(tuple(round(0.4 * step, 1) for step in range(21)))

_ROUNDS = 10_000  # of liblinear, where 1,000 end before it has converged


class SupportVectorRegression(System):
    """Linear support vector regression; settings `complexity` and, where there is time, `delay` in seconds."""

    title = "SVR + offset"
    tasks = (REGRESSION,)
    windows = (*WINDOWS, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0)

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings `complexity` and, where there is time, `delay`: then every pair of them.

        Args:
            problem: what they are for.
            number: 1: the default alone; else of utterances so many, of frames all pairs.

        Returns:
            Different ones, the default first.
        """
        default = {"complexity": 1e-3}
        if problem.modality.frame_seconds is None:
            return spread({"complexity": COMPLEXITY}, default, number)
        default["delay"] = problem.config.data.label_delay
        pairs = itertools.product(COMPLEXITIES.values, DELAYS.values)
        grid = [{"complexity": complexity, "delay": delay} for complexity, delay in pairs]
        return [default, *(settings for settings in grid if settings != default)] if number > 1 else [default]

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Fits the regression to all standardised frames that have a label, labels shifted by the delay.

        Args:
            problem: without test recordings.
            settings: one of `configurations`.
            seed: of all that is random.

        Raises:
            InputError: if the delay leaves no label.
        """
        from sklearn.svm import LinearSVR

        from emobed_tf.training.streams import training_labels

        modality, delay = problem.modality, settings.get("delay", 0.0)
        recordings = modality.partition("train")
        labels = np.concatenate([np.ravel(label) for label in training_labels(modality, problem.label, delay)])
        if not known(labels).any():
            raise InputError(f"modality '{modality.name}': no training label is left after a delay of {delay:g} s")
        self.target = problem.target
        self.shift = frames_of(delay, modality.frame_seconds) if modality.frame_seconds else 0
        self.rows = Rows(frames(recordings), problem.config.data.clip)
        self.model = LinearSVR(
            loss="squared_epsilon_insensitive",
            epsilon=0.1,
            C=settings["complexity"],
            dual="auto",
            max_iter=_ROUNDS,
            random_state=seed,
        )
        self.model.fit(self.rows(frames(recordings)[known(labels)]), labels[known(labels)])

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """Values of every frame, float64 `[frames]`, the delay undone; see `System.predict`."""
        found = (self.model.predict(self.rows(recording.features)) for recording in recordings[self.target])
        return [shift(values, self.shift) for values in found]

    @property
    def parameters(self) -> int:
        """A weight for each feature, and the intercept."""
        return self.model.coef_.size + 1
