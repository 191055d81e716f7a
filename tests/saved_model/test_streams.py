"""Streams that live long are the whole, and states that clients make up do no harm.

Ten minutes of frames with the other tests, a day with `make soak`.
"""

import dataclasses

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.corpora.moments import STATISTICS, moments_of, prior_of
from tests.benchmarks import data
from tests.saved_model.exported import CHAIN, export
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack")

MINUTES_10, HOURS_24 = 10 * 60 * 25, 24 * 60 * 60 * 25
LONG = [MINUTES_10, pytest.param(HOURS_24, marks=[pytest.mark.soak, pytest.mark.timeout(7200)])]
KINDS = {
    "gru": {},
    "tcn": {"encoder": "tcn", "encoder_layers": 2, "kernel_size": 2},
    "speaker": {"standardise": "speaker", "speaker_prior": 2.0},
}
WIDTH = 3


@pytest.fixture(scope="module")
def exported(stack, tmp_path_factory):
    """Regressions from three features, by kind."""
    from emobed_tf.training.loop import train_run

    corpus, found = data.framewise({"audio": WIDTH}, frames=100, recordings=3), {}
    for name, changes in KINDS.items():
        settings = {**TINY, "task": corpus.task, "target": "audio", "framework": "classic", "epochs": 1, **changes}
        folder = tmp_path_factory.mktemp(name)
        run = train_run(preset("recola").replace(**settings).check(), folder / "run", corpus=corpus)
        run.write_chain(dataclasses.replace(CHAIN), {})
        found[name] = export(run, folder)
    return found


def states_of(exported, signature="stream"):
    """Zeros, as a stream begins."""
    inputs = exported.server.meta_graph.signature_def[signature].inputs
    return {
        name: np.zeros([1, *(dim.size for dim in tensor.tensor_shape.dim[1:])], np.float32)
        for name, tensor in inputs.items()
        if name not in ("features", "pcm", "rest_bytes")
    }


