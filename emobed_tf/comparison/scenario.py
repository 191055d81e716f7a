"""What a system is compared on: a target modality beside auxiliaries, in all of the data or in a fold of them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scenario:
    """A target modality, its auxiliaries, and the part of the data.

    Attributes:
        target: modality to recognise emotion from.
        auxiliaries: modalities that help in training.
        fold: number of the outer fold, from 1; None for the data set's own partitions.
        folds: number of outer folds; None for the data set's own partitions.
        labels: which of the target's labels there are to learn from, such as `4 speakers, draw 2`; None: all of them.
        deal: which deal of speakers into folds, from 2; None for the first.
    """

    target: str
    auxiliaries: tuple[str, ...] = ()
    fold: int | None = None
    folds: int | None = None
    labels: str | None = None
    deal: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its modalities, the target first."""
        return (self.target, *self.auxiliaries)

    @property
    def name(self) -> str:
        """What people read, and what a folder of predictions is called.

        `audio (+video)`, as the paper writes it; `audio+video, fold 1 of 5`; `audio, fold 1 of 5, deal 2`.
        """
        if self.fold is None:
            return f"{self.target} (+{', '.join(self.auxiliaries)})" if self.auxiliaries else self.target
        again = f", deal {self.deal}" if self.deal is not None else ""
        part = f", {self.labels}" if self.labels else ""
        return f"{'+'.join(self.names)}, fold {self.fold} of {self.folds}{again}{part}"

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON values; `deal` and `labels` only where they are set: ledgers of before have none."""
        later = {"deal": self.deal, "labels": self.labels}
        return {
            "target": self.target,
            "auxiliaries": list(self.auxiliaries),
            "fold": self.fold,
            "folds": self.folds,
            **{name: value for name, value in later.items() if value is not None},
        }
