"""Whether an encoder sees the padding behind a recording. No mask is passed to it: it has to be causal."""

import warnings

import keras
import numpy as np

from emobed_tf.errors import EmoBedWarning
from emobed_tf.models.emobed import EmoBed

_FRAMES, _PADDED = 7, 12
_TOLERANCE = 1e-3  # rounding is a thousandth of it


def sees_padding(encoder: keras.Model) -> bool:
    """Whether embeddings of a short recording change when other frames stand behind it.

    Args:
        encoder: float32 `[batch, frames, features]` -> `[batch, frames, units]`, with initial weights.

    Returns:
        True if they do.
    """
    features = np.random.default_rng(0).normal(size=(1, _PADDED, encoder.input_shape[-1])).astype(np.float32)
    padded, alone = (np.asarray(encoder(part, training=False)) for part in (features, features[:, :_FRAMES]))
    return not np.allclose(padded[:, :_FRAMES], alone, rtol=0, atol=_TOLERANCE * max(1, np.abs(alone).max()))


def warn_of_padding(model: EmoBed, what: str) -> None:
    """Warns of encoders that see padding: their embeddings depend on what a recording is batched with.

    Args:
        model: new, with initial weights.
        what: flag and value that say which encoders they are, such as `--encoder blstm:blstm`.

    Warns:
        EmoBedWarning: of the modalities whose encoder does, and what to do.
    """
    seen = [name for name in model.modalities if sees_padding(model.encoder(name))]
    if seen:
        warnings.warn(
            f"{what}: embeddings of {', '.join(seen)} change with the frames that come later, and so with "
            "the padding behind a recording that is shorter than others of its batch; use padding='causal' in "
            "convolutions and no layer that reads backwards or over all frames, or keep to recordings of one length",
            EmoBedWarning,
            stacklevel=3,
        )
