"""`python -m emobed_tf.export`: a run as a SavedModel for TensorFlow Serving."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.export")  # while what is below is imported

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.corpora.files import listing
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.runs.folder import Run
from emobed_tf.runtime import import_tensorflow
from emobed_tf.saved_model.example import client_line, curl_line
from emobed_tf.saved_model.versions import check_model_dir
from emobed_tf.settings import RunPath, TrustedNames

PROG = "emobed_tf.export"
_NOTHING_ADDED = "no version was added; the same command writes it"
SERVER = "http://localhost:8501"  # where serving.local and serving/docker-compose.yml listen
DESCRIPTION = """Adds a run to a folder that TensorFlow Serving watches, as the next version of a model.

Only the target's encoder and the head are in it, with standardisation, post-processing and a manifest."""


@dataclass(frozen=True)
class Arguments:
    """An export."""

    run: RunPath
    """Run folder."""
    model_dir: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MODEL_DIR")]
    """Folder of the model's versions; its name is the model's. The run becomes MODEL_DIR/1, or the next number."""
    trust: TrustedNames = ()
    """Code from outside the package that a run's config.json may name, such as blstm:blstm; you can repeat the flag."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION)
    run = Run.open(arguments.run)
    check_model_dir(arguments.model_dir)

    import_tensorflow(run.config().training.threads)
    from emobed_tf.saved_model.export import export_run

    with console.if_interrupted(lambda: _NOTHING_ADDED), console.progress("exporting") as progress:
        version = export_run(run, arguments.model_dir, progress)
    _tell(run, version)
    return 0


def _tell(run: Run, version: Path) -> None:
    from emobed_tf.saved_model.export import MANIFEST_FILE

    facts, manifest = run.facts(), json.loads((version / MANIFEST_FILE).read_bytes())
    simulated = " (trained on SIMULATED data)" if facts.simulated else ""
    width, rate = len(facts.features[facts.target]), facts.sample_rates.get(facts.target)
    source = f"{width} {facts.target} features" if rate is None else f"sound ({rate:,} Hz, one channel)"
    console.say(f"{version}: {facts.label} from {source}{simulated}")
    takes = "sound" if rate is not None else listing(facts.features[facts.target])
    answer = f"{' or '.join(facts.classes)}, and their probabilities" if facts.classes else f"numbers for {facts.label}"
    console.say(f"takes: {takes}; returns: {answer}; {version / MANIFEST_FILE} says it all")
    dev = manifest["scores"]["dev"]
    console.say(
        "development: " + ", ".join(f"{s.short_name} {dev[s.name]:.3f}" for s in SCORES.values() if s.name in dev)
    )
    console.say(f"signatures: {', '.join(manifest['signatures'])}")
    name = version.parent.resolve().name
    console.say(f"serve it: {shlex.join(['python', '-m', 'serving.local', str(version.parent)])}")
    if rate is None:
        line = client_line(run, SERVER, name) or curl_line(SERVER, name, (1, width))
    else:
        line = shlex.join(["python", "-m", "serving.client", SERVER, name, "--audio", "clip.wav"])
    console.say(f"then ask it: {line}")
    if rate is not None:
        console.say(f"or try it in a browser: {SERVER}/demo")


if __name__ == "__main__":
    sys.exit(main())
