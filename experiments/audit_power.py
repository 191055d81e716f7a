"""How often does the audit find transfer, where there is some and where there is none? And what is there to be found?

    python experiments/audit_power.py --primary contrastive --systems emobed --first-seed 300 --output runs/audit-power
    python experiments/audit_power.py --plain-only --strengths 0 0.25 0.5 0.75 1 --target-labels 72 144 288 576 1152

For every strength and number of target labels, simulates packages (`python -m emobed_tf.simulate tables`), trains a
plain network on each (`plain_network.py`), and audits each (`python -m emobed_tf.audit`). `power.csv` and `power.md`
in the output folder then say, beside each other: what the plain network gains from the auxiliary, what the systems gain
over classic, and in which share of the packages the audit found transfer. At strength 0, that share is of false
alarms. All intervals are over packages. All of it is simulated: what is tested is the audit, and the systems.

The audit deals the target's speakers into folds. The plain network learns from the share of them that a fold trains
on, and is tested on utterances of further speakers, which the audit never sees. A killed experiment continues; one
package is done first, and then it is said what the others will cost.
"""

import argparse
import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from plain_network import AUXILIARY, FOUND, TARGET
from scipy import stats

from emobed_tf import console
from emobed_tf.comparison.audit.verdict import CLASSIC, CONTROLS, EMOBED
from emobed_tf.corpora.simulate import simulate_tables
from emobed_tf.errors import InputError

HERE = Path(__file__).resolve().parent
FINENESS = 4.0  # of the simulated classes: finer than usual, so that as many labels as a test needs don't suffice
TESTED = 1000  # utterances that the plain network alone is tested on
# A network of the plain one's shape, and as many steps as it takes: an epoch is a pass over the auxiliary, of 63 steps.
SETTINGS = (
    "--encoder dense --encoder-layers 1 --encoder-units 3 --head-layers 2 --head-units 32 --l2 0.001 --batch-size 48 "
    "--learning-rate 0.007 --epochs 75 --patience 25 --diagnostics 0 --threads 1 "
    "--search none --configurations 1"
)


@dataclass(frozen=True)
class Package:
    """One simulated package, what the plain network found in it, and its audit."""

    output: Path
    strength: float
    labels: int
    auxiliary_labels: int
    folds: int
    seed: int

    @property
    def folder(self) -> Path:
        size = self.output / f"strength-{self.strength:g}" / f"labels-{self.labels}"
        return size / f"folds-{self.folds}" / f"package-{self.seed}"

    @property
    def share(self) -> float:
        """Of the labels, that a fold trains on: without those tested, and as many, or a third, for development."""
        others = 1 - 1 / self.folds
        return others - min(1 / self.folds, others / 3)

    @property
    def tables(self) -> Path:
        """With test utterances, for the plain network."""
        return self.folder / "tested"

    @property
    def audited(self) -> Path:
        """The same training utterances, and no others."""
        return self.folder / "audited"

    def simulate(self) -> None:
        for directory, tested in ((self.tables, TESTED), (self.audited, 0)):
            if not directory.is_dir():
                simulate_tables(
                    directory,
                    strength=self.strength,
                    fineness=FINENESS,
                    target_labels=(self.labels, 0, tested),
                    auxiliary_labels=(self.auxiliary_labels, 0, 0),
                    seed=self.seed,
                )

    @property
    def plain(self) -> dict[str, list[float]] | None:
        """Average recall of the plain network, `alone` and `joint`, by seed; None if it has not run."""
        file = self.tables / FOUND
        return json.loads(file.read_text()) if file.is_file() else None

    @property
    def verdict(self) -> list[dict[str, str]] | None:
        """Rows of the audit's verdict: a system against classic, and against each control; None if it has not run."""
        return read_rows(self.folder / "audit" / "verdict.csv")

    @property
    def gains(self) -> dict[str, float]:
        """Gain over classic by system, of all that were audited."""
        rows = read_rows(self.folder / "audit" / "audit-gains.csv") or []
        return {row["second"]: float(row["difference"]) for row in rows}


