"""Losses on embeddings as terms of a network: beside plain loops over what it mines, and what is logged."""

import numpy as np
import pytest

from tests.models import test_contrastive as contrastive
from tests.models import test_semi_hard as semi_hard
from tests.models.test_emobed import batch, build, compiled, numpy_network, tensors

pytestmark = pytest.mark.usefixtures("stack")


def mined(model, parts, normalised):
    """Embeddings, classes and weights of a batch, in NumPy."""
    embeddings = [numpy_network(model, n, p["features"].astype(np.float64))[0] for n, p in parts.items()]
    points = np.concatenate([e[:, ::2].reshape(-1, 6) for e in embeddings])
    if normalised:
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, *(np.concatenate([p[k].ravel() for p in parts.values()]) for k in ("mined_classes", "mined_weights"))


def weighed_batch():
    rng, parts = np.random.default_rng(2), batch()
    for part in parts.values():
        part["mined_weights"] = rng.uniform(0.1, 1, part["mined_classes"].shape).astype(np.float32)
    return parts


@pytest.mark.parametrize("disagreement", ["ignored", "weighed"])
class TestTerms:
    @pytest.mark.parametrize("preset", ["paper", "stable"])
    def test_semi_hard(self, stack, preset, disagreement):
        model = compiled(build(), metric_loss="semi_hard", triplet_preset=preset, disagreement=disagreement)
        parts = weighed_batch()
        points, classes, weights = mined(model, parts, preset == "stable")
        triplets = semi_hard.plain_triplets(points, classes, classes >= 0)
        expected, _ = semi_hard.plain_loss(
            stack,
            points,
            triplets,
            0.2 if preset == "stable" else None,
            weight=weights if disagreement == "weighed" else None,
        )
        values, watched, _ = model.forward(tensors(model, parts))
        assert float(values["triplet"]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert float(watched["valid_anchors"]) == len({a for a, _, _ in triplets})
        distances = {"d_positive": 1, "d_negative": 2}
        for name, k in distances.items():
            mean = np.mean([np.linalg.norm(points[t[0]] - points[t[k]]) for t in triplets])
            assert float(watched[name]) == pytest.approx(mean, rel=1e-4)

    @pytest.mark.parametrize("normalise", [None, False])
    def test_contrastive(self, normalise, disagreement):
        settings = {"metric_loss": "contrastive", "temperature": 0.4, "normalise": normalise}
        model = compiled(build(), disagreement=disagreement, **settings)
        parts = weighed_batch()
        points, classes, weights = mined(model, parts, normalise is None)
        expected = contrastive.plain_loss(
            points, classes, 0.4, mask=classes >= 0, weight=weights if disagreement == "weighed" else None
        )
        values, watched, _ = model.forward(tensors(model, parts))
        assert "triplet" not in values
        assert float(values["contrastive"]) == pytest.approx(expected, rel=1e-4)
        assert float(watched["valid_anchors"]) == (classes >= 0).sum()
        assert not {"d_positive", "d_negative"} & set(watched), "there are no pairs"


@pytest.mark.parametrize("loss", ["semi_hard", "contrastive"])
@pytest.mark.parametrize("settings", [{"mining": "inter"}, {"mining": "intra"}, {"negative_seconds": 0.5}])
def test_rules_reach_the_loss(loss, settings):
    parts = batch()
    models = [compiled(build(), metric_loss=loss, **more) for more in ({}, settings)]
    plain, changed = (
        float(model.forward(tensors(model, parts))[0]["triplet" if loss == "semi_hard" else loss]) for model in models
    )
    assert abs(plain - changed) > 1e-4
