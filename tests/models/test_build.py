"""Networks of several encoders and heads: their numbers, their names, and what they share."""

import numpy as np
import pytest

from emobed_tf.models.design import EMOBED, Architecture, Branch, Design, Head
from tests.models.test_objective import SMALL, architecture, batch, numpy_through

pytestmark = pytest.mark.usefixtures("stack")

HEADS = (Head("valence", apart=True), Head("doubt"), Head("reconstruction", 4, reconstructs=True))


def built(plan, seed=0):
    from emobed_tf.models.build import build

    return build(plan, seed=seed, xla=False)


def arrays(model):
    from emobed_tf.models.weights import weight_arrays

    return weight_arrays(model)


class TestParts:
    def test_several_encoders_in_numpy(self):
        from emobed_tf.models.weights import leaf_layers

        model = built(architecture(parts=[("audio", 3), ("face", 2)]))
        values = batch(columns=5)["features"].astype(np.float64)
        by_name = {layer.name: layer for layer in leaf_layers(model)}
        embeddings = [
            numpy_through([by_name[f"{name}.gru_{k}"] for k in (1, 2)], part)
            for name, part in (("audio", values[..., :3]), ("face", values[..., 3:]))
        ]
        embedding = np.concatenate(embeddings, axis=-1)
        np.testing.assert_allclose(model.embed("audio", values.astype(np.float32)), embedding, atol=2e-6)
        expected = numpy_through(model.head.layers[1:], embedding)
        np.testing.assert_allclose(model({"audio": values.astype(np.float32)})["audio"], expected, atol=2e-6)

    def test_encoders_begin_as_those_of_the_modalities_alone(self):
        both = arrays(built(architecture(parts=[("audio", 3), ("face", 2)]), seed=4))
        for name, width in (("audio", 3), ("face", 2)):
            alone = arrays(built(Architecture((Branch(name, ((name, width),)),), 1, SMALL, 10.0), seed=4))
            names = [key for key in alone if key.startswith(f"{name}.gru_")]
            assert len(names) == 6, "a kernel, a recurrent kernel and a bias for each of two GRUs"
            for key in names:
                np.testing.assert_array_equal(alone[key], both[key], err_msg=key)


class TestHeads:
    def test_what_both_have_begins_alike_and_is_named_alike(self):
        plain, headed = arrays(built(architecture(), seed=2)), arrays(built(architecture(HEADS), seed=2))
        for name, values in plain.items():
            np.testing.assert_array_equal(values, headed[name], err_msg=name)
        assert headed.keys() - plain.keys() == {
            *(f"valence.gru_{k}/{name}" for k in (1, 2) for name in ("kernel", "recurrent_kernel", "bias")),
            *(f"{head.name}.output/{name}" for head in HEADS for name in ("kernel", "bias")),
        }

    def test_no_weight_counts_twice(self):
        plain, headed = built(architecture()), built(architecture(HEADS))
        # Beside: an output layer each, (5 + 1) * (1 + 4). Apart: GRUs of 5 over 6 and 5, 3u(f + u + 2), and 5 + 1.
        assert headed.count_params() - plain.count_params() == 6 * 5 + 15 * (6 + 7) + 15 * (5 + 7) + 6
        assert headed.monomodal("audio").count_params() == plain.monomodal("audio").count_params()

    def test_a_head_alone_says_what_the_whole_says(self):
        model, values = built(architecture(HEADS)), batch()["features"]
        whole = model({"audio": values})
        for head in HEADS:
            np.testing.assert_array_equal(model.head_model(head)(values), whole[head.layer])


class TestArchitecture:
    def test_of_a_run(self):
        from types import SimpleNamespace

        from emobed_tf.config import preset
        from emobed_tf.models.build import architecture as of

        config = preset().replace(encoder_units=6, clip=5.0)
        facts = SimpleNamespace(features={"audio": ("a", "b", "c"), "face": ("x",)}, target="audio", outputs=3)
        own = of(config, facts)
        assert own == of(config, facts, EMOBED)
        branches = (Branch("audio", (("audio", 3),)), Branch("face", (("face", 1),)))
        assert own == Architecture(branches, 3, config.network, 5.0)
        assert own.of_target.branches == branches[:1]

    def test_of_a_design(self):
        from types import SimpleNamespace

        from emobed_tf.config import preset
        from emobed_tf.models.build import architecture as of

        facts = SimpleNamespace(features={"both": ("a", "b", "c")}, target="both", outputs=1)
        found = of(preset(), facts, Design(parts=(("audio", 2), ("face", 1)), heads={HEADS[0]: 0.3}))
        assert found.branches == (Branch("both", (("audio", 2), ("face", 1))),)
        assert found.branches[0].width == 3
        assert found.heads == HEADS[:1], "a weight is no part of what is built"