def read_rows(path: Path) -> list[dict[str, str]] | None:
    if not path.is_file():
        return None
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def run_plain(packages: Sequence[Package]) -> None:
    """The plain network on those packages, all of one size, that it has not seen yet."""
    missing = [str(package.tables) for package in packages if package.plain is None]
    if missing:
        run(
            [sys.executable, str(HERE / "plain_network.py"), *missing, "--share", str(packages[0].share)],
            "the plain network",
        )


def is_audited(package: Package, primary: str, systems: Sequence[str], seeds: int) -> bool:
    """Whether its audit has run, with all of these systems and seeds."""
    verdict = package.verdict
    if verdict is None or any(int(row["seeds"]) != seeds for row in verdict):
        return False
    return {primary, *systems} <= {CLASSIC, *package.gains}


def run_audit(package: Package, settings: str, primary: str, systems: Sequence[str], seeds: int) -> None:
    if is_audited(package, primary, systems, seeds):
        return
    tables = [f"--table={name}={package.audited / name}.csv" for name in (TARGET, AUXILIARY)]
    command = [sys.executable, "-m", "emobed_tf.audit", *tables, "--targets", TARGET, "--folds", str(package.folds)]
    command += ["--primary", primary, "--seeds", str(seeds)]
    more = ["--systems", *systems] if systems else []
    run(
        [*command, *more, *settings.split(), "--output", str(package.folder / "audit")],
        f"the audit of {package.folder}",
    )


def run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        raise InputError(f"{what} failed: {said[-1]}")


def is_found(verdict: Sequence[dict[str, str]]) -> bool:
    """Whether the audited system beat classic and all controls."""
    beaten = {row["first"].partition("@")[0]: row["beaten"] == "True" for row in verdict}  # CONTROL@SYSTEM
    return all(beaten.get(name, False) for name in (CLASSIC, *CONTROLS))


