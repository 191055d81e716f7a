"""The paper's own four systems, Eq. 8 with different weights, and variants of them that are not the paper's.

Source: EmoBed, sections 3.1 to 3.3 and 5.4. The paper optimises alpha and beta on development and shows them between 0
and about 1.5, but says neither which values it tried nor whether classic got a search. By itself, joint and triplet
search a line and EmoBed the plane of both, as many points each; classic, which has neither weight, searches learning
rate and L2 weight instead. A gain over classic then mixes transfer with tuning, so that a comparison gives all of them
classic's draws of learning rate and L2 weight, unless it is told otherwise (`searches.SEARCHES`).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.speakers import by_speaker
from emobed_tf.errors import InputError
from emobed_tf.settings import USES_ALPHA, USES_BETA, Objective
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.spread import NETWORK, Range, Space, spread

_WEIGHT = Range(0.0, 1.5)
_STABLE = {
    "metric_loss": "batch_hard",
    "temperature": Objective.temperature,
    "triplet_preset": "stable",
    "margin": None,
    "normalise": None,
}


class ClassicSystem(System):
    """The target modality alone: alpha = beta = 0 (EmoBed, section 5.1).

    Attributes:
        trained: what `training.loop.train` returned, once fitted.
    """

    title = "classic monomodal"
    framework: ClassVar[str] = "classic"
    classic_network: ClassVar[bool] = True
    """Whether without the auxiliaries' and the triplet's weight it is the classic system under another name."""
    halving = True
    axes: ClassVar[Mapping[str, Range]] = NETWORK

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings named by `axes`; see `System.configurations`."""
        values = problem.config.to_dict()
        return spread(self.axes, {name: values[name] for name in self.axes}, number)

    def network_space(self, problem: Problem) -> Space | None:
        """Its axes beside those that all networks share; see `System.network_space`."""
        default = self.configurations(problem, 1)[0]
        return Space(
            {name: axis for name, axis in self.axes.items() if name not in NETWORK},
            {name: value for name, value in default.items() if name not in NETWORK},
        )

    def simplicity(self, settings: Mapping[str, Any]) -> tuple[float, ...]:
        """The smallest weights of its own first, all added up, then the strongest L2; see `System.simplicity`."""
        weights = [value for name, value in settings.items() if name not in NETWORK and isinstance(value, float)]
        return sum(weights), -settings.get("l2", 0.0)

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """The configuration of its training.

        Args:
            problem: whose configuration is the ground.
            settings: one of `configurations`.
            seed: of initial weights and batches.

        Returns:
            The problem's, with the framework, the settings and the seed; weights that the framework doesn't use are 0.

        Raises:
            InputError: for a setting with a value that makes no sense.
        """
        fixed: dict[str, Any] = {"seed": seed}
        for name, users in (("alpha", USES_ALPHA), ("beta", USES_BETA)):
            if self.framework not in users:
                fixed[name] = 0.0
        if self.framework == "classic":
            fixed["auxiliary"] = ()
        return problem.config.of_framework(self.framework).replace(**fixed, **settings).check()

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the network; see `System.fit`."""
        self.train(problem, self.config(problem, settings, seed))

    def train(self, problem: Problem, config: Config, **more: Any) -> None:
        """Trains a network on the problem's data, or takes an equal one that the session remembers.

        Args:
            problem: whose data.
            config: of the training.
            **more: design, callbacks and a teacher's lessons, see `training.loop.train`. With one of the last two it is
                always trained.
        """
        from emobed_tf.training.loop import train
        from emobed_tf.training.once import train_once

        self.target = problem.target
        once = more.keys() <= {"design"}
        self.trained = (train_once if once else train)(config, problem.corpus, session=problem.session, **more)

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What the monomodal network says of the target's recordings; see `System.predict`."""
        return self.trained.outputs(recordings[self.target])

    @property
    def parameters(self) -> int:
        """Trained numbers of the target's encoder and the head, which are kept for inference."""
        return self.trained.parameters["kept"]

    @property
    def epochs_done(self) -> int | None:
        """Epochs of the training, of the last one where there were several; see `System.epochs_done`."""
        trained = getattr(self, "trained", None)  # a subclass may train in another way
        return None if trained is None else len(trained.history)


class SpeakerClassicSystem(ClassicSystem):
    """Classic on features standardised by speaker, not the paper's.

    It is transductive: speakers of development and test, and all of their frames, are known when they are predicted.
    """

    title = "classic, by speaker"
    transductive = True

    @classmethod
    def view(cls, problem: Problem) -> Problem:
        """The problem with each speaker's features brought to the corpus, see `corpora.speakers.by_speaker`."""
        return dataclasses.replace(problem, corpus=by_speaker(problem.config.data, problem.corpus))


