"""Embeddings of a run: every point is what its encoder gives for its own recording, and what the files say of it."""

import csv
import shutil

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.errors import EmoBedWarning, InputError
from tests.gaps import paused, with_gaps
from tests.training.test_loop import TINY, settings

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

SHORT = {**TINY, "epochs": 1}


def trained(folder, config):
    from emobed_tf.training.loop import train_run

    return train_run(config, folder)


def of_run(*arguments, **more):
    from emobed_tf.embeddings import points as embeddings

    return embeddings.of_run(*arguments, **more)


def full_model(run):
    from emobed_tf.models.build import build_model
    from emobed_tf.models.weights import set_weight_arrays

    model = build_model(run.config(), run.facts())
    set_weight_arrays(model, run.read_arrays("best"))
    return model


def table_of_frames(path, lengths, *, missing=(), unlabelled=()):
    """A table of 10 frames a second by id; ids begin with their partition."""
    rng = np.random.default_rng(0)
    lines = ["id,time,partition,speaker,arousal,f,g"]
    for name, frames in lengths.items():
        for t in range(frames):
            features = "," if (name, t) in missing or name in missing else f"{rng.normal():.4f},{rng.normal():.4f}"
            label = "" if name in unlabelled else f"{np.sin(t / 3 + frames):.4f}"
            lines.append(f"{name},{t / 10},{name.split('_')[0]},s_{name},{label},{features}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def frames(recola, tmp_path_factory):
    """A regression over frames: 3 recordings of 301 frames a partition, hop 1 s = 25 frames."""
    return trained(tmp_path_factory.mktemp("embeddings") / "run", settings(recola, **SHORT))


@pytest.fixture(scope="module")
def utterances(tables, tmp_path_factory):
    config = settings(tables, "tables", **{**SHORT, "batch_size": 8})
    return trained(tmp_path_factory.mktemp("embeddings") / "run", config)


def seconds_with_features(recording):
    """Frames at 0, 1, … s, where the simulated camera saw a face or the microphone anything."""
    return [k for k in range(0, recording.frames, 25) if not np.isnan(recording.features[k]).all()]


@pytest.fixture(scope="module")
def corpus(frames):
    from emobed_tf.corpora.configured import load_corpus

    return load_corpus(frames.config())[1]


class TestUtterances:
    def test_points_are_the_rows_of_the_tables(self, utterances, tables):
        found = of_run(utterances)
        expected = []
        for name in ("audio", "face"):
            with open(tables / f"{name}.csv", newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["partition"] == "dev"]
            expected += [(row["id"], name, row["label"], row["label"], row["speaker"]) for row in rows]
        columns = (found.ids, found.modality, found.classes, found.gold, found.speaker)
        assert list(zip(*columns, strict=True)) == expected
        assert len(found) == len(expected) == 15 + 6
        assert np.isnan(found.times).all()
        assert (found.partition, found.framework, found.facts) == ("dev", "emobed", utterances.facts())

    @pytest.mark.parametrize("modality", ["audio", "face"])
    def test_vectors_and_predictions_are_the_networks(self, utterances, tables, modality):
        found = of_run(utterances, "test")
        model, classes = full_model(utterances), utterances.facts().classes
        with open(tables / f"{modality}.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["partition"] == "test"]
        features = np.array([[[float(row[f"{modality}_{k}"]) for k in range(len(row) - 4)]] for row in rows], "f4")
        chosen = found.modality == modality
        embedding = model.encoder(modality)(features)
        np.testing.assert_allclose(found.vectors[chosen], embedding[:, 0], atol=1e-6)
        assert found.vectors.dtype == np.float32
        decided = np.argmax(model.head(embedding)[:, 0], axis=1)
        assert found.prediction[chosen].tolist() == [classes[k] for k in decided]

    def test_the_targets_predictions_are_the_evaluations(self, utterances):
        from emobed_tf.runs.scoring import score_run

        found = of_run(utterances)
        score_run(utterances)
        with open(utterances.path / "predictions" / "dev" / "utterances.csv", newline="") as file:
            expected = {row["id"]: row["prediction"] for row in csv.DictReader(file)}
        chosen = found.modality == "audio"
        assert dict(zip(found.ids[chosen], found.prediction[chosen], strict=True)) == expected

    def test_a_table_that_moved(self, tables, tmp_path, utterances):
        folder = tmp_path / "moved"
        shutil.copytree(tables, folder)
        np.testing.assert_array_equal(of_run(utterances, data_dir=folder).vectors, of_run(utterances).vectors)
        named = [f"{name}={tables / name}.csv" for name in ("audio", "face")]
        config = preset("tables").replace(**SHORT, table=tuple(named), target="audio")
        run = trained(tmp_path / "run", config)
        expected = of_run(run).vectors
        run.write_json("config.json", {**run.config().to_dict(), "table": [named[0], "face=gone.csv"]})
        with pytest.raises(InputError, match=r"gone\.csv"):
            of_run(run)
        moved = of_run(run, tables=[f"face={folder / 'face.csv'}"])
        np.testing.assert_array_equal(moved.vectors, expected)

    def test_changed_data(self, tables, tmp_path, utterances):
        folder = tmp_path / "changed"
        shutil.copytree(tables, folder)
        face = folder / "face.csv"  # an auxiliary's file, which an evaluation wouldn't read
        face.write_text(face.read_text().rstrip() + "1\n")
        with pytest.raises(InputError, match=r"face\.csv.*--data-dir"):
            of_run(utterances, data_dir=folder)


class TestFrames:
    def test_one_point_a_second(self, frames, corpus):
        found = of_run(frames)
        assert list(dict.fromkeys(found.modality)) == ["audio", "video_appearance"]
        numbers = []
        for modality in corpus:
            for recording in modality.partition("dev"):
                times = found.times[(found.modality == modality.name) & (found.ids == recording.id)]
                np.testing.assert_allclose(times, [k / 25 for k in seconds_with_features(recording)])
                numbers.append(len(times))
        assert numbers[:3] == [13, 13, 13]  # 301 frames: 0 to 12 s
        assert sum(numbers) == len(found)

    def test_vectors_are_the_encoders(self, frames, corpus):
        found, model = of_run(frames, "test"), full_model(frames)
        for modality in corpus:
            for recording in modality.partition("test"):
                chosen = (found.modality == modality.name) & (found.ids == recording.id)
                expected = np.array(model.encoder(modality.name)(recording.features[None]))[0]
                np.testing.assert_allclose(found.vectors[chosen], expected[seconds_with_features(recording)], atol=1e-6)

    def test_gold_standard_and_prediction_are_those_of_an_evaluation(self, frames):
        from emobed_tf.runs.scoring import score_run

        found = of_run(frames)
        score_run(frames)
        for recording in ("dev_1", "dev_2", "dev_3"):
            with open(frames.path / "predictions" / "dev" / f"{recording}.csv", newline="") as file:
                rows = {float(row["time"]): row for row in csv.DictReader(file)}
            chosen = (found.modality == "audio") & (found.ids == recording)
            points = zip(found.times[chosen], found.gold[chosen], found.prediction[chosen], strict=True)
            for time, gold, prediction in points:
                row = rows[round(time, 6)]
                assert gold == np.float32(row["gold_standard"])
                assert prediction == pytest.approx(float(row["raw"]), abs=1e-6)

    def test_an_auxiliarys_prediction_is_delayed_like_the_targets(self, frames, corpus):
        found, model = of_run(frames), full_model(frames)
        recording = corpus.modality("video_appearance").partition("dev")[0]
        raw = np.array(model.head(model.encoder("video_appearance")(recording.features[None])))[0, :, 0]
        # 2.4 s = 60 frames: at 0, 1 and 2 s the first prediction, at 3 s that of frame 75 - 60 = 15, and so on.
        expected = [raw[0] if k < 60 else raw[k - 60] for k in seconds_with_features(recording)]
        chosen = (found.modality == "video_appearance") & (found.ids == recording.id)
        np.testing.assert_allclose(found.prediction[chosen], expected, atol=1e-6)

    def test_class_is_the_one_that_training_mines(self, frames, corpus, recola, tmp_path):
        """The bin of the label 60 frames later, by the median of all training labels after that delay."""

        def delayed(recording):
            label = recording.labels["arousal"]
            return np.concatenate([label[60:], np.full(60, label[-1])])

        median = np.median(np.concatenate([delayed(r) for r in corpus.modality("audio").partition("train")]))
        found = of_run(frames)
        classic = of_run(trained(tmp_path / "run", settings(recola, **SHORT, framework="classic")))
        for points, modality in ((found, "audio"), (found, "video_appearance"), (classic, "audio")):
            for recording in corpus.modality(modality).partition("dev"):
                chosen = (points.modality == modality) & (points.ids == recording.id)
                expected = np.where(delayed(recording) >= median, "high", "low")[seconds_with_features(recording)]
                assert points.classes[chosen].tolist() == expected.tolist()
        assert set(found.classes) == {"high", "low"}
        assert classic.framework == "classic"
        assert set(classic.modality) == {"audio"}

    def test_more_bins_and_every_frame(self, corpus, recola, tmp_path):
        found = of_run(trained(tmp_path / "run", settings(recola, **SHORT, bins=3, hop=0.0)), "train")
        seen = [~np.isnan(r.features).all(axis=1) for m in corpus for r in m.partition("train")]
        assert len(found) == sum(map(np.sum, seen))
        # Thirds of the target's training labels, which are 903.
        names, counts = np.unique(found.classes[found.modality == "audio"], return_counts=True)
        assert names.tolist() == ["1 of 3", "2 of 3", "3 of 3"]
        np.testing.assert_allclose(counts, 300, atol=61)  # a recording's last label comes 61 times

    def test_of_any_length_without_padding_or_missing_frames(self, tmp_path):
        """10 frames a second, hop 0.5 s: 40 frames give 8 points, 7 give 2; one is missing, and a recording is."""
        lengths = {"train_a": 40, "train_b": 23, "dev_a": 40, "dev_b": 7, "dev_c": 9, "test_a": 20}
        path = table_of_frames(tmp_path / "gait.csv", lengths, missing={("dev_a", 15), "dev_c"}, unlabelled={"test_a"})
        config = preset("tables").replace(
            **SHORT, table=(f"gait={path}",), framework="classic", label_delay=0.5, hop=0.5, task="regression"
        )
        run = trained(tmp_path / "run", config)
        found = of_run(run)
        by_id = {name: np.round(found.times[found.ids == name], 6).tolist() for name in dict.fromkeys(found.ids)}
        assert by_id == {"dev_a": [0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 3.5], "dev_b": [0.0, 0.5]}
        assert set(zip(found.ids, found.speaker, strict=True)) == {("dev_a", "s_dev_a"), ("dev_b", "s_dev_b")}
        # The gold standard of frame t of n frames, from the function that wrote the table; class 5 frames later.
        gold = [np.sin(t / 3 + 7) for t in (0, 5)]
        np.testing.assert_allclose(found.gold[found.ids == "dev_b"], gold, atol=1e-4)

        unlabelled = of_run(run, "test")
        assert len(unlabelled) == 4
        assert np.isnan(unlabelled.gold).all()
        assert set(unlabelled.classes) == {""}
        assert np.isfinite(unlabelled.prediction).all()

    def test_frames_without_a_label(self, frames, corpus, monkeypatch):
        """Of the label 2.4 s = 60 frames later there is no class; at that time itself no gold standard."""
        from emobed_tf.embeddings import points

        gaps = with_gaps(corpus, paused)
        monkeypatch.setattr(points, "load_data", lambda run, *_, **__: (run.config(), gaps))
        found = of_run(frames)
        one = (found.modality == "audio") & (found.ids == "dev_1")
        at = np.round(found.times[one] * 25).astype(int)
        recording = next(r for r in corpus.modality("audio").partition("dev") if r.id == "dev_1")
        unlabelled = paused(recording)
        np.testing.assert_array_equal(np.isnan(found.gold[one]), unlabelled[at])
        later = unlabelled[np.minimum(at + 60, recording.frames - 1)]
        np.testing.assert_array_equal(found.classes[one] == "", later)
        assert 0 < later.sum() < len(later)

    def test_labels_that_cannot_be_binned(self, tmp_path):
        lines = ["id,partition,arousal,f"]
        lines += [f"{part}_{k},{part},{0 if k < 6 else k},{k % 5}" for part in ("train", "dev") for k in range(8)]
        (tmp_path / "gait.csv").write_text("\n".join(lines) + "\n")
        config = preset("tables").replace(**SHORT, table=(f"gait={tmp_path / 'gait.csv'}",), framework="classic")
        run = trained(tmp_path / "run", config)
        with pytest.warns(EmoBedWarning, match="points get no class"):
            found = of_run(run)
        assert set(found.classes) == {""}
        assert found.gold.tolist() == [0] * 6 + [6, 7]
        assert np.isnan(found.times).all()

    def test_partitions(self, frames, tmp_path):
        with pytest.raises(InputError, match="'valid'.*train, dev, test"):
            of_run(frames, "valid")
        path = table_of_frames(tmp_path / "gait.csv", {"train_a": 40, "dev_a": 40})
        config = preset("tables").replace(
            **SHORT, table=(f"gait={path}",), framework="classic", label_delay=0.5, task="regression"
        )
        run = trained(tmp_path / "run", config)
        with pytest.raises(InputError, match="no recording in partition 'test'"):
            of_run(run, "test")

    def test_progress(self, frames):
        seen = []
        of_run(frames, progress=lambda *arguments: seen.append(arguments))
        assert seen[-2:] == [(0, 2, "embedding audio"), (1, 2, "embedding video_appearance")]


class TestDrawn:
    def test_evenly_by_modality_and_class(self, utterances):
        """21 points: of audio 5 of each class, of face 2 of each: 12 drawn are 2 of each, 15 are all of face."""
        found = of_run(utterances)

        def counts(points):
            pairs, numbers = np.unique(np.char.add(points.modality, points.classes), return_counts=True)
            return dict(zip(pairs.tolist(), numbers.tolist(), strict=True))

        assert set(counts(found).values()) == {2, 5}
        assert set(counts(found.drawn(12)).values()) == {2}
        more = counts(found.drawn(15))
        assert sorted(more.values()) == [2, 2, 2, 3, 3, 3]
        assert all(number == 2 for pair, number in more.items() if pair.startswith("face"))
        assert found.drawn(21) is found

    def test_rows_stay_together_and_in_order(self, utterances):
        found = of_run(utterances)
        drawn = found.drawn(8)
        rows = [found.ids.tolist().index(name) for name in drawn.ids]
        assert rows == sorted(rows)
        for name in ("vectors", "times", "modality", "classes", "gold", "prediction", "speaker"):
            np.testing.assert_array_equal(getattr(drawn, name), getattr(found, name)[rows])
        assert drawn.ids.tolist() == found.drawn(8).ids.tolist()
        assert drawn.ids.tolist() != found.drawn(8, seed=1).ids.tolist()