def interval_of_mean(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, and Student's 95 % interval of it; infinite with one value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, -np.inf, np.inf
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return mean, float(mean - half), float(mean + half)


def interval_of_share(found: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    low, high = stats.binomtest(found, total).proportion_ci(method="wilson")
    return float(low), float(high)


def summary(packages: Sequence[Package]) -> dict[str, object]:
    """A row of the table: what came out for packages of one strength and size."""
    row: dict[str, object] = {
        "strength": packages[0].strength,
        "target_labels": packages[0].labels,
        "labels_in_training": round(packages[0].share * packages[0].labels),
        "auxiliary_labels": packages[0].auxiliary_labels,
    }
    plain = [found for package in packages if (found := package.plain) is not None]
    row["packages"] = len(plain)
    if plain:
        row["plain_alone"] = float(np.mean([found["alone"] for found in plain]))
        row |= gain_columns("plain", [float(np.mean(f["joint"]) - np.mean(f["alone"])) for f in plain])
    verdicts = [found for package in packages if (found := package.verdict) is not None]
    row["audited"] = len(verdicts)
    if verdicts:
        gains = [package.gains for package in packages if package.verdict is not None]
        for system in dict.fromkeys(name for each in gains for name in each):
            row |= gain_columns(system, [each[system] for each in gains if system in each])
        row["found"] = sum(map(is_found, verdicts))
        row["found_low"], row["found_high"] = interval_of_share(row["found"], len(verdicts))
    return row


def gain_columns(name: str, values: Sequence[float]) -> dict[str, float]:
    mean, low, high = interval_of_mean(values)
    return {f"{name}_gain": mean, f"{name}_low": low, f"{name}_high": high}


def write_table(rows: Sequence[dict[str, object]], output: Path) -> str:
    """Writes `power.csv` and `power.md`, and returns the latter's text."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with (output / "power.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    systems = [name.removesuffix("_gain") for name in columns if name.endswith("_gain")]
    head = ["strength", "target labels", "in training", "packages", *(f"gain: {name}" for name in systems), "found"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [
            f"{row['strength']:g}",
            *(str(row[name]) for name in ("target_labels", "labels_in_training", "packages")),
        ]
        for name in systems:
            ends = [row.get(f"{name}_{end}") for end in ("gain", "low", "high")]
            cells.append("" if ends[0] is None else "{:+.3f} [{:+.3f}, {:+.3f}]".format(*ends))
        if row["audited"]:
            cells.append(f"{row['found']} of {row['audited']} [{row['found_low']:.2f}, {row['found_high']:.2f}]")
        else:
            cells.append("not audited")
        lines.append("| " + " | ".join(cells) + " |")
    text = (
        "SIMULATED packages. Gains are in unweighted average recall: of the plain network with video over the same "
        f"without, on {TESTED} further utterances; of all others over classic, out of fold. In brackets: 95 %, over "
        "packages.\n\n" + "\n".join(lines) + "\n"
    )
    (output / "power.md").write_text(text)
    return text


def experiment(arguments: argparse.Namespace) -> int:
    cells = [
        [
            Package(arguments.output, strength, labels, arguments.auxiliary_labels, arguments.folds, seed)
            for seed in range(arguments.first_seed, arguments.first_seed + arguments.packages)
        ]
        for labels in arguments.target_labels
        for strength in arguments.strengths
    ]
    audits = not arguments.plain_only

    def whole(packages: Sequence[Package]) -> None:
        """What there is to do for some packages of one size, one after another."""
        for package in packages:
            package.simulate()
        run_plain(packages)
        for package in packages if audits else ():
            run_audit(package, arguments.settings, arguments.primary, arguments.systems, arguments.seeds)

    def is_whole(package: Package) -> bool:
        audited = not audits or is_audited(package, arguments.primary, arguments.systems, arguments.seeds)
        return audited and package.plain is not None

    missing = [package for cell in cells for package in cell if not is_whole(package)]
    if missing:
        begun = time.monotonic()
        whole(missing[:1])
        spent, left = time.monotonic() - begun, len(missing) - 1
        minutes = left * spent / arguments.jobs / 60
        print(f"a package took {spent:.0f} s", flush=True)
        print(f"{left} more, {arguments.jobs} at a time: at most about {minutes:.0f} min", flush=True)
    with console.progress("auditing" if audits else "training") as progress, ThreadPoolExecutor(arguments.jobs) as pool:
        # The plain network takes all packages of a size in one process; audits take one each.
        parts = [cell[k : k + 1] for cell in cells for k in range(len(cell))] if audits else cells
        progress(0, len(parts), "begun")
        for k, _ in enumerate(pool.map(whole, parts), start=1):
            progress(k, len(parts), "packages" if audits else "sizes")
    print(write_table([summary(cell) for cell in cells], arguments.output))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("runs/audit-power"), help="where packages and audits go")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 1.0], help="of transfer (default: 0 1)")
    parser.add_argument("--target-labels", type=int, nargs="+", default=[576], help="labels of audio (default: 576)")
    parser.add_argument("--auxiliary-labels", type=int, default=6000, help="labels of video (default: 6000)")
    parser.add_argument(
        "--folds",
        type=int,
        default=3,
        help="folds of the audit; with two, each trains on a third of the labels (default: 3)",
    )
    parser.add_argument("--packages", type=int, default=20, help="packages of each kind (default: 20)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first package of each kind (default: 0)")
    parser.add_argument("--plain-only", action="store_true", help="train the plain network and audit nothing")
    parser.add_argument("--primary", default=EMOBED, help=f"system that is audited (default: {EMOBED})")
    parser.add_argument("--systems", nargs="+", default=[], help="further systems, such as joint, beside the audit's")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each system in each fold (default: 5)")
    parser.add_argument("--settings", default=SETTINGS, help=f"flags of the audit (default: {SETTINGS})")
    parser.add_argument("--jobs", type=int, default=2, help="processes at the same time (default: 2)")
    arguments = parser.parse_args()
    return console.run("experiments/audit_power.py", lambda: experiment(arguments))


if __name__ == "__main__":
    sys.exit(main())
