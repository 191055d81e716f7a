"""Silhouettes against numbers worked out by hand; the plane."""

import numpy as np
import pytest

from emobed_tf.embeddings.separation import plane, silhouette
from emobed_tf.errors import InputError


class TestSilhouette:
    def test_by_hand(self):
        """Pairs 0, 1 and 10, 11. At 0: a = 1, b = 10.5, s = 9.5 / 10.5; at 1: b = 9.5, s = 8.5 / 9.5; mirrored."""
        vectors = np.array([[0.0], [1.0], [10.0], [11.0]])
        expected = (9.5 / 10.5 + 8.5 / 9.5) / 2
        assert silhouette(vectors, np.array(["a", "a", "b", "b"])) == pytest.approx(expected)

    def test_groups_that_lie_in_each_other(self):
        """Pairs 0, 10 and 1, 11. At 0 and 11: a = 10, b = 6; at 1 and 10: a = 10, b = 5: -.4 and -.5."""
        vectors = np.array([[0.0], [10.0], [1.0], [11.0]])
        assert silhouette(vectors, np.array([0, 0, 1, 1])) == pytest.approx(-0.45)

    def test_random_groups_have_about_none(self):
        rng = np.random.default_rng(0)
        assert abs(silhouette(rng.normal(size=(600, 20)), rng.integers(0, 7, 600))) < 0.02

    def test_points_without_a_group_are_left_out(self):
        vectors = np.array([[0.0], [1.0], [10.0], [11.0], [5.0]])
        expected = (9.5 / 10.5 + 8.5 / 9.5) / 2
        assert silhouette(vectors, np.array(["a", "a", "b", "b", ""])) == pytest.approx(expected)

    @pytest.mark.parametrize("groups", [["a", "a", "a"], ["", "", ""], ["a", "b", "c"], ["a", "", ""]])
    def test_not_defined(self, groups):
        assert silhouette(np.eye(3), np.array(groups)) is None


class TestPlane:
    def test_repeats_and_keeps_clusters_apart(self):
        rng = np.random.default_rng(1)
        vectors = np.concatenate([rng.normal(size=(20, 8)), rng.normal(size=(20, 8)) + 30]).astype(np.float32)
        found = plane(vectors)
        assert found.shape == (40, 2)
        np.testing.assert_array_equal(found, plane(vectors))
        assert silhouette(found, np.arange(40) < 20) > 0.5

    @pytest.mark.parametrize("vectors", [np.random.default_rng(0).normal(size=(5, 1)), np.zeros((6, 3))])
    def test_odd_shapes(self, vectors):
        assert np.isfinite(plane(vectors.astype(np.float32))).all()

    def test_too_few(self):
        with pytest.raises(InputError, match="got 4"):
            plane(np.eye(4))
