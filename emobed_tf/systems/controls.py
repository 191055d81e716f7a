"""Controls of the audit: what else could make EmoBed better than classic, each as a system of its own.

Each is trained by the same code with the same budget as EmoBed, and takes one thing away that a transfer between
modalities needs. A gain that a control has as well is not shown to be transfer. `control_of` makes them of another
system that trains as EmoBed does, named `CONTROL@SYSTEM`.
"""

import dataclasses
import functools
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.corpora.labels import has_label
from emobed_tf.errors import InputError
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.frameworks import ClassicSystem, EmoBedSystem, TripletSystem
from emobed_tf.systems.registry import CONTROL_NAMES
from emobed_tf.training.session import default_session

TRIPLET_ALONE, PERMUTED_LABELS, ITSELF_AS_AUXILIARY, AS_MANY_STEPS = CONTROL_NAMES


class TripletAlone(TripletSystem):
    """Triplet training within the target modality: the auxiliaries are gone, the triplet term is there."""

    title = "triplet in the target alone"
    crossmodal = False

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains without auxiliaries; mining looks at the target's embeddings alone. See `System.fit`."""
        mining = "all" if problem.config.objective.mining == "inter" else problem.config.objective.mining
        config = problem.config.replace(auxiliary=(), mining=mining, alignment="none", alignment_weight=1.0)
        super().fit(dataclasses.replace(problem, config=config), settings, seed)


class PermutedLabels(EmoBedSystem):
    """EmoBed whose auxiliaries' training labels belong to other recordings: there is nothing to learn from them.

    Whole recordings exchange their labels, by the fit's seed, and none keeps its own. Of another length, a label series
    is cut, or its last value repeated. Frames without a label come along with it.
    """

    title = "auxiliary labels permuted"

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains EmoBed with the auxiliaries' labels exchanged.

        Args:
            problem: without test recordings.
            settings: one of `configurations`.
            seed: of all that is random, also of the exchange.

        Raises:
            InputError: if an auxiliary has only one training recording.
        """
        names = problem.auxiliaries
        changed = {name: permuted(problem.corpus.modality(name), problem.label, seed) for name in names}
        super().fit(_with(problem, changed), settings, seed)


class ItselfAsAuxiliary(EmoBedSystem):
    """EmoBed whose auxiliaries are the target modality again, each with an encoder of its own."""

    title = "the target as its own auxiliary"

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains EmoBed with as many copies of the target as there were auxiliaries; see `System.fit`."""
        names = tuple(f"{problem.target}_again{k}" for k in range(1, len(problem.auxiliaries) + 1))
        again = {name: dataclasses.replace(problem.modality, name=name) for name in names}
        super().fit(_with(problem, again, names), settings, seed)


@dataclass(frozen=True)
class ProblemWithEmoBed(Problem):
    """A problem on which EmoBed's settings have been chosen.

    Attributes:
        emobed: those settings.
        epochs: that EmoBed's whole training with them took, by seed, as far as that is known.
    """

    emobed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    epochs: Mapping[int, int] = dataclasses.field(default_factory=dict)


class AsManySteps(ClassicSystem):
    """Classic with exactly as many optimiser steps as EmoBed took, with its chosen settings and the same seed.

    Early stopping is off; the best epoch on development is kept, as everywhere. How many epochs EmoBed took is known of
    its final fits. Elsewhere, as on the inner splits of a choice, it is found by training EmoBed: with the same seed it
    takes the same ones again. Both have the same steps in an epoch.
    """

    title = "classic, as many steps as EmoBed"
    crossmodal = True  # its number of steps is another one beside another auxiliary
    of: ClassVar[type[ClassicSystem]] = EmoBedSystem
    """The system that it keeps up with."""

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Classic's settings, each with EmoBed's beside them under `emobed`.

        Args:
            problem: a `ProblemWithEmoBed`.
            number: how many.

        Returns:
            As many as of classic.

        Raises:
            InputError: if the problem doesn't hold EmoBed's settings.
        """
        if not isinstance(problem, ProblemWithEmoBed):
            raise InputError(f"{self.title}: needs {self.of.title}'s settings, which an audit or a learning curve has")
        return [{**settings, "emobed": dict(problem.emobed)} for settings in super().configurations(problem, number)]

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains classic for as many epochs as EmoBed took; see `System.fit`."""
        own = {name: value for name, value in settings.items() if name != "emobed"}
        epochs = known_epochs(problem, settings["emobed"], seed)
        if epochs is None:
            epochs = epochs_of_emobed(problem, settings["emobed"], seed, self.of)
        super().fit(problem, {**own, "epochs": epochs, "patience": 0}, seed)


