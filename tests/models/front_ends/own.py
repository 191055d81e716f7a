"""Front ends as somebody of one's own would write them, right and wrong."""

import keras


def dense(network, modality, xla):
    """Each frame by itself: two layers, the first of which learns."""
    return [keras.layers.Dense(5, activation="tanh", name=f"{modality}.{name}") for name in ("first", "second")]


def fixed_then_dense(network, modality, xla):
    """Standardised in between."""
    from emobed_tf.models.front_ends.logmel import LogMel

    return [LogMel(8, name=f"{modality}.energies"), keras.layers.Dense(5, name=f"{modality}.mixed")]


def looks_ahead(network, modality, xla):
    """A convolution over the next frame, too."""
    return [keras.layers.Conv1D(5, 3, padding="same", name=f"{modality}.around")]


def flat(network, modality, xla):
    """No channels by frame."""
    return [keras.layers.GRU(5, name=f"{modality}.last")]


def misnamed(network, modality, xla):
    """Its layer's name says nothing of the modality."""
    return [keras.layers.Dense(5, name="layer")]


not_a_function = 3
