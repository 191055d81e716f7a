"""Networks of several encoders and heads: their numbers, their names, and what they share."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.models.design import EMOBED, Architecture, Branch, Design, Head
from tests.models.test_encoders import OWN
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


def trunk_of(**network):
    return dataclasses.replace(SMALL, sharing="trunk", **network)


def two_branches(network):
    return Architecture((Branch("audio", (("audio", 4),)), Branch("face", (("face", 3),))), 1, network, 10.0)


class TestTrunk:
    """A projection for each modality, and one encoder for all of them."""

    def test_embeddings_in_numpy(self):
        from emobed_tf.models.weights import leaf_layers

        model = built(two_branches(trunk_of()))
        by_name = {layer.name: layer for layer in leaf_layers(model)}
        trunk = [by_name[f"shared.trunk.gru_{k}"] for k in (1, 2)]
        for name, columns in (("audio", 4), ("face", 3)):
            values = batch(columns=columns)["features"].astype(np.float64)
            embedding = numpy_through([by_name[f"{name}.projection"], *trunk], values)
            np.testing.assert_allclose(model.embed(name, values.astype(np.float32)), embedding, atol=2e-6)
            np.testing.assert_allclose(model.encoder(name)(values.astype(np.float32)), embedding, atol=2e-6)

    def test_numbers(self):
        """What is shared counts once, in the network and in R of Eq. 8."""
        from emobed_tf.models.losses import squared_kernels

        model = built(two_branches(trunk_of()))
        # Moments, projections to 6; then GRUs of 6 over 6 and of 5 over 6 and 5, 3u(f + u + 2), and the output.
        trunk, head = 2 * 18 * (6 + 8), 15 * (6 + 7) + 15 * (5 + 7) + 6
        assert model.count_params() == 2 * (4 + 3) + 6 * (4 + 1) + 6 * (3 + 1) + trunk + head
        assert model.monomodal("audio").count_params() == 2 * 4 + 6 * (4 + 1) + trunk + head
        kernels = {name: values for name, values in arrays(model).items() if name.endswith("kernel")}
        assert len(kernels) == 2 + 4 + 4 + 1
        expected = sum((values.astype(np.float64) ** 2).sum() for values in kernels.values())
        assert float(squared_kernels(model.trainable_weights)) == pytest.approx(expected, rel=1e-6)

    def test_begins_alike_with_and_without_the_other_modality(self):
        both = arrays(built(two_branches(trunk_of()), seed=3))
        alone = arrays(built(two_branches(trunk_of()).of_target, seed=3))
        assert {name for name in both if name.startswith("face")} == both.keys() - alone.keys()
        for name, values in alone.items():
            np.testing.assert_array_equal(values, both[name], err_msg=name)

    def test_every_modality_pulls_at_the_trunk(self, stack):
        model = built(two_branches(trunk_of()))
        for name, columns in (("audio", 4), ("face", 3)):
            with stack.GradientTape() as tape:
                said = stack.reduce_sum(model.embed(name, batch(columns=columns)["features"]))
            gradients = tape.gradient(said, model.trainable_variables)
            pairs = zip(model.trainable_variables, gradients, strict=True)
            pulled = {variable.path.split("/")[0] for variable, gradient in pairs if gradient is not None}
            assert pulled == {f"{name}.projection", "shared.trunk.gru_1", "shared.trunk.gru_2"}

    @pytest.mark.parametrize("encoder", ["dense", "tcn", f"{OWN}:layered", f"{OWN}:convolution"])
    def test_other_encoders(self, encoder):
        model = built(two_branches(trunk_of(encoder=encoder)))
        own = [layer.name for layer in model.encoder("audio").layers[2:]]
        assert own[0] == "audio.projection"
        assert own[1:] == [layer.name for layer in model.encoder("face").layers[3:]]
        assert all(name.startswith("shared.trunk.") for name in own[1:])

    def test_parts_of_one_input_share_it_too(self):
        model = built(architecture(parts=[("audio", 3), ("face", 1)], network=trunk_of()))
        names = {name.partition("/")[0] for name in arrays(model)}
        assert {"audio.projection", "face.projection", "shared.trunk.gru_1"} <= names
        assert not any(name.startswith(("audio.gru", "face.gru")) for name in names)
        values = batch()["features"]
        found = model.embed("audio", model.standardise("audio")(values))
        np.testing.assert_allclose(found, model.encoder("audio")(values), atol=1e-6)
        assert found.shape[-1] == 12


class TestArchitecture:
    def test_of_a_run(self):
        from types import SimpleNamespace

        from emobed_tf.config import preset
        from emobed_tf.models.build import architecture as of

        config = preset().replace(encoder_units=6, clip=5.0)
        features = {"audio": ("a", "b", "c"), "face": ("x",)}
        facts = SimpleNamespace(features=features, target="audio", outputs=3, sample_rates={})
        own = of(config, facts)
        assert own == of(config, facts, EMOBED)
        branches = (Branch("audio", (("audio", 3),)), Branch("face", (("face", 1),)))
        assert own == Architecture(branches, 3, config.network, 5.0)
        assert own.of_target.branches == branches[:1]

    def test_of_a_design(self):
        from types import SimpleNamespace

        from emobed_tf.config import preset
        from emobed_tf.models.build import architecture as of

        facts = SimpleNamespace(features={"both": ("a", "b", "c")}, target="both", outputs=1, sample_rates={})
        found = of(preset(), facts, Design(parts=(("audio", 2), ("face", 1)), heads={HEADS[0]: 0.3}))
        assert found.branches == (Branch("both", (("audio", 2), ("face", 1))),)
        assert found.branches[0].width == 3
        assert found.heads == HEADS[:1], "a weight is no part of what is built"
