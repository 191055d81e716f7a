"""A waveform trained with the features of another modality: from recordings on disk to a run, and back."""

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from tests.benchmarks.driver import Side, started
from tests.conftest import THREADS
from tests.corpora.sounds import write_clips, write_table

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")

FRONT_ENDS = ("conv", "logmel")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Clips of sound, and a table of faces of other people."""
    folder, rng = tmp_path_factory.mktemp("recordings"), np.random.default_rng(1)
    rows = [
        {
            "id": f"{part}{k}",
            "partition": part,
            "speaker": f"face_{part}{k}",
            "label": label,
            "smile": rng.normal(shift),
        }
        for part, count in (("train", 7), ("dev", 4))
        for k in range(count)
        for label, shift in (("calm", 0), ("joy", 3))
    ]
    for k, row in enumerate(rows):
        row["id"] = str(k)
    return {"audio": write_clips(folder, each=(7, 5, 2)), "face": write_table(folder / "face.csv", rows)}


def loaded(tables, front_end, **changes):
    """Configuration and corpus, of a small network."""
    places = tuple(f"{name}={path}" for name, path in tables.items())
    sizes = {"encoder_layers": 1, "encoder_units": 6, "head_layers": 0, "batch_size": 4, "epochs": 3}
    sizes |= {"xla": False, "threads": THREADS, "diagnostics": 0, "triplet_preset": "stable"}
    config = preset("recordings").replace(table=places, target="audio", front_end=front_end, **{**sizes, **changes})
    return load_corpus(config)


@pytest.fixture(scope="module", params=FRONT_ENDS)
def trained(request, tables, tmp_path_factory):
    """A finished run, and its data."""
    from emobed_tf.training.loop import train_run

    config, corpus = loaded(tables, request.param)
    run = train_run(config, tmp_path_factory.mktemp(request.param) / "run", corpus=corpus)
    return run, config, corpus


class TestTrainRun:
    def test_all_terms_are_learnt_from(self, trained):
        run, _, _ = trained
        history = run.history()
        assert len(history) == 3
        assert np.isfinite(history.select_dtypes("number").to_numpy(float)).all()
        assert {"target", "auxiliary_face", "triplet"} <= set(history.columns)

    def test_samples_are_standardised_as_all_training_frames_tell(self, trained):
        """Once, by NumPy, from all frames in memory: those of a learnt front end as one number, others by channel."""
        from emobed_tf.models.front_ends.logmel import LogMel

        run, config, corpus = trained
        parts = [np.asarray(r.features) / 32_768 for r in corpus.modality("audio").partition("train")]
        if config.network.front_end == "conv":
            mean, deviation = (np.array([f(np.concatenate(parts))]) for f in (np.mean, np.std))
        else:
            channels = np.concatenate([LogMel()(part[np.newaxis].astype(np.float32))[0] for part in parts])
            mean, deviation = channels.mean(axis=0), channels.std(axis=0)
        best = run.read_arrays("best")
        np.testing.assert_allclose(best["audio.standardise/mean"], mean, atol=1e-4)
        np.testing.assert_allclose(best["audio.standardise/deviation"], deviation, rtol=1e-4)

    def test_scores_of_epochs_are_those_of_whole_recordings(self, trained):
        """Development is scored batch by batch and padded in training, and recording by recording afterwards."""
        run, _, _ = trained
        assert run.history()["val_f1_macro"].max() == pytest.approx(run.read_json("scores.json")["dev"]["f1_macro"])

    def test_facts_say_that_it_is_a_waveform(self, trained):
        assert trained[0].facts().sample_rates == {"audio": 16_000}

    def test_predictions_are_those_of_the_evaluation(self, trained, tables):
        from emobed_tf.runs.scoring import predict_rows, score_run

        run, _, _ = trained
        evaluated = score_run(run)["dev"]
        files = [tables["audio"].parent / f"{recording.id}.wav" for recording in evaluated.recordings]
        for row, values in zip(predict_rows(run, files), evaluated.raw, strict=True):
            np.testing.assert_allclose([row["p_calm"], row["p_joy"]], values, atol=1e-6)


class TestTrain:
    @pytest.mark.slow
    @pytest.mark.parametrize("front_end", ["emo18", "zhao19"])
    def test_references_train_compiled(self, tables, front_end):
        from emobed_tf.training.loop import train

        config, corpus = loaded({"audio": tables["audio"]}, front_end, framework="classic", xla=True, epochs=1)
        found = train(config, corpus)
        assert all(np.isfinite(values).all() for values in found.weights.values())

    def test_a_training_repeats_and_goes_on(self, tables, tmp_path):
        from emobed_tf.training.loop import train, train_run

        config, corpus = loaded(tables, "conv")
        whole = train(config, corpus)
        run = train_run(config.replace(epochs=1), tmp_path / "run", corpus=corpus)
        train_run(config, run.path, corpus=corpus, resume=True)
        again = run.read_arrays("best")
        assert whole.weights.keys() == again.keys()
        for name, values in whole.weights.items():
            np.testing.assert_array_equal(values, again[name], err_msg=name)

    def test_modalities_may_share_a_trunk(self, tables):
        from emobed_tf.training.loop import train

        config, corpus = loaded(tables, "logmel", sharing="trunk", epochs=1)
        assert {"audio.projection/kernel", "shared.trunk.gru_1/kernel"} <= train(config, corpus).weights.keys()

    def test_a_front_end_of_one_s_own_that_looks_ahead_is_told(self, tables):
        from emobed_tf.errors import EmoBedWarning
        from emobed_tf.training.loop import train

        config, corpus = loaded(tables, "tests.models.front_ends.own:looks_ahead", framework="classic", epochs=1)
        with pytest.warns(EmoBedWarning, match="--front-end .*looks_ahead: embeddings of audio change"):
            train(config, corpus)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(tmp_path):
    """A quarter of an hour of sound and a whole one, in processes of their own: the peak of resident memory.

    45 minutes more are 86 MB of samples, at 16 kHz and 2 bytes each: less than that is not all of them in any form.
    """
    peaks = []
    for hours in (0.25, 1):
        arguments = {"what": "memory", "folder": str(tmp_path / "clips"), "front_end": "conv", "threads": THREADS}
        cache = {"EMOBED_CACHE": str(tmp_path / "cache")}
        with started(Side("ours", "signal_tf", {**arguments, "hours": hours}, environment=cache)) as [worker]:
            peaks.append(worker.repeat()["peak"])
    assert peaks[1] <= 1.2 * peaks[0]
    assert peaks[1] - peaks[0] < 86e6
