"""What a process that trains many times keeps between trainings. No TensorFlow."""

import functools
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np

from emobed_tf.corpora.configured import CorpusCache
from emobed_tf.corpora.corpus import Modality
from emobed_tf.models.pool import ModelPool

Result = TypeVar("Result")

MOST_BYTES = 512 * 2**20
"""Of all results together that say how large they are: some 250 networks of the paper's size."""


class Session:
    """Compiled models, data sets and small results, so that a later training finds what an earlier one has made.

    A training gives the same weights, bit for bit, in any session. A session belongs to one process, and to one
    training at a time.

        with Session() as session:
            for seed in range(5):
                train(config.replace(seed=seed), corpus, session=session)

    Attributes:
        models: that wait to be used again.
        corpora: that have been read.
        seconds_saved: that it took to find what was remembered, added up over all times that it was asked for again.
    """

    def __init__(self) -> None:
        self.models, self.corpora = ModelPool(), CorpusCache()
        self.seconds_saved = 0.0
        self._found: dict[Hashable, tuple[Any, float]] = {}  # with the seconds that it took
        self._sizes: OrderedDict[Hashable, int] = OrderedDict()  # the longest unused first
        self._closed = False

    def remembered(
        self, key: Hashable, find: Callable[[], Result], size: Callable[[Result], int] | None = None
    ) -> Result:
        """A result that is asked for again.

        Args:
            key: all that determines it.
            find: called where it isn't known, or not any more.
            size: bytes of a result that isn't small. Where those have more than `MOST_BYTES` together, the longest
                unused are forgotten.

        Returns:
            What `find` returned, now or at an earlier call with that key.
        """
        if key in self._found:
            if key in self._sizes:
                self._sizes.move_to_end(key)
            result, seconds = self._found[key]
            self.seconds_saved += seconds
            return result
        began = time.perf_counter() + self.seconds_saved  # what is saved on the way would have taken its time, too
        result = find()
        if not self._closed:
            self._found[key] = result, time.perf_counter() + self.seconds_saved - began
            if size is not None:
                self._sizes[key] = size(result)
            while sum(self._sizes.values()) > MOST_BYTES:
                oldest, _ = self._sizes.popitem(last=False)
                del self._found[oldest]
        return result

    def close(self) -> None:
        """Frees all of it. The session still works, but keeps nothing from now on."""
        self._closed = True
        self._found.clear()
        self._sizes.clear()
        self.corpora.close()
        self.models.close()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@functools.cache
def default_session() -> Session:
    """The session of this process, which the commands and their workers share; used where none is named."""
    return Session()


def digest(modality: Modality) -> str:
    """What a training reads of a modality, as a part of a key of `Session.remembered`.

    Args:
        modality: any.

    Returns:
        A hash in hexadecimal: the same for the same corpus, features, labels and ratings of training and development
        recordings, in their order.
    """
    found = hashlib.blake2b(digest_size=16)
    found.update(repr((modality.corpus, modality.name, modality.feature_names, modality.frame_seconds)).encode())
    for recording in modality.recordings:
        if recording.partition == "test":
            continue
        found.update(repr((recording.id, recording.partition, recording.start)).encode())
        named = [("features", "", recording.features)]
        for kind, arrays in (("label", recording.labels), ("rating", recording.ratings)):
            named += [(kind, name, arrays[name]) for name in sorted(arrays)]
        for kind, name, values in named:
            array = np.asarray(values)
            found.update(repr((kind, name, array.dtype.str, array.shape)).encode())
            found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()
