"""Distances between modalities, class by class, against NumPy and numbers by hand."""

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


def numpy_coral(a, b):
    spread = np.cov(a, rowvar=False, ddof=1) - np.cov(b, rowvar=False, ddof=1)
    d = a.shape[1]
    return (spread**2).sum() / (4 * d**2) + ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() / (4 * d)


def numpy_cmd(a, b):
    total = np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)) / 2
    for k in range(2, 6):
        moments = [((x - x.mean(axis=0)) ** k).mean(axis=0) for x in (a, b)]
        total += np.linalg.norm(moments[0] - moments[1]) / 2**k
    return total


ORACLES = {"coral": numpy_coral, "cmd": numpy_cmd}


def sample(seed=0, sizes=(20, 17, 9), width=4, classes=3):
    rng = np.random.default_rng(seed)
    embeddings = [np.tanh(rng.normal(0.2 * k, 1, (n, width))) for k, n in enumerate(sizes)]
    return embeddings, [rng.integers(-1, classes, n) for n in sizes]


def loss(tf, embeddings, classes, **settings):
    from emobed_tf.models.alignment import alignment_loss

    points = [tf.constant(e) for e in embeddings]
    with tf.GradientTape() as tape:
        tape.watch(points)
        found = alignment_loss(points, [tf.constant(c) for c in classes], **settings)
    return float(found), tape.gradient(found, points)


class TestAlignmentLoss:
    @pytest.mark.parametrize("kind", ["coral", "cmd"])
    @pytest.mark.parametrize("modalities", [2, 3])
    def test_in_numpy(self, stack, kind, modalities):
        embeddings, classes = sample(sizes=(20, 17, 9)[:modalities])
        classes[0][classes[0] == 2] = 0
        classes[0][0] = 2  # one alone: class 2 counts in no pair with the first modality
        distances = [
            ORACLES[kind](embeddings[i][classes[i] == c], embeddings[j][classes[j] == c])
            for c in range(3)
            for i in range(modalities)
            for j in range(i)
            if (classes[i] == c).sum() > 1 and (classes[j] == c).sum() > 1
        ]
        assert len(distances) == {2: 2, 3: 5}[modalities]
        assert loss(stack, embeddings, classes, kind=kind, number=3)[0] == pytest.approx(np.mean(distances))

    def test_by_hand(self, stack):
        # One dimension, 0 and 1 against 0 and 0.5: means .5 and .25, variances with n - 1 .5 and .125.
        # CORAL: (.375)^2 / 4 + (.25)^2 / 4 = .03515625 + .015625.
        a, b, classes = np.array([[0.0], [1.0]]), np.array([[0.0], [0.5]]), [np.zeros(2, int)] * 2
        assert loss(stack, [a, b], classes, kind="coral", number=1)[0] == pytest.approx(0.05078125)
        # CMD: .25 / 2; second moments .25 and .0625: .1875 / 4; third 0; fourth .0625 and .00390625: .05859375 / 16;
        # fifth 0.
        expected = 0.125 + 0.046875 + 0.05859375 / 16
        assert loss(stack, [a, b], classes, kind="cmd", number=1)[0] == pytest.approx(expected)

    @pytest.mark.parametrize("kind", ["coral", "cmd"])
    def test_gradient_by_differences(self, stack, kind):
        embeddings, classes = sample(1, sizes=(7, 6), width=2, classes=2)
        _, gradients = loss(stack, embeddings, classes, kind=kind, number=2)
        for part, gradient in zip(embeddings, gradients, strict=True):
            for k in np.ndindex(*part.shape):
                ends = []
                for move in (1e-6, -2e-6):
                    part[k] += move
                    ends.append(loss(stack, embeddings, classes, kind=kind, number=2)[0])
                part[k] += 1e-6
                assert float(gradient[k]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)

    @pytest.mark.parametrize("kind", ["coral", "cmd"])
    def test_equal_ones_are_0_apart_and_pull_nowhere(self, stack, kind):
        embeddings, classes = sample(2, sizes=(12,))
        found, gradients = loss(stack, embeddings * 2, classes * 2, kind=kind, number=3)
        assert found == 0
        assert all(not np.any(g) for g in gradients)

    @pytest.mark.parametrize("kind", ["coral", "cmd"])
    def test_no_class_has_enough(self, stack, kind):
        embeddings, _ = sample(3, sizes=(3, 3))
        embeddings[0][2] = np.nan  # takes no part
        found, gradients = loss(stack, embeddings, [np.array([0, 1, -1]), np.array([0, 0, -1])], kind=kind, number=2)
        assert found == 0
        assert all(np.all(np.asarray(g) == 0) for g in gradients)

    def test_the_order_of_modalities_does_not_matter(self, stack):
        embeddings, classes = sample(4, sizes=(12, 15))
        both = [loss(stack, embeddings[::s], classes[::s], kind="cmd", number=3)[0] for s in (1, -1)]
        assert both[0] == pytest.approx(both[1])


class TestDistribution:
    def test_of_each_class(self, stack):
        from emobed_tf.models.alignment import Distribution

        found = Distribution(stack.constant([[1.0], [3.0], [9.0]]), stack.constant([1, 1, -1]), 2)
        assert found.count.numpy().tolist() == [0, 2]
        assert found.mean.numpy().tolist() == [[0], [2]]
        assert found.centred.numpy()[..., 0].tolist() == [[0, 0, 0], [-1, 1, 0]]
