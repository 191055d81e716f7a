"""Standardisation by speaker in the graph: `corpora.moments.SpeakerPrior` for tensors, and statistics that grow.

Before the network, features of a speaker are brought to the mean and deviation of the corpus; the network itself
standardises by the corpus, as always.
"""

from collections.abc import Mapping

import tensorflow as tf

from emobed_tf.corpora.moments import LARGEST, LEAST_DEVIATION, STATISTICS, SpeakerPrior

COUNT, MEAN, DEVIATION = STATISTICS
RESTS = {name: f"{name}_rest" for name in STATISTICS}
"""What of each statistic is too small for its float32, by the statistic's name. Where millions of frames are known, one
more changes so little that it would be rounded away, again and again, and what is learnt would stand still or drift."""
_MOST = 2.0**-23  # of a number, that its float32 leaves over


def brought(features: tf.Tensor, statistics: Mapping[str, tf.Tensor], prior: SpeakerPrior) -> tf.Tensor:
    """Features of speakers as if the corpus had said them.

    Args:
        features: float32 `[batch, frames, features]`, NaN where missing.
        statistics: of the speaker of each sequence, float32 `[batch, features]` each by the names of `STATISTICS`, in
            the features' own units, see `Moments`. Zeros are a speaker of whom nothing is known.
        prior: of the corpus that the network was trained on.

    Returns:
        float32 `[batch, frames, features]`, NaN where missing.
    """
    count, z, v = (value[:, tf.newaxis] for value in _in_units(statistics, prior))
    return _brought(features, count, z, v, prior)


def brought_so_far(
    features: tf.Tensor, statistics: Mapping[str, tf.Tensor], prior: SpeakerPrior
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The next frames of speakers, each by the statistics of all frames up to and with itself.

    Args:
        features: float32 `[batch, frames, features]`, NaN where missing, one frame or more.
        statistics: of what came before, see `brought`; and what is left over of them, by the names of `RESTS`, at most
            so much as a float32 can leave. Without, nothing is.
        prior: of the corpus that the network was trained on.

    Returns:
        The features as `brought` gives them, and the statistics after the last frame with what is left over of them.
        However frames are cut into chunks, these are the statistics of all of them, and the last frame is what
        `brought` would make of it.
    """
    before, z, v = (value[:, tf.newaxis] for value in _in_units(statistics, prior))
    values = _standardised(features, prior)
    present = tf.equal(values, values)
    values = tf.where(present, values, tf.zeros_like(values))
    count = before + tf.cumsum(tf.cast(present, tf.float64), axis=1)
    frames = tf.maximum(count, 1)
    mean = (before * z + tf.cumsum(values, axis=1)) / frames
    squares = before * (v + tf.square(z)) + tf.cumsum(tf.square(values), axis=1)
    variance = tf.maximum(squares / frames - tf.square(mean), 0)
    last = {COUNT: count[:, -1], **_in_own_units(mean[:, -1], variance[:, -1], prior)}
    after: dict[str, tf.Tensor] = {}
    for name, value in last.items():
        value = tf.where(last[COUNT] > 0, tf.clip_by_value(value, -LARGEST, LARGEST), tf.zeros_like(value))
        after[name] = tf.cast(value, tf.float32)
        after[RESTS[name]] = tf.cast(value - tf.cast(after[name], tf.float64), tf.float32)
    return _brought(features, count, mean, variance, prior), after


def _brought(features: tf.Tensor, n: tf.Tensor, z: tf.Tensor, v: tf.Tensor, prior: SpeakerPrior) -> tf.Tensor:
    """`SpeakerPrior.apply`, with mean z and variance v in the corpus' deviations from its mean."""
    k = tf.constant(prior.weight, tf.float64)
    together = tf.where(n + k > 0, n + k, tf.ones_like(n))
    deviation = tf.sqrt((n * v + k) / together + n * k * tf.square(z / together))
    deviation = tf.where(deviation > LEAST_DEVIATION, deviation, tf.ones_like(deviation))
    values = (_standardised(features, prior) - n * z / together) / deviation
    values = _row(prior.mean) + _row(prior.deviation) * values
    within = tf.clip_by_value(values, -LARGEST, LARGEST)
    return tf.cast(tf.where(tf.equal(values, values), within, values), tf.float32)


def _standardised(features: tf.Tensor, prior: SpeakerPrior) -> tf.Tensor:
    # In double precision: a speaker can be hundreds of deviations away from the corpus, and vary by one.
    return (tf.cast(features, tf.float64) - _row(prior.mean)) / _row(prior.deviation)


def _in_units(statistics: Mapping[str, tf.Tensor], prior: SpeakerPrior) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Count, and mean and variance in the corpus' deviations from its mean, float64 `[batch, features]`."""
    count, mean, deviation = (_with_rest(name, statistics) for name in STATISTICS)
    nobody = tf.zeros_like(count)
    z, v = (mean - _row(prior.mean)) / _row(prior.deviation), tf.square(deviation / _row(prior.deviation))
    return count, tf.where(count > 0, z, nobody), tf.where(count > 0, v, nobody)


def _with_rest(name: str, statistics: Mapping[str, tf.Tensor]) -> tf.Tensor:
    value = tf.cast(statistics[name], tf.float64)
    if RESTS[name] not in statistics:
        return value
    most = _MOST * tf.abs(value)
    return value + tf.clip_by_value(tf.cast(statistics[RESTS[name]], tf.float64), -most, most)


def _in_own_units(mean: tf.Tensor, variance: tf.Tensor, prior: SpeakerPrior) -> dict[str, tf.Tensor]:
    return {
        MEAN: _row(prior.mean) + _row(prior.deviation) * mean,
        DEVIATION: _row(prior.deviation) * tf.sqrt(variance),
    }


def _row(values: tuple[float, ...]) -> tf.Tensor:
    return tf.constant(values, tf.float64)
