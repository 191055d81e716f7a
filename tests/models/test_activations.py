"""What terms read of a batch: computed when asked for, once, and what the network itself says."""

import numpy as np
import pytest

from emobed_tf.models.design import Head
from tests.models.test_emobed import batch, build, compiled, tensors
from tests.models.test_mining import plain_pairs
from tests.models.test_objective import architecture
from tests.models.test_objective import batch as target_batch
from tests.models.test_objective import compiled as compiled_with_heads

pytestmark = pytest.mark.usefixtures("stack")


def activations(model, parts):
    from emobed_tf.models.activations import Activations

    return Activations(model, parts)


@pytest.fixture
def calls(monkeypatch):
    """Names of the GRU layers that were called, one after another."""
    from emobed_tf.models.fused_gru import FusedGRU

    found, call = [], FusedGRU.call

    def noted(self, sequences, initial_state=None, mask=None, training=False):
        found.append(self.name)
        return call(self, sequences, initial_state=initial_state, mask=mask, training=training)

    monkeypatch.setattr(FusedGRU, "call", noted)
    return found


class TestOutputs:
    def test_are_the_networks(self):
        model = compiled(build())
        parts = batch()
        found = activations(model, tensors(model, parts))
        whole = model({name: part["features"] for name, part in parts.items()})
        for name in parts:
            np.testing.assert_allclose(found.outputs(name), whole[name], atol=1e-6)

    def test_of_an_auxiliary_are_computed_when_asked_for_and_once(self, calls):
        model = compiled(build())
        found = activations(model, tensors(model, batch()))
        calls.clear()
        assert found.outputs("video") is found.outputs("video")
        assert calls == ["shared.gru_1"]

    def test_a_head_beside_needs_no_second_pass_through_the_shared_layers(self, stack, calls):
        head = Head("doubt")
        model = compiled_with_heads(architecture([head]))
        values = target_batch()
        whole = model({"audio": values["features"]})
        found = activations(model, {"audio": stack.nest.map_structure(stack.constant, values)})
        calls.clear()
        np.testing.assert_allclose(found.outputs("audio"), whole["audio"], atol=1e-6)
        np.testing.assert_allclose(found.outputs_of(head), whole[head.layer], atol=1e-6)
        assert calls == ["shared.gru_1", "shared.gru_2"]


class TestMined:
    def test_one_each_stride_of_every_modality(self):
        model = compiled(build())
        parts = batch(stride=2)
        found = activations(model, tensors(model, parts))
        expected = [found.embeddings[name].numpy()[:, ::2].reshape(-1, 6) for name in parts]
        np.testing.assert_array_equal(found.mined.embeddings, np.concatenate(expected))
        classes = np.concatenate([part["mined_classes"].ravel() for part in parts.values()])
        np.testing.assert_array_equal(found.mined.classes, classes)

    @pytest.mark.parametrize("preset", ["paper", "stable"])
    def test_hardest_by_looking_at_all_pairs(self, preset):
        model = compiled(build(), triplet_preset=preset)
        found = activations(model, tensors(model, batch()))
        points, classes = (part.numpy() for part in found.mined)
        points = points.astype(np.float64)
        if preset == "stable":
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        pairs = plain_pairs(points, classes, classes >= 0)
        assert sum(pair is not None for pair in pairs) > 10
        for k, pair in enumerate(pairs):
            if pair is not None:
                farthest, nearest = (np.linalg.norm(points[k] - points[other]) for other in pair)
                assert float(found.hardest.positive[k]) == pytest.approx(farthest, abs=1e-5)
                assert float(found.hardest.negative[k]) == pytest.approx(nearest, abs=1e-5)