def permuted(modality: Modality, label: str, seed: int) -> Modality:
    """A modality whose training recordings have exchanged their labels; none keeps its own.

    Args:
        modality: with at least two labelled training recordings, or nothing can be exchanged.
        label: the one that is exchanged; there are no other labels or ratings afterwards.
        seed: of the exchange.

    Returns:
        A new one; development and test recordings are as they were.

    Raises:
        InputError: if there is only one training recording.
    """
    recordings = list(modality.recordings)
    places = [k for k, r in enumerate(recordings) if r.partition == "train" and has_label(r, label)]
    if len(places) < 2:
        raise InputError(f"modality '{modality.name}': labels of {len(places)} training recording can't be permuted")
    order = np.random.default_rng(seed).permutation(places)
    for taker, giver in zip(order, np.roll(order, 1), strict=True):
        labels = {label: _of_length(modality.recordings[giver].labels[label], modality.recordings[taker])}
        recordings[taker] = dataclasses.replace(modality.recordings[taker], labels=labels, ratings={})
    return dataclasses.replace(modality, recordings=tuple(recordings))


def known_epochs(problem: Problem, settings: Mapping[str, Any], seed: int) -> int | None:
    """How many epochs EmoBed's training takes, if an earlier fit of it says so.

    Args:
        problem: that may be a `ProblemWithEmoBed`.
        settings: that EmoBed was chosen with.
        seed: of the training.

    Returns:
        1 or more, and no more than the problem's epochs, because the first epochs of a longer training are the shorter
        one; None if it isn't known.
    """
    if not isinstance(problem, ProblemWithEmoBed) or problem.emobed != settings or seed not in problem.epochs:
        return None
    return min(problem.epochs[seed], problem.config.training.epochs)


def epochs_of_emobed(
    problem: Problem, settings: Mapping[str, Any], seed: int, of: type[ClassicSystem] = EmoBedSystem
) -> int:
    """How many epochs EmoBed's training takes, early stopping included; remembered in the session.

    Args:
        problem: without test recordings.
        settings: that EmoBed was chosen with.
        seed: of the training.
        of: the system, if it is another one.

    Returns:
        1 or more.
    """

    def trained() -> int:
        emobed = of()
        emobed.fit(problem, settings, seed)
        return len(emobed.trained.history)

    recordings = [(r.partition, r.id) for r in problem.modality.recordings]
    determined = (zlib.crc32(repr(recordings).encode()), json.dumps(settings, sort_keys=True), seed)
    session = problem.session or default_session()
    return session.remembered(("epochs of EmoBed", of, problem.config, *determined), trained)


@functools.cache
def control_of(control: type[System], system: type[System]) -> type[System]:
    """A control of another system than EmoBed.

    Args:
        control: one of EmoBed's.
        system: that trains a network with auxiliaries, as EmoBed does.

    Returns:
        The control with the system in EmoBed's place; of EmoBed, the control itself.

    Raises:
        InputError: if the system is of another kind.
    """
    if system is EmoBedSystem:
        return control
    if not issubclass(system, ClassicSystem) or not system.crossmodal or issubclass(system, AsManySteps):
        raise InputError(
            f"{system.title}: expected a system that trains a network with auxiliaries, such as emobed_stable; there "
            "are no controls of others"
        )
    own: dict[str, Any] = {"title": _title(control, system), "__doc__": control.__doc__}
    if issubclass(control, AsManySteps):
        return type(control.__name__, (control,), {**own, "of": system})
    if not issubclass(control, TripletAlone):
        own |= {"framework": system.framework, "axes": system.axes}
    return type(control.__name__, (control, system), {**own, "tasks": system.tasks})


def _title(control: type[System], system: type[System]) -> str:
    """What a control of another system than EmoBed is called: its loss on embeddings need not be one of triplets."""
    if issubclass(control, AsManySteps):
        return f"classic, as many steps as {system.title}"
    what = "loss on embeddings in the target alone" if issubclass(control, TripletAlone) else control.title
    return f"{what} ({system.title})"


def _with(problem: Problem, modalities: Mapping[str, Modality], auxiliaries: Sequence[str] | None = None) -> Problem:
    corpus: Corpus = dataclasses.replace(problem.corpus, modalities={**problem.corpus.modalities, **modalities})
    config = problem.config if auxiliaries is None else problem.config.replace(auxiliary=tuple(auxiliaries))
    return dataclasses.replace(problem, config=config, corpus=corpus)


def _of_length(label: np.ndarray, recording: Recording) -> np.ndarray:
    if label.ndim == 0 or len(label) == recording.frames:
        return label
    return label[np.minimum(np.arange(recording.frames), len(label) - 1)]
