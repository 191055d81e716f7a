"""The manifest of an exported model: what it takes and gives, what it was made from, and how good it was."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.prediction import reading_to_dict
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from emobed_tf.runs.provenance import provenance
from emobed_tf.runs.records import typed
from emobed_tf.settings import CORPUS, SPEAKER

FORMAT = 2  # the newest that a client of this version reads
OF_SPEAKER = {
    "serving_default": "prediction_of_speaker",
    "embed": "embed_of_speaker",
    "postprocessed": "postprocessed_of_speaker",
}
"""What a signature is called that takes statistics of a speaker beside the features, by the one that takes none."""
PACKED = "packed"
"""The signature that takes features as bytes, and its input."""
_ONLY_UNITS = 1  # what older clients read as well: every state is a vector
_KINDS = {
    "model": dict[str, Any],
    "features": list[str],
    "frame_seconds": float | None,
    "signatures": dict[str, Any],
    "simulated": bool,
    "states": list[dict[str, Any]],
    "classes": list[str] | None,
    "reading": dict[str, Any] | None,
    "waveform": dict[str, Any] | None,
    "extraction": dict[str, Any] | None,
    "label_delay_frames": int,
    "standardise": str | None,
}
"""What a manifest says that a client builds on; None is what older ones, or those of other models, don't have."""


def manifest(run: Run, signatures: Mapping[str, Any], states: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """What a client has to know of a model, ready for JSON.

    Args:
        run: finished.
        signatures: `signatures.describe` by name.
        states: shape by name of a stream's states, in their order, without the batch; see `streaming.state_shapes`.

    Returns:
        What is known of the model, its run and its data, by name.
    """
    facts, config, chain = run.facts(), run.config(), run.chain()
    step, scores, exported = facts.frame_seconds[facts.target], run.read_json("scores.json"), provenance(run.config())
    return {
        "format": _ONLY_UNITS if all(len(shape) == 1 for shape in states.values()) else FORMAT,
        "simulated": facts.simulated,
        "model": {"corpus": facts.corpus, "framework": config.objective.framework, "target": facts.target},
        "task": facts.task,
        **({"dimension": facts.label} if facts.task == REGRESSION else {"classes": facts.classes}),
        "features": facts.features[facts.target],
        "reading": reading_to_dict(config, facts),
        **_standardise(facts),
        **_waveform(config, facts),
        **_extraction(facts),
        "frame_seconds": step,
        "label_delay_frames": facts.delay,
        "label_delay_seconds": round(facts.delay * (step or 0), 6),
        "time": _time(facts),
        "signatures": signatures,
        "states": [{"name": name, **_size(shape), "begins": 0.0} for name, shape in states.items()],
        "postprocessing": chain.to_dict() if chain else None,
        "scores": {part: scores[part] for part in ("dev", "test") if part in scores},
        "data_fingerprint": _fingerprint(facts),
        "versions": {
            "emobed_tf": exported["emobed_tf"],
            **{name: exported["packages"][name] for name in ("tensorflow", "keras")},
        },
        "commit": exported["commit"],
        "created": exported["started"],
    }


def check_manifest(values: Mapping[str, Any]) -> None:
    """Checks what a client builds on: a server may send anything.

    Args:
        values: of a manifest of this format or an older one.

    Raises:
        InputError: if one of them is missing, or of another type.
    """
    for name, kind in _KINDS.items():
        typed(kind, values.get(name), f"manifest: {name}")
    if not values["features"]:
        raise InputError("manifest: features: expected one or more")
    step = values["frame_seconds"]
    if step is not None and not step > 0:
        raise InputError(f"manifest: frame_seconds: expected more than 0, found {step:g}")
    typed(str, values["model"].get("target"), "manifest: model: target")


def _size(shape: tuple[int, ...]) -> dict[str, Any]:
    return {"units": shape[0]} if len(shape) == 1 else {"shape": list(shape)}


def _standardise(facts: Facts) -> dict[str, Any]:
    """Whose statistics the model expects. `speaker_prior` is what it takes of a speaker of whom nothing is known."""
    if facts.speaker_prior is None:
        return {"standardise": CORPUS}
    return {"standardise": SPEAKER, "speaker_prior": dataclasses.asdict(facts.speaker_prior)}


def _waveform(config: Config, facts: Facts) -> dict[str, Any]:
    """That features are samples, how many a second and a frame there are, and what makes channels of them."""
    if facts.target not in facts.sample_rates:
        return {}
    samples = len(facts.features[facts.target])
    rate, front_end = facts.sample_rates[facts.target], config.network.front_end
    return {"waveform": {"sample_rate": rate, "samples_per_frame": samples, "front_end": front_end}}


def _extraction(facts: Facts) -> dict[str, Any]:
    """What made the features, with the licence that the model inherits; nothing where no table said it."""
    made = facts.extraction.get(facts.target)
    return {} if made is None else {"extraction": dataclasses.asdict(made)}


def _time(facts: Facts) -> str:
    if facts.task != REGRESSION:
        return "`probabilities` and `label` are those after the last frame."
    if facts.frame_seconds[facts.target] is None:
        return "An utterance is one frame and has no time."
    return (
        "`prediction` is in the features' time: the label delay is not undone; "
        "`postprocessed` is in the gold standard's: it is undone."
    )


def _fingerprint(facts: Facts) -> str:
    """SHA-256 of the lines `name sha256` of all files that the run was trained on, in the order of their names."""
    lines = (f"{name} {value}\n" for name, value in sorted(facts.fingerprints.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
