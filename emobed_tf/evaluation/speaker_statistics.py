"""What adds up to a system's scores, by speaker and seed: the ground of every interval and every test.

A speaker is a unit of evidence: tests exchange speakers, and the bootstrap draws them. Seeds are no units, so a
speaker's statistics of all seeds stay together, and a system's score is the mean of its seeds' scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import confusion_by_unit, moments_by_recording
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.evaluation.scores import Evaluated
from emobed_tf.evaluation.significance import ScoreFunction, bootstrap_interval


@dataclass(frozen=True)
class Summary:
    """A score of a system.

    Attributes:
        values: of each seed.
        low: lower end of the bootstrap's 95 % interval of the mean over seeds, speakers drawn; None with one speaker.
        high: its upper end.
    """

    values: tuple[float, ...]
    low: float | None
    high: float | None

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float:
        """Standard deviation over seeds (n - 1); 0 for one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0


@dataclass(frozen=True, eq=False)
class SpeakerStatistics:
    """A system's predictions of some recordings, as sums by speaker and seed.

    Attributes:
        speakers: whose recordings were predicted.
        seeds: of the trainings that predicted them; a single run has one.
        sums: float64 `[speakers, seeds, 6]`, moments of the concordance about one centre (see `metrics.moments`), or
            `[speakers, seeds, classes, classes]`, confusion matrices.
        count: number of frames or utterances that were scored, of all speakers and one seed.
    """

    speakers: tuple[str, ...]
    seeds: tuple[int, ...]
    sums: np.ndarray
    count: int

    def of_seeds(self, seeds: Sequence[int]) -> "SpeakerStatistics":
        """The same of some seeds, in that order.

        Args:
            seeds: some of `seeds`.

        Returns:
            With `seeds` as given.
        """
        if tuple(seeds) == self.seeds:
            return self
        places = [self.seeds.index(seed) for seed in seeds]
        return SpeakerStatistics(self.speakers, tuple(seeds), self.sums[:, places], self.count)

    def scores(self, score: str) -> np.ndarray:
        """The score of all recordings together, float64 `[seeds]`.

        Args:
            score: one that has intervals, see `score_table.SCORES`.

        Returns:
            In the order of `seeds`.
        """
        return _function(score)(self.sums.sum(axis=0))

    def by_speaker(self, score: str) -> np.ndarray:
        """Each speaker's own score, the mean over seeds, float64 `[speakers]`.

        Args:
            score: one that has intervals, see `score_table.SCORES`.

        Returns:
            In the order of `speakers`.
        """
        return _function(score)(self.sums).mean(axis=1)

    def summary(self, score: str) -> Summary:
        """The score of each seed, and the interval of their mean.

        Args:
            score: one that has intervals, see `score_table.SCORES`.

        Returns:
            With an interval if there are several speakers.
        """
        found = bootstrap_interval(mean_over_seeds(score), self.sums) if len(self.speakers) > 1 else None
        values = tuple(map(float, self.scores(score)))
        return Summary(values, found.low if found else None, found.high if found else None)


def mean_over_seeds(score: str) -> ScoreFunction:
    """The function of sums `[..., seeds, *statistics]` that is the mean of a score over seeds, `[...]`.

    Args:
        score: one that has intervals, see `score_table.SCORES`.

    Returns:
        A function as `significance` takes them.
    """
    function = _function(score)
    return lambda sums: function(sums).mean(axis=-1)


def statistics_of(evaluated: Evaluated) -> SpeakerStatistics:
    """The statistics of a single system's outputs, speakers in the order of their names. Its seed is called 0.

    Args:
        evaluated: a system's outputs. Moments are about the mean of its gold standards.

    Returns:
        By speaker, with one seed.
    """
    speakers, unit = np.unique(evaluated.speakers, return_inverse=True)
    if evaluated.confusion is None:
        by_recording = moments_by_recording(*evaluated.scored)
        sums = np.zeros((len(speakers), by_recording.shape[1]))
        np.add.at(sums, unit, by_recording)
    else:
        decided = np.array([int(np.argmax(values)) for values in evaluated.raw])
        labels = np.array([int(label) for label in evaluated.labels])
        sums = confusion_by_unit(labels, decided, unit, evaluated.confusion.shape[0])
    return SpeakerStatistics(tuple(speakers.tolist()), (0,), sums[:, None], evaluated.frames)


def joined_seeds(parts: Sequence[SpeakerStatistics], seeds: Sequence[int]) -> SpeakerStatistics:
    """Statistics of several trainings of one system on the same recordings as one.

    Args:
        parts: of one training each.
        seeds: of the trainings.

    Returns:
        With the seeds in the order of the parts.

    Raises:
        InputError: if the speakers differ.
    """
    if any(part.speakers != parts[0].speakers for part in parts):
        raise InputError("two trainings were scored on different speakers")
    sums = np.concatenate([part.sums for part in parts], axis=1)
    return SpeakerStatistics(parts[0].speakers, tuple(seeds), sums, parts[0].count)


def recentred(moments: np.ndarray, change: float) -> np.ndarray:
    """Moments `[..., 6]` (`metrics.moments`) about another centre, so that they can be summed with others about it.

    Args:
        moments: n, sums of true, prediction, true^2, prediction^2, true * prediction, about some centre.
        change: that centre minus the new one.

    Returns:
        float64 `[..., 6]`.
    """
    n, true, pred, true2, pred2, product = np.moveaxis(np.asarray(moments, np.float64), -1, 0)
    return np.stack(
        [
            n,
            true + n * change,
            pred + n * change,
            true2 + 2 * change * true + n * change**2,
            pred2 + 2 * change * pred + n * change**2,
            product + change * (true + pred) + n * change**2,
        ],
        axis=-1,
    )


def _function(score: str) -> ScoreFunction:
    # Who calls asks for scores that have intervals: those have a function.
    return cast(ScoreFunction, SCORES[score].function)
