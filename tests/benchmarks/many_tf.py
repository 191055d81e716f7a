"""Trainings one after the other in one process."""

import tempfile
from pathlib import Path

from tests.benchmarks import data
from tests.benchmarks.worker import Driver, resident


def main() -> None:
    driver = Driver()
    from emobed_tf.config import preset
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(driver.arguments["threads"])
    from emobed_tf.models.emobed import EmoBed
    from emobed_tf.training.loop import train_run

    corpus = data.framewise({"audio": 20, "video_appearance": 30}, frames=300, recordings=4)
    same = {"task": corpus.task, "encoder_layers": 1, "encoder_units": 32, "head_layers": 1, "head_units": 32}
    same |= {"target": "audio", "auxiliary": ("video_appearance",), "epochs": 2, "threads": driver.arguments["threads"]}
    traced, trainings = [], 0
    step = EmoBed.train_step

    def counted_step(self, batch):  # Python runs it when it is traced, never when it is executed
        traced.append(None)
        return step(self, batch)

    EmoBed.train_step = counted_step
    with tempfile.TemporaryDirectory() as folder:

        def training() -> dict:
            nonlocal trainings
            k, trainings = trainings, trainings + 1
            different = {"alpha": 0.1 + 0.004 * k, "beta": 1 - 0.004 * k, "learning_rate": 1e-3 * 0.99**k, "seed": k}
            config = preset("recola").replace(**same, **different).check()
            train_run(config, Path(folder) / str(k), corpus=corpus)
            return {"memory": resident(), "traces": len(traced)}

        driver.serve(training)


if __name__ == "__main__":
    main()
