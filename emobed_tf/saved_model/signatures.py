"""What an exported model answers: one function in the graph for each signature, in plain TensorFlow operations."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.moments import STATISTICS, SpeakerPrior
from emobed_tf.evaluation.postprocessing import PostProcessing
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.speakers import COUNT, DEVIATION, RESTS, brought, brought_so_far
from emobed_tf.models.streaming import continued
from emobed_tf.saved_model.manifest import OF_SPEAKER, PACKED
from emobed_tf.saved_model.packed import frames_of_packed
from emobed_tf.saved_model.postprocess import postprocess
from emobed_tf.saved_model.refusing import in_words, refuse_unless
from emobed_tf.saved_model.sound import REST, frames_of_pcm, frames_of_wav

MANIFEST = "manifest"
MANIFESTS = 64
"""Requests for it in one batch: each is answered with thousands of bytes."""

_Answer = dict[str, tf.Tensor]


def trace(
    model: EmoBed, facts: Facts, chain: PostProcessing | None, states: Mapping[str, tuple[int, ...]] | None
) -> dict[str, tf.types.experimental.ConcreteFunction]:
    """Concrete functions of what a trained model answers, by signature; `manifest_signature` is the one left out.

    Inputs and outputs are named, and all have the batch as their first dimension. `features` are float32
    `[batch, frames, features]`, NaN where missing; of a model of utterances `[batch, 1, features]`. Assertions in the
    graph refuse another number of features or frames, and infinite values. A regression answers `prediction`
    `[batch, frames]`, a classification `probabilities` `[batch, classes]` and `label` `[batch]` after the last frame.

    - `serving_default`: `features` -> the answer
    - `embed`: `features` -> `embedding` `[batch, frames, units]`
    - `postprocessed` (regression): `features` -> `postprocessed` `[batch, frames]`, see `postprocess`
    - `stream` (where there are states): `features` and the states, each `[batch, *shape]` -> the answer and the states
      after it
    - `PACKED`: `packed` string `[batch]`, the bytes of float32 features, as many in each -> the answer, and that of
      `postprocessed`
    - `OF_SPEAKER` (of a model that is standardised by speaker): `features` and the speaker's `moments.STATISTICS`, each
      `[batch, features]` -> as the signature without them, which is that of a speaker of whom nothing is known

    A model of waveforms, whose features are samples in [-1, 1), has further ones:

    - `wav`: `wav` string `[1]`, the bytes of a file -> the answer, and that of `postprocessed`
    - `pcm`: `pcm` string `[batch]`, 16-bit samples -> the same
    - `stream_pcm` (where there are states): `pcm`, `sound.REST` and the states -> the answer, and these after it. A
      chunk need not end with a frame.

    Args:
        model: with its trained weights.
        facts: of the run.
        chain: learnt on development; None for a classification.
        states: `streaming.state_shapes`, and `speaker_states`; None for a model that has no stream.

    Returns:
        The functions.
    """
    encoder, head = model.encoder(facts.target), model.head
    frames = 1 if facts.frame_seconds[facts.target] is None else None
    features = tf.TensorSpec([None, frames, len(facts.features[facts.target])], tf.float32)

    def predict(*, features: tf.Tensor) -> _Answer:
        return _answer(head(encoder(_checked(features, facts.target))), facts)

    def embed(*, features: tf.Tensor) -> _Answer:
        return {"embedding": encoder(_checked(features, facts.target))}

    def stream(*, features: tf.Tensor, **states: tf.Tensor) -> _Answer:
        features = _checked(features, facts.target)
        states = {name: _checked_finite(name, state) for name, state in _checked_states(states, features).items()}
        known: _Answer = {}
        if facts.speaker_prior is not None:
            features, known = brought_so_far(features, {**states, **_checked_statistics(states)}, facts.speaker_prior)
        outputs, after = continued(model, facts.target, features, states)
        return _checked_answer({**_answer(outputs, facts), **after, **known})

    def whole(features: tf.Tensor) -> _Answer:
        answer = predict(features=features)
        if chain is not None:
            answer["postprocessed"] = postprocess(answer["prediction"], facts.delay, chain)
        return answer

    def postprocessed(*, features: tf.Tensor) -> _Answer:
        return {"postprocessed": whole(features)["postprocessed"]}

    def packed(*, packed: tf.Tensor) -> _Answer:
        frames = frames_of_packed(packed, features.shape[-1], facts.target)
        frames.set_shape(features.shape)  # declared, as that of `features` is, and then checked like it
        return whole(frames)

    functions = {"serving_default": predict, "embed": embed}
    if chain is not None:
        functions["postprocessed"] = postprocessed
    traced = {name: _traced(function, features=features) for name, function in functions.items()}
    traced[PACKED] = _traced(packed, packed=tf.TensorSpec([None], tf.string))
    if facts.speaker_prior is not None:
        statistics = {name: tf.TensorSpec([None, features.shape[-1]], tf.float32) for name in STATISTICS}
        for name, function in functions.items():
            of_speaker = _of_speaker(function, facts.target, facts.speaker_prior)
            traced[OF_SPEAKER[name]] = _traced(of_speaker, features=features, **statistics)
    if states is not None:
        specs = {name: tf.TensorSpec([None, *shape], tf.float32) for name, shape in states.items()}
        traced["stream"] = _traced(stream, features=features, **specs)
    if facts.target in facts.sample_rates:
        traced |= _of_sound(whole, facts)
        if states is not None:
            traced["stream_pcm"] = _stream_of_sound(stream, states, facts)
    return traced


def _of_sound(whole: Callable[[tf.Tensor], _Answer], facts: Facts) -> dict[str, tf.types.experimental.ConcreteFunction]:
    """Signatures that take a file's bytes, or all samples, and answer what all of some functions do."""
    samples, rate = len(facts.features[facts.target]), facts.sample_rates[facts.target]
    nothing = tf.constant([""])

    def wav(*, wav: tf.Tensor) -> _Answer:
        return whole(frames_of_wav(wav, samples, rate))

    def pcm(*, pcm: tf.Tensor) -> _Answer:
        return whole(frames_of_pcm(pcm, tf.broadcast_to(nothing, tf.shape(pcm)), samples)[0])

    text = tf.TensorSpec([None], tf.string)
    return {"wav": _traced(wav, wav=text), "pcm": _traced(pcm, pcm=text)}


