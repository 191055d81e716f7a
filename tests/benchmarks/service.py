"""Section `serving`: requests to `serving.local`, of an export and of the same network with stock Keras layers."""

import statistics
from collections.abc import Callable
from typing import Any

from tests.benchmarks.driver import OURS, Plan, Side, alternate
from tests.benchmarks.text import repeats, seconds, table, threads, times_as_fast

TITLE = "Serving"
THREADS = 2
_STOCK = "stock Keras"
_PACKED = "1 client, 1,500 frames, ours in bytes"
_LIVE = "live: one frame a request"

_INTRODUCTION = f"""\
`serving.local` with {threads(THREADS)}, the network of RECOLA (2 + 2 GRU layers of 120) on 88 audio features, requests
over HTTP on this machine. Ours is `emobed_tf.export`; stock Keras is `model.export` of the same weights in
`keras.layers.GRU`. The body of a request is JSON, which takes its share of the time: 19 bytes a number. Client and
server share the processor. `packed` takes bytes instead, and answers with post-processed numbers, too; stock Keras has
no such thing and is sent JSON beside it. All answer the same. With several clients, the time of all requests is divided
by their number. A live frame goes through the signature `stream`, with its states."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    loads = {
        "1 client, 250 frames": {"frames": 250, "clients": 1, "requests": 20},
        "1 client, 1,500 frames": {"frames": 1500, "clients": 1, "requests": 5},
        "8 clients, 250 frames": {"frames": 250, "clients": 8, "requests": 40},
    }
    if plan.quick:
        loads = {"2 clients, 20 frames": {"frames": 20, "clients": 2, "requests": 4}}
    found = {
        name: lambda load=load: alternate([_side(OURS, load), _side(_STOCK, load)], plan)
        for name, load in loads.items()
    }
    whole = {"frames": 20 if plan.quick else 1500, "clients": 1, "requests": 5}
    found[_PACKED] = lambda: alternate([_side(OURS, {**whole, "packed": True}), _side(_STOCK, whole)], plan)
    live = {"frames": 1, "clients": 1, "requests": 5 if plan.quick else 100, "live": True}
    return found | {_LIVE: lambda: alternate([_side(OURS, live)], plan)}


def _side(name: str, load: dict[str, Any]) -> Side:
    return Side(name, "service_load", {**load, "stock": name == _STOCK, "threads": THREADS})


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    rows = []
    for name, result in found.items():
        for side, values in result["sides"].items():
            rate = statistics.median(1 / value for value in values["seconds"])
            ours = result["sides"][OURS]["seconds"]
            ratio = "" if side == OURS else times_as_fast(ours, values["seconds"])
            rows.append([name, side, seconds(values["seconds"]), f"{rate:.3g}", ratio])
    head = ["load", "export", "time for a request", "requests a second", f"{OURS} is … times as fast"]
    count = ", ".join(f"{repeats(result['sides'])} ({name})" for name, result in found.items())
    return "\n\n".join([_INTRODUCTION, table(head, rows), f"Repeats: {count}."])
