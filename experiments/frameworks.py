"""All four frameworks x all targets x several seeds on feature tables with partitions, scored once.

    python experiments/frameworks.py --table audio=audio.csv --table face=face.csv --output runs/frameworks
    python experiments/frameworks.py --data-dir DIR

Each modality is the target once, helped by all others. Trains whatever is not there yet (a killed experiment
continues), then reads the test partition once and writes `summary.md` and `scores.csv` into the output folder: mean
and deviation over seeds, and the bootstrap's 95 % interval of the mean over speakers. Nothing is chosen on test; alpha
and beta are the presets', nothing is tuned. `docs/results.md` shows what came out for RAVDESS.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from emobed_tf import console
from emobed_tf.config import Config, preset
from emobed_tf.corpora.tables import find_modalities, named_tables
from emobed_tf.errors import InputError

FRAMEWORKS = ("classic", "joint", "triplet", "emobed")
SCORES = {"regression": ("ccc", "pcc", "rmse"), "classification": ("f1_macro", "f1_micro", "uar")}
SHOWN = {"regression": ("ccc",), "classification": ("f1_macro", "f1_micro")}  # in the summary, with intervals


def modalities(data_dir: Path | None, tables: Sequence[str]) -> dict[str, Path]:
    """Tables by modality: those of a folder, and those that are named.

    Raises:
        InputError: if there are fewer than two, or one is named twice.
    """
    found = find_modalities(data_dir) if data_dir else {}
    found |= named_tables(tables)
    if len(found) < 2:
        raise InputError("expected two tables or more, by --table NAME=PATH or --data-dir DIR")
    return found


def settings(tables: dict[str, Path], target: str, framework: str, seed: int, threads: int) -> Config:
    """One training; `tables` presets but for what is named here."""
    named = tuple(f"{name}={path}" for name, path in tables.items())
    return preset("tables").replace(table=named, target=target, framework=framework, seed=seed, threads=threads)


def experiment(arguments: argparse.Namespace) -> int:
    tables = modalities(arguments.data_dir, arguments.table)
    targets = arguments.targets or tuple(tables)
    for name in targets:
        if name not in tables:
            raise InputError(f"--targets: expected some of {', '.join(tables)}, got {name}")
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(arguments.threads)
    import keras

    from emobed_tf.corpora.configured import load_corpus
    from emobed_tf.runs.folder import Run
    from emobed_tf.training.loop import train_run

    plan = [(t, f, s) for t in targets for f in FRAMEWORKS for s in range(arguments.seeds)]
    with console.progress("training") as progress:
        for k, (target, framework, seed) in enumerate(plan):
            progress(k, len(plan), f"{framework}, {target}, seed {seed}")
            folder = arguments.output / target / framework / str(seed)
            if not Run(folder).finished:
                config, corpus = load_corpus(settings(tables, target, framework, seed, arguments.threads))
                train_run(config, folder, corpus=corpus, resume=Run(folder).config_file.exists())
                keras.backend.clear_session()
    write_summary(arguments.output, targets, arguments.seeds)
    print((arguments.output / "summary.md").read_text())
    return 0


def write_summary(output: Path, targets: Sequence[str], seeds: int) -> None:
    """Scores every run on development and test and writes the table."""
    from emobed_tf.evaluation.speaker_statistics import joined_seeds, statistics_of
    from emobed_tf.runs.folder import Run
    from emobed_tf.runs.scoring import score_run

    task = Run(output / targets[0] / FRAMEWORKS[0] / "0").facts().task
    rows, lines = [], []
    for target in targets:
        for framework in FRAMEWORKS:
            folders = [output / target / framework / str(seed) for seed in range(seeds)]
            by_seed = [score_run(Run(folder), partitions=("dev", "test")) for folder in folders]
            for seed, scored in enumerate(by_seed):
                for partition, evaluated in scored.items():
                    row = {"target": target, "framework": framework, "seed": seed, "partition": partition}
                    rows.append(row | {name: evaluated.scores[name] for name in SCORES[task]})
            cells = [target, framework]
            for partition in ("dev", "test"):
                statistics = joined_seeds([statistics_of(scored[partition]) for scored in by_seed], range(seeds))
                for name in SHOWN[task]:
                    summary = statistics.summary(name)
                    ends = f"[{summary.low:.3f}, {summary.high:.3f}]"
                    cells.append(f"{summary.mean:.3f} ± {summary.deviation:.3f} {ends}")
            lines.append("| " + " | ".join(cells) + " |")
    columns = ["target", "framework"] + [f"{part} {name}" for part in ("dev", "test") for name in SHOWN[task]]
    head = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    (output / "summary.md").write_text("\n".join([*head, *lines]) + "\n")
    with (output / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="append", default=[], metavar="NAME=PATH", help="table of a modality")
    parser.add_argument("--data-dir", type=Path, help="folder in which every table is a modality")
    parser.add_argument("--targets", nargs="+", metavar="NAME", help="modalities to recognise from (default: all)")
    parser.add_argument("--output", type=Path, default=Path("runs/frameworks"), help="where runs and tables go")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each system (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of one operation (default: 2)")
    arguments = parser.parse_args()
    return console.run("experiments/frameworks.py", lambda: experiment(arguments))


if __name__ == "__main__":
    sys.exit(main())