def _stream_of_sound(
    stream: Callable[..., _Answer], states: Mapping[str, tuple[int, ...]], facts: Facts
) -> tf.types.experimental.ConcreteFunction:
    """The stream of frames as one of samples, of which some may be left over."""
    samples = len(facts.features[facts.target])

    def stream_pcm(*, pcm: tf.Tensor, rest_bytes: tf.Tensor, **states: tf.Tensor) -> _Answer:
        frames, rest = frames_of_pcm(pcm, rest_bytes, samples)
        return {**stream(features=frames, **states), REST: rest}

    text = tf.TensorSpec([None], tf.string)
    specs = {name: tf.TensorSpec([None, *shape], tf.float32) for name, shape in states.items()}
    return _traced(stream_pcm, pcm=text, **{REST: text}, **specs)


def speaker_states(facts: Facts) -> dict[str, tuple[int, ...]]:
    """What a stream remembers of its speaker, beside what the network remembers.

    Args:
        facts: of the run.

    Returns:
        Shapes for one sequence by name, see `moments.STATISTICS` and `speakers.RESTS`; none of a model that knows no
        speakers.
    """
    width = len(facts.features[facts.target])
    return {} if facts.speaker_prior is None else dict.fromkeys((*STATISTICS, *RESTS.values()), (width,))


def manifest_signature(text: str) -> tf.types.experimental.ConcreteFunction:
    """Concrete function of the signature `manifest`: `request` string `[batch]`, whatever it says -> the text.

    Args:
        text: the manifest as JSON.

    Returns:
        The function; its output `manifest` is string `[batch]`. More than `MANIFESTS` at once are refused.
    """

    def manifest(*, request: tf.Tensor) -> _Answer:
        few = refuse_unless(
            tf.size(request) <= MANIFESTS,
            "expected one request for the manifest, got ",
            in_words(tf.size(request)),
        )
        with tf.control_dependencies([few]):
            return {"manifest": tf.fill(tf.shape(request), text)}

    return _traced(manifest, request=tf.TensorSpec([None], tf.string))


def describe(function: tf.types.experimental.ConcreteFunction) -> dict[str, Any]:
    """What a concrete function takes and gives, ready for JSON.

    Args:
        function: of a signature.

    Returns:
        `inputs` and `outputs` by name: `dtype`, and `shape` with None for any size.
    """
    sides = {"inputs": function.structured_input_signature[1], "outputs": function.structured_outputs}
    return {
        side: {name: {"dtype": tensor.dtype.name, "shape": tensor.shape.as_list()} for name, tensor in tensors.items()}
        for side, tensors in sides.items()
    }


def _traced(function: Callable[..., _Answer], **inputs: tf.TensorSpec) -> tf.types.experimental.ConcreteFunction:
    named = {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in inputs.items()}
    return tf.function(function, autograph=False).get_concrete_function(**named)


