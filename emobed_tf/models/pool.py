"""Models that wait to be used again. No TensorFlow."""

import gc
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import keras

MODELS_KEPT = 32  # systems and targets of a comparison; one takes 10 to 45 MB

Key = TypeVar("Key", bound=Hashable)


class ModelPool:
    """Models that a process which trains many times needn't build and compile again.

    A model that trains belongs to one training at a time: it is taken from here, and left here when the training has
    ended well. A model that only predicts stays, and gets its weights before each use.

    Args:
        most: models of each kind that are kept, the latest.
    """

    def __init__(self, most: int = MODELS_KEPT):
        self.most = most
        self._idle: dict[Hashable, keras.Model] = {}
        self._predicting: dict[Hashable, keras.Model] = {}

    @property
    def idle(self) -> dict[Hashable, "keras.Model"]:
        """Compiled models that wait for the next training, by shape, the longest unused first."""
        return dict(self._idle)

    def take(self, shape: Hashable) -> "keras.Model | None":
        """A compiled model whose training has ended, no longer to be had by others.

        Args:
            shape: all that is constant in its compiled step.

        Returns:
            None if there is none of that shape.
        """
        return self._idle.pop(shape, None)

    def leave(self, shape: Hashable, model: "keras.Model") -> None:
        """Leaves a model that has finished to the next training of its shape.

        Args:
            shape: all that is constant in its compiled step.
            model: compiled.
        """
        self._keep(self._idle, shape, model)

    def predicting(self, architecture: Key, build: "Callable[[Key], keras.Model]") -> "keras.Model":
        """A model whose weights mean nothing until they are set; valid until the next call for that architecture.

        Args:
            architecture: what it is.
            build: makes one.

        Returns:
            One that has been made before, or a new one.
        """
        model = self._predicting.pop(architecture, None) or build(architecture)
        self._keep(self._predicting, architecture, model)
        return model

    def close(self) -> None:
        """Frees all models, and keeps none from now on."""
        self.most = 0
        self._idle.clear()
        self._predicting.clear()
        gc.collect()  # a model and its graphs refer to each other

    def _keep(self, models: dict[Hashable, "keras.Model"], key: Hashable, model: "keras.Model") -> None:
        models[key] = model
        if len(models) > self.most:
            del models[next(iter(models))]
            gc.collect()  # a model and its graphs refer to each other
