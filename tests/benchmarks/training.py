"""Section `training`: a whole step of the paper's network beside PyTorch and stock Keras, and beside the machine."""

import dataclasses
import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.driver import OURS, Plan, Side, alternate, fastest, started
from tests.benchmarks.text import comparison, memory, repeats, seconds, settings, table, threads
from tests.benchmarks.training_tf import LARGE_PRODUCT

TITLE = "A training step"
THREADS = 2
PRODUCT = "product"
_RECOLA = {"audio": 88, "video_appearance": 168}
_LINEAR = (750, 1500, 3000, 7500)
# Of a repeat, where steps are tiny: for twenty milliseconds after a rest, a virtual processor wakes up slowly.
_EPOCHS = 8

_INTRODUCTION = """\
A step is forward pass, losses, triplet loss, gradient and Adam of EmoBed with two modalities, float32.

- RECOLA: 88 + 168 features, batches of 4 + 4 recordings; 2 GRU layers of 120 in each encoder and in the shared head,
  which both modalities go through; CCC loss, batch-hard mining of one frame a second, two classes, L2 1e-4.
- OMG-Emotion: batches of 64 + 64 utterances of one frame, 1 + 1 layers of 120, seven classes, cross-entropy; 39 steps
  an epoch, eight epochs a repeat.

Ours is `train_run` with its defaults: input pipeline and metrics are in the time, checkpoints and development scores in
the memory only (the end of an epoch is not timed). Stock Keras is the same model with `keras.layers.GRU`, Keras' Adam
and `fit`, without deterministic operations, which XLA would refuse. PyTorch is `nn.GRU` with one standardised batch
ready in memory; both modalities go through the head in one call, only chosen pairs' distances get a gradient, L2 is
Adam's weight decay, and nothing is logged; over OMG-Emotion's many steps denormal numbers are zero, as in TensorFlow.
Before anything is timed, all of them compute the same loss and gradient from the same weights and batch."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    frames = (100, 200) if plan.quick else (1500, 7500)
    columns = (256,) if plan.quick else (168, 4096)
    sizes = {
        f"RECOLA, {count:,} frames": {"dataset": "recola", "features": _RECOLA, "frames": count}
        for count in (frames[:1] if plan.quick else frames)
    } | {
        f"OMG-Emotion, 88 + {width:,} features": {
            "dataset": "omg",
            "features": {"audio": 88, "video": width},
            "utterances": 256 if plan.quick else 2442,
            "epochs": 1 if plan.quick else _EPOCHS,
        }
        for width in columns
    }
    found = {name: lambda size=size: _step(size, plan) for name, size in sizes.items()}
    linear = frames if plan.quick else _LINEAR
    return found | {"linear": lambda: _linear(linear, plan)}


def multiply_adds(features: dict[str, int], network: dict[str, int], outputs: int) -> int:
    """Multiply-adds of a training step by sequence and frame, the least that the chain rule needs.

    A GRU layer of U units on F inputs takes 3 U (F + U), forward; backward the same again for the gradients of the
    weights, and again for those of inputs and states, but for the features, whose gradient nobody needs.

    Args:
        features: number of features by modality; the head is applied to every one.
        network: `encoder_layers`, `encoder_units`, `head_layers`, `head_units`.
        outputs: of the head.
    """
    embedding, hidden = network["encoder_units"], network["head_units"]
    encoder = 3 * embedding * 2 * embedding * (network["encoder_layers"] - 1) + 3 * embedding * embedding
    layers = [embedding, *[hidden] * network["head_layers"]]
    head = sum(3 * hidden * (width + hidden) for width in layers[:-1]) + layers[-1] * outputs
    return sum(3 * (encoder + head) + 2 * 3 * embedding * width for width in features.values())


def _step(size: dict[str, Any], plan: Plan) -> dict[str, Any]:
    size = {**size, "threads": THREADS}
    with tempfile.TemporaryDirectory() as folder:
        size["file"] = str(Path(folder) / "reference.npz")
        with started(Side(OURS, "training_tf", {**size, "what": "reference"}, "reference")) as [worker]:
            reference = worker.ready
        peers, tried = [], {}
        for candidates in _peers(size, reference, plan):
            peer, tried[peer.name] = fastest(candidates, plan)
            peers.append(peer)
        sides = [_ours(size), *peers, Side(PRODUCT, "training_tf", {"what": "product", "threads": THREADS})]
        found = alternate(sides, plan, computes={OURS: reference["computes"]})
    batch, frames = reference["batch"]
    count = batch * frames * multiply_adds(size["features"], reference["network"], reference["outputs"])
    return {
        **found,
        "tried": tried,
        "steps": reference["repeated"],
        "computes": reference["computes"],
        "multiply_adds": count,
    }


def _ours(size: dict[str, Any]) -> Side:
    return Side(OURS, "training_tf", {**size, "what": "ours"}, threads(THREADS))


def _peers(size: dict[str, Any], reference: dict[str, Any], plan: Plan) -> Iterator[list[Side]]:
    """Every peer's settings to choose from."""
    steps, numbers = reference["steps"], (THREADS,) if plan.quick else (1, THREADS)
    if plan.peers is not None:
        shared = {"file": size["file"], "facts": reference["facts"], "steps": reference["repeated"]}
        # Adam's share of a step over thousands of frames is far below what can be measured.
        adams = {"fused Adam": True} if size["dataset"] == "recola" else {"fused Adam": True, "foreach Adam": False}
        yield [
            Side(
                "PyTorch",
                "training_torch",
                {**shared, "threads": number, "fused": fused},
                f"{threads(number)}, {adam}",
                plan.peers,
            )
            for number, (adam, fused) in itertools.product(numbers, adams.items())
        ]
    graphs = {"plain graph": False} if plan.quick else {"plain graph": False, "XLA": True}
    calls = {"": 1} if steps == 1 or plan.quick else {", a step a call": 1, f", {steps} steps a call": steps}
    yield [
        Side(
            "stock Keras",
            "training_tf",
            {**size, "what": "stock", "threads": number, "xla": xla, "steps_at_once": at_once},
            f"{threads(number)}, {graph}{call}",
        )
        for number, (graph, xla), (call, at_once) in itertools.product(numbers, graphs.items(), calls.items())
    ]


