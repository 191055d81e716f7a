"""Section `reading`: ARFF files beside SciPy and liac-arff; a corpus of full size from disk to predictions."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.driver import OURS, Plan, Side, alternate
from tests.benchmarks.text import comparison, memory, repeats, seconds, table

TITLE = "Reading and predicting"
_MODALITIES = ("audio", "video_appearance", "video_geometric")

_INTRODUCTION = """\
The data are the simulated package at RECOLA's size (in `build/benchmarks`, written once). Files are in the operating
system's cache, as they are after the first look at them."""

_PARSING = """\
The files of a partition, `features_video_appearance/arousal/train_*.arff`, to arrays, one after the other; times are
those of one. Ours also checks times and values, and parses with as many threads as there are cores; SciPy and liac-arff
have one."""

_CORPUS = """\
`corpora.load` of 27 recordings with 88, 168 and 632 features. First: no file was parsed before. Cached: parsed features
are kept, files are only checked by SHA-256."""

_COMMANDS = """\
A run of one epoch on audio and appearance, default settings; the commands' whole time, start of Python and TensorFlow
included, features in the cache. `evaluate` scores the nine development recordings, `predict` the nine of the test
partition."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    return {
        "one file": lambda: _parsing(plan),
        "a corpus": lambda: _corpus(plan),
        "evaluate and predict": lambda: _commands(plan),
    }


def _package(plan: Plan) -> Path:
    duration, recordings = (12, 2) if plan.quick else (300, 9)
    folder = (plan.folder / f"recola-{duration}s").absolute()
    if not folder.exists():
        from emobed_tf.corpora.simulate import simulate_recola

        simulate_recola(
            folder, seconds=duration, recordings=recordings, modalities=_MODALITIES, dimensions=("arousal",)
        )
    return folder


def _parsing(plan: Plan) -> dict[str, Any]:
    files = sorted((_package(plan) / "features_video_appearance" / "arousal").glob("train_*.arff"))

    def side(name: str, reader: str, python: Path) -> Side:
        return Side(name, "reading_arff", {"reader": reader, "files": [*map(str, files)]}, python=python)

    sides = [side(OURS, "ours", Path(sys.executable))]
    if plan.peers is not None:
        sides += [side("scipy.io.arff", "scipy", plan.peers), side("liac-arff", "liac-arff", plan.peers)]
    return alternate(sides, plan)


def _corpus(plan: Plan) -> dict[str, Any]:
    arguments = {"folder": str(_package(plan)), "modalities": _MODALITIES, "scratch": str(plan.folder.absolute())}
    sides = [
        Side(name, "reading_corpus", {**arguments, "cached": cached})
        for name, cached in (("first", False), ("cached", True))
    ]
    return alternate(sides, plan)


def _commands(plan: Plan) -> dict[str, Any]:
    package = _package(plan)
    files = sorted((package / "features_audio" / "arousal").glob("test_*.arff"))
    with tempfile.TemporaryDirectory(dir=plan.folder) as scratch:
        run, output = f"{scratch}/run", f"{scratch}/predictions.csv"
        settings = ["--data-dir", str(package), "--epochs", "1", "--diagnostics", "0", "--output", run]
        cache = {"EMOBED_CACHE": f"{scratch}/cache"}
        train = [sys.executable, "-m", "emobed_tf.train", *settings]
        subprocess.run(train, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **cache})
        lines = {
            "evaluate": [sys.executable, "-m", "emobed_tf.evaluate", run],
            "predict": [sys.executable, "-m", "emobed_tf.predict", run]
            + ["--features", *map(str, files), "--output", output],
        }
        return alternate(
            [Side(name, "command", {"line": line}, environment=cache) for name, line in lines.items()], plan
        )


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    about = {"one file": _PARSING, "a corpus": _CORPUS, "evaluate and predict": _COMMANDS}
    parts = [_INTRODUCTION]
    for name, result in found.items():
        sides = result["sides"]
        counted = f"{repeats(sides)} repeats."
        if name == "one file":
            figures = comparison(sides, "a file", OURS)
            if len(sides) > 1:
                counted += (
                    f" Mean and deviation of all values differ by {result['difference']:.1g} of their size at most."
                )
        else:
            rows = [[side, seconds(values["seconds"]), memory(values["peak"])] for side, values in sides.items()]
            figures = table(["", "time", "peak memory of the process"], rows)
        parts += [f"### {name.capitalize()}", about[name], figures, counted]
    return "\n\n".join(parts)
