"""All four frameworks x both targets x several seeds on a folder with audio.csv and face.csv, scored once.

    python experiments/ravdess.py --data-dir DIR --output runs/ravdess

Trains whatever is not there yet (a killed experiment continues), then reads the test partition once and writes
`summary.md` and `scores.csv` into the output folder: mean and deviation over seeds, and the bootstrap's 95 % interval
of the mean over speakers. Nothing is chosen on test; alpha and beta are the presets', nothing is tuned.
"""

import argparse
import csv
import sys
from pathlib import Path

from emobed_tf import console
from emobed_tf.config import preset
from emobed_tf.errors import MissingInputError

FRAMEWORKS = ("classic", "joint", "triplet", "emobed")
TARGETS = ("audio", "face")
SCORES = ("f1_macro", "f1_micro", "uar")


def settings(data_dir: Path, target: str, framework: str, seed: int, threads: int):
    """One training; `tables` presets but for what is named here."""
    tables = tuple(f"{name}={data_dir / name}.csv" for name in TARGETS)
    return preset("tables").replace(table=tables, target=target, framework=framework, seed=seed, threads=threads)


def experiment(arguments: argparse.Namespace) -> int:
    for name in TARGETS:
        if not (arguments.data_dir / f"{name}.csv").is_file():
            raise MissingInputError(f"{arguments.data_dir / name}.csv: no such file")
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(arguments.threads)
    import keras

    from emobed_tf.corpora.configured import load_corpus
    from emobed_tf.runs.folder import Run
    from emobed_tf.training.loop import train_run

    plan = [(t, f, s) for t in TARGETS for f in FRAMEWORKS for s in range(arguments.seeds)]
    with console.progress("training") as progress:
        for k, (target, framework, seed) in enumerate(plan):
            progress(k, len(plan), f"{framework}, {target}, seed {seed}")
            folder = arguments.output / target / framework / str(seed)
            if not Run(folder).finished:
                config, corpus = load_corpus(settings(arguments.data_dir, target, framework, seed, arguments.threads))
                train_run(config, folder, corpus=corpus, resume=Run(folder).config_file.exists())
                keras.backend.clear_session()
    write_summary(arguments.output, arguments.seeds)
    print((arguments.output / "summary.md").read_text())
    return 0


def write_summary(output: Path, seeds: int) -> None:
    """Scores every run on development and test and writes the table."""
    from emobed_tf.evaluation.speaker_statistics import joined_seeds, statistics_of
    from emobed_tf.runs.folder import Run
    from emobed_tf.runs.scoring import score_run

    rows, lines = [], []
    for target in TARGETS:
        for framework in FRAMEWORKS:
            folders = [output / target / framework / str(seed) for seed in range(seeds)]
            by_seed = [score_run(Run(folder), partitions=("dev", "test")) for folder in folders]
            for seed, scored in enumerate(by_seed):
                for partition, evaluated in scored.items():
                    row = {"target": target, "framework": framework, "seed": seed, "partition": partition}
                    rows.append(row | {name: evaluated.scores[name] for name in SCORES})
            cells = [target, framework]
            for partition in ("dev", "test"):
                statistics = joined_seeds([statistics_of(scored[partition]) for scored in by_seed], range(seeds))
                for name in SCORES[:2]:
                    summary = statistics.summary(name)
                    ends = f"[{summary.low:.3f}, {summary.high:.3f}]"
                    cells.append(f"{summary.mean:.3f} ± {summary.deviation:.3f} {ends}")
            lines.append("| " + " | ".join(cells) + " |")
    columns = ["target", "framework"] + [f"{part} {name}" for part in ("dev", "test") for name in SCORES[:2]]
    head = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    (output / "summary.md").write_text("\n".join([*head, *lines]) + "\n")
    with (output / "scores.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder with audio.csv and face.csv")
    parser.add_argument("--output", type=Path, default=Path("runs/ravdess"), help="where runs and tables go")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each system (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of one operation (default: 2)")
    arguments = parser.parse_args()
    return console.run("experiments/ravdess.py", lambda: experiment(arguments))


if __name__ == "__main__":
    sys.exit(main())
