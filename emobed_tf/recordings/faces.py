"""Which of the faces in a picture is meant, from picture to picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.errors import InputError

LARGEST, TRACKED = "largest", "tracked"
_ROOM = 0.5  # widths of a face by which it may have moved since it was seen, and as many more for each second since
_MOST = 1.5  # widths at most: people side by side are two or more apart


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        box: left, top, right, bottom in pixels.
        found: all else that was found of it.
    """

    box: tuple[float, float, float, float]
    found: Any

    @property
    def centre(self) -> tuple[float, float]:
        """Of its box, in pixels."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    @property
    def width(self) -> float:
        """The longer side of its box, in pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def check_choice(choice: str) -> str:
    """Makes sure that a choice is one.

    Args:
        choice: as the user gave it.

    Returns:
        The same.

    Raises:
        InputError: if it is none.
    """
    if choice not in (LARGEST, TRACKED) and not (choice.isascii() and choice.isdigit()):
        raise InputError(f"--face: expected {LARGEST}, {TRACKED}, or a number from the left, from 0; got {choice}")
    return choice


class Chooser:
    """Chooses the face that is meant, picture by picture. Detectors name faces in no order that lasts.

    Args:
        choice: "largest" of each picture; "tracked": the largest of one picture, which is followed from there on; or a
            number: the face that has so many faces to its left in one picture, followed as well. A face is followed as
            long as it is found near to where it was last.
    """

    def __init__(self, choice: str) -> None:
        self._choice = check_choice(choice)
        self._last: tuple[Face, float] | None = None
        self.several = 0
        """Pictures so far in which there was more than one face."""

    def begin(self, pictures: Sequence[tuple[Sequence[Face], float]]) -> None:
        """Decides which face is followed. Without it, that is decided by the first picture with enough faces.

        Args:
            pictures: faces and seconds of the first pictures. A detector may miss a face in one of them, so the first
                with the most faces decides.
        """
        faces, seconds = max(pictures, key=lambda picture: len(picture[0]), default=((), 0.0))
        chosen = self._first(faces)
        self._last = None if chosen is None else (chosen, seconds)

    def choose(self, faces: Sequence[Face], seconds: float) -> Face | None:
        """The face that is meant.

        Args:
            faces: all of the picture, in any order.
            seconds: time of the picture, later than of those before.

        Returns:
            One of them, or None if it is not among them.
        """
        self.several += len(faces) > 1
        if self._choice == LARGEST:
            return max(faces, key=lambda face: face.width, default=None)
        chosen = self._first(faces) if self._last is None else self._nearest(faces, *self._last, seconds)
        if chosen is not None:
            self._last = chosen, seconds
        return chosen

    def _first(self, faces: Sequence[Face]) -> Face | None:
        if not self._choice.isdigit():
            return max(faces, key=lambda face: face.width, default=None)
        number = int(self._choice)
        return sorted(faces, key=lambda face: face.centre)[number] if len(faces) > number else None

    def _nearest(self, faces: Sequence[Face], last: Face, then: float, now: float) -> Face | None:
        def distance(face: Face) -> float:
            return float(np.hypot(face.centre[0] - last.centre[0], face.centre[1] - last.centre[1]))

        nearest = min(faces, key=distance, default=None)
        near = last.width * min(_ROOM * (1 + abs(now - then)), _MOST)
        return nearest if nearest is not None and distance(nearest) <= near else None
