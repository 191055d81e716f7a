"""Short trainings one after the other, and how long their epochs' steps and scores took."""

import csv
import dataclasses
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks import data
from tests.benchmarks.worker import Driver


def corpus_of(target: int, auxiliary: int):
    """Utterances: fewer of the target than of the auxiliary, 64 of each for development."""
    corpus = data.utterances({"audio": 88, "face": 88}, auxiliary)
    audio = corpus.modality("audio")
    training, development = audio.partition("train"), audio.partition("dev")
    fewer = dataclasses.replace(audio, recordings=(*training[:target], *development))
    return dataclasses.replace(corpus, modalities={**corpus.modalities, "audio": fewer})


def main() -> None:
    driver = Driver()
    from emobed_tf.config import preset
    from emobed_tf.runtime import import_tensorflow

    arguments = driver.arguments
    import_tensorflow(arguments["threads"])
    from emobed_tf.training.loop import train_run

    corpus = corpus_of(arguments["target"], arguments["auxiliary"])
    settings = {name: arguments[name] for name in ("epochs", "epoch", "threads")}
    settings |= {"target": "audio", "auxiliary": ("face",), "task": corpus.task, "patience": 0, "diagnostics": 0}
    config = preset("omg").replace(**settings).check()

    def training() -> dict:
        with tempfile.TemporaryDirectory() as folder:
            run = train_run(config, Path(folder) / "run", corpus=corpus)
            with open(run.path / "times.csv", newline="") as file:
                rows = list(csv.DictReader(file))
        names = ("training_seconds", "scoring_seconds")
        found = {name: statistics.median(float(row[name]) for row in rows) for name in names}
        return {"steps": int(rows[0]["steps"]), **found}

    training()  # compiles
    driver.serve(training)


if __name__ == "__main__":
    main()
