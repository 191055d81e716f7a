"""What is kept, when a training stops, and what is said of a loss or an embedding that went wrong."""

import json
import os

import numpy as np
import pytest

from emobed_tf.errors import EmoBedWarning
from tests.tiny import settings
from tests.training.test_loop import assert_equal_weights, weights

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


@pytest.fixture
def model(stack):
    """One weight."""
    import keras

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, name="only")])
    model.compile(keras.optimizers.SGD())
    return model


@pytest.fixture
def recorder(model):
    from emobed_tf.training.callbacks import Recorder

    found = Recorder("ccc", patience=2)
    found.set_model(model)
    return found


def end_epoch(recorder, epoch, score, weight):
    recorder.model.set_weights([np.array([[weight]], np.float32)])
    recorder.on_epoch_end(epoch, {"loss": 1.0, "val_ccc": score})


class TestRecorder:
    def test_keeps_the_first_of_the_best_and_stops_when_patience_is_used_up(self, recorder):
        for epoch, score in enumerate((0.1, 0.3, 0.3, 0.2)):
            assert not recorder.stopped_early
            end_epoch(recorder, epoch, score, weight=10 * (epoch + 1))
        # Epochs count from 1. The third is no better than the second; two in a row without a better one end it.
        assert (recorder.best, recorder.best_epoch, recorder.epochs_done) == (0.3, 2, 4)
        assert [float(values.item()) for values in recorder.best_weights.values()] == [20]
        assert recorder.stopped_early and recorder.model.stop_training

    @pytest.mark.parametrize("weight", [np.nan, np.inf, 1e16])
    def test_a_weight_that_went_wrong_is_not_kept(self, recorder, weight):
        from emobed_tf.training.callbacks import DivergedError

        end_epoch(recorder, 0, 0.1, 1)
        with pytest.raises(DivergedError, match=r"weight only/kernel became .* \(epoch 2\)"):
            end_epoch(recorder, 1, 0.9, weight)
        assert (recorder.best_epoch, recorder.epochs_done) == (1, 1)

    def test_early_stopping_is_remembered(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        config = settings(recola, epochs=30, patience=2, learning_rate=0.5)
        run = train_run(config, tmp_path / "run")
        training = run.read_json("scores.json")["training"]
        done = training["epochs"]
        assert done == training["best_epoch"] + 2 < 30
        before = weights(run)
        train_run(config, run.path, resume=True)
        assert run.read_json("scores.json")["training"]["epochs"] == done
        assert_equal_weights(before, weights(run))


class TestDiagnostics:
    def test_gradient_norms_of_every_term(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, epochs=3, diagnostics=2), tmp_path / "run")
        rows = json.loads(str(run.read_arrays("last")["state"]))["history"]
        names = {f"gradient_norm_{term}" for term in ("target", "auxiliary_video_appearance", "triplet", "l2")}
        assert [names <= set(row) for row in rows] == [True, False, True], "every second epoch"
        assert all(rows[0][name] > 0 for name in names)

    def test_no_anchors_is_a_warning(self, tables, tmp_path):
        from emobed_tf.training.loop import train_run

        config = settings(tables, "tables", framework="triplet", epochs=1, batch_size=1, mining="intra")
        with pytest.warns(EmoBedWarning, match="no embedding has a positive and a negative"):
            train_run(config, tmp_path / "run")

    def test_no_anchors_without_pairs(self, tables, tmp_path):
        from emobed_tf.training.loop import train_run

        config = settings(tables, "tables", metric_loss="contrastive", epochs=1, batch_size=1, mining="intra")
        with pytest.warns(EmoBedWarning, match="no embedding has a positive, so the contrastive loss is 0"):
            train_run(config, tmp_path / "run")

    def test_collapse_is_a_warning(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        with pytest.warns(EmoBedWarning, match="epoch 1: the embedding has collapsed: effective rank 1.00 of 1"):
            train_run(settings(recola, encoder_units=1, epochs=1), tmp_path / "run")


class TestFailsWell:
    def test_nan_names_term_and_step(self, recola, tmp_path):
        import keras

        from emobed_tf.runs.folder import Run
        from emobed_tf.training.callbacks import DivergedError
        from emobed_tf.training.loop import train_run

        class Poison(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                if epoch == 1:
                    self.model.weights_of_terms["beta"].assign(float("nan"))

        with pytest.raises(DivergedError, match=r"the weighted sum of the loss became nan by step 3 \(epoch 2\)"):
            train_run(settings(recola), tmp_path / "run", callbacks=[Poison()])
        kept = weights(Run(tmp_path / "run"))
        assert all(np.isfinite(values).all() for values in kept.values()), "the last good weights are kept"
        assert not Run(tmp_path / "run").finished

    def test_nan_in_one_term(self, recola, tmp_path):
        import keras

        from emobed_tf.training.callbacks import DivergedError
        from emobed_tf.training.loop import train_run

        class Poison(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                layer = self.model.encoder("video_appearance").layers[-1]
                layer.set_weights([np.full(w.shape, np.nan, np.float32) for w in layer.get_weights()])

        with pytest.raises(DivergedError, match="term 'auxiliary_video_appearance'"):
            train_run(settings(recola, framework="joint"), tmp_path / "run", callbacks=[Poison()])

    def test_weights_beyond_all_bounds_are_not_kept(self, recola, tmp_path):
        from emobed_tf.training.callbacks import DivergedError
        from emobed_tf.training.loop import train_run

        with pytest.raises(DivergedError, match="learning-rate"):
            train_run(settings(recola, learning_rate=1e30, epochs=1), tmp_path / "run")
        assert not (tmp_path / "run" / "best.npz").exists()

    def test_full_disk_leaves_the_last_epoch_whole(self, recola, tmp_path, monkeypatch):
        import errno

        from emobed_tf import files
        from emobed_tf.training.loop import train_run

        real, calls = os.fsync, []

        def full(descriptor):
            calls.append(descriptor)
            if len(calls) == 7:  # run.json, config.json, then three files an epoch: best of the second epoch
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(descriptor)

        monkeypatch.setattr(files.os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device") as caught:
            train_run(settings(recola), tmp_path / "run")
        assert "run/" in caught.value.filename
        monkeypatch.undo()
        assert not list((tmp_path / "run").glob(".*tmp"))
        train_run(settings(recola), tmp_path / "run", resume=True)
