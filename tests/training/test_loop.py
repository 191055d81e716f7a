"""Training as a whole: repeats bit for bit, resumes, mixes corpora, keeps its promises about files."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from emobed_tf.errors import InputError
from tests.conftest import ROOT
from tests.gaps import paused, with_gaps
from tests.tiny import TINY, settings

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


def weights(run, which="last"):
    return {name: values for name, values in run.read_arrays(which).items() if name != "state"}


def assert_equal_weights(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.fixture(scope="module")
def trained(recola, tmp_path_factory):
    from emobed_tf.training.loop import train_run

    return train_run(settings(recola), tmp_path_factory.mktemp("runs") / "run")


class TestInMemory:
    def test_is_the_same_training(self, trained, recola, tmp_path):
        """Weights, history and outputs of a run folder, without one."""
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.evaluation.scores import labelled
        from emobed_tf.runs.scoring import load_model
        from emobed_tf.training.loop import train

        config, corpus = load_corpus(settings(recola))
        found = train(config, corpus)
        assert_equal_weights(found.weights, weights(trained, "best"))
        kept = json.loads(str(trained.read_arrays("last")["state"]))
        assert found.history == kept["history"]
        scores = trained.read_json("scores.json")
        assert (found.score, found.best_epoch) == (kept["best"], kept["best_epoch"])
        assert found.parameters == scores["training"]["parameters"]
        recordings = labelled(corpus, "audio", "test")
        train(config.replace(seed=1), corpus)  # a later training doesn't touch what an earlier one left
        values = load_model(trained).predict(recordings[0].features[None], verbose=0)[0]
        # 60 frames of label delay: the first value repeated, the last ones dropped.
        expected = np.concatenate([np.repeat(values[:1], 60), values])[: len(values)]
        np.testing.assert_allclose(found.outputs(recordings)[0], expected, atol=1e-6)
        assert_equal_weights(found.weights, weights(trained, "best"))

    def test_diverges(self, recola):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.callbacks import DivergedError
        from emobed_tf.training.loop import train

        config, corpus = load_corpus(settings(recola, learning_rate=1e30))
        with pytest.raises(DivergedError, match=r"became .* by step \d+ \(epoch \d\)\. Try a lower --learning-rate"):
            train(config, corpus)


class TestRun:
    def test_folder_holds_what_it_should(self, trained, recola):
        names = {path.name for path in trained.path.iterdir()}
        expected = {
            "config.json",
            "run.json",
            "best.npz",
            "last.npz",
            "history.csv",
            "times.csv",
            "scores.json",
            "postprocessing.json",
        }
        assert names == expected | {"logs"}
        facts = trained.facts()
        assert facts.simulated
        assert (facts.task, facts.label, facts.target) == ("regression", "arousal", "audio")
        assert {name: len(columns) for name, columns in facts.features.items()} == {
            "audio": 88,
            "video_appearance": 168,
        }
        assert facts.delay == 60
        provenance = trained.read_json("run.json")["provenance"]
        assert provenance["seed"] == 0
        assert provenance["packages"].keys() >= {"tensorflow", "keras", "numpy"}

    def test_fingerprints_are_those_of_the_files(self, trained, recola):
        import hashlib

        found = set(trained.facts().fingerprints.values())
        for name in ("features_audio/arousal/train_1.arff", "ratings_gold_standard/arousal/dev_2.arff"):
            assert hashlib.sha256((recola / name).read_bytes()).hexdigest() in found

    def test_history_has_every_term(self, trained):
        lines = (trained.path / "history.csv").read_text().splitlines()
        assert len(lines) == 4
        columns = set(lines[0].split(","))
        assert columns >= {"loss", "target", "auxiliary_video_appearance", "triplet", "l2", "ccc", "val_ccc"}
        assert columns >= {"valid_anchors", "d_positive", "d_negative", "embedding_norm", "effective_rank"}

    def test_steps_and_their_times(self, trained):
        """3 recordings in batches of 2 are 2 steps an epoch."""
        import csv

        assert trained.history()["steps"].tolist() == [2, 4, 6]
        with open(trained.path / "times.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["epoch"], row["steps"]) for row in rows] == [("1", "2"), ("2", "4"), ("3", "6")]
        assert all(float(row[name]) > 0 for row in rows for name in ("training_seconds", "scoring_seconds"))
        training = trained.read_json("scores.json")["training"]
        assert training["steps"] == 6
        assert 0 <= training["scoring_seconds"] <= training["seconds"]

    def test_best_weights_are_those_of_the_best_epoch(self, trained):
        state = json.loads(str(trained.read_arrays("last")["state"]))
        scores = [row["val_ccc"] for row in state["history"]]
        assert state["best"] == max(scores)
        assert trained.read_json("scores.json")["training"]["best_epoch"] == 1 + int(np.argmax(scores))

    def test_development_score_is_the_one_that_training_saw(self, trained):
        """Two ways to the same number: the pooled metric in the graph, and predictions scored in NumPy."""
        state = json.loads(str(trained.read_arrays("last")["state"]))
        assert trained.read_json("scores.json")["dev"]["raw"]["ccc"] == pytest.approx(state["best"], abs=1e-5)

    def test_postprocessing_never_lowers_development(self, trained):
        dev = trained.read_json("scores.json")["dev"]
        assert dev["ccc"] >= dev["raw"]["ccc"] - 1e-12
        assert trained.chain() is not None

    def test_tensorboard_scalars(self, trained):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(trained.logs / "train"))
        events.Reload()
        assert {f"epoch_{name}" for name in ("triplet", "effective_rank", "valid_anchors")} <= set(
            events.Tags()["tensors"]
        )

    def test_a_folder_that_is_taken(self, trained, recola):
        from emobed_tf.training.loop import train_run

        with pytest.raises(InputError, match="not empty; continue it with --resume"):
            train_run(settings(recola), trained.path)


class TestRepeats:
    def test_bit_for_bit(self, trained, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        again = train_run(settings(recola), tmp_path / "again")
        assert_equal_weights(weights(trained), weights(again))
        assert (trained.path / "history.csv").read_text() == (again.path / "history.csv").read_text()
        other = train_run(settings(recola, seed=1), tmp_path / "other")
        assert not np.array_equal(weights(trained)["shared.output/kernel"], weights(other)["shared.output/kernel"])

    @pytest.mark.slow
    def test_fused_and_stock_layers_agree(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        runs = [train_run(settings(recola, fused=fused), tmp_path / str(fused)) for fused in (True, False)]
        a, b = map(weights, runs)
        for name in a:
            np.testing.assert_allclose(a[name], b[name], atol=2e-4, err_msg=name)

    @pytest.mark.slow
    def test_xla_agrees_with_the_plain_graph(self, trained, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        compiled = train_run(settings(recola, xla=True), tmp_path / "xla")
        for name, values in weights(trained).items():
            np.testing.assert_allclose(weights(compiled)[name], values, atol=2e-4, err_msg=name)


class TestResume:
    def test_more_epochs_are_as_if_never_stopped(self, trained, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, epochs=1), tmp_path / "run")
        train_run(settings(recola), run.path, resume=True)
        assert_equal_weights(weights(trained), weights(run))
        assert_equal_weights(weights(trained, "best"), weights(run, "best"))
        assert (trained.path / "history.csv").read_text() == (run.path / "history.csv").read_text()

    def test_a_warm_up_goes_on_where_it_was(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        warming = {"beta_warmup": 4, "metric_loss": "semi_hard"}
        whole = train_run(settings(recola, epochs=2, **warming), tmp_path / "whole")
        run = train_run(settings(recola, epochs=1, **warming), tmp_path / "run")
        train_run(settings(recola, epochs=2, **warming), run.path, resume=True)
        assert_equal_weights(weights(whole), weights(run))

    def test_a_run_from_before_there_were_steps(self, trained, recola, tmp_path):
        """Its settings lack `epoch`, its history `steps`, and there are no times."""
        from emobed_tf.config import read_config
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, epochs=2, epoch="target"), tmp_path / "run")
        values = run.read_json("config.json")
        for name in ("epoch", "steps_per_epoch", "batches"):
            del values[name]
        run.write_json("config.json", values)
        arrays = run.read_arrays("last")
        state = json.loads(str(arrays["state"]))
        del state["times"]
        for row in state["history"]:
            del row["steps"]
        run.write_arrays("last", arrays | {"state": np.array(json.dumps(state))})
        (run.path / "times.csv").unlink()
        train_run(read_config(run.config_file).replace(epochs=3), run.path, resume=True)
        assert_equal_weights(weights(trained), weights(run))
        assert run.history()["steps"].tolist() == [2, 4, 6]
        assert len((run.path / "times.csv").read_text().splitlines()) == 2

    def test_balanced_batches(self, tables, tmp_path):
        from emobed_tf.training.loop import train_run

        config = settings(tables, "tables", target="audio", batch_size=7, batches="balanced")
        whole = train_run(config, tmp_path / "whole")
        parts = train_run(config.replace(epochs=1), tmp_path / "parts")
        train_run(config, parts.path, resume=True)
        assert_equal_weights(weights(whole), weights(parts))
        other = train_run(config.replace(batches="random"), tmp_path / "random")
        assert not np.array_equal(weights(whole)["shared.output/kernel"], weights(other)["shared.output/kernel"])

    @pytest.mark.parametrize("change", [{"threads": 2}, {"seed": 1}, {"beta": 0.2}, {"beta_warmup": 2}])
    def test_refuses_other_settings(self, trained, recola, change):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import _continued

        config, corpus = load_corpus(settings(recola, **change))
        with pytest.raises(InputError, match=f"was trained with --{next(iter(change)).replace('_', '-')}"):
            _continued(config, corpus, trained.path, contextlib.ExitStack())

    def test_refuses_changed_data(self, recola, tmp_path):
        import shutil

        from emobed_tf.training.loop import train_run

        data = tmp_path / "data"
        shutil.copytree(recola, data)
        run = train_run(settings(data, epochs=1), tmp_path / "run")
        path = data / "ratings_gold_standard" / "arousal" / "train_1.arff"
        path.write_bytes(path.read_bytes().replace(b",0.04,0.", b",0.04,-0."))
        with pytest.raises(InputError, match="the data have changed"):
            train_run(settings(data, epochs=2), run.path, resume=True)

    def test_a_file_in_the_place_of_tensorboards_folder(self, trained, tmp_path):
        import shutil

        from emobed_tf.training.loop import train_run

        path = tmp_path / "run"
        shutil.copytree(trained.path, path)
        shutil.rmtree(path / "logs")
        (path / "logs").write_text("")
        before = (path / "scores.json").read_bytes()
        with pytest.raises(InputError, match="logs: expected TensorBoard's folder, found a file"):
            train_run(trained.config().replace(epochs=9), path, resume=True)
        assert (path / "scores.json").read_bytes() == before

    def test_nothing_more_to_do(self, recola, tmp_path):
        from emobed_tf.runs.scoring import score_run
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, epochs=1), tmp_path / "run")
        score_run(run, partitions=("dev", "test"))
        before = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
        train_run(settings(recola, epochs=1), run.path, resume=True)
        after = {path.name: path.read_bytes() for path in run.path.iterdir() if path.is_file()}
        assert before == after
        assert "test" in run.read_json("scores.json")

    def test_a_finished_run_that_goes_on_is_not_finished(self, recola, tmp_path):
        """Else new weights would be scored with the old chain."""
        import keras

        from emobed_tf.training.loop import train_run

        class Kill(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise KeyboardInterrupt

        run = train_run(settings(recola, epochs=1), tmp_path / "run")
        with pytest.raises(KeyboardInterrupt):
            train_run(settings(recola), run.path, resume=True, callbacks=[Kill()])
        assert not run.finished
        train_run(settings(recola), run.path, resume=True)
        assert run.finished
        assert run.read_json("scores.json")["training"]["epochs"] == 3

    def test_a_start_that_was_killed_can_be_repeated(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, epochs=1), tmp_path / "run")
        for path in run.path.iterdir():
            if path.is_file() and path.name != "run.json":
                path.unlink()
        import shutil

        shutil.rmtree(run.logs)
        assert train_run(settings(recola, epochs=1), run.path).finished

    @pytest.mark.slow
    def test_killed_in_mid_epoch(self, recola, tmp_path):
        """SIGKILL as soon as two epochs stand on disk; the continued run has the weights of an uninterrupted one."""
        flags = ["--data-dir", str(recola)]
        for name, value in {**TINY, "epochs": 200, "patience": 0, "threads": 1}.items():
            flag = "--" + name.replace("_", "-")
            flags += [f"--no-{name}"] if value is False else [flag, str(value)]
        command = [sys.executable, "-m", "emobed_tf.train", *flags, "--output"]
        killed = tmp_path / "killed"
        process = subprocess.Popen([*command, str(killed)], cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not (killed / "history.csv").exists() or len((killed / "history.csv").read_text().splitlines()) < 3:
            assert process.poll() is None, "training ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        done = len((killed / "history.csv").read_text().splitlines()) - 1
        assert done < 5000
        short = ["--epochs", str(done + 3)]
        resumed = subprocess.run(
            [sys.executable, "-m", "emobed_tf.train", "--resume", "--output", str(killed), *short],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert resumed.returncode == 0, resumed.stderr
        whole = tmp_path / "whole"
        subprocess.run([*command, str(whole), *short], cwd=ROOT, check=True, capture_output=True)
        from emobed_tf.runs.folder import Run

        assert_equal_weights(weights(Run(killed)), weights(Run(whole)))


class TestFailsWell:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"target": "ecg"}, "ecg"),
            ({"auxiliary": ("audio",)}, "that is the target"),
            ({"auxiliary": (), "framework": "joint"}, "needs an auxiliary modality"),
            ({"selection": "uar"}, "is no score of a regression"),
            ({"bins": 60000}, "too few distinct values"),
            ({"label_delay": 1000.0}, "all training labels are equal"),
            (
                {"auxiliary": (), "framework": "triplet", "mining": "inter"},
                "--mining inter needs an auxiliary modality",
            ),
            ({"auxiliary": (), "framework": "triplet", "alignment": "cmd"}, "--alignment needs an auxiliary modality"),
        ],
    )
    def test_settings_that_do_not_fit_the_data(self, recola, tmp_path, changes, message):
        from emobed_tf.training.loop import train_run

        with pytest.raises(InputError, match=message):
            train_run(settings(recola, **changes), tmp_path / "run")
        assert not (tmp_path / "run").exists()


class TestData:
    def test_classification_from_tables(self, tables, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(tables, "tables", batch_size=8, epochs=8, learning_rate=0.02), tmp_path / "run")
        facts = run.facts()
        assert facts.classes == ("anger", "calm", "joy")
        assert run.read_json("scores.json")["dev"]["f1_macro"] > 0.7
        assert run.chain() is None

    def test_regression_of_utterances(self, tmp_path):
        from emobed_tf.runs.scoring import score_run
        from emobed_tf.training.loop import train_run

        rng = np.random.default_rng(0)
        lines = ["id,partition,valence,a,b"]
        for i in range(60):
            a, b = rng.normal(size=2)
            lines.append(f"u{i},{('train', 'train', 'dev', 'test')[i // 5 % 4]},{0.3 * a:.4f},{a:.4f},{b:.4f}")
        (tmp_path / "text.csv").write_text("\n".join(lines) + "\n")
        config = settings(None, "tables", table=(f"text={tmp_path / 'text.csv'}",), dimension="valence", keep=("a",))
        config = config.replace(framework="classic", epochs=40, learning_rate=0.03, batch_size=16, patience=0)
        run = train_run(config, tmp_path / "run")
        scores = score_run(run, partitions=("test",))["test"].scores
        assert scores["ccc"] > 0.8
        assert "ccc_mean" not in scores, "an utterance is one point"
        assert (run.chain().window, run.chain().shift) == (1, 0), "and has no time"

    def test_any_modality_can_be_the_target(self, tables, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(tables, "tables", target="face", epochs=1), tmp_path / "run")
        assert tuple(run.facts().features) == ("face", "audio")

    def test_classic_builds_no_auxiliary_branch(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, framework="classic", epochs=1), tmp_path / "run")
        assert not [name for name in weights(run) if "video" in name]
        assert not [path for path in run.facts().fingerprints if "video" in path]

    def test_classic_needs_no_bins(self, recola, tmp_path):
        from emobed_tf.training.loop import train_run

        run = train_run(settings(recola, framework="classic", bins=60000, epochs=1), tmp_path / "run")
        assert run.facts().edges == ()

    def test_audio_is_recolas_default_target(self, recola, tmp_path):
        import shutil

        from emobed_tf.corpora.configured import load_corpus

        shutil.copytree(recola, tmp_path / "data")
        folder = tmp_path / "data" / "features_video_appearance"
        folder.rename(folder.with_name("features_ECG"))  # before `audio` in the order of folders
        config, _ = load_corpus(settings(tmp_path / "data", auxiliary=("ecg",)))
        assert (config.data.target, config.data.auxiliary) == ("audio", ("ecg",))

    def test_another_corpus_of_another_frame_rate_as_auxiliary(self, recola, tmp_path):
        """Unpaired and heterogeneous: other recordings, another number of them, other lengths, another rate."""
        from emobed_tf.training.loop import train_run

        rng = np.random.default_rng(0)
        lines = ["id,time,partition,arousal,a,b"]
        for i, frames in enumerate((30, 50, 20, 41, 33)):
            for k in range(frames):
                lines.append(
                    f"r{i},{k * 0.1:.1f},{'dev' if i == 4 else 'train'},{np.sin(k / 9):.4f},{rng.normal():.4f},1.5"
                )
        (tmp_path / "gait.csv").write_text("\n".join(lines) + "\n")
        config = settings(recola, table=(f"gait={tmp_path / 'gait.csv'}",), auxiliary=("gait",), epochs=2)
        run = train_run(config, tmp_path / "run")
        assert run.facts().frame_seconds == {"audio": 0.04, "gait": pytest.approx(0.1)}
        assert run.finished

    @pytest.mark.slow
    def test_three_modalities_in_pieces(self, tmp_path):
        from emobed_tf.corpora.simulate import simulate_recola
        from emobed_tf.training.loop import train_run

        names = ("audio", "video_appearance", "video_geometric")
        simulate_recola(tmp_path / "data", seconds=10, recordings=2, modalities=names)
        config = settings(tmp_path / "data", auxiliary=names[1:], sequence_seconds=4.0, epochs=1, regression_loss="mse")
        run = train_run(config, tmp_path / "run")
        assert tuple(run.facts().features) == names


@pytest.mark.slow
class TestDelay:
    def test_the_simulated_lag_is_found_again(self, tmp_path):
        """A search of the label delay from 0 to 4 s on development ends near the raters' mean lag."""
        from emobed_tf.corpora.simulate import simulate_recola
        from emobed_tf.training.loop import train_run

        simulate_recola(tmp_path / "data", seconds=60, recordings=5, modalities=("audio",), dimensions=("arousal",))
        scores = {}
        for delay in np.arange(0, 4.1, 0.8).round(1).tolist():
            config = settings(tmp_path / "data", framework="classic", label_delay=delay, epochs=25, encoder_units=16)
            config = config.replace(head_units=16, learning_rate=0.01, xla=True, patience=0)
            run = train_run(config, tmp_path / f"run{delay}")
            scores[delay] = run.read_json("scores.json")["dev"]["raw"]["ccc"]
        best = max(scores, key=scores.get)
        assert 1.6 <= best <= 3.2, scores
        assert scores[best] > scores[0.0] + 0.05, scores