def _linear(frames: tuple[int, ...], plan: Plan) -> dict[str, Any]:
    sizes = {count: {"dataset": "recola", "features": _RECOLA, "frames": count, "threads": THREADS} for count in frames}
    return alternate([dataclasses.replace(_ours(size), name=str(count)) for count, size in sizes.items()], plan)


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    parts = [_INTRODUCTION]
    for name, result in found.items():
        parts.append(f"### {'Linear in frames' if name == 'linear' else name}")
        parts.append(_linear_text(result) if name == "linear" else _step_text(result))
    return "\n\n".join(parts)


def _step_text(result: dict[str, Any]) -> str:
    sides = {name: side for name, side in result["sides"].items() if name != PRODUCT}
    rate = LARGE_PRODUCT**3 / statistics.median(result["sides"][PRODUCT]["seconds"])
    least = result["multiply_adds"] / rate
    shares = (f"{name} {100 * least / statistics.median(side['seconds']):.1f} %" for name, side in sides.items())
    lines = [
        f"{repeats(sides)} repeats, each of {result['steps']} step{'s' if result['steps'] > 1 else ''}.",
        "Loss {:.6f}, gradient norm {:.6f};".format(*result["computes"]),
        f"the sides differ by {result['difference']:.1g} of that at most.",
    ]
    work = (
        f"A step is {result['multiply_adds'] / 1e9:.3g} billion multiply-adds. Large matrix products run at "
        f"{rate / 1e9:.3g} billion a second here, and would take {seconds(least)}. "
        f"Share of that rate: {', '.join(shares)}."
    )
    return "\n\n".join([comparison(sides, "a step", OURS), " ".join(lines), work, *settings(result["tried"])])


def _linear_text(result: dict[str, Any]) -> str:
    rows = [
        [f"{int(name):,}", seconds(side["seconds"]), seconds(statistics.median(side["seconds"]) * 1000 / int(name))]
        + [memory(side["peak"] - side["before"])]
        for name, side in result["sides"].items()
    ]
    head = ["frames", "a step", "by 1,000 frames", "peak above what was there before"]
    return f"{table(head, rows)}\n\nOurs alone, {repeats(result['sides'])} repeats."
