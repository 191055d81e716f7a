"""The shared network against the classic system, NumPy and sums by hand; a network used again trains like a new one."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.config import Network, preset
from emobed_tf.systems.base import Problem
from tests.models.test_emobed import numpy_gru
from tests.systems.baselines.constructed import TINY, problem, utterances

pytestmark = pytest.mark.usefixtures("stack")

SMALL = Network(encoder_layers=2, encoder_units=6, head_layers=2, head_units=5)


def numpy_ccc(y, p):
    return 2 * np.mean((y - y.mean()) * (p - p.mean())) / (y.var() + p.var() + (y.mean() - p.mean()) ** 2)


def design(heads=(), parts=(("audio", 4),), outputs=1, network=SMALL):
    from emobed_tf.systems.baselines.network import Design

    return Design("audio", tuple(parts), outputs, network, 10.0, tuple(heads))


def compiled(plan, task="regression", **settings):
    import keras

    from emobed_tf.models.emobed import Goal
    from emobed_tf.systems.baselines.network import build

    model = build(plan, xla=False)
    score = "ccc" if task == "regression" else "f1_macro"
    objective = preset().replace(framework="classic", **settings).check().objective
    goal = Goal("audio", task, plan.outputs, score, deviation=2.0)
    model.compile(keras.optimizers.Adam(1e-2), goal=goal, objective=objective, jit_compile=False)
    return model


def weights_of(layers):
    return [[w.numpy().astype(np.float64) for w in layer.weights] for layer in layers]


def numpy_through(layers, values):
    """A stack of GRUs, then a linear layer if there is one."""
    for weights in weights_of(layers):
        values = numpy_gru(values, *weights) if len(weights) == 3 else values @ weights[0] + weights[1]
    return values


def batch(frames=9, columns=4, **more):
    rng = np.random.default_rng(3)
    mask = np.arange(frames)[None] < np.array([[frames], [frames - 4], [2]])
    values = {
        "features": rng.normal(size=(3, frames, columns)).astype(np.float32),
        "labels": rng.normal(size=(3, frames)).astype(np.float32),
        "mask": mask,
    }
    return values | {name: value(rng, mask) for name, value in more.items()}


def terms_of(tf, model, values):
    return {
        name: float(v) for name, v in model.forward({"audio": tf.nest.map_structure(tf.constant, values)})[0].items()
    }


class TestReconstructionLoss:
    def test_three_frames_by_hand(self):
        from emobed_tf.systems.baselines.network import reconstruction_loss

        inputs = np.array([[[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]]], np.float32)
        outputs = np.array([[[0.0, 4.0], [9.0, -1.0], [1.0, 7.0]]], np.float32)
        present = np.array([[[True, True], [False, True], [True, False]]])
        # Of what exists: (1 - 0)^2 + (2 - 4)^2 + 0 + (3 - 1)^2 = 9 over 4 values.
        assert float(reconstruction_loss(inputs, outputs, present)) == pytest.approx(9 / 4)
        assert float(reconstruction_loss(inputs, outputs, np.zeros_like(present))) == 0


class TestForward:
    def test_terms_in_numpy(self, stack):
        from emobed_tf.systems.baselines.network import RECONSTRUCTION, Head

        model = compiled(design([Head("valence", apart=True), Head("doubt"), Head(RECONSTRUCTION, 4)]))
        series = lambda rng, mask: rng.normal(size=mask.shape).astype(np.float32)  # noqa: E731
        values = batch(
            valence=series, doubt=series, present=lambda rng, mask: mask[..., None] & (rng.random((3, 9, 4)) < 0.7)
        )
        embedding = numpy_through(model.encoder("audio").layers[2:], values["features"].astype(np.float64))
        hidden = numpy_through(model.head.layers[1:-1], embedding)
        outputs = {
            "target": numpy_through(model.head.layers[-1:], hidden)[..., 0],
            "valence": numpy_through(model.get_layer("valence.head").layers[1:], embedding)[..., 0],
            "doubt": numpy_through(model.get_layer("doubt.head").layers[1:], hidden)[..., 0],
        }
        rebuilt = numpy_through(model.get_layer("reconstruction.head").layers[1:], hidden)
        mask, terms = values["mask"], terms_of(stack, model, values)
        for name, found in outputs.items():
            gold = values["labels" if name == "target" else name]
            assert terms[name] == pytest.approx(1 - numpy_ccc(gold[mask], found[mask]), abs=1e-5), name
        squares = (rebuilt - values["features"])[values["present"]] ** 2
        assert terms["reconstruction"] == pytest.approx(squares.mean(), abs=1e-5)
        kernels = [w.numpy() for w in model.trainable_weights if w.name.endswith("kernel")]
        assert terms["l2"] == pytest.approx(sum((k**2).sum() for k in kernels), rel=1e-5)

    def test_squared_error_is_scaled_by_each_ones_own_deviation(self, stack):
        from emobed_tf.systems.baselines.network import Head

        model = compiled(design([Head("doubt", deviation=0.5)]), regression_loss="mse")
        values = batch(doubt=lambda rng, mask: rng.normal(size=mask.shape).astype(np.float32))
        found = {k: v.numpy() for k, v in model({"audio": values["features"]}).items()}
        mask, terms = values["mask"], terms_of(stack, model, values)
        expected = np.mean(((found["audio"][..., 0] - values["labels"])[mask] / 2) ** 2)
        assert terms["target"] == pytest.approx(expected, rel=1e-5)
        expected = np.mean(((found["doubt.head"][..., 0] - values["doubt"])[mask] / 0.5) ** 2)
        assert terms["doubt"] == pytest.approx(expected, rel=1e-5)

    def test_weighted_sum_by_hand(self, stack):
        from emobed_tf.systems.baselines.network import Head

        model = compiled(design([Head("doubt")]), l2=0.1)
        model.weight.assign(3.0)
        # .5 + 3 * .2 + .1 * 4
        assert float(
            model.weigh({"target": stack.constant(0.5), "doubt": stack.constant(0.2), "l2": stack.constant(4.0)})
        ) == (pytest.approx(1.5))

    def test_several_encoders_in_numpy(self):
        model = compiled(design(parts=[("audio", 3), ("face", 2)]))
        values = batch(columns=5)["features"].astype(np.float64)
        by_name = {layer.name: layer for layer in model.encoder("audio").layers}
        embeddings = [
            numpy_through([by_name[f"{name}.gru_{k}"] for k in (1, 2)], part)
            for name, part in (("audio", values[..., :3]), ("face", values[..., 3:]))
        ]
        embedding = np.concatenate(embeddings, axis=-1)
        np.testing.assert_allclose(model.embed("audio", values.astype(np.float32)), embedding, atol=2e-6)
        expected = numpy_through(model.head.layers[1:], embedding)
        np.testing.assert_allclose(model({"audio": values.astype(np.float32)})["audio"], expected, atol=2e-6)

    def test_a_head_apart_shares_the_encoder_alone(self, stack):
        from emobed_tf.systems.baselines.network import Head

        for apart in (True, False):
            model = compiled(design([Head("doubt", apart=apart)]))
            values = batch(doubt=lambda rng, mask: rng.normal(size=mask.shape).astype(np.float32))
            with stack.GradientTape() as tape:
                terms, _, _ = model.forward({"audio": stack.nest.map_structure(stack.constant, values)})
            gradients = tape.gradient(terms["doubt"], model.trainable_variables)
            touched = {
                v.path.split("/")[0] for v, g in zip(model.trainable_variables, gradients, strict=True) if g is not None
            }
            assert {name for name in touched if name.startswith("audio")} == {"audio.gru_1", "audio.gru_2"}
            shared = {name for name in touched if name.startswith("shared")}
            assert shared == (set() if apart else {"shared.gru_1", "shared.gru_2"})


class TestEasyLoss:
    """What the loss leaves out while its bin hasn't joined."""

    def test_frames_in_numpy(self, stack):
        model = compiled(design())
        values = batch(bin=lambda rng, mask: rng.integers(0, 5, mask.shape).astype(np.float32))
        found = model({"audio": values["features"]})["audio"].numpy()[..., 0]
        for joined in (1, 3, 5):
            model.bins_in.assign(joined)
            easy = values["mask"] & (values["bin"] < joined)
            expected = 1 - numpy_ccc(values["labels"][easy], found[easy])
            assert terms_of(stack, model, values)["target"] == pytest.approx(expected, abs=1e-5)

    def test_utterances_in_numpy(self, stack):
        model = compiled(design(outputs=3), "classification")
        values = batch() | {"labels": np.array([2, 0, 1], np.int32), "bin": np.array([4, 0, 1], np.float32)}
        logits = model({"audio": values["features"]})["audio"].numpy().astype(np.float64)
        last = logits[np.arange(3), values["mask"].sum(axis=1) - 1]
        losses = np.log(np.exp(last).sum(axis=1)) - last[np.arange(3), values["labels"]]
        for joined, members in ((1, [1]), (2, [1, 2]), (5, [0, 1, 2])):
            model.bins_in.assign(joined)
            assert terms_of(stack, model, values)["target"] == pytest.approx(losses[members].mean(), abs=1e-5)

    @pytest.mark.parametrize("task", ["regression", "classification"])
    def test_a_batch_without_any_gives_nothing(self, stack, task):
        regression = task == "regression"
        model = compiled(design(outputs=1 if regression else 3), task)
        values = batch(bin=lambda rng, mask: np.full(mask.shape if regression else 3, 4, np.float32))
        if not regression:
            values["labels"] = np.array([2, 0, 1], np.int32)
        model.bins_in.assign(1)
        with stack.GradientTape() as tape:
            terms, _, _ = model.forward({"audio": stack.nest.map_structure(stack.constant, values)})
        assert float(terms["target"]) == 0
        for gradient in tape.gradient(terms["target"], model.trainable_variables):
            assert gradient is None or not np.any(gradient.numpy())


