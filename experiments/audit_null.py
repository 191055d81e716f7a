"""Does the audit find transfer where there is none? Audits of simulated packages in which video shows other emotions.

    python experiments/audit_null.py --output runs/audit-null

Simulates an OMG-Emotion package for each seed (`--transfer none`: a video shows the emotion of another utterance, so it
has nothing to teach), audits both modalities as targets, and prints in how many packages transfer was found. A killed
experiment continues. All of it is simulated: what is tested is the audit.
"""

import argparse
import csv
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emobed_tf import console
from emobed_tf.errors import InputError

TARGETS = ("audio", "video")
UTTERANCES = (200, 60, 60)
SYSTEMS_COMPARED = 5  # classic and four controls
SETTINGS = (
    "--folds 2 --configurations 2 --seeds 2 --epochs 6 --patience 3 --batch-size 16 --learning-rate 0.003 "
    "--encoder-units 32 --head-units 32 --threads 1 --no-xla"
)


def audit(folder: Path, seed: int) -> list[str]:
    """Simulates and audits one package; returns the targets on which transfer was found."""
    package, output = folder / f"package-{seed}", folder / f"audit-{seed}"
    if not package.is_dir():
        from emobed_tf.corpora.simulate import simulate_omg

        simulate_omg(package, utterances=UTTERANCES, video_columns=64, transfer="none", seed=seed)
    if not (output / "verdict.csv").is_file():
        data = ["--dataset", "omg", "--data-dir", str(package), "--targets", *TARGETS]
        command = [sys.executable, "-m", "emobed_tf.audit", *data, *SETTINGS.split(), "--output", str(output)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise InputError(f"the audit of seed {seed} failed: {done.stderr.strip().splitlines()[-1]}")
    with (output / "verdict.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    beaten = {target: [row["beaten"] == "True" for row in rows if row["target"] == target] for target in TARGETS}
    return [target for target, each in beaten.items() if len(each) == SYSTEMS_COMPARED and all(each)]


def experiment(arguments: argparse.Namespace) -> int:
    seeds = range(arguments.seeds)
    found = {}
    with console.progress("auditing") as progress, ThreadPoolExecutor(arguments.jobs) as pool:
        progress(0, len(seeds), "auditing")
        for seed, targets in zip(seeds, pool.map(lambda seed: audit(arguments.output, seed), seeds), strict=True):
            found[seed] = targets
            progress(len(found), len(seeds), "auditing")
            print(f"seed {seed}: {'TRANSFER on ' + ', '.join(targets) if targets else 'nothing'}", flush=True)
    nothing = sum(not targets for targets in found.values())
    print(f"SIMULATED packages without transfer: nothing was found in {nothing} of {len(seeds)}")
    return 0 if nothing >= 0.9 * len(seeds) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("runs/audit-null"), help="where packages and audits go")
    parser.add_argument("--seeds", type=int, default=10, help="packages (default: 10)")
    parser.add_argument("--jobs", type=int, default=2, help="audits at the same time (default: 2)")
    arguments = parser.parse_args()
    return console.run("experiments/audit_null.py", lambda: experiment(arguments))


if __name__ == "__main__":
    sys.exit(main())