def of_network(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a system's settings that all networks share.

    Args:
        settings: one of its configurations.

    Returns:
        `learning_rate` and `l2`, where they are among them.
    """
    return {name: settings[name] for name in NETWORK if name in settings}


class JointSystem(ClassicSystem):
    """Joint audiovisual training: beta = 0 (Eq. 3 and 4)."""

    title = "joint training"
    framework = "joint"
    crossmodal = True
    axes: ClassVar = {"alpha": _WEIGHT}


class TripletSystem(ClassicSystem):
    """Crossmodal triplet training: alpha = 0 (Eq. 7)."""

    title = "triplet training"
    framework = "triplet"
    crossmodal = True
    axes: ClassVar = {"beta": _WEIGHT}


class EmoBedSystem(ClassicSystem):
    """Both (Eq. 8), with the triplet term of the configuration: Eq. 6 as printed unless it says otherwise."""

    title = "EmoBed"
    framework = "emobed"
    crossmodal = True
    axes: ClassVar = {"alpha": _WEIGHT, "beta": _WEIGHT}


class WeighedEmoBedSystem(EmoBedSystem):
    """EmoBed whose triplet term counts embeddings less where raters disagree: the paper's future work (section 6)."""

    title = "EmoBed, raters weighed"
    tasks = (REGRESSION,)

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """EmoBed's, with the raters' disagreement weighed; see `ClassicSystem.config`."""
        return super().config(problem, {**settings, "disagreement": "weighed"}, seed)


class StableEmoBedSystem(EmoBedSystem):
    """EmoBed with L2-normalised embeddings and a margin of 0.2 in the triplet term: not the paper's."""

    title = "EmoBed, stable"

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """EmoBed's, with the stable preset of the triplet term; see `ClassicSystem.config`."""
        return super().config(problem, {**settings, **_STABLE}, seed)


class SemiHardEmoBedSystem(EmoBedSystem):
    """EmoBed with semi-hard triplets, normalised and with a margin of 0.2 as in Schroff et al. (2015)."""

    title = "EmoBed, semi-hard"

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """EmoBed's, with that loss on embeddings; see `ClassicSystem.config`."""
        return super().config(problem, {**settings, **_STABLE, "metric_loss": "semi_hard"}, seed)


class ContrastiveEmoBedSystem(EmoBedSystem):
    """EmoBed with the supervised contrastive loss of Khosla et al. (2020) in the place of the triplet loss."""

    title = "EmoBed, supervised contrastive"

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """EmoBed's, with that loss on embeddings; see `ClassicSystem.config`."""
        contrastive = {"metric_loss": "contrastive", "triplet_preset": "paper", "margin": None, "normalise": None}
        return super().config(problem, {**settings, **contrastive}, seed)


class AlignedJointSystem(JointSystem):
    """Joint training with a term that pulls the modalities together within each class.

    That is the central moment discrepancy (Zellinger et al., 2017), unless the configuration names another distance.
    """

    title = "joint training, aligned"
    axes: ClassVar = {"alpha": _WEIGHT, "alignment_weight": _WEIGHT}

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """Joint training's, with that term; see `ClassicSystem.config`."""
        alignment = problem.config.objective.alignment
        return super().config(problem, {**settings, "alignment": "cmd" if alignment == "none" else alignment}, seed)


class SharedTrunkSystem(JointSystem):
    """Joint training of one network that all modalities share behind a projection of their own: not the paper's.

    Source: the unpaired multimodal learner (arXiv:2510.08492), whose modalities share their weights and need no pairs.
    """

    title = "shared trunk"
    classic_network = False

    def config(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> Config:
        """Joint training's, with a shared trunk; see `ClassicSystem.config`."""
        return super().config(problem, {**settings, "sharing": "trunk"}, seed)


class DistilledSystem(ClassicSystem):
    """A student of the target alone whose teacher saw all modalities: not the paper's; see `training.teacher`.

    The teacher has the problem's own settings whatever is searched for the student, so that a search trains it once.
    """

    title = "distilled"
    framework = "distilled"
    pairs = "training"
    crossmodal = True
    axes: ClassVar = {"teacher_weight": Range(0.0, 3.0), "teacher_embedding_weight": Range(0.0, 3.0)}

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the teacher, or remembers what it said, and then the student.

        Args:
            problem: with at least one auxiliary modality.
            settings: one of `configurations`.
            seed: of all that is random.

        Raises:
            InputError: if there is no auxiliary modality, or no training recording is paired.
        """
        from emobed_tf.training.loop import lessons_for

        if not problem.auxiliaries:
            raise InputError(f"{self.title} needs another modality beside {problem.target}; name one with --auxiliary")
        taught = lessons_for(self.config(problem, {}, seed), problem.corpus, session=problem.session)
        self.train(problem, self.config(problem, settings, seed), taught=taught)
