"""Terms of an objective against NumPy and sums by hand."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.models.design import Architecture, Branch, Head
from emobed_tf.settings import Network
from tests.models.test_emobed import WIDTHS, build, numpy_gru, numpy_network, tensors
from tests.models.test_emobed import batch as parts

pytestmark = pytest.mark.usefixtures("stack")

SMALL = Network(encoder_layers=2, encoder_units=6, head_layers=2, head_units=5)


def numpy_ccc(y, p):
    return 2 * np.mean((y - y.mean()) * (p - p.mean())) / (y.var() + p.var() + (y.mean() - p.mean()) ** 2)


def architecture(heads=(), parts=(("audio", 4),), outputs=1, network=SMALL):
    return Architecture((Branch("audio", tuple(parts)),), outputs, network, 10.0, tuple(heads))


def compiled(plan, task="regression", *, deviations=None, easy_first=False, **settings):
    import keras

    from emobed_tf.models.build import build
    from emobed_tf.models.objective import Goal

    model = build(plan, xla=False)
    score = "ccc" if task == "regression" else "f1_macro"
    objective = preset().replace(**{"framework": "classic", **settings}).check().objective
    goal = Goal(
        "audio",
        task,
        plan.outputs,
        score,
        deviation=2.0,
        head_deviations=deviations or {},
        easy_first=easy_first,
        spread=False,
    )
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


class TestHeads:
    def test_terms_in_numpy(self, stack):
        heads = [Head("valence", apart=True), Head("doubt"), Head("reconstruction", 4, reconstructs=True)]
        model = compiled(architecture(heads))
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
        model = compiled(architecture([Head("doubt")]), deviations={"doubt": 0.5}, regression_loss="mse")
        values = batch(doubt=lambda rng, mask: rng.normal(size=mask.shape).astype(np.float32))
        found = {k: v.numpy() for k, v in model({"audio": values["features"]}).items()}
        mask, terms = values["mask"], terms_of(stack, model, values)
        expected = np.mean(((found["audio"][..., 0] - values["labels"])[mask] / 2) ** 2)
        assert terms["target"] == pytest.approx(expected, rel=1e-5)
        expected = np.mean(((found["doubt.head"][..., 0] - values["doubt"])[mask] / 0.5) ** 2)
        assert terms["doubt"] == pytest.approx(expected, rel=1e-5)

    def test_weighted_sum_by_hand(self, stack):
        model = compiled(architecture([Head("doubt")]), l2=0.1)
        model.weights_of_terms["doubt"].assign(3.0)
        # .5 + 3 * .2 + .1 * 4
        assert float(
            model.weigh({"target": stack.constant(0.5), "doubt": stack.constant(0.2), "l2": stack.constant(4.0)})
        ) == (pytest.approx(1.5))

    def test_a_head_apart_shares_the_encoder_alone(self, stack):
        for apart in (True, False):
            model = compiled(architecture([Head("doubt", apart=apart)]))
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


class TestWarmUp:
    def test_grows_with_the_steps_and_stays(self, stack):
        """Over 4 steps: 0, 1/4, 1/2, 3/4, then 1. A step's loss is what it learnt from."""
        model = build()
        compile_with(model, 4, beta=2.0)
        assert [float(weight) for weight in shares(model, 6)] == [0, 0.5, 1, 1.5, 2, 2]

    def test_the_first_step_is_joint_training(self, stack):
        warming, joint = build(), build()
        compile_with(warming, 5, beta=2.0)
        compile_with(joint, 0, beta=0.0)
        for model in (warming, joint):
            model.train_step(tensors(model, parts()))
        for a, b in zip(warming.get_weights(), joint.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("xla", [False, True])
    def test_stacked_steps_log_what_they_learnt_from(self, stack, xla):
        model = build()
        compile_with(model, 3, steps=4, xla=xla, beta=2.0, alpha=0.0, l2=0.0)
        batches = stack.nest.map_structure(lambda values: stack.stack([values] * 4), tensors(model, parts()))
        model.optimizer.learning_rate = 0.0  # each step has the same terms
        logs = {name: float(value) for name, value in model.train_step(batches).items()}
        shares_of_steps = (0 + 1 / 3 + 2 / 3 + 1) / 4
        assert logs["loss"] == pytest.approx(logs["target"] + 2 * shares_of_steps * logs["triplet"], rel=1e-4)

    def test_without_it_the_weight_is_the_variable_itself(self):
        model = build()
        compile_with(model, 0, beta=2.0)
        assert model.weights_now()["triplet"] is model.weights_of_terms["beta"]


def compile_with(model, warmup, *, steps=1, xla=False, **settings):
    import keras

    from emobed_tf.models.objective import Goal

    objective = preset().replace(**settings).check().objective
    goal = Goal("audio", "regression", 1, "ccc", strides=dict.fromkeys(WIDTHS, 2), warmup=warmup)
    model.compile(
        keras.optimizers.Adam(1e-2), goal=goal, objective=objective, steps=steps, compile_steps=xla, jit_compile=False
    )


def shares(model, steps):
    for step in range(steps):
        model.optimizer.iterations.assign(step)
        yield model.weights_now()["triplet"]


class TestAlignment:
    @pytest.mark.parametrize("framework", ["joint", "triplet", "emobed"])
    def test_is_a_term_of_its_own(self, framework):
        from tests.models.test_alignment import numpy_cmd

        model = build()
        import keras

        from emobed_tf.models.objective import Goal

        objective = preset().replace(framework=framework, alignment="cmd", alignment_weight=0.3).check().objective
        goal = Goal("audio", "regression", 1, "ccc", strides=dict.fromkeys(WIDTHS, 2), classes=2)
        model.compile(keras.optimizers.Adam(1e-2), goal=goal, objective=objective, jit_compile=False)
        values = parts()
        mined = [numpy_network(model, n, p["features"].astype(np.float64))[0] for n, p in values.items()]
        points = [e[:, ::2].reshape(-1, 6) for e in mined]
        classes = [p["mined_classes"].ravel() for p in values.values()]
        distances = [numpy_cmd(*(e[y == c] for e, y in zip(points, classes, strict=True))) for c in (0, 1)]
        terms, _, _ = model.forward(tensors(model, values))
        assert float(terms["alignment"]) == pytest.approx(np.mean(distances), rel=1e-4)
        assert float(model.weigh({"alignment": 2.0})) == pytest.approx(0.6)


class TestEasyLoss:
    """What the loss leaves out while its bin hasn't joined."""

    def test_frames_in_numpy(self, stack):
        model = compiled(architecture(), easy_first=True)
        values = batch(bin=lambda rng, mask: rng.integers(0, 5, mask.shape).astype(np.float32))
        found = model({"audio": values["features"]})["audio"].numpy()[..., 0]
        for joined in (1, 3, 5):
            model.bins_in.assign(joined)
            easy = values["mask"] & (values["bin"] < joined)
            expected = 1 - numpy_ccc(values["labels"][easy], found[easy])
            assert terms_of(stack, model, values)["target"] == pytest.approx(expected, abs=1e-5)

    def test_utterances_in_numpy(self, stack):
        model = compiled(architecture(outputs=3), "classification", easy_first=True)
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
        model = compiled(architecture(outputs=1 if regression else 3), task, easy_first=True)
        values = batch(bin=lambda rng, mask: np.full(mask.shape if regression else 3, 4, np.float32))
        if not regression:
            values["labels"] = np.array([2, 0, 1], np.int32)
        model.bins_in.assign(1)
        with stack.GradientTape() as tape:
            terms, _, _ = model.forward({"audio": stack.nest.map_structure(stack.constant, values)})
        assert float(terms["target"]) == 0
        for gradient in tape.gradient(terms["target"], model.trainable_variables):
            assert gradient is None or not np.any(gradient.numpy())


class TestTeacher:
    """A student's terms, in NumPy, over what a teacher has seen: the first and the third of three items."""

    def values(self, **more):
        taught = np.array([True, False, True])
        return batch() | {"taught": taught, "mined_classes": np.zeros((3, 5), np.int32), **more}

    def test_frames(self, stack):
        rng, model = np.random.default_rng(8), compiled(architecture(), framework="distilled")
        soft, embeddings = rng.normal(size=(3, 9)).astype(np.float32), rng.normal(size=(3, 5, 6)).astype(np.float32)
        values = self.values(soft_targets=soft, teacher_embeddings=embeddings)
        values["mined_classes"][0, 3] = -1
        model.goal = dataclasses.replace(model.goal, strides={"audio": 2})
        terms = terms_of(stack, model, values)
        embedding = numpy_through(model.encoder("audio").layers[2:], values["features"].astype(np.float64))
        outputs = numpy_through(model.head.layers[1:], embedding)[..., 0]
        seen = values["mask"] & values["taught"][:, None]
        assert terms["soft_targets"] == pytest.approx(1 - numpy_ccc(soft[seen], outputs[seen]), abs=1e-5)
        counts = (values["mined_classes"] >= 0) & values["taught"][:, None]
        squares = (embedding[:, ::2] - embeddings)[counts] ** 2
        assert terms["embedding_distance"] == pytest.approx(squares.mean(), rel=1e-4)
        assert list(model.terms) == ["target", "soft_targets", "embedding_distance", "l2"]

    def test_classes(self, stack):
        from scipy.special import softmax
        from scipy.stats import entropy

        settings = {"framework": "distilled", "teacher": "model_level", "teacher_temperature": 3.0}
        model = compiled(architecture(outputs=3), "classification", **settings)
        soft = np.random.default_rng(9).normal(size=(3, 3)).astype(np.float32)
        values = self.values(soft_targets=soft) | {"labels": np.array([2, 0, 1], np.int32)}
        logits = model({"audio": values["features"]})["audio"].numpy().astype(np.float64)
        last = logits[np.arange(3), values["mask"].sum(axis=1) - 1]
        both = [entropy(softmax(soft[k] / 3), softmax(last[k] / 3)) for k in (0, 2)]
        assert terms_of(stack, model, values)["soft_targets"] == pytest.approx(9 * np.mean(both), rel=1e-4)
        assert list(model.terms) == ["target", "soft_targets", "l2"]

    def test_weights_are_variables(self, stack):
        model = compiled(architecture(), framework="distilled", teacher_weight=0.5, teacher_embedding_weight=0.25)
        found = {"target": 1.0, "soft_targets": 2.0, "embedding_distance": 4.0, "l2": 0.0}
        assert float(model.weigh({name: stack.constant(value) for name, value in found.items()})) == 3.0


class TestTerms:
    """Each term carries its name, its function and its weight."""

    def test_weights_are_the_models_variables(self):
        model = compiled(architecture([Head("doubt"), Head("valence", apart=True)]))
        weights = model.weights_of_terms
        assert list(model.terms) == ["target", "doubt", "valence", "l2"]
        assert model.terms["target"].weight == 1.0
        for name in ("doubt", "valence", "l2"):
            assert model.terms[name].weight is weights[name]
        assert weights["l2"] is not weights["doubt"]

    def test_a_value_of_no_term_is_refused(self, stack):
        model = compiled(architecture())
        with pytest.raises(ValueError, match="Expected values of the terms target, l2. Received others: doubt"):
            model.weigh({"target": stack.constant(1.0), "doubt": stack.constant(1.0)})

    def test_restart_sets_all_weights(self):
        model = compiled(architecture([Head("doubt")]), l2=0.1)
        model.weights_of_terms["doubt"].assign(9.0)
        objective = preset().replace(framework="classic", l2=0.5).check().objective
        for asked, expected in (({"doubt": 0.25}, 0.25), ({}, 1.0)):
            model.restart(0, learning_rate=0.1, objective=objective, head_weights=asked)
            assert float(model.weights_of_terms["doubt"]) == expected
        assert float(model.weights_of_terms["l2"]) == 0.5


class TestRegressionLosses:
    def test_one_of_ones_own_is_that_of_every_head(self, stack):
        """Mean absolute error over valid frames, of the label and of another head."""
        model = compiled(architecture([Head("doubt")]), regression_loss="tests.models.own_losses:absolute")
        values = batch(doubt=lambda rng, mask: rng.normal(size=mask.shape).astype(np.float32))
        found = {k: v.numpy()[..., 0] for k, v in model({"audio": values["features"]}).items()}
        terms, mask = terms_of(stack, model, values), values["mask"]
        expected = np.abs(found["audio"] - values["labels"])[mask].mean()
        assert terms["target"] == pytest.approx(expected, rel=1e-5)
        expected = np.abs(found["doubt.head"] - values["doubt"])[mask].mean()
        assert terms["doubt"] == pytest.approx(expected, rel=1e-5)


class TestSpread:
    def test_effective_rank(self, stack):
        from emobed_tf.models.objective import spread

        # Points on the axes of a square in the plane: covariance 1/2 on two of four axes: (1)^2 / (1/4 + 1/4) = 2.
        square = np.zeros((6, 4), np.float32)
        square[:4, :2] = [[1, 0], [-1, 0], [0, 1], [0, -1]]
        square[4:] = 99  # masked out
        found = spread(stack.constant(square), stack.constant([True] * 4 + [False] * 2))
        assert float(found["effective_rank"]) == pytest.approx(2)
        assert float(found["embedding_norm"]) == pytest.approx(1)


class TestUnlabelledFrames:
    """What is in no loss may be anything: here the outputs of the labelled frames alone are looked at."""

    def given(self, labelled, **more):
        values = batch(**more)
        return values | {"labelled": labelled & values["mask"]}

    def some(self):
        return np.random.default_rng(8).random((3, 9)) < 0.5

    @pytest.mark.parametrize("loss", ["ccc", "mse"])
    def test_loss_and_gradient_are_those_of_the_labelled_frames(self, stack, loss):
        model = compiled(architecture(), regression_loss=loss)
        values = self.given(self.some())
        counts = values["labelled"]
        assert 0 < counts.sum() < values["mask"].sum()
        values["labels"] = np.where(counts, values["labels"], 0).astype(np.float32)
        tensors = {"audio": stack.nest.map_structure(stack.constant, values)}
        with stack.GradientTape(persistent=True) as tape:
            found = model.forward(tensors)[0]["target"]
            outputs = model({"audio": tensors["audio"]["features"]})["audio"][..., 0]
            chosen, gold = stack.boolean_mask(outputs, counts), stack.boolean_mask(values["labels"], counts)
            n = float(counts.sum())
            if loss == "mse":
                expected = stack.reduce_sum((chosen - gold) ** 2) / 4 / n  # scaled by the deviation 2
            else:
                mean, centre = stack.reduce_sum(chosen) / n, stack.reduce_sum(gold) / n
                spread = stack.reduce_sum((chosen - mean) ** 2) / n + stack.reduce_sum((gold - centre) ** 2) / n
                covariance = stack.reduce_sum((chosen - mean) * (gold - centre)) / n
                expected = 1 - 2 * covariance / (spread + (mean - centre) ** 2)
        assert float(found) == pytest.approx(float(expected), abs=1e-5)
        ours, theirs = (tape.gradient(value, model.trainable_variables) for value in (found, expected))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)

    @pytest.mark.parametrize("loss", ["ccc", "mse"])
    def test_a_batch_without_any_label_pulls_nowhere(self, stack, loss):
        model = compiled(architecture([Head("doubt")]), regression_loss=loss)
        values = self.given(np.zeros((3, 9), bool), doubt=lambda rng, mask: np.zeros(mask.shape, np.float32))
        values["doubt.labelled"] = np.zeros((3, 9), bool)
        tensors = {"audio": stack.nest.map_structure(stack.constant, values)}
        with stack.GradientTape() as tape:
            terms = model.forward(tensors)[0]
            value = terms["target"] + terms["doubt"]
        assert float(value) == 0
        for gradient in tape.gradient(value, model.trainable_variables):
            assert gradient is None or not np.any(gradient)

    def test_another_head_has_its_own(self, stack):
        model = compiled(architecture([Head("doubt", apart=True)]))
        values = batch(doubt=lambda rng, mask: rng.normal(size=mask.shape).astype(np.float32))
        counts = values["doubt.labelled"] = self.some() & values["mask"]
        found = {k: v.numpy()[..., 0] for k, v in model({"audio": values["features"]}).items()}
        terms, mask = terms_of(stack, model, values), values["mask"]
        expected = 1 - numpy_ccc(values["doubt"][counts], found["doubt.head"][counts])
        assert terms["doubt"] == pytest.approx(expected, abs=1e-5)
        assert terms["target"] == pytest.approx(1 - numpy_ccc(values["labels"][mask], found["audio"][mask]), abs=1e-5)

    def test_easy_ones_are_labelled_too(self, stack):
        model = compiled(architecture(), easy_first=True)
        model.bins_in.assign(1.0)
        values = self.given(self.some(), bin=lambda rng, mask: rng.integers(0, 2, mask.shape).astype(np.float32))
        counts = values["labelled"] & (values["bin"] == 0)
        outputs = model({"audio": values["features"]})["audio"].numpy()[..., 0]
        expected = 1 - numpy_ccc(values["labels"][counts], outputs[counts])
        assert terms_of(stack, model, values)["target"] == pytest.approx(expected, abs=1e-5)

    def test_no_score(self, stack):
        model = compiled(architecture())
        values = self.given(self.some())
        counts, outputs = values["labelled"], model({"audio": values["features"]})["audio"].numpy()[..., 0]
        found = model.test_step({"audio": stack.nest.map_structure(stack.constant, values)})
        assert float(found["ccc"]) == pytest.approx(numpy_ccc(values["labels"][counts], outputs[counts]), abs=1e-5)
