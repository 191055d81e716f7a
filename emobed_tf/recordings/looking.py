"""How pictures are looked at: what a user can say of it."""

import math
from dataclasses import dataclass

from emobed_tf.errors import InputError
from emobed_tf.recordings.faces import LARGEST, check_choice

_LEAST_STEP = 0.01  # seconds: no video that is meant here has more than 100 pictures a second


@dataclass(frozen=True)
class Looking:
    """What decides over what is seen, besides windows. It can be pickled.

    Attributes:
        picture_step: seconds from one picture that is looked at to the next; None: the extractor's own.
        face: which face, see `faces.Chooser`; None: the largest.
        model: path of the file with the extractor's network; None: where its environment variable says.
    """

    picture_step: float | None = None
    face: str | None = None
    model: str | None = None

    def check(self) -> "Looking":
        """Makes sure that one can look like that.

        Returns:
            Itself.

        Raises:
            InputError: if the step is too short, or there is no such face.
        """
        if self.picture_step is not None and not _LEAST_STEP <= self.picture_step < math.inf:
            raise InputError(f"--picture-step: expected {_LEAST_STEP} s or more, found {self.picture_step:g}")
        check_choice(self.face or LARGEST)
        return self

    @property
    def given(self) -> dict[str, str]:
        """What was said at all: by flag, as it was said."""
        said = {"picture_step": self.picture_step, "face": self.face, "model": self.model}
        return {f"--{name.replace('_', '-')}": str(value) for name, value in said.items() if value is not None}
