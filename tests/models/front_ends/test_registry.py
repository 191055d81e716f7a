"""Front ends by name, where they are standardised, and the rules for one's own."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.settings import FRONT_ENDS, Network

pytestmark = pytest.mark.usefixtures("stack")

OWN = "tests.models.front_ends.own"


def build(front_end, **network):
    from emobed_tf.models.build import build_emobed

    sizes = {"encoder_layers": 1, "encoder_units": 6, "head_layers": 0, **network}
    features = {"audio": 640, "face": 3}
    return build_emobed(features, 1, Network(front_end=front_end, **sizes), xla=False, waveforms=("audio",))


def noise(frames, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (2, frames, 640)).astype(np.float32)


class TestFindFrontEnd:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("none", "--front-end none: a waveform needs one; expected logmel, conv, emo18, zhao19"),
            (f"{OWN}:nothing", "--front-end .*:nothing: .*expected package.module:NAME"),
            (f"{OWN}:not_a_function", "expected a function, found a int"),
            ("os:system", "--front-end os:system: expected a function of network, modality and xla"),
            (f"{OWN}:misnamed", "layer 'layer': expected a name of its own that begins with 'audio.'"),
            (f"{OWN}:flat", r"expected channels \[batch, frames, channels\]"),
        ],
    )
    def test_what_is_none_is_told(self, name, message):
        with pytest.raises(InputError, match=message):
            build(name)


class TestStandardised:
    @pytest.mark.parametrize(
        ("front_end", "before", "pooled"),
        [
            ("conv", [], True),
            ("logmel", ["audio.logmel"], False),
            (f"{OWN}:dense", [], True),
            (f"{OWN}:fixed_then_dense", ["audio.energies"], False),
        ],
    )
    def test_what_learns_comes_behind(self, front_end, before, pooled):
        model = build(front_end)
        layers = [layer.name for layer in model.encoder("audio").layers[1:]]
        assert layers[: layers.index("audio.standardise")] == before
        assert model.standardise("audio").pooled == pooled
        assert model.standardise("audio").clip == (np.inf if pooled else 10)

    def test_other_modalities_have_none(self):
        layers = [layer.name for layer in build("conv").encoder("face").layers]
        assert layers == ["face.features", "face.standardise", "face.gru_1"]


class TestEveryOne:
    @pytest.mark.parametrize("front_end", [*FRONT_ENDS, f"{OWN}:dense"])
    def test_a_network_streams_exactly(self, front_end):
        """Chunks of frames give what the whole gives."""
        import tensorflow as tf

        from emobed_tf.models.streaming import continued, obstacle, state_shapes

        model = build(front_end)
        model.standardise("audio").deviation.assign(0.1 * np.ones(model.standardise("audio").deviation.shape))
        assert obstacle(model, "audio") is None
        signal = noise(12)
        whole = model.head(model.encoder("audio")(signal)).numpy()
        states = {name: tf.zeros([2, *shape]) for name, shape in state_shapes(model, "audio").items()}
        parts = []
        for chunk in np.split(signal, [1, 2, 9], axis=1):
            outputs, states = continued(model, "audio", tf.constant(chunk), states)
            parts.append(outputs)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)

    @pytest.mark.parametrize("front_end", FRONT_ENDS)
    def test_padding_is_not_seen(self, front_end):
        from emobed_tf.models.padding import sees_padding

        assert not sees_padding(build(front_end).encoder("audio"))

    @pytest.mark.parametrize("front_end", FRONT_ENDS)
    def test_training_applies_all_layers(self, front_end):
        """Features are standardised before the first step, waveforms in each: `embed` begins with their samples."""
        model = build(front_end)
        signal = noise(4)
        whole = model.encoder("audio")(signal).numpy()
        np.testing.assert_allclose(model.embed("audio", signal, training=False), whole, atol=1e-6)
        face = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
        standardised = model.standardise("face")(face)
        np.testing.assert_allclose(model.embed("face", standardised), model.encoder("face")(face), atol=1e-6)

    @pytest.mark.parametrize("front_end", ["conv", "emo18", "zhao19"])
    def test_kernels_count_in_the_regulariser(self, front_end):
        from emobed_tf.models.losses import squared_kernels

        model = build(front_end)
        before = float(squared_kernels(model.trainable_weights))
        kernel = next(weight for weight in model.trainable_weights if weight.name == "stage_1_kernel")
        kernel.assign(kernel + 1)
        change = float(np.sum(kernel.numpy() ** 2 - (kernel.numpy() - 1) ** 2))
        assert float(squared_kernels(model.trainable_weights)) - before == pytest.approx(change, rel=1e-3)
