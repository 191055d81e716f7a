"""One recording as it comes, answered chunk by chunk."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from serving.client.connection import ServingError
from serving.client.payload import Answer, Classification

States = Mapping[str, np.ndarray]
Ask = Callable[[ArrayLike, Sequence[str] | None, States], Answer]


class Stream:
    """One recording as it comes, from its first frame on; what is said of a chunk knows all before it.

    The states of the network travel with each chunk: the server keeps nothing, and chunks of any length give what the
    whole recording would. States belong to one version of the model, so a stream stays with the one that it began
    with. A stream belongs to one thread, which need not be its client's.

    Attributes:
        version: number of the model's version.
    """

    def __init__(
        self,
        model: str,
        version: int,
        manifest: Mapping[str, Any],
        ask: Ask,
        close: Callable[[], None],
        known: Mapping[str, Any] | None = None,
    ):
        """`Client.stream` makes one; it asks with features, names of columns and states, and closes in the end.

        Of the states, those that are `known` begin so, and the others as the manifest says.
        """
        self.version = version
        self._model, self._ask, self._close = model, ask, close
        self._states: States = {
            state["name"]: np.full(state.get("shape") or state["units"], state["begins"], np.float32)
            for state in manifest["states"]
        } | {name: np.asarray(values, np.float32) for name, values in (known or {}).items()}

    def send(self, chunk: ArrayLike, columns: Sequence[str] | None = None) -> np.ndarray | Classification:
        """Sends the next frames.

        Args:
            chunk: `[frames, features]`, one frame or more, see `Client`.
            columns: names of an array's features.

        Returns:
            float32 `[frames]` in the features' time; or the classification after the last frame.

        Raises:
            InputError: if these are not the model's features. The stream can go on.
            ServingError: if the server refuses, fails or can't be reached. The same chunk can be sent again, unless
                the server has unloaded the version (status 404): then begin another stream.
        """
        try:
            answer = self._ask(chunk, columns, self._states)
        except ServingError as error:
            if error.status != 404:
                raise
            message = (
                f"version {self.version} of {self._model}, which the stream began with, is gone; "
                f"begin another stream ({error.message})"
            )
            raise ServingError(404, message, error.url) from None
        prediction = cast(np.ndarray | Classification, answer.prediction())  # a float is of an utterance
        self._states = {name: answer.numbers(name, *state.shape) for name, state in self._states.items()}
        return prediction

    def close(self) -> None:
        """Closes the stream's connection. Leaving a `with` block does so."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
