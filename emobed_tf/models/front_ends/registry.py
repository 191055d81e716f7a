"""Front ends by name: from samples of a waveform to standardised channels, which an encoder then reads.

A front end is what an encoder is (see `encoders`), one step before it: a function of the settings of the network, the
name of a modality, and whether layers may compile themselves, that returns Keras layers, float32 `[batch, frames,
samples]` -> `[batch, frames, channels]`. Samples are in [-1, 1) at 16 kHz, 640 a frame of 40 ms. `python -m
emobed_tf.train --front-end mine:front_end` trains with one of your own.

- What is fixed stands before the standardisation and what is learnt behind it: `Standardise` is put in front of the
  first layer that has trainable weights. In front of all layers, it brings samples to one mean and deviation.
- The rules for layers of an encoder hold here, too: names, causality, what a stream remembers. A layer that derives
  from `signal_layer.SignalLayer` has most of that.
"""

import math
from collections.abc import Callable, Sequence

import keras

from emobed_tf.errors import InputError
from emobed_tf.importing import import_function
from emobed_tf.models.encoders import called, check_layers, check_weights
from emobed_tf.models.initial import noted_initialisers
from emobed_tf.models.standardise import Standardise
from emobed_tf.settings import FRONT_ENDS, NO_FRONT_END, Network

FrontEnd = Callable[[Network, str, bool], Sequence[keras.layers.Layer]]


def find_front_end(name: str) -> FrontEnd:
    """A front end by name.

    Args:
        name: a key of `settings.FRONT_ENDS`, or `package.module:NAME`.

    Returns:
        The function.

    Raises:
        InputError: if there is no such function.
    """
    if name == NO_FRONT_END:
        raise InputError(f"--front-end {name}: a waveform needs one; expected {', '.join(FRONT_ENDS)}")
    return import_function("--front-end", name, FRONT_ENDS.get(name, name))


def standardised_signal(
    modality: str, samples: int, network: Network, clip: float, xla: bool
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Where the encoder of a waveform begins.

    Args:
        modality: whose encoder.
        samples: of a frame.
        network: which front end.
        clip: see `Standardise`; samples that are standardised themselves are not clipped.
        xla: whether layers may compile themselves in training.

    Returns:
        Its input, float32 `[batch, frames, samples]` in [-1, 1), and what the front end makes of it, float32 `[batch,
        frames, channels]`.

    Raises:
        InputError: if there is no front end of that name, or it returns something else than layers that fit.
    """
    who = f"--front-end {network.front_end}"
    start = hidden = keras.Input((None, samples), name=f"{modality}.features")
    standardised = False
    with noted_initialisers():
        layers = called(find_front_end(network.front_end), network, modality, xla, who)
        check_layers(layers, modality, who)
        for k, layer in enumerate(layers):
            if not standardised and _learns(layer, hidden):
                hidden = _standardise(modality, clip, of_samples=k == 0)(hidden)
                standardised = True
            hidden = layer(hidden)
        check_weights(layers, who)
    if getattr(hidden, "shape", (0,))[:2] != (None, None) or len(hidden.shape) != 3 or hidden.shape[2] is None:
        raise InputError(f"{who}: expected channels [batch, frames, channels], got {getattr(hidden, 'shape', hidden)}")
    return start, hidden if standardised else _standardise(modality, clip, of_samples=not layers)(hidden)


def _learns(layer: keras.layers.Layer, inputs: keras.KerasTensor) -> bool:
    if not layer.built:
        layer.build(tuple(inputs.shape))
    return bool(layer.trainable_weights)


def _standardise(modality: str, clip: float, *, of_samples: bool) -> Standardise:
    return Standardise(math.inf if of_samples else clip, pooled=of_samples, name=f"{modality}.standardise")
