"""A training that several systems or fits of a comparison need, trained once in a process."""

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from emobed_tf.config import Config
from emobed_tf.corpora.budget import steps_per_epoch
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.errors import EmoBedWarning
from emobed_tf.models.design import EMOBED, Design
from emobed_tf.settings import DISTILLED, ONE_BRANCH, Training
from emobed_tf.training import loop
from emobed_tf.training.session import Session, default_session, digest


@dataclass(frozen=True)
class Once:
    """What is remembered of a training.

    Attributes:
        trained: what it left; nobody can change its weights.
        warnings: texts of what it warned of then.
    """

    trained: loop.Trained
    warnings: tuple[str, ...]


def train_once(
    config: Config, corpus: Corpus, *, design: Design = EMOBED, session: Session | None = None
) -> loop.Trained:
    """What `loop.train` returns, trained now or taken from an equal training of the session: the same, bit for bit.

    The settings that were chosen are fitted once more to predict test, with a seed that they were tried with; late
    fusion needs the networks that classic rows have trained. Two kinds are always trained anew: those that learn from a
    waveform, because all samples would have to be read to tell whether they are the same; and those that learn from a
    teacher, which is another training.

    Args:
        config: resolved, from `load_corpus`.
        corpus: from `load_corpus`.
        design: of the network.
        session: that knows earlier trainings. Default: that of this process.

    Returns:
        What the training left, with weights that can't be changed.

    Raises:
        InputError: see `loop.train`; that is not remembered.

    Warns:
        EmoBedWarning: what the training warned of, when it is taken from the session, too.
    """
    session = session or default_session()
    framework, target, auxiliary = config.objective.framework, config.data.target, config.data.auxiliary or ()
    read = (target,) if framework in ONE_BRANCH else (target, *auxiliary)
    modalities = [corpus.modality(str(name)) for name in read]
    if framework == DISTILLED or any(modality.sample_rate is not None for modality in modalities):
        return loop.train(config, corpus, design=design, session=session)
    is_new = False

    def trained_now() -> Once:
        nonlocal is_new
        is_new = True
        with _passed_on() as caught:
            trained = loop.train(config, corpus, design=design, session=session)
        for values in trained.weights.values():
            values.flags.writeable = False
        return Once(trained, tuple(str(w.message) for w in caught if issubclass(w.category, EmoBedWarning)))

    # However it is said how many steps an epoch has.
    steps = config.replace(epoch=Training.epoch, steps_per_epoch=steps_per_epoch(config, corpus))
    labels = (corpus.name, corpus.simulated, corpus.label, corpus.classes)
    key = ("training", steps, repr(design), labels, tuple(digest(modality) for modality in modalities))
    once = session.remembered(key, trained_now, size=_bytes)
    if not is_new:
        for text in once.warnings:
            warnings.warn(text, EmoBedWarning, stacklevel=2)
    history, times = ([dict(row) for row in rows] for rows in (once.trained.history, once.trained.times))
    return dataclasses.replace(once.trained, config=config, history=history, times=times)


@contextlib.contextmanager
def _passed_on() -> Iterator[list[warnings.WarningMessage]]:
    """Takes note of all warnings. They come when the block has ended, however it ends."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", EmoBedWarning)
            yield caught
    finally:
        for warning in caught:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


_OF_AN_EPOCH = 1000  # bytes of a row of history, and of one of times, at least


def _bytes(once: Once) -> int:
    trained = once.trained
    return sum(values.nbytes for values in trained.weights.values()) + _OF_AN_EPOCH * (1 + len(trained.history))
