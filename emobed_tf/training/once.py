"""A training that several systems or fits of a comparison need, trained once in a process."""

import time
import warnings
from dataclasses import dataclass

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.errors import EmoBedWarning
from emobed_tf.models.design import EMOBED, Design
from emobed_tf.settings import ONE_BRANCH
from emobed_tf.training import loop
from emobed_tf.training.session import Session, default_session, digest


@dataclass(frozen=True)
class Once:
    """A training, now or earlier in the session.

    Attributes:
        trained: what it left.
        seconds: that it took, when it was trained.
        warnings: texts of what it warned of then.
    """

    trained: loop.Trained
    seconds: float
    warnings: tuple[str, ...]


def train_once(
    config: Config, corpus: Corpus, *, design: Design = EMOBED, session: Session | None = None
) -> tuple[loop.Trained, float]:
    """What `loop.train` returns, trained now or taken from an equal training of the session: the same, bit for bit.

    The settings that were chosen are fitted once more to predict test, with a seed that they were tried with; late
    fusion needs the networks that classic rows have trained. A waveform is always trained anew: to tell whether its
    samples are the same, all of them would have to be read.

    Args:
        config: resolved, from `load_corpus`; not of the framework `distilled`, whose teacher is another training.
        corpus: from `load_corpus`.
        design: of the network.
        session: that knows earlier trainings. Default: that of this process.

    Returns:
        What the training left, and the seconds that were saved, 0 if it was trained now.

    Raises:
        InputError: see `loop.train`; that is not remembered.

    Warns:
        EmoBedWarning: what the training warned of, when it is taken from the session, too.
    """
    session = session or default_session()
    read = (config.data.target, *(() if config.objective.framework in ONE_BRANCH else config.data.auxiliary or ()))
    modalities = [corpus.modality(str(name)) for name in read]
    if any(modality.sample_rate is not None for modality in modalities):
        return loop.train(config, corpus, design=design, session=session), 0.0
    is_new = False

    def trained_now() -> Once:
        nonlocal is_new
        is_new, began = True, time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", EmoBedWarning)
            trained = loop.train(config, corpus, design=design, session=session)
        for warning in caught:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        said = tuple(str(w.message) for w in caught if issubclass(w.category, EmoBedWarning))
        return Once(trained, time.perf_counter() - began, said)

    labels = (corpus.name, corpus.simulated, corpus.label, corpus.classes)
    key = ("training", config, repr(design), labels, tuple(digest(modality) for modality in modalities))
    once = session.remembered(key, trained_now, size=_bytes)
    if not is_new:
        for text in once.warnings:
            warnings.warn(text, EmoBedWarning, stacklevel=2)
    return once.trained, 0.0 if is_new else once.seconds


def _bytes(once: Once) -> int:
    return sum(values.nbytes for values in once.trained.weights.values())
