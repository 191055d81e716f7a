"""The network against NumPy, Eq. 8 put together by hand, what each framework's gradient touches, the subgraph."""

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.settings import Network

pytestmark = pytest.mark.usefixtures("stack")

SMALL = Network(encoder_layers=2, encoder_units=6, head_layers=1, head_units=5)
WIDTHS = {"audio": 4, "video": 3}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_gru(x, kernel, recurrent, bias):
    """Cho et al. (2014) with the reset gate after the product, in a plain loop over `[batch, frames, features]`."""
    units = recurrent.shape[0]
    h, states = np.zeros((len(x), units)), []
    for t in range(x.shape[1]):
        a, b = x[:, t] @ kernel + bias[0], h @ recurrent + bias[1]
        z = sigmoid(a[:, :units] + b[:, :units])
        r = sigmoid(a[:, units : 2 * units] + b[:, units : 2 * units])
        candidate = np.tanh(a[:, 2 * units :] + r * b[:, 2 * units :])
        h = z * h + (1 - z) * candidate
        states.append(h)
    return np.stack(states, axis=1)


def numpy_network(model, modality, features):
    """Standardise, encoder, head: (embedding, output) from the weights alone."""
    mean, deviation = (w.numpy() for w in model.standardise(modality).weights)
    hidden = np.clip((features - mean) / deviation, -10, 10)
    hidden[np.isnan(features)] = 0
    for layer in model.encoder(modality).layers[2:]:
        hidden = numpy_gru(hidden, *(w.numpy().astype(np.float64) for w in layer.weights))
    embedding = hidden
    for layer in model.head.layers[1:-1]:
        hidden = numpy_gru(hidden, *(w.numpy().astype(np.float64) for w in layer.weights))
    kernel, bias = (w.numpy() for w in model.head.layers[-1].weights)
    return embedding, hidden @ kernel + bias


def build(modalities=WIDTHS, outputs=1, seed=0, network=SMALL, biases=True):
    """A network with random biases: zeros, as they begin, would hide what forgets them."""
    from emobed_tf.models.build import build_emobed

    model = build_emobed(modalities, outputs, network, seed=seed)
    rng = np.random.default_rng(9)
    for weight in model.trainable_weights if biases else ():
        if weight.name == "bias":
            weight.assign(0.3 * np.random.default_rng(len(weight.path)).normal(size=weight.shape))
    for name, width in modalities.items():
        model.standardise(name).adapt(rng.normal(3, 2, (50, width)).astype(np.float32))
    return model


def batch(modalities=WIDTHS, task="regression", frames=(11, 7), items=3, stride=2):
    rng = np.random.default_rng(1)
    parts = {}
    for (name, width), length in zip(modalities.items(), frames, strict=False):
        lengths = np.array([length, length - 3, 2])[:items]
        features = rng.normal(3, 2, (items, length, width)).astype(np.float32)
        mask = np.arange(length)[None] < lengths[:, None]
        features[~mask] = np.nan
        if task == "regression":
            labels = rng.normal(size=(items, length)).astype(np.float32)
            classes = np.where(mask, labels > 0, -1).astype(np.int32)[:, ::stride]
        else:
            labels = rng.integers(0, 3, items).astype(np.int32)
            classes = labels[:, None]
        parts[name] = {
            "features": features,
            "labels": labels,
            "mask": mask,
            "mined_classes": classes,
            "mined_times": np.zeros(classes.shape, np.float32),
            "recording": np.arange(items, dtype=np.int32),
        }
    return parts


def tensors(model, parts):
    """A batch as `training.setup` makes it: features standardised."""
    import tensorflow as tf

    parts = {name: {**part, "features": model.standardise(name)(part["features"])} for name, part in parts.items()}
    return tf.nest.map_structure(tf.convert_to_tensor, parts)


def compiled(model, task="regression", outputs=1, *, steps=1, xla=False, **settings):
    import keras

    from emobed_tf.models.objective import Goal

    goal = Goal("audio", task, outputs, "ccc" if task == "regression" else "f1_macro", 1.0, 2, dict.fromkeys(WIDTHS, 2))
    objective = preset().replace(**settings).check().objective
    optimizer = keras.optimizers.Adam(1e-2)
    model.compile(optimizer, goal=goal, objective=objective, steps=steps, compile_steps=xla, jit_compile=False)
    return model


