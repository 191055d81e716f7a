"""The paper's own four systems, and EmoBed with the stable triplet term: Eq. 8 with different weights.

Source: EmoBed, sections 3.1 to 3.3 and 5.4. The paper optimises alpha and beta on development and shows them between 0
and about 1.5, but says neither which values it tried nor whether classic got a search. By itself, joint and triplet
search a line and EmoBed the plane of both, as many points each; classic, which has neither weight, searches learning
rate and L2 weight instead. A gain over classic then mixes transfer with tuning, so that a comparison gives all of them
classic's draws of learning rate and L2 weight, unless it is told otherwise (`searches.SEARCHES`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from emobed_tf.config import USES_ALPHA, USES_BETA, Config
from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.spread import NETWORK, Range, Space, spread

_WEIGHT = Range(0.0, 1.5)


class ClassicSystem(System):
    """The target modality alone: alpha = beta = 0 (EmoBed, section 5.1).

    Attributes:
        trained: what `training.loop.train` returned, once fitted.
    """

    title = "classic monomodal"
    framework: ClassVar[str] = "classic"
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
        fixed = {"framework": self.framework, "seed": seed}
        for name, users in (("alpha", USES_ALPHA), ("beta", USES_BETA)):
            if self.framework not in users:
                fixed[name] = 0.0
        if self.framework == "classic":
            fixed["auxiliary"] = ()
        return problem.config.replace(**fixed, **settings).check()

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the network; see `System.fit`."""
        self.train(problem, self.config(problem, settings, seed))

    def train(self, problem: Problem, config: Config, **more: Any) -> None:
        """Trains a network on the problem's data.

        Args:
            problem: whose data.
            config: of the training.
            **more: design and callbacks, see `training.loop.train`.
        """
        from emobed_tf.training.loop import train

        self.target = problem.target
        self.trained = train(config, problem.corpus, session=problem.session, **more)

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What the monomodal network says of the target's recordings; see `System.predict`."""
        return self.trained.outputs(recordings[self.target])

    @property
    def parameters(self) -> int:
        """Trained numbers of the target's encoder and the head, which are kept for inference."""
        return self.trained.parameters["kept"]


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
        stable = {"triplet_preset": "stable", "margin": None, "normalise": None}
        return super().config(problem, {**settings, **stable}, seed)
