"""Random functions of a latent, and classes that they decide: what is hard in the positive control of `tables`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FieldFunction = Callable[[np.ndarray], np.ndarray]
"""Of float64 `[points, latent]`, the values `[points, classes]`."""
_WAVES = 64
_STEPS = 400


@dataclass(frozen=True)
class Fields:
    """A random function of the latent for each class: a plane and waves.

    Attributes:
        planes: slopes, float64 `[latent, classes]`.
        directions: wave vectors, `[latent, waves]`.
        phases: `[waves]`, in radians.
        heights: of each wave in each field, `[waves, classes]`.
    """

    planes: np.ndarray
    directions: np.ndarray
    phases: np.ndarray
    heights: np.ndarray

    def __call__(self, latent: np.ndarray) -> np.ndarray:
        """The fields at some points.

        Args:
            latent: float64 `[points, latent]`.

        Returns:
            float64 `[points, classes]`.
        """
        waves = np.cos(np.einsum("pd,dw->pw", latent, self.directions) + self.phases)
        return np.einsum("pd,dc->pc", latent, self.planes) + np.einsum("pw,wc->pc", waves, self.heights)


def draw_fields(rng: np.random.Generator, latent: int, classes: int, slope: float, fineness: float) -> Fields:
    """Fields whose waves have a variance of 1 over many draws.

    Args:
        rng: source of all that is random.
        latent: dimensions of the latent.
        classes: number of fields.
        slope: deviation of the planes' slopes in each dimension.
        fineness: deviation of the wave vectors: the waves change on a scale of 1 / fineness, where the latent has a
            deviation of 1.

    Returns:
        The fields.
    """
    return Fields(
        planes=slope * rng.standard_normal((latent, classes)),
        directions=fineness * rng.standard_normal((latent, _WAVES)),
        phases=rng.uniform(0, 2 * np.pi, _WAVES),
        heights=rng.standard_normal((_WAVES, classes)) * np.sqrt(2 / _WAVES),
    )


def blended(first: FieldFunction, second: FieldFunction, strength: float) -> FieldFunction:
    """Fields that correlate with `first` by `strength` at every point, and are distributed as both are.

    Args:
        first: fields.
        second: others, drawn independently in the same way.
        strength: 0 (the second) to 1 (the first).

    Returns:
        strength x first + sqrt(1 - strength^2) x second.
    """
    rest = math.sqrt(1 - strength**2)
    return lambda latent: strength * first(latent) + rest * second(latent)


@dataclass(frozen=True)
class Classes:
    """The class at a point of the latent: the one with the largest sum of field and offset.

    Attributes:
        fields: the fields.
        latent: dimensions of the latent.
        offsets: of each class, `[classes]`.
    """

    fields: FieldFunction
    latent: int
    offsets: np.ndarray

    def __call__(self, sources: np.ndarray) -> np.ndarray:
        """The classes of some points.

        Args:
            sources: float64 `[points, latent or more]`; what comes after the latent has no effect.

        Returns:
            Indices of classes, `[points]`.
        """
        return (self.fields(sources[:, : self.latent]) + self.offsets).argmax(axis=1)


def equally_frequent(fields: FieldFunction, sample: np.ndarray) -> Classes:
    """Classes with offsets by which each has about the same share of a sample.

    Args:
        fields: the fields.
        sample: points of the latent, float64 `[points, latent]`.

    Returns:
        The classes.
    """
    values = fields(sample)
    number = values.shape[1]
    offsets = np.zeros(number)
    for step in range(_STEPS):  # a field that wins too often is lowered, by less and less
        shares = np.bincount((values + offsets).argmax(axis=1), minlength=number) / len(values)
        offsets -= values.std() * (shares - 1 / number) / (1 + step / 40)
    return Classes(fields, sample.shape[1], offsets)