def squares(model):
    kernels = [w.numpy() for w in model.trainable_weights if "kernel" in w.name]
    assert len(kernels) == 2 * 5 + 1, "a kernel and a recurrent kernel for each of five GRUs, and the output's"
    return sum(float((k.astype(np.float64) ** 2).sum()) for k in kernels)


class TestNetwork:
    @pytest.mark.parametrize("fused", [True, False])
    def test_forward_pass_in_numpy(self, fused):
        model = build(network=Network(2, 6, 1, 5, fused))
        features = batch()["audio"]["features"]
        embedding, output = numpy_network(model, "audio", features.astype(np.float64))
        np.testing.assert_allclose(model.encoder("audio")(features), embedding, atol=2e-6)
        other = batch()["video"]["features"]
        np.testing.assert_allclose(model({"audio": features, "video": other})["audio"], output, atol=2e-6)

    def test_sizes_of_the_paper(self):
        model = build({"audio": 88, "video": 168}, network=None)
        # A GRU of u units over f features has 3u(f + u + 2) weights; encoders 2 layers, head 2 layers and 121.
        gru = lambda f: 3 * 120 * (f + 120 + 2)  # noqa: E731
        expected = gru(88) + gru(120) + gru(168) + gru(120) + 2 * gru(120) + 121
        assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == expected
        assert model.encoder("audio").layers[-1].name == "audio.gru_2", "the embedding is the last GRU's output"

    def test_initial_weights_are_paired(self):
        classic, emobed = build({"audio": 4}), build()
        for name in ("audio.gru_1", "audio.gru_2"):
            pairs = (m.encoder("audio").get_layer(name).get_weights() for m in (classic, emobed))
            assert all(np.array_equal(a, b) for a, b in zip(*pairs, strict=True))
        assert all(
            np.array_equal(a, b) for a, b in zip(classic.head.get_weights(), emobed.head.get_weights(), strict=True)
        )
        again, other = build(seed=0), build(seed=1)
        kernel = [m.encoder("video").layers[2].get_weights()[0] for m in (emobed, again, other)]
        assert np.array_equal(kernel[0], kernel[1])
        assert not np.array_equal(kernel[0], kernel[2])
        assert not np.array_equal(*(emobed.encoder("audio").layers[k].get_weights()[1] for k in (2, 3)))

    def test_recurrent_kernels_are_orthogonal(self):
        _, recurrent, bias = build(biases=False).encoder("audio").layers[2].get_weights()
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(6), atol=1e-5)
        assert not bias.any()


