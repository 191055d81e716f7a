"""Compiled models that wait for the next training of their shape."""

import gc
from collections.abc import Hashable

from emobed_tf.models.emobed import EmoBed

_MODELS_KEPT = 8
_idle_models: dict[Hashable, EmoBed] = {}  # by all that is constant in a compiled step, the longest unused first


def left_over(shape: Hashable) -> EmoBed | None:
    """A model whose training has ended, no longer to be had by others; None if there is none of that shape."""
    return _idle_models.pop(shape, None)


def keep_for_the_next(shape: Hashable, model: EmoBed) -> None:
    """Leaves a model that has finished to the next training of its shape."""
    _idle_models[shape] = model
    if len(_idle_models) > _MODELS_KEPT:
        del _idle_models[next(iter(_idle_models))]
        gc.collect()  # a model and its graphs refer to each other
