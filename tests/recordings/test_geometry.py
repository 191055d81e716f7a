"""AVEC's geometric features beside loops over points, and what turning and scaling a face must not change."""

import math
import re
from collections import Counter
from itertools import pairwise

import numpy as np

from emobed_tf.recordings.geometry import INDICES, MEAN_SHAPE, REGIONS, STABLE, Landmarks, aligned, geometric

RNG = np.random.default_rng(0)
FACES = MEAN_SHAPE + RNG.normal(scale=0.2, size=(4, 49, 2))


def moved(points, degrees, scale, by):
    """As a camera may see the same face."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points @ turn.T * scale + by


class TestMeanShape:
    def test_is_a_face(self):
        assert len(INDICES) == len(set(INDICES)) == len(MEAN_SHAPE) == 49
        brows, nose, eyes, mouth = MEAN_SHAPE[:10], MEAN_SHAPE[10:19], MEAN_SHAPE[19:31], MEAN_SHAPE[31:]
        assert brows[:, 1].max() < eyes[:, 1].min() < nose[3:, 1].min() < nose[:, 1].max() < mouth[:, 1].min()
        assert MEAN_SHAPE[list(REGIONS["right_eye"]), 0].max() < 0 < MEAN_SHAPE[list(REGIONS["left_eye"]), 0].min()

    def test_is_its_own_mirror_image(self):
        mirrored = MEAN_SHAPE * (-1, 1)
        distances = np.linalg.norm(mirrored[:, None] - MEAN_SHAPE[None], axis=2)
        assert sorted(distances.argmin(axis=1)) == list(range(49))
        assert distances.min(axis=1).max() < 1e-9

    def test_stable_points_are_corners_of_eyes_and_nose(self):
        # of each eye the two points farthest out and in, and the nine of the nose
        eyes = [list(range(19, 25)), list(range(25, 31))]
        corners = {eye[find(MEAN_SHAPE[eye, 0])] for eye in eyes for find in (np.argmin, np.argmax)}
        assert set(STABLE) == corners | set(range(10, 19))


class TestAligned:
    def test_lies_on_the_mean_shape(self):
        np.testing.assert_allclose(aligned(moved(MEAN_SHAPE, 30, 17, (100, 200))[None])[0], MEAN_SHAPE, atol=1e-9)

    def test_least_squares(self):
        """x' = a x - b y + c, y' = b x + a y + d, solved as any linear system."""
        face, stable = moved(FACES[0], -12, 8, (90, 60)), list(STABLE)
        x, y = face[stable].T
        one, nought = np.ones_like(x), np.zeros_like(x)
        system = np.concatenate([np.stack([x, -y, one, nought], 1), np.stack([y, x, nought, one], 1)])
        a, b, c, d = np.linalg.lstsq(system, MEAN_SHAPE[stable].T.ravel())[0]
        expected = np.stack([a * face[:, 0] - b * face[:, 1] + c, b * face[:, 0] + a * face[:, 1] + d], axis=1)
        np.testing.assert_allclose(aligned(face[None])[0], expected, atol=1e-9)


class TestGeometric:
    def test_counts(self):
        assert len(set(Landmarks.names)) == len(Landmarks.names) == geometric(FACES).shape[1] == 316
        kinds = Counter(re.sub(r"_?[0-9]+(_[xy])?$", "", name) for name in Landmarks.names)
        # n points of a region make n - 1 distances and n - 2 angles: 11 of an eye and its brow, 18 of the mouth
        eye, mouth = {"distance": 10, "angle": 9}, {"distance": 17, "angle": 16}
        assert kinds == {
            "shape": 98,
            "motion": 98,
            "distance": 49,
            **{f"{side}_eye_{kind}": count for side in ("left", "right") for kind, count in eye.items()},
            **{f"mouth_{kind}": count for kind, count in mouth.items()},
        }

    def test_is_the_same_wherever_the_face_is(self):
        seen = np.stack([moved(face, 9 * k, 10 + k, (50 * k, 70)) for k, face in enumerate(FACES)])
        np.testing.assert_allclose(geometric(seen), geometric(FACES), atol=1e-9)

    def test_a_face_of_the_mean_shape_that_doesn_t_move(self):
        found = geometric(np.stack([MEAN_SHAPE] * 3))
        np.testing.assert_allclose(found[:, :98], 0, atol=1e-9)
        assert np.isnan(found[0, 98:196]).all()
        np.testing.assert_allclose(found[1:, 98:196], 0, atol=1e-9)

    def test_loops_over_points(self):
        points = aligned(FACES)
        found = geometric(FACES)
        for picture, face in enumerate(points):
            expected = [*(face - MEAN_SHAPE).ravel()]
            expected += [math.nan] * 98 if picture == 0 else [*(face - points[picture - 1]).ravel()]
            centre = [sorted(face[list(STABLE), axis])[6] for axis in (0, 1)]  # the 7th of 13
            expected += [math.dist(point, centre) for point in face]
            for joined in REGIONS.values():
                corners = [face[k] for k in joined]
                expected += [math.dist(*pair) for pair in pairwise(corners)]
                for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
                    one, other = before - here, after - here
                    cosine = one @ other / math.hypot(*one) / math.hypot(*other)
                    expected.append(math.acos(max(-1.0, min(1.0, cosine))))
            np.testing.assert_allclose(found[picture], expected, atol=1e-6)

    def test_a_missing_face_is_missing_and_so_is_the_motion_after_it(self):
        faces = FACES.copy()
        faces[1] = np.nan
        found = geometric(faces)
        assert np.isnan(found[1]).all()
        assert np.isnan(found[2, 98:196]).all()
        assert np.isfinite(found[2, :98]).all() and np.isfinite(found[3]).all()
