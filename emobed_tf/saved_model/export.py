"""A run as a SavedModel for TensorFlow Serving: the target's encoder and the head, and nothing else."""

import dataclasses
import errno
import json
import os
import re
import warnings
from pathlib import Path

import tensorflow as tf

from emobed_tf.console import Progress
from emobed_tf.corpora.facts import Facts
from emobed_tf.errors import EmoBedWarning
from emobed_tf.files import write_bytes
from emobed_tf.models.build import build_model
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.fused_gru import FusedGRU
from emobed_tf.models.streaming import obstacle, state_shapes
from emobed_tf.models.weights import inner_layers, set_weight_arrays
from emobed_tf.runs.folder import BEST, Run
from emobed_tf.saved_model.manifest import manifest
from emobed_tf.saved_model.packed import example_packed
from emobed_tf.saved_model.predecessor import warn_of_another_model
from emobed_tf.saved_model.signatures import MANIFEST, describe, manifest_signature, speaker_states, trace
from emobed_tf.saved_model.sound import example_sound
from emobed_tf.saved_model.versions import add_version
from emobed_tf.saved_model.warmup import write_warmup

MANIFEST_FILE = "manifest.json"
_SYSTEM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)  # which TensorFlow says in its own way
_FRAMES_A_TURN = 10  # of a loop


def export_run(run: Run, model_dir: Path, progress: Progress | None = None) -> Path:
    """Adds a version to a model's folder, see `versions.add_version`.

    Utterances are one frame and have no signature `stream`. Neither has a network of sequences that can't be streamed,
    see `streaming`, and a warning says why.

    Args:
        run: finished.
        model_dir: what TensorFlow Serving calls the model's base path; made if it isn't there.
        progress: told how far it is.

    Returns:
        The version's folder. It holds a SavedModel with the signatures of `signatures.trace` and `manifest`; the
        manifest, also as an asset, and as what the loaded model's function `manifest()` returns; and warm-up requests.

    Raises:
        InputError: if the run is damaged, or `model_dir` can't hold versions.
        OSError: if the version can't be written.

    Warns:
        EmoBedWarning: if the version before it is another kind of model, see `predecessor`.

    Example:
        >>> from emobed_tf.runs.folder import Run
        >>> export_run(Run.open(Path("runs/arousal")), Path("models/audio")).as_posix()
        'models/audio/1'
    """
    tell = progress or (lambda *_: None)
    return add_version(model_dir, lambda folder: _write(run, folder, model_dir, tell))


def _write(run: Run, folder: Path, model_dir: Path, tell: Progress) -> None:
    tell(0, 3, "loading the weights")
    model = _target_only(run)
    tell(1, 3, "tracing the signatures")
    facts = run.facts()
    states = _states(model, facts, model_dir)
    traced = trace(model, facts, run.chain(), states)
    described = {name: describe(function) for name, function in {**traced, MANIFEST: manifest_signature("")}.items()}
    known = manifest(run, described, states or {})
    warn_of_another_model(model_dir, known, MANIFEST_FILE)
    text = json.dumps(known, indent=2, allow_nan=False) + "\n"
    tell(2, 3, "writing the model")
    write_bytes(folder / MANIFEST_FILE, text.encode())
    saved = tf.Module()
    saved.weights = {weight.path: weight.value for weight in model.weights}
    saved.manifest_file = tf.saved_model.Asset(str(folder / MANIFEST_FILE))
    saved.manifest = tf.function(lambda: tf.constant(text), input_signature=[], autograph=False)
    # Gradients would bring the training half of every layer along.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    try:
        tf.saved_model.save(saved, str(folder), {**traced, MANIFEST: manifest_signature(text)}, options)
        width, rate = len(facts.features[facts.target]), facts.sample_rates.get(facts.target)
        examples = example_packed(width) | ({} if rate is None else example_sound(width, rate))
        write_warmup(folder, model_dir.resolve().name, described, examples)
    except tf.errors.OpError as error:
        reason = re.sub(r"^.*; | \[Op:.*$", "", error.message)  # without the hidden file's path
        number = next((number for number in _SYSTEM if os.strerror(number) in reason), None)
        if number is None:
            raise OSError(f"{model_dir}: {reason}") from None
        raise OSError(number, os.strerror(number), str(model_dir)) from None
    tell(3, 3, "done")


def _states(model: EmoBed, facts: Facts, model_dir: Path) -> dict[str, tuple[int, ...]] | None:
    """States of a stream; None where the model has none."""
    if facts.frame_seconds[facts.target] is None:
        return None
    hindered = obstacle(model, facts.target)
    if not hindered:
        return state_shapes(model, facts.target) | speaker_states(facts)
    warnings.warn(
        f"{model_dir}: no signature 'stream': the model can't answer a recording as it comes, because {hindered}",
        EmoBedWarning,
        stacklevel=3,
    )
    return None


def _target_only(run: Run) -> EmoBed:
    """The network as if only the target had a branch, with the best weights, always with the fused layer, no cuDNN."""
    facts, config = run.facts(), run.config().replace(fused=True)
    model = build_model(config, dataclasses.replace(facts, features={facts.target: facts.features[facts.target]}))
    set_weight_arrays(model, run.read_arrays(BEST))
    for layer in inner_layers(model):
        if hasattr(layer, "use_cudnn"):
            layer.use_cudnn = False  # what was traced where there is a GPU has to load where there is none
        if isinstance(layer, FusedGRU):
            layer.frames_a_turn = _FRAMES_A_TURN
    return model
