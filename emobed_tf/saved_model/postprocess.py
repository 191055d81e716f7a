"""Post-processing of predictions in the graph, as `evaluation.postprocessing` has it in NumPy."""

import tensorflow as tf

from emobed_tf.evaluation.postprocessing import PostProcessing


def postprocess(prediction: tf.Tensor, delay: int, chain: PostProcessing) -> tf.Tensor:
    """The label delay undone and `PostProcessing.apply`, in the graph, on each recording of a batch.

    Args:
        prediction: float32 `[batch, frames]` in the features' time, one frame or more.
        delay: frames by which predictions come early.
        chain: what was learnt on development.

    Returns:
        float32 `[batch, frames]` in the gold standard's time.
    """
    frames = tf.range(tf.shape(prediction)[1])
    values = _at(prediction, frames - delay)
    if chain.window > 1:
        half = chain.window // 2
        windows = _at(values, frames[:, tf.newaxis] + tf.range(-half, half + 1))
        values = tf.math.top_k(windows, half + 1).values[..., -1]
    # In double precision as it was learnt: a large gain on predictions that hardly vary cancels.
    values = tf.cast(chain.gain * tf.cast(values, tf.float64) + chain.offset, tf.float32)
    return _at(values, frames - chain.shift)


def _at(values: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """Values `[batch, frames]` at positions in time; before the first and after the last these are repeated."""
    return tf.gather(values, tf.clip_by_value(positions, 0, tf.shape(values)[1] - 1), axis=1)