def _of_speaker(function: Callable[..., _Answer], target: str, prior: SpeakerPrior) -> Callable[..., _Answer]:
    """A function of features, as one of features and their speaker's statistics."""

    def answer(*, features: tf.Tensor, **statistics: tf.Tensor) -> _Answer:
        features = _checked(features, target)
        known = _checked_statistics(_checked_states(statistics, features))
        return function(features=brought(features, known, prior))

    return answer


def _answer(outputs: tf.Tensor, facts: Facts) -> _Answer:
    if facts.task == REGRESSION:
        return {"prediction": outputs[..., 0]}
    probabilities = tf.nn.softmax(outputs[:, -1])
    return {"probabilities": probabilities, "label": tf.gather(facts.classes, tf.argmax(probabilities, axis=-1))}


def _checked(features: tf.Tensor, modality: str) -> tf.Tensor:
    """The features, once assertions have found their shape to be right, and no value infinite."""
    _, frames, width = features.shape
    dimensions = f"[batch, {frames or 'frames'}, {width}]"
    found = tf.shape(_of_unknown_shape(features))
    is_batch = refuse_unless(
        tf.size(found) == 3, f"expected features of shape {dimensions}, got [", in_words(found), "]"
    )
    with tf.control_dependencies([is_batch]):
        _, rows, columns = tf.unstack(tf.shape(_of_unknown_shape(features)), 3)
    has_shape = [
        refuse_unless(rows > 0, f"expected one frame or more of {modality} features, got none"),
        refuse_unless(
            columns == width,
            f"expected {width} {modality} features a frame, got ",
            tf.strings.as_string(columns),
            "; see features in the manifest",
        ),
    ]
    if frames == 1:
        has_shape.append(
            refuse_unless(
                rows <= 1,
                f"expected one frame for each utterance, {dimensions}, got ",
                tf.strings.as_string(rows),
                " frames; send each utterance as an element of the batch",
            )
        )
    with tf.control_dependencies(has_shape):
        values = tf.ensure_shape(_of_unknown_shape(features), features.shape)
    infinite = tf.where(tf.math.is_inf(values))
    is_finite = refuse_unless(
        tf.size(infinite) == 0,
        f"expected finite {modality} features, or NaN where a value is missing, got an infinite one at "
        "[batch, frame, feature] = [",
        in_words(infinite[:1]),
        "]",
    )
    with tf.control_dependencies([is_finite]):
        return tf.identity(values)


def _checked_states(states: Mapping[str, tf.Tensor], features: tf.Tensor) -> dict[str, tf.Tensor]:
    """The states, once an assertion has found one for each sequence: a single one would be broadcast silently."""
    checked = {}
    for name, state in states.items():
        given = _of_unknown_shape(state)
        expected, found = in_words(tf.stack([tf.shape(features)[0], *state.shape[1:]])), in_words(tf.shape(given))
        fits = refuse_unless(expected == found, f"expected {name} of shape [", expected, "], got [", found, "]")
        with tf.control_dependencies([fits]):
            checked[name] = tf.ensure_shape(given, state.shape)
    return checked


def _checked_finite(name: str, state: tf.Tensor) -> tf.Tensor:
    """A state, once an assertion has found it finite: what comes from a client may be anything."""
    fits = tf.reduce_all(tf.math.is_finite(state))
    with tf.control_dependencies([refuse_unless(fits, f"expected {name} to be finite numbers")]):
        return tf.identity(state)


def _checked_answer(answer: _Answer) -> _Answer:
    """A stream's answer, once an assertion has found it finite: finite states may be too large for the network."""
    numbers = [tf.reduce_all(tf.math.is_finite(value)) for value in answer.values() if value.dtype.is_floating]
    fits = refuse_unless(
        tf.reduce_all(numbers), "expected states that this model has answered, got some that it has no finite answer to"
    )
    with tf.control_dependencies([fits]):
        return {name: tf.identity(value) for name, value in answer.items()}


def _checked_statistics(states: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """A speaker's statistics among the states, once an assertion has found that they can be some."""
    checked = {}
    for name in STATISTICS:
        value = states[name]
        fits = tf.reduce_all(tf.math.is_finite(value))
        if name in (COUNT, DEVIATION):
            fits &= tf.reduce_all(value >= 0)
        least = " of 0 or more" if name in (COUNT, DEVIATION) else ""
        with tf.control_dependencies([refuse_unless(fits, f"expected {name} to be finite numbers{least}")]):
            checked[name] = tf.identity(value)
    return checked


def _of_unknown_shape(tensor: tf.Tensor) -> tf.Tensor:
    # A server doesn't check the declared shape, but its optimiser folds an assertion that seems to follow from it.
    return tf.raw_ops.PlaceholderWithDefault(input=tensor, shape=tf.TensorShape(None))