class TestObjective:
    def test_equation_8_by_hand(self, stack):
        import audmetric

        from tests.models.test_losses import plain_loss

        alpha, beta, l2 = 0.7, 0.3, 0.01
        model = compiled(build(), framework="emobed", alpha=alpha, beta=beta, l2=l2)
        parts = batch()
        outputs, mined, classes = {}, [], []
        for name, part in parts.items():
            embedding, outputs[name] = numpy_network(model, name, part["features"].astype(np.float64))
            mined.append(embedding[:, ::2].reshape(-1, 6))
            classes.append(part["mined_classes"].ravel())
        ccc = {
            name: 1 - audmetric.concordance_cc(part["labels"][part["mask"]], outputs[name][..., 0][part["mask"]])
            for name, part in parts.items()
        }
        classes = np.concatenate(classes)
        triplet = plain_loss(np.concatenate(mined), classes, classes >= 0)
        before = squares(model)
        expected = ccc["audio"] + alpha * ccc["video"] + beta * triplet + l2 * before

        logs = model.train_step(tensors(model, parts))
        assert float(logs["loss"]) == pytest.approx(expected, rel=1e-5)
        assert float(logs["target"]) == pytest.approx(ccc["audio"], rel=1e-5)
        assert float(logs["auxiliary_video"]) == pytest.approx(ccc["video"], rel=1e-5)
        assert float(logs["triplet"]) == pytest.approx(triplet, rel=1e-4, abs=1e-6)
        assert float(logs["l2"]) == pytest.approx(before, rel=1e-5)
        assert float(logs["valid_anchors"]) == (classes >= 0).sum()

    @pytest.mark.parametrize("xla", [True, False])
    def test_compiled_steps_log_the_kernels_as_they_were_before_the_first(self, stack, xla):
        alpha, beta, l2 = 0.7, 0.3, 0.01
        model = compiled(build(), steps=3, xla=xla, framework="emobed", alpha=alpha, beta=beta, l2=l2)
        batches = stack.nest.map_structure(lambda values: stack.stack([values] * 3), tensors(model, batch()))
        before = squares(model)
        logs = {name: float(value) for name, value in stack.function(model.train_step)(batches).items()}
        if xla:
            assert logs["l2"] == pytest.approx(before, rel=1e-6)
        else:  # the mean of three sums, of which only the first is that
            assert min(before, squares(model)) < logs["l2"] < max(before, squares(model))
        tasks = logs["target"] + alpha * logs["auxiliary_video"] + beta * logs["triplet"]
        assert logs["loss"] == pytest.approx(tasks + l2 * logs["l2"], rel=1e-5)

    @pytest.mark.parametrize(
        ("framework", "terms"),
        [
            ("classic", ("target", "l2")),
            ("joint", ("target", "auxiliary_video", "l2")),
            ("triplet", ("target", "triplet", "l2")),
            ("emobed", ("target", "auxiliary_video", "triplet", "l2")),
        ],
    )
    def test_terms_and_what_their_gradients_touch(self, stack, framework, terms):
        modalities = {"audio": 4} if framework == "classic" else WIDTHS
        model = compiled(build(modalities), framework=framework)
        assert tuple(model.terms) == terms
        with stack.GradientTape(persistent=True) as tape:
            values, _, _ = model.forward(tensors(model, batch(modalities)))
        parts = {"audio": model.encoder("audio"), "head": model.head}
        if framework != "classic":
            parts["video"] = model.encoder("video")

        def moves(term, part):
            gradients = tape.gradient(values[term], part.trainable_weights)
            return any(g is not None and np.abs(np.asarray(g)).max() > 0 for g in gradients)

        touched = {term: {name for name, part in parts.items() if moves(term, part)} for term in terms}
        everything = {
            "target": {"audio", "head"},
            "auxiliary_video": {"video", "head"},
            "triplet": {"audio", "video"},
            "l2": set(parts),
        }
        assert touched == {term: everything[term] for term in terms}

    def test_joint_without_alpha_is_classic(self, stack):
        classic, joint = build({"audio": 4}), build()
        compiled(classic, framework="classic")
        compiled(joint, framework="joint", alpha=0.0)
        for _ in range(3):
            classic.train_step(tensors(classic, batch({"audio": 4})))
            joint.train_step(tensors(joint, batch()))
        for a, b in zip(classic.head.get_weights(), joint.head.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)

    def test_padding_is_as_if_it_were_not_there(self, stack):
        """Longer padding changes neither terms nor gradients."""
        short, long = batch(), batch()
        for part in long.values():
            for name, blank in (("features", np.nan), ("labels", 7.0), ("mask", False)):
                width = [(0, 0), (0, 4)] + [(0, 0)] * (part[name].ndim - 2)
                part[name] = np.pad(part[name], width, constant_values=blank)
            part["mined_classes"] = np.pad(part["mined_classes"], [(0, 0), (0, 2)], constant_values=-1)
            part["mined_times"] = np.pad(part["mined_times"], [(0, 0), (0, 2)])
        model = compiled(build())
        found = []
        for parts in (short, long):
            with stack.GradientTape() as tape:
                terms, _, _ = model.forward(tensors(model, parts))
                loss = model.weigh(terms)
            found.append((loss, tape.gradient(loss, model.trainable_weights)))
        assert float(found[0][0]) == pytest.approx(float(found[1][0]), rel=1e-6)
        for a, b in zip(found[0][1], found[1][1], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)

    def test_classification_reads_the_last_existing_frame(self, stack):
        model = compiled(build(outputs=3), "classification", 3, framework="classic", auxiliary=())
        parts = batch(task="classification")
        _, logits = numpy_network(model, "audio", parts["audio"]["features"].astype(np.float64))
        last = logits[[0, 1, 2], [10, 7, 1]]
        picked = np.log(np.exp(last).sum(axis=1)) - last[[0, 1, 2], parts["audio"]["labels"]]
        terms, _, _ = model.forward(tensors(model, parts))
        assert float(terms["target"]) == pytest.approx(picked.mean(), rel=1e-5)

    def test_development_score_undoes_the_delay(self, stack):
        import audmetric

        model = compiled(build(), framework="classic")
        part = batch()["audio"]
        _, output = numpy_network(model, "audio", part["features"].astype(np.float64))
        late = np.concatenate([np.repeat(output[:, :1], 2, axis=1), output[:, :-2]], axis=1)[..., 0]
        expected = audmetric.concordance_cc(part["labels"][part["mask"]], late[part["mask"]])
        logs = model.test_step(tensors(model, {"audio": part}))
        assert float(logs["ccc"]) == pytest.approx(expected, abs=1e-6)

    def test_weights_of_pairs_that_raters_disagree_on(self, stack):
        """An anchor's term counts by the product of its own, its positive's and its negative's weight."""
        model = compiled(build(), disagreement="weighed")
        rng = np.random.default_rng(2)
        parts = batch()
        for part in parts.values():
            part["mined_weights"] = rng.uniform(0.1, 1, part["mined_classes"].shape).astype(np.float32)
        embeddings = [numpy_network(model, n, p["features"].astype(np.float64))[0] for n, p in parts.items()]
        mined = np.concatenate([e[:, ::2].reshape(-1, 6) for e in embeddings])
        classes = np.concatenate([p["mined_classes"].ravel() for p in parts.values()])
        weights = np.concatenate([p["mined_weights"].ravel() for p in parts.values()])
        total = count = 0.0
        for i in np.flatnonzero(classes >= 0):
            distance = np.linalg.norm(mined - mined[i], axis=1)
            same, other = (
                (classes == classes[i]) & (np.arange(len(mined)) != i),
                (classes >= 0) & (classes != classes[i]),
            )
            p, n = max(np.flatnonzero(same), key=distance.item), min(np.flatnonzero(other), key=distance.item)
            weight = weights[i] * weights[p] * weights[n]
            total, count = total + weight * (distance[p] - distance[n]), count + weight
        terms, _, _ = model.forward(tensors(model, parts))
        assert float(terms["triplet"]) == pytest.approx(total / count, rel=1e-4)

    @pytest.mark.parametrize("settings", [{"mining": "inter"}, {"mining": "intra"}, {"triplet_preset": "stable"}])
    def test_settings_of_the_triplet_term_do_something(self, stack, settings):
        models = [compiled(build(), **s) for s in ({}, settings)]
        plain, changed = (model.forward(tensors(model, batch()))[0]["triplet"] for model in models)
        assert abs(float(plain) - float(changed)) > 1e-4

    def test_gradient_norms(self, stack):
        model = compiled(build(), framework="emobed", alpha=0.5, beta=2.0)
        parts = tensors(model, batch())
        norms = model.gradient_norms(parts)
        assert set(norms) == set(model.terms)
        with stack.GradientTape() as tape:
            weighted = 2.0 * model.forward(parts)[0]["triplet"]
        gradients = [g for g in tape.gradient(weighted, model.trainable_variables) if g is not None]
        expected = np.sqrt(sum(float((g.numpy() ** 2).sum()) for g in gradients))
        assert float(norms["triplet"]) == pytest.approx(expected, rel=1e-5)

    def test_unknown_target(self):
        with pytest.raises(ValueError, match="Expected a target"):
            compiled(build({"video": 3}))


class TestMonomodal:
    def test_holds_one_encoder_and_the_head_alone(self):
        model = build()
        kept = model.monomodal("audio")
        assert {w.path for w in kept.weights} == {
            w.path for w in (*model.encoder("audio").weights, *model.head.weights)
        }
        assert isinstance(kept.input_shape, tuple)
        assert kept.input_shape == (None, None, 4)

    def test_same_numbers(self):
        model = build()
        parts = batch()
        inputs = {name: part["features"] for name, part in parts.items()}
        np.testing.assert_array_equal(model.monomodal("video")(inputs["video"]), model(inputs)["video"][..., 0])

    def test_classification_gives_probabilities_after_the_last_frame(self):
        model = build(outputs=3)
        features = batch()["audio"]["features"]
        found = model.monomodal("audio")(features).numpy()
        _, logits = numpy_network(model, "audio", features.astype(np.float64))
        expected = np.exp(logits[:, -1]) / np.exp(logits[:, -1]).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