def recola_problem(folder, **settings):
    from emobed_tf.corpora.configured import load_corpus

    config = preset("recola").replace(data_dir=folder, framework="classic", batch_size=2, **{**TINY, **settings})
    return Problem(*load_corpus(config))


def classes_problem(**settings):
    rng = np.random.default_rng(6)
    parts = {}
    for partition in ("train", "dev"):
        labels = rng.integers(0, 3, 30)
        parts[partition] = ((labels[:, None] + rng.normal(size=(30, 4))).astype(np.float32), labels)
    audio = utterances("audio", parts, task="classification")
    return problem(
        {"audio": audio}, "classification", classes=("a", "b", "c"), framework="classic", batch_size=8, **settings
    )


@pytest.fixture(scope="module")
def given(recola):
    return recola_problem(recola, label_delay=2.4, sequence_seconds=5.0, seed=3, epochs=2)


@pytest.fixture(scope="module")
def classic(given):
    from emobed_tf.training.loop import train

    return train(given.config, given.corpus)


class TestTraining:
    """A head that weighs nothing leaves the classic system, bit for bit."""

    @pytest.mark.parametrize("heads", [(), ("apart", "beside", "reconstruction")])
    def test_frames(self, given, classic, heads):
        from emobed_tf.systems.baselines.multitask import with_training_label
        from emobed_tf.systems.baselines.network import Head
        from emobed_tf.systems.baselines.network_training import train_network

        for name in heads:
            given = with_training_label(given, name, lambda recording: recording.labels["valence"])
        widths = {"reconstruction": 88}
        chosen = [Head(name, widths.get(name, 1), apart=name == "apart") for name in heads]
        shared = train_network(given, heads=chosen, weight=0.0)
        for name, values in classic.weights.items():
            np.testing.assert_array_equal(values, shared.weights[name], err_msg=name)
        assert shared.score == classic.score
        dev = given.recordings("dev")["audio"]
        for one, other in zip(classic.outputs(dev), shared.outputs(dev), strict=True):
            np.testing.assert_array_equal(one, other)
        assert shared.parameters["kept"] == classic.parameters["kept"]

    def test_utterances(self):
        from emobed_tf.systems.baselines.network_training import train_network
        from emobed_tf.training.loop import train

        given = classes_problem()
        classic, shared = train(given.config, given.corpus), train_network(given)
        for name, values in classic.weights.items():
            np.testing.assert_array_equal(values, shared.weights[name], err_msg=name)
        assert shared.score == classic.score > 0.5

    def test_a_head_that_weighs_something_changes_the_encoder(self, given, classic):
        from emobed_tf.systems.baselines.network import Head
        from emobed_tf.systems.baselines.network_training import train_network

        beside = train_network(given, heads=[Head("valence")], weight=1.0)
        assert not np.array_equal(classic.weights["audio.gru_1/kernel"], beside.weights["audio.gru_1/kernel"])

    def test_further_labels_are_delayed_cut_and_padded_as_the_label_is(self, given):
        from emobed_tf.systems.baselines.multitask import with_training_label
        from emobed_tf.systems.baselines.network_training import _padded, _sequences, _series

        given = with_training_label(given, "copy", lambda recording: recording.labels["arousal"])
        sequences = _sequences(given, given.modality, _series(given, "arousal"))
        np.testing.assert_array_equal(_padded(given, "copy"), sequences.labels)
        # Three recordings of 301 frames in pieces of 125; labels 60 frames earlier than they were.
        assert sequences.labels.shape == (9, 125)
        assert sequences.labels[0, 0] == given.modality.recordings[0].labels["arousal"][60]

    def test_moments_of_the_training_frames(self, given):
        from emobed_tf.systems.baselines.network_training import train_network

        trained = train_network(given)
        frames = np.concatenate([r.features for r in given.modality.partition("train")]).astype(np.float64)
        np.testing.assert_allclose(trained.weights["audio.standardise/mean"], np.nanmean(frames, axis=0), rtol=1e-4)
        z = trained.standardised(frames.astype(np.float32))
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.05)