def sizes(frames, rng):
    """Sizes of chunks, large ones and single frames in turns."""
    largest = min(frames // 20, 20_000)
    while frames:
        for size in (int(rng.integers(2, largest)), *[1] * 20):
            size = min(size, frames)
            frames -= size
            if size:
                yield size


@pytest.mark.slow
@pytest.mark.parametrize("frames", LONG)
@pytest.mark.parametrize("kind", ["gru", "tcn"])
def test_a_long_stream_is_the_whole(exported, kind, frames):
    server, rng = exported[kind].server, np.random.default_rng(0)
    features = rng.normal(size=(1, frames, WIDTH)).astype(np.float32)
    whole = server(features=features)["prediction"]
    states, begin, largest = states_of(exported[kind]), 0, 0.0
    for size in sizes(frames, rng):
        answer = server("stream", features=features[:, begin : begin + size], **states)
        prediction = answer.pop("prediction")
        largest = max(largest, float(np.abs(prediction - whole[:, begin : begin + size]).max()))
        states, begin = answer, begin + size
    assert begin == frames
    assert largest < 1e-6
    assert np.ptp(whole) > 1e-3


def speaker(frames):
    """A feature like the corpus', one whose deviation is a 400th of its mean and skewed, and one that moves away."""
    rng = np.random.default_rng(0)
    moves = np.arange(frames) > frames / 2
    columns = [rng.normal(size=frames), 399 + rng.exponential(size=frames), 400 + moves + rng.normal(size=frames)]
    return np.stack(columns, axis=1).astype(np.float32)


@pytest.mark.parametrize("frames", [3000, pytest.param(HOURS_24, marks=LONG[1].marks)])
def test_statistics_of_a_speaker_frame_by_frame(stack, frames):
    """Each frame is a chunk: what float32 can't hold is not lost."""
    from emobed_tf.models.speakers import RESTS, brought_so_far

    said = speaker(frames)
    prior = prior_of([np.random.default_rng(1).normal(size=(100, 3)) + [0, 400, 400]], 3, 50)
    names = (*STATISTICS, *RESTS.values())

    @stack.function
    def all_of(said):
        def after(k, *states):
            _, found = brought_so_far(said[stack.newaxis, k : k + 1], dict(zip(names, states, strict=True)), prior)
            return k + 1, *(stack.reshape(found[name], [1, 3]) for name in names)

        begin = [stack.zeros([1, 3])] * len(names)
        return stack.while_loop(lambda k, *_: k < frames, after, [stack.constant(0), *begin])[1:]

    found = dict(zip(names, all_of(stack.constant(said)), strict=True))
    expected = moments_of(said)
    count, mean, deviation = (
        found[name].numpy()[0].astype(np.float64) + found[RESTS[name]].numpy()[0] for name in STATISTICS
    )
    np.testing.assert_array_equal(count, expected.count)
    # The nearest float32 alone, which a frame leaves, is off by up to 1.5e-5 at 400.
    np.testing.assert_allclose((mean - expected.mean) / expected.deviation, 0, atol=1e-7)
    np.testing.assert_allclose(deviation / expected.deviation, 1, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("frames", LONG)
def test_a_long_stream_knows_its_speaker(exported, frames):
    """In the end its statistics are those of all frames, and it says what the network says of features brought so."""
    one, rng = exported["speaker"], np.random.default_rng(0)
    said, prior = speaker(frames), one.run.facts().speaker_prior
    states, begin = states_of(one), 0
    for size in [*sizes(frames - 500, rng), 500]:
        answer = one.server("stream", features=said[np.newaxis, begin : begin + size], **states)
        prediction = answer.pop("prediction")
        states, begin = answer, begin + size
    expected = moments_of(said)
    for name, value in zip(STATISTICS, (expected.count, expected.mean, expected.deviation), strict=True):
        np.testing.assert_allclose(states[name][0], value, rtol=1e-6, atol=1e-6)
    last = [prior.apply(said[t : t + 1], moments_of(said[: t + 1]))[0] for t in range(frames - 500, frames)]
    again = one.server(features=np.array([last], np.float32))["prediction"]
    np.testing.assert_allclose(prediction[:, -50:], again[:, -50:], atol=1e-4)  # a GRU forgets what was before


class TestStatesThatAClientMakesUp:
    """Refused in words, or answered with finite numbers."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("value", [1e30, -1e30, 3e38, -3e38, 1e-45, -1.0, np.nan, np.inf, -np.inf])
    def test_numbers(self, exported, kind, value):
        names = states_of(exported[kind])
        features = np.ones((1, 4, WIDTH), np.float32)
        for changed in (*([name] for name in names), list(names)):
            states = {**names, **{name: np.full_like(names[name], value) for name in changed}}
            _assert_harmless(exported[kind].server, features, states)

    def test_a_speaker_who_said_nothing_and_has_a_rest(self, exported):
        """Of nothing, nothing is left over."""
        states, features = states_of(exported["speaker"]), np.ones((1, 4, WIDTH), np.float32)
        plain = exported["speaker"].server("stream", features=features, **states)
        for name in states:
            if name.endswith("_rest"):
                states[name] = np.full_like(states[name], 5)
        found = exported["speaker"].server("stream", features=features, **states)
        np.testing.assert_array_equal(found["prediction"], plain["prediction"])

    @pytest.mark.parametrize("kind", KINDS)
    def test_shapes(self, exported, kind):
        import tensorflow as tf

        states = states_of(exported[kind])
        for name, state in states.items():
            for wrong in (state[..., :-1], state[0], np.concatenate([state, state]), np.zeros((1, 0), np.float32)):
                with pytest.raises(tf.errors.InvalidArgumentError, match=f"expected {name} of shape"):
                    exported[kind].server(
                        "stream", features=np.ones((1, 4, WIDTH), np.float32), **{**states, name: wrong}
                    )

    def test_of_another_model(self, exported):
        """The tcn's are of other shapes; its head is of the same, and answered as any numbers are."""
        import tensorflow as tf

        features = np.ones((1, 4, WIDTH), np.float32)
        tcn = exported["tcn"].server("stream", features=features, **states_of(exported["tcn"]))
        states = {name: tcn[name] for name in states_of(exported["gru"])}
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected encoder_state_1 of shape"):
            exported["gru"].server("stream", features=features, **states)
        _assert_harmless(
            exported["gru"].server, features, {**states_of(exported["gru"]), "head_state_1": tcn["head_state_1"]}
        )


def _assert_harmless(server, features, states):
    import tensorflow as tf

    refusal = ""
    try:
        answer = server("stream", features=features, **states)
    except tf.errors.InvalidArgumentError as error:
        answer, refusal = {}, str(error)
    assert "assertion failed: [expected " in refusal or answer
    assert all(np.isfinite(values).all() for values in answer.values())
