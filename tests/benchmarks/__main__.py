"""`python -m tests.benchmarks`: measures ours beside others and writes docs/benchmarks.md. `make bench` runs it."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from emobed_tf import console
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import write_bytes
from tests.benchmarks import many, mining, reading, scores, service, signal, startup, training, workers
from tests.benchmarks.driver import ROOT, Plan
from tests.benchmarks.machine import describe, in_words
from tests.benchmarks.results import Results

PROG = "tests.benchmarks"
SECTIONS = {
    "training": training,
    "scores": scores,
    "mining": mining,
    "many": many,
    "workers": workers,
    "reading": reading,
    "startup": startup,
    "serving": service,
    "signal": signal,
}
DATA = ROOT / "build" / "benchmarks"
PEERS = ROOT / ".venv-bench" / "bin" / "python"

_HEAD = """\
# Benchmarks

Written by `make bench` from `benchmarks.json`, which keeps every repeat; not by hand.

Sides take turns (A B A B), each in a process of its own, and none runs while another does. A time is the median, with
least and most in brackets. A ratio is the median of the ratios of neighbouring repeats. Memory is resident memory: what
a process had before the work, and how far its peak rose above that. A process may take three quarters of the machine's
memory. A peer has the settings that were fastest in a short run of each."""
_QUICK = "**A quick run on small sizes, to see that everything works. These are no figures to go by.**"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise InputError(f"{message}; see python -m {PROG} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=f"python -m {PROG}", description=__doc__.partition(":")[2].strip())
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to measure")
    parser.add_argument("--continue", action="store_true", dest="go_on", help="leave out what an interrupted run did")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--repeats", type=int, help="of each side (default: 15; with --quick 2)")
    parser.add_argument("--no-peers", action="store_true", help="only what runs in this environment")
    parser.add_argument("--render", action="store_true", help="measure nothing, only write benchmarks.md again")
    parser.add_argument("--output", type=Path, help="folder of benchmarks.json and .md (default: docs)")
    parser.add_argument("--data", type=Path, default=DATA, help="where simulated data are kept")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command; see `--help`."""
    return console.run(PROG, lambda: _main(argv))


def _main(argv: list[str] | None) -> None:
    options = _parser().parse_args(argv)
    if options.repeats is not None and options.repeats < 1:
        raise InputError(f"--repeats: expected 1 or more, found {options.repeats}")
    output = options.output or (options.data / "quick" if options.quick else ROOT / "docs")
    repeats, warmups = (2, 0) if options.quick else (15, 2)
    peers = None if options.no_peers else PEERS
    plan = Plan(options.repeats or repeats, warmups, options.quick, peers, options.data)
    results = Results(output / "benchmarks.json")
    if not options.render:
        for _ in _measured(results, plan, options.only, options.go_on):
            _write(output, results)
    elif not results.machines():
        raise MissingInputError(f"{output / 'benchmarks.json'}: no results; measure some, without --render")
    _write(output, results)
    print(output / "benchmarks.md")


def _measured(results: Results, plan: Plan, sections: list[str], go_on: bool) -> Iterator[str]:
    """Measures what is asked for; yields after each unit."""
    if plan.peers is not None and not plan.peers.exists():
        raise MissingInputError(f"{plan.peers}: no such file; `make bench` installs the peers, --no-peers goes without")
    plan.folder.mkdir(parents=True, exist_ok=True)
    if not go_on:
        results.begin()
    for section in sections:
        units = SECTIONS[section].units(plan)
        results.only(section, units)
        for unit, measure in units.items():
            if not results.of_this_run(section, unit):
                print(f"{section}: {unit}", file=sys.stderr, flush=True)
                results.keep(section, unit, measure(), describe(plan.peers), quick=plan.quick)
                yield unit


def _write(output: Path, results: Results) -> None:
    write_bytes(output / "benchmarks.md", render(results).encode())


def render(results: Results) -> str:
    """All sections that there are results of, as Markdown."""
    where = [f"- {', '.join(sections)}: {in_words(machine)}" for machine, sections in results.machines()]
    parts = [_HEAD, *([_QUICK] if results.quick else []), "\n".join(where)]
    for name, section in SECTIONS.items():
        found = results.section(name)
        if found:
            command = f'```\nmake bench SETTINGS="--only {name}"\n```'
            parts += [f"## {section.TITLE}", command, section.render(found)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