class TestReuse:
    @pytest.fixture(autouse=True)
    def idle(self):
        from emobed_tf.training.loop import setup as preparation

        preparation._idle_models.clear()
        return preparation._idle_models

    def trained(self, given, weight=1.0, **changes):
        from emobed_tf.systems.baselines.network import Head
        from emobed_tf.systems.baselines.network_training import train_network

        changed = dataclasses.replace(given, config=given.config.replace(**changes))
        return train_network(changed, heads=[Head("reconstruction", 4)], weight=weight)

    def test_a_used_network_trains_like_a_new_one_without_another_trace(self, idle, monkeypatch):
        from emobed_tf.systems.baselines.network import SharedNetwork

        given, traced = classes_problem(), []
        forward = SharedNetwork.forward
        monkeypatch.setattr(SharedNetwork, "forward", lambda self, b: (traced.append(1), forward(self, b))[1])
        new = self.trained(given)
        idle.clear()
        self.trained(given, 0.1, seed=5, l2=0.1, learning_rate=0.02)
        (model,) = idle.values()
        traced.clear()
        used = self.trained(given)
        assert not traced
        assert list(idle.values()) == [model]
        for name, values in new.weights.items():
            np.testing.assert_array_equal(values, used.weights[name], err_msg=name)

    def test_another_shape_gets_a_network_of_its_own_and_few_are_kept(self, idle, monkeypatch):
        from emobed_tf.training.loop import setup as preparation

        monkeypatch.setattr(preparation, "_MODELS_KEPT", 1)
        given = classes_problem(epochs=1)
        for units in (2, 3):
            self.trained(given, head_units=units)
        assert [design.network.head_units for design, _ in idle] == [3]

    def test_what_was_trained_stays_when_another_is(self):
        given = classes_problem(epochs=2)
        first = self.trained(given)
        recordings = given.recordings("dev")["audio"]
        before = first.outputs(recordings), first.head_outputs("reconstruction", recordings)
        self.trained(given, seed=8).outputs(recordings)
        after = first.outputs(recordings), first.head_outputs("reconstruction", recordings)
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])
