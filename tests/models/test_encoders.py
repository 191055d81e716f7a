"""Encoders by name: the package's own in NumPy and through the training step, one's own and the rules for them."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.settings import Network
from tests.models.test_emobed import WIDTHS, batch, compiled, tensors

pytestmark = pytest.mark.usefixtures("stack")

OWN = "tests.models.own_encoders"
NAMES = ("gru", "dense", "tcn")


def build(encoder, modalities=WIDTHS, outputs=1, seed=0, xla=True, **network):
    from emobed_tf.models.build import build_emobed

    sizes = {"encoder_layers": 2, "encoder_units": 6, "head_layers": 1, "head_units": 5, **network}
    model = build_emobed(modalities, outputs, Network(encoder=encoder, **sizes), seed=seed, xla=xla)
    for name, width in modalities.items():
        model.standardise(name).adapt(np.random.default_rng(9).normal(3, 2, (50, width)).astype(np.float32))
    return model


def utterances(items=16):
    """A batch of single frames with classes, in which no unit is at rest by chance."""
    rng, parts = np.random.default_rng(1), {}
    for name, width in WIDTHS.items():
        labels = rng.integers(0, 3, items).astype(np.int32)
        parts[name] = {
            "features": rng.normal(3, 2, (items, 1, width)).astype(np.float32),
            "labels": labels,
            "mask": np.ones((items, 1), bool),
            "mined_classes": labels[:, None],
            "mined_times": np.zeros((items, 1), np.float32),
            "recording": np.arange(items, dtype=np.int32),
        }
    return parts


class TestDense:
    def test_is_that_of_numpy(self):
        model = build("dense", head_layers=0)
        rng = np.random.default_rng(0)
        for weight in model.trainable_weights:
            weight.assign(rng.normal(size=weight.shape))
        features = batch()["audio"]["features"]
        mean, deviation = (weight.numpy() for weight in model.standardise("audio").weights)
        hidden = np.nan_to_num(np.clip((features - mean) / deviation, -10, 10))
        for k in (1, 2):
            kernel, bias = model.encoder("audio").get_layer(f"audio.dense_{k}").get_weights()
            hidden = np.tanh(hidden @ kernel + bias)
        np.testing.assert_allclose(model.encoder("audio")(features), hidden, atol=2e-6)
        kernel, bias = model.head.get_layer("shared.output").get_weights()
        np.testing.assert_allclose(model.head(hidden), hidden @ kernel + bias, atol=2e-6)

    def test_without_a_head_of_layers_each_frame_is_seen_by_itself(self):
        model = build("dense", head_layers=0)
        features = batch()["audio"]["features"][:1]
        order = np.random.default_rng(0).permutation(features.shape[1])
        outputs = model.head(model.encoder("audio")(features)).numpy()
        shuffled = model.head(model.encoder("audio")(features[:, order])).numpy()
        np.testing.assert_allclose(shuffled, outputs[:, order], atol=1e-6)


class TestEveryOne:
    @pytest.mark.parametrize("encoder", NAMES)
    def test_embeddings_are_bounded(self, encoder):
        """Eq. 6 as printed has no lower bound otherwise."""
        model = build(encoder)
        for weight in model.trainable_weights:
            weight.assign(100 * np.random.default_rng(1).normal(size=weight.shape))
        embeddings = model.encoder("audio")(batch()["audio"]["features"]).numpy()
        assert embeddings.shape == (3, 11, 6)
        assert np.abs(embeddings).max() <= 1
        assert embeddings.min() < -0.5 < 0.5 < embeddings.max()

    @pytest.mark.parametrize("xla", [True, False])
    @pytest.mark.parametrize("encoder", NAMES)
    def test_every_weight_is_trained(self, stack, encoder, xla):
        """By the target's loss and the triplet term, unpaired: the modalities have other numbers of frames."""
        model = compiled(build(encoder, xla=xla), framework="emobed", alpha=0.5, beta=0.5, l2=0.0)
        before = [weight.numpy() for weight in model.trainable_weights]
        logs = stack.function(model.train_step)(tensors(model, batch()))
        assert np.isfinite(float(logs["loss"])) and float(logs["valid_anchors"]) > 0
        for weight, old in zip(model.trainable_weights, before, strict=True):
            assert (weight.numpy() != old).any(), weight.path

    @pytest.mark.parametrize("encoder", ["dense", "tcn"])
    def test_all_weights_learn_from_single_frames_but_those_of_frames_before(self, stack, encoder):
        """What a GRU's recurrent kernel doesn't. Of a convolution, the last of the three taps sees the frame."""
        model = compiled(build(encoder, outputs=3, head_layers=0), "classification", 3, framework="emobed", l2=0.0)
        with stack.GradientTape() as tape:
            terms, _, _ = model.forward(tensors(model, utterances()))
            loss = model.weigh({name: value for name, value in terms.items() if name != "l2"})
        for weight, gradient in zip(model.trainable_weights, tape.gradient(loss, model.trainable_weights), strict=True):
            taps = np.abs(np.asarray(gradient)).reshape(*gradient.shape[:1], -1).sum(axis=1)
            if weight.name in ("first_kernel", "second_kernel"):
                assert taps[-1] > 0 and not taps[:-1].any()
            else:
                assert taps.any(), weight.path

    @pytest.mark.parametrize("encoder", ["dense", "tcn"])
    def test_many_steps_in_one_program_are_as_many_single_ones(self, stack, encoder):
        parts = utterances()
        weights = []
        for steps in (1, 3):
            model = build(encoder, outputs=3, head_layers=0)
            compiled(model, "classification", 3, steps=steps, xla=steps > 1, framework="emobed")
            step, part = stack.function(model.train_step), tensors(model, parts)
            stacked = part if steps == 1 else stack.nest.map_structure(lambda values: stack.stack([values] * 3), part)
            for _ in range(3 // steps):
                step(stacked)
            weights.append([weight.numpy() for weight in model.trainable_weights])
        for one, other in zip(*weights, strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)

    @pytest.mark.parametrize("encoder", ["dense", "tcn"])
    def test_all_kernels_and_no_biases_count_in_r(self, encoder):
        """Two dense kernels in each encoder; two convolutions in each of two blocks, and the first block's skip."""
        from emobed_tf.models import losses

        model = build(encoder, head_layers=0)
        kernels = [weight for weight in model.trainable_weights if len(weight.shape) > 1]
        assert len(kernels) == 2 * {"dense": 2, "tcn": 5}[encoder] + 1
        for weight in model.trainable_weights:
            weight.assign(np.random.default_rng(1).normal(size=weight.shape))
        expected = sum(float((kernel.numpy().astype(np.float64) ** 2).sum()) for kernel in kernels)
        assert float(losses.squared_kernels(model.trainable_weights)) == pytest.approx(expected, rel=1e-5)


class TestOwn:
    def test_a_name(self):
        from emobed_tf.models.encoders import find_encoder
        from tests.models import own_encoders

        assert find_encoder(f"{OWN}:lstm") is own_encoders.lstm

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("nowhere.at_all:lstm", "No module named 'nowhere'; expected package.module:NAME .* PYTHONPATH"),
            (f"{OWN}:gone", "module 'tests.models.own_encoders' has no attribute 'gone'; expected package.module:NAME"),
            (f"{OWN}:__doc__", "expected a function, found a str"),
            *(
                (name, "expected a function of network, modality and xla .*, it raised a TypeError: ")
                for name in ("os:system", "os.path:join", "builtins:exec")
            ),
        ],
    )
    def test_no_such_function(self, name, message):
        with pytest.raises(InputError, match=f"--encoder {name}: {message}"):
            build(name)

    @pytest.mark.parametrize(
        ("encoder", "message"),
        [
            ("unnamed", "layer 'mine': expected a name of its own that begins with 'audio.'"),
            ("twice", "layer 'audio.mine': expected a name of its own"),
            ("taken", "layer 'audio.standardise': expected a name of its own"),
            ("too_wide", r"expected embeddings \[batch, frames, 6\] \(--encoder-units\), got \[any, any, 7\]"),
            ("last_only", r"expected embeddings \[batch, frames, 6\] \(--encoder-units\), got \[any, 6\]"),
            ("with_state", r"expected embeddings \[batch, frames, 6\] \(--encoder-units\), got several outputs"),
            ("a_model", "layer 'audio.mine' is a model; return the layers that it is made of"),
            ("batch_statistics", "layer 'audio.norm' normalises by the statistics of batches"),
            ("no_list", "expected a list of Keras layers, got <Dense"),
        ],
    )
    def test_a_rule_that_is_broken(self, encoder, message):
        with pytest.raises(InputError, match=f"--encoder {OWN}:{encoder}: {message}"):
            build(f"{OWN}:{encoder}")

    def test_dropout_is_for_training_alone(self, stack):
        model = compiled(build(f"{OWN}:layered", head_layers=0), framework="classic")
        features = tensors(model, batch())["audio"]["features"]
        with_dropout = model.embed("audio", features).numpy()
        assert 0.3 < np.mean(with_dropout == 0) < 0.7
        without = model.embed("audio", features, training=False)
        np.testing.assert_allclose(without, model.encoder("audio")(batch()["audio"]["features"]), atol=1e-6)
        part = {"audio": tensors(model, batch())["audio"]}
        scores = []
        for _ in range(2):
            model.score.reset_state()
            scores.append(float(model.test_step(part)["ccc"]))
        assert scores[0] == scores[1]
