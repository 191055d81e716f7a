"""What is kept of a training in its run folder, what continues from it, and a folder that is damaged or gone."""

import json
import shutil

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.runs.access import held
from emobed_tf.runs.folder import Run
from tests.tiny import settings
from tests.training.test_callbacks import end_epoch, model

__all__ = ["model"]
pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


class TestRunRecorder:
    def test_writes_when_seconds_have_passed_and_at_the_end(self, model, tmp_path, monkeypatch):
        from emobed_tf.training import run_recorder

        now = 100.0
        monkeypatch.setattr(run_recorder.time, "monotonic", lambda: now)
        run = Run(tmp_path)
        run.write_json("config.json", {})
        run.write_json("run.json", {})
        recorder = run_recorder.RunRecorder(run, "ccc", patience=0)
        recorder.set_model(model)
        model.optimizer.build(model.trainable_variables)

        def written():
            return [len(run.history()), *(run.read_arrays(name)["only/kernel"].item() for name in ("best", "last"))]

        end_epoch(recorder, 0, 0.1, weight=1)
        assert written() == [1, 1, 1], "the first one at once"
        now += 4
        end_epoch(recorder, 1, 0.3, weight=2)
        assert written() == [1, 1, 1]
        now += 2
        end_epoch(recorder, 2, 0.2, weight=3)
        assert written() == [3, 2, 3], "six seconds after the first"
        end_epoch(recorder, 3, 0.4, weight=4)
        model.set_weights([np.array([[5]], np.float32)])  # a step further
        recorder.save()
        assert written() == [4, 4, 4], "what the last epoch ended with"


@pytest.fixture(scope="module")
def trained(recola, tmp_path_factory, stack):
    import keras

    from emobed_tf.models.build import build_model
    from emobed_tf.models.optimizer import FusedAdam
    from emobed_tf.training.loop import train_run

    run = train_run(settings(recola, epochs=2), tmp_path_factory.mktemp("state") / "run")
    model = build_model(run.config(), run.facts())
    keras.Model.compile(model, FusedAdam())
    return run, model, run.read_arrays("last")


class TestFolderThatVanishes:
    def test_training_stops_and_leaves_nothing(self, recola, tmp_path):
        import keras

        from emobed_tf.training.loop import train_run
        from emobed_tf.training.run_recorder import FolderGoneError

        path = tmp_path / "run"

        def remove(number, logs):
            if number == 1:
                shutil.rmtree(path)

        callback = keras.callbacks.LambdaCallback(on_epoch_begin=remove)
        with pytest.raises(FolderGoneError, match="has been removed; training stops after epoch 2"):
            train_run(settings(recola, epochs=4), path, callbacks=[callback])
        assert not path.exists()

    def test_a_folder_that_another_training_has(self, recola, trained):
        from emobed_tf.training.loop import train_run

        run = trained[0]
        before = {file.name: file.read_bytes() for file in run.path.iterdir() if file.is_file()}
        with held(run.path), pytest.raises(InputError, match="another process is training this run"):
            train_run(settings(recola, epochs=2), run.path, resume=True)
        with held(run.path), pytest.raises(InputError, match="another process is training this run"):
            train_run(settings(recola, epochs=2), run.path)
        assert before == {file.name: file.read_bytes() for file in run.path.iterdir() if file.is_file()}


class TestDamagedState:
    def restored(self, trained, **changes):
        from emobed_tf.training.run_recorder import RunRecorder

        run, model, arrays = trained
        run.write_arrays("last", {k: v for k, v in {**arrays, **changes}.items() if v is not None})
        recorder = RunRecorder(run, "ccc", 0)
        recorder.restore(model)
        return recorder

    def test_whole(self, trained):
        assert self.restored(trained).epochs_done == 2

    def test_scores_that_were_no_numbers_are_part_of_a_history(self, trained):
        state = json.loads(str(trained[2]["state"]))
        state["history"][1]["val_ccc"] = float("nan")
        assert self.restored(trained, state=np.array(json.dumps(state))).epochs_done == 2

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"history": None}, "a row of numbers"),
            ({"history": [{"epoch": 2}]}, "a row of numbers"),
            ({"history": [{"epoch": "1"}]}, "a row of numbers"),
            ({"history": [1, 2]}, "a row of numbers"),
            ({"times": [{"epoch": 1}]}, "a row of numbers"),
            ({"best_epoch": 3}, "best epoch"),
            ({"best_epoch": 1.0}, "best epoch"),
            ({"best": "0.5"}, "'best'"),
            ({"seconds": None}, "'seconds'"),
        ],
    )
    def test_state(self, trained, changes, complaint):
        state = {**json.loads(str(trained[2]["state"])), **changes}
        with pytest.raises(InputError, match=rf"last\.npz: damaged \(training state: .*{complaint}"):
            self.restored(trained, state=np.array(json.dumps(state)))

    @pytest.mark.parametrize(
        "state", [None, np.array("[]"), np.array("{"), np.array(1.5), np.array("[" * 10_000), np.array(["a", "b"])]
    )
    def test_no_state(self, trained, state):
        with pytest.raises(InputError, match=r"last\.npz: damaged \((no )?training state"):
            self.restored(trained, state=state)

    @pytest.mark.parametrize("array", [None, np.zeros(3), np.array("a"), np.array(np.nan), np.array(1.5)])
    def test_optimiser(self, trained, array):
        """Its first array is the number of steps."""
        with pytest.raises(InputError, match=r"last\.npz: damaged \(optimiser/0"):
            self.restored(trained, **{"optimiser/0": array})

    def test_weights(self, trained):
        name = next(name for name in trained[2] if name.endswith("kernel"))
        with pytest.raises(InputError, match=r"last\.npz: weight .*not all of its numbers are finite"):
            self.restored(trained, **{name: np.full_like(trained[2][name], np.inf)})
