"""Section `mining`: batch-hard pairs and triplet loss, forward and backward, beside pytorch-metric-learning."""

from collections.abc import Callable
from typing import Any

from tests.benchmarks.data import A_FEW
from tests.benchmarks.driver import OURS, Plan, Side, alternate, fastest
from tests.benchmarks.text import comparison, memory, repeats, settings, threads

TITLE = "Batch-hard mining"
THREADS = 2
_PEER = "pytorch-metric-learning"
_MARGIN = 0.05  # the default of pytorch-metric-learning's TripletMarginLoss
_WIDTH, _CLASSES = 120, 2
_MOST_SECONDS = 360

_INTRODUCTION = f"""\
Hardest pairs of N embeddings of {_WIDTH} dimensions in {_CLASSES} classes, the triplet loss and its gradient. Ours is a
`tf.function` of `batch_hard_triplet_loss`, {threads(THREADS)}, distances compared in float64. The peer is
pytorch-metric-learning's `BatchHardMiner` and `TripletMarginLoss`: default margin of {_MARGIN}, Euclidean distances
without normalisation, mean over all triplets. Both compute the same loss. Memory before
is after a call for {A_FEW:,} embeddings, which loads what a library needs; the peak is that of all calls for N but the
first, which traces and compiles. What that one leaves is in the peak: of ours, a graph, its program, and TensorFlow's
buffers, which it keeps for the next call."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    both, alone = ((128, 256), 512) if plan.quick else ((4096, 16_384), 60_000)
    compared = {_name(count): lambda count=count: _compare(count, plan) for count in both}
    return compared | {_name(alone): lambda: alternate([_ours(alone)], plan, most_seconds=_MOST_SECONDS)}


def _name(count: int) -> str:
    return f"{count:,} embeddings"


def _arguments(count: int) -> dict[str, Any]:
    return {"count": count, "width": _WIDTH, "classes": _CLASSES, "margin": _MARGIN}


def _ours(count: int) -> Side:
    return Side(OURS, "mining_tf", {**_arguments(count), "threads": THREADS}, threads(THREADS))


def _compare(count: int, plan: Plan) -> dict[str, Any]:
    sides, tried = [_ours(count)], {}
    if plan.peers is not None:
        candidates = [
            Side(_PEER, "mining_torch", {**_arguments(count), "threads": number}, threads(number), plan.peers)
            for number in (1, THREADS)
        ]
        peer, tried[_PEER] = fastest(candidates, plan)
        sides.append(peer)
    return {**alternate(sides, plan, most_seconds=_MOST_SECONDS), "tried": tried}


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    parts = [_INTRODUCTION]
    for name, result in found.items():
        lines = [f"{repeats(result['sides'])} repeats."]
        kept = [f"{side} {memory(values['kept'])}" for side, values in result["sides"].items() if "kept" in values]
        if kept:  # an older result hasn't got it
            lines.append(f"After its first call, a process has more: {', '.join(kept)}.")
        if len(result["sides"]) > 1:
            lines.append(f"The losses differ by {result['difference']:.1g} of their size.")
        parts += [f"### {name}", comparison(result["sides"], "forward and backward", OURS), " ".join(lines)]
        parts += settings(result.get("tried", {}))
    return "\n\n".join(parts)