class TestUnlabelledFrames:
    """The networks look back only: frames at the end that nothing is learnt from might as well not be there.

    Their features are missing, so that they do not move the standardisation.
    """

    TAIL = 90

    def corpora(self, config):
        from emobed_tf.corpora.configured import load_corpus

        config, corpus = load_corpus(config)

        def changed(change):
            modalities = {
                name: dataclasses.replace(modality, recordings=tuple(map(change, modality.recordings)))
                for name, modality in corpus.modalities.items()
            }
            return dataclasses.replace(corpus, modalities=modalities)

        def blank(recording):
            features = recording.features.copy()
            features[-self.TAIL :] = np.nan
            return dataclasses.replace(recording, features=features)

        def cut(recording):
            def shorter(series):
                return {name: values[: -self.TAIL] for name, values in series.items()}

            features, labels = recording.features[: -self.TAIL], shorter(recording.labels)
            return dataclasses.replace(recording, features=features, labels=labels, ratings=shorter(recording.ratings))

        gaps = with_gaps(changed(blank), lambda r: np.arange(r.frames) >= r.frames - self.TAIL)
        return config, gaps, changed(cut)

    @pytest.mark.parametrize(
        "changes",
        [
            {"framework": "emobed"},
            {"framework": "emobed", "regression_loss": "mse", "disagreement": "weighed", "fused": False},
            {"framework": "classic", "xla": True},
        ],
        ids=["emobed", "squared error, weighed", "classic, compiled"],
    )
    def test_are_as_if_they_were_not(self, recola, changes):
        from emobed_tf.training.loop import train

        config, gaps, cut = self.corpora(settings(recola, label_delay=0.0, **changes))
        ours, theirs = train(config, gaps), train(config, cut)
        for name, values in theirs.weights.items():
            np.testing.assert_allclose(ours.weights[name], values, rtol=1e-3, atol=2e-5, err_msg=name)
        for a, b in zip(ours.history, theirs.history, strict=True):
            assert [a["target"], a["val_ccc"]] == pytest.approx([b["target"], b["val_ccc"]], abs=1e-4)
            assert a.get("valid_anchors") == b.get("valid_anchors")

    def test_pieces_and_recordings_without_any_label(self, recola):
        """A piece a batch, some without any label; one recording has none after the delay."""
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import train

        config, corpus = load_corpus(
            settings(recola, framework="emobed", sequence_seconds=1.0, batch_size=1, hop=0.2, label_delay=2.4)
        )
        begins = {"train_1": 60, "train_2": 150}
        gaps = with_gaps(corpus, lambda r: np.arange(r.frames) >= begins.get(r.id, r.frames))
        found = train(config, gaps)
        assert all(np.isfinite(values).all() for values in found.weights.values())
        assert all(np.isfinite(row[name]) for row in found.history for name in ("loss", "target", "val_ccc"))

    def test_a_run_is_scored_where_there_are_labels(self, recola, tmp_path):
        """Against a formula on the rows of the files that have a gold standard."""
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.runs.scoring import score_run
        from emobed_tf.training.loop import train_run

        config, corpus = load_corpus(settings(recola, framework="classic"))
        gaps = with_gaps(corpus, paused)
        run = train_run(config, tmp_path / "run", corpus=gaps)
        found = score_run(run, corpus=gaps, partitions=("dev", "test"))
        for part in ("dev", "test"):
            recordings, rows = corpus.modality("audio").partition(part), run.predictions(part)
            assert len(rows) == sum(r.frames for r in recordings)
            assert rows[["raw", "postprocessed"]].notna().all(axis=None)
            rows = rows[rows["gold_standard"].notna()]
            assert found[part].frames == len(rows) == sum(int((~paused(r)).sum()) for r in recordings)
            x, y = rows["gold_standard"], rows["postprocessed"]
            expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var(ddof=0) + y.var(ddof=0) + (x.mean() - y.mean()) ** 2)
            assert run.read_json("scores.json")[part]["ccc"] == pytest.approx(expected, abs=1e-6)
