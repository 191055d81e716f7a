"""How much each system of a comparison gets, and how its settings are chosen: the same for all of them."""

from dataclasses import dataclass
from typing import Any

from emobed_tf.comparison.grids import counted
from emobed_tf.comparison.halving import KEPT
from emobed_tf.comparison.selection import BEST, ONE_STANDARD_ERROR, Rule
from emobed_tf.errors import InputError
from emobed_tf.systems.searches import Search


@dataclass(frozen=True)
class Budget:
    """Budget, the same for every system."""

    configurations: int = 16
    """Settings that each system tries on development; 1: its defaults, no search."""
    seeds: int = 5
    """Fits with the chosen settings, from seed 0 on."""
    search: Search = "shared"
    """shared: all networks try the same learning rates and L2 weights, each with weights of its own beside them; own:
    the paper's frameworks try alpha and beta alone, and classic the other two; none: the defaults, no search."""
    selection_seeds: int = 1
    """Fits of each configuration, from seed 0 on; it is judged by the mean of their development scores."""
    rule: Rule = "best"
    """best: the settings with the best score. one-standard-error: of those within one standard error of the best, the
    ones with the smallest weights of auxiliary losses, then the strongest L2 (needs several scores of each)."""
    halving: bool = False
    """Search by successive halving: all configurations are trained for a small part of the epochs, the best quarter of
    them for four times as many, until one is left."""
    show_selection: bool = False
    """EXPLORATORY: fit every configuration once more and predict test, to show how development and test scores go
    together. Nothing is chosen by it, but it is a look at test."""

    def check(self, inner_folds: int = 1) -> "Budget":
        """Makes sure that there is something to do, and that every setting has an effect.

        Args:
            inner_folds: splits that each configuration is scored on.

        Returns:
            Itself.

        Raises:
            InputError: if there is nothing to do, or settings contradict each other.
        """
        for name in ("configurations", "seeds", "selection_seeds"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name.replace('_', '-')}: expected 1 or more, found {getattr(self, name)}")
        if self.rule == ONE_STANDARD_ERROR and self.selection_seeds * inner_folds < 2:
            raise InputError(
                f"--rule {ONE_STANDARD_ERROR}: a single score has no standard error; add --selection-seeds 2 or more, "
                "or, in a cross-validation, --inner-folds"
            )
        if self.search == "none" and self.configurations not in (1, Budget.configurations):
            raise InputError(
                f"--search none tries the defaults alone; leave --configurations {self.configurations} out"
            )
        if self.halving and self.show_selection:
            raise InputError(
                "--show-selection: with --halving, scores of different epochs can't be compared; leave one"
            )
        if self.tried > 1:
            return self
        without = {
            "--selection-seeds": self.selection_seeds > 1,
            "--rule": self.rule != BEST,
            "--halving": self.halving,
            "--show-selection": self.show_selection,
        }
        idle = [flag for flag, given in without.items() if given]
        if idle:
            raise InputError(f"{idle[0]}: with a single configuration there is nothing to choose; leave it out")
        return self

    @property
    def tried(self) -> int:
        """Configurations that a system tries at most."""
        return 1 if self.search == "none" else self.configurations

    @property
    def described(self) -> str:
        """How settings are chosen, in words."""
        if self.tried == 1:
            return "Nothing was searched: every system has its default settings."
        spaces = {
            "shared": "all networks tried the same learning rates and L2 weights, and further settings of their own",
            "own": "every system searched a space of its own, so that a gain may be due to another learning rate",
        }
        text = f"Search {self.search}: {spaces[self.search]}."
        if self.selection_seeds > 1:
            text += f" A configuration's score is the mean over {self.selection_seeds} seeds."
        if self.rule == ONE_STANDARD_ERROR:
            text += (
                " Of the configurations within one standard error of the best, the one with the smallest weights of "
                "auxiliary losses was taken, then the strongest L2."
            )
        if self.halving:
            text += (
                f" Configurations were searched by successive halving: one in {KEPT} went on at each rung, with {KEPT} "
                "times as many epochs, the same for every system (curriculum learning and systems without networks "
                "train all of them whole)."
            )
        return text

    def plan_text(self, where: str, splits: int = 1) -> str:
        """How many fits the choice of a system's settings takes, in words.

        Args:
            where: what they are scored on.
            splits: splits that each configuration is scored on.

        Returns:
            Such as `16 settings on development, each with 2 seeds`.
        """
        text = f"{counted(self.tried, 'setting')} on {where}"
        each = [f"on {splits} splits"] if splits > 1 else []
        each += [f"with {self.selection_seeds} seeds"] if self.selection_seeds > 1 else []
        text += f", each {' and '.join(each)}" if each else ""
        return f"{text}, by successive halving" if self.halving else text

    def to_dict(self) -> dict[str, Any]:
        """How settings are chosen, as JSON values."""
        return {
            "search": self.search,
            "configurations": self.tried,
            "selection_seeds": self.selection_seeds,
            "rule": self.rule,
            "halving": self.halving,
        }
