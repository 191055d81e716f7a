"""`landmarks`: the 632 geometric features of AVEC 2015 and 2016, from MediaPipe's landmarks.

They are defined as Ringeval et al. (2015), "AV+EC 2015", define them, over the same 49 points, but those are found by
another tracker and lie beside another mean shape: equal in definition, not in number. The challenge doesn't say which
points within a region are joined; here it is each one with the next, which gives as many features as it counts.
"""

import numpy as np

from emobed_tf.recordings.faces import Face
from emobed_tf.recordings.landmarker import LandmarkExtractor

# Of each point: which of MediaPipe's it is, and where it lies in MediaPipe's canonical face (Apache-2.0), to the right
# and down in centimetres: the mean shape. In the order of the 68 points of iBUG, without the jaw and the inner corners
# of the mouth. Left and right are the face's own.
# fmt: off
_RIGHT_BROW = ((70, -5.721, -4.255), (63, -4.986, -4.802), (105, -3.987, -5.109), (66, -2.760, -5.101),
               (107, -1.396, -5.012))
_LEFT_BROW = ((336, 1.396, -5.012), (296, 2.760, -5.101), (334, 3.987, -5.109), (293, 4.986, -4.802),
              (300, 5.721, -4.255))
_NOSE = ((168, 0.000, -3.271), (197, 0.000, -1.728), (5, 0.000, -0.366), (4, 0.000, 0.463), (98, -1.406, 1.714),
         (97, -0.597, 2.014), (2, 0.000, 2.089), (326, 0.597, 2.014), (327, 1.406, 1.714))
_RIGHT_EYE = ((33, -4.446, -2.664), (160, -3.670, -2.928), (158, -2.724, -2.962), (133, -1.856, -2.585),
              (153, -2.724, -2.316), (144, -3.670, -2.360))
_LEFT_EYE = ((362, 1.856, -2.585), (385, 2.724, -2.962), (387, 3.670, -2.928), (263, 4.446, -2.664),
             (373, 3.670, -2.360), (380, 2.724, -2.316))
_MOUTH = ((61, -2.456, 4.343), (39, -1.432, 3.501), (37, -0.711, 3.329), (0, 0.000, 3.406), (267, 0.711, 3.329),
          (269, 1.432, 3.501), (291, 2.456, 4.343), (405, 1.325, 5.107), (314, 0.700, 5.292), (17, 0.000, 5.365),
          (84, -0.700, 5.292), (181, -1.325, 5.107), (82, -0.533, 3.993), (13, 0.000, 3.994), (312, 0.533, 3.993),
          (317, 0.583, 4.518), (14, 0.000, 4.542), (87, -0.583, 4.518))
# fmt: on
_POINTS = (*_RIGHT_BROW, *_LEFT_BROW, *_NOSE, *_RIGHT_EYE, *_LEFT_EYE, *_MOUTH)
INDICES = tuple(int(point[0]) for point in _POINTS)
"""Of the 49 points among MediaPipe's 478."""
MEAN_SHAPE = np.array([point[1:] for point in _POINTS])
"""float64 `[49, 2]`, centimetres."""
STABLE = (19, 22, 25, 28, *range(10, 19))
"""Points that expression hardly moves: the corners of the eyes, and the nose."""
REGIONS = {
    "right_eye": (*range(5), *range(19, 25)),
    "left_eye": (*range(5, 10), *range(25, 31)),
    "mouth": tuple(range(31, 49)),
}
"""Points of each region, in the order in which they are joined; an eye is with its brow."""


def _names() -> tuple[str, ...]:
    points = [f"{point + 1:02d}" for point in range(len(INDICES))]
    names = [f"{kind}_{point}_{axis}" for kind in ("shape", "motion") for point in points for axis in "xy"]
    names += [f"distance_{point}" for point in points]
    for region, joined in REGIONS.items():
        names += [f"{region}_distance_{k + 1:02d}" for k in range(len(joined) - 1)]
        names += [f"{region}_angle_{k + 1:02d}" for k in range(len(joined) - 2)]
    return tuple(names)


class Landmarks(LandmarkExtractor):
    """Mean and deviation of 316 distances and angles in each picture, 632 columns. See `geometric`."""

    version = "1"
    names = _names()

    @property
    def numbers(self) -> int:
        """Of 49 points two each."""
        return 2 * len(INDICES)

    def numbers_of(self, face: Face, image: np.ndarray) -> np.ndarray:
        """Where the 49 points of a face are.

        Args:
            face: with its `Landmarked`.
            image: is not looked at.

        Returns:
            float64 `[98]`: across and down of the first point, and so on, in pixels.
        """
        points: np.ndarray = face.found.points[list(INDICES)]
        return points.ravel()

    def describe(self, seen: np.ndarray) -> np.ndarray:
        """Features of each picture.

        Args:
            seen: float64 `[pictures, 98]`.

        Returns:
            float64 `[pictures, 316]`.
        """
        return geometric(seen.reshape(len(seen), -1, 2))


def geometric(points: np.ndarray) -> np.ndarray:
    """The 316 features of pictures that follow one another.

    Args:
        points: float64 `[pictures, 49, 2]`, across and down in whatever unit, NaN without a face.

    Returns:
        float64 `[pictures, 316]` of the points laid onto the mean shape by their stable ones, in centimetres and
        radians: 98 offsets from the mean shape; 98 from the picture before, NaN where it has no face or there is none;
        49 distances to the median of the stable points; and of each region the distances between neighbours, and the
        angle in [0, pi] that a point's two neighbours make with it.
    """
    points = aligned(points)
    pictures = len(points)
    before = np.concatenate([np.full((1, *points.shape[1:]), np.nan), points[:-1]])
    centre = np.median(points[:, STABLE], axis=1, keepdims=True)
    parts = [points - MEAN_SHAPE, points - before, np.linalg.norm(points - centre, axis=2)]
    for joined in REGIONS.values():
        steps = np.diff(points[:, joined], axis=1)
        parts += [np.linalg.norm(steps, axis=2), _angles(-steps[:, :-1], steps[:, 1:])]
    return np.concatenate([part.reshape(pictures, -1) for part in parts], axis=1)


def aligned(points: np.ndarray) -> np.ndarray:
    """Faces turned, scaled and moved so that their stable points lie on the mean shape's, by least squares.

    Args:
        points: float64 `[pictures, 49, 2]`.

    Returns:
        float64 `[pictures, 49, 2]`, centimetres.
    """
    stable, wanted = points[:, STABLE], MEAN_SHAPE[list(STABLE)]
    centre, target = stable.mean(axis=1, keepdims=True), wanted.mean(axis=0)
    # As complex numbers, a turn with a scale is one factor.
    found, goal = _complex(stable - centre), _complex(wanted - target)
    with np.errstate(invalid="ignore"):  # without a face
        factor = (np.conj(found) @ goal) / np.square(np.abs(found)).sum(axis=1)
    moved = factor[:, None] * _complex(points - centre)
    return np.stack([moved.real, moved.imag], axis=2) + target


def _complex(points: np.ndarray) -> np.ndarray:
    return points[..., 0] + 1j * points[..., 1]


def _angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    across = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return np.arctan2(np.abs(across), (one * other).sum(axis=-1))
