"""Simulated packages: their form to the byte, determinism, what the gold standard is made of, and refusals."""

import contextlib
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emobed_tf import console
from emobed_tf.corpora import gold_standard_from_ratings
from emobed_tf.corpora.simulate import files as simulate_files
from emobed_tf.corpora.simulate import simulate_omg, simulate_recola
from emobed_tf.corpora.simulate.emotion import frames_of, generator, ratings, scene, smooth_process
from emobed_tf.corpora.simulate.recola import shown_by
from emobed_tf.errors import InputError
from emobed_tf.simulate import main

DIMENSIONS = ("arousal", "valence")
SECONDS, FRAMES = 20.0, 501


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated") / "recola"
    simulate_recola(root, seconds=SECONDS, recordings=2, seed=3)
    return root


@pytest.fixture(scope="module")
def omg(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated") / "omg"
    simulate_omg(root, utterances=(300, 100, 60), video_columns=20, seed=3)
    return root


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def features(path):
    """(times as text, features as an array with NaN for `?`) of a feature file."""
    lines = path.read_text().split("@data\n\n")[1].replace("?", "nan").splitlines()
    return [line.split(",")[0] for line in lines], np.loadtxt(lines, delimiter=",")[:, 1:]


def gold(path):
    return np.array([float(line.split(",")[2]) for line in path.read_text().split("@data")[1].split()])


def rated(path):
    return np.loadtxt(path, delimiter=";", skiprows=1)[:, 1:]


def stretches(flags):
    """(start, length) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2] - edges[::2], strict=True))


class TestForm:
    def test_files(self, package):
        named = {f"{partition}_{number}" for partition in ("train", "dev", "test") for number in (1, 2)}
        labelled = {name for name in named if not name.startswith("test")}
        expected = {"simulated.json"}
        for dimension in DIMENSIONS:
            for modality in ("audio", "video_appearance"):
                expected |= {f"features_{modality}/{dimension}/{name}.arff" for name in named}
            for home, names in (("", labelled), ("test_labels/", named - labelled)):
                expected |= {f"{home}ratings_gold_standard/{dimension}/{name}.arff" for name in names}
                expected |= {f"{home}ratings_individual/{dimension}/{name}.csv" for name in names}
        assert set(digests(package)) == expected

    @pytest.mark.parametrize(("modality", "columns"), [("audio", 88), ("video_appearance", 168)])
    def test_feature_file(self, package, modality, columns):
        content = (package / f"features_{modality}" / "valence" / "dev_2.arff").read_bytes()
        assert b"\r" not in content
        assert content.endswith(b"\n")
        assert not content.endswith(b"\n\n")
        lines = content.decode("ascii").split("\n")[:-1]
        assert lines[:3] == [f"@relation features_{modality}_valence", "", "@attribute frameTime numeric"]
        assert all(re.fullmatch(r"@attribute \w+ numeric", line) for line in lines[3 : 3 + columns])
        assert len(set(lines[3 : 3 + columns])) == columns
        assert lines[3 + columns : 7 + columns] == ["", "", "@data", ""]
        rows = lines[7 + columns :]
        assert len(rows) == FRAMES
        cell = r"(-?(0|[1-9]\d*)\.\d{4}|\?)"
        assert all(re.fullmatch(rf"[\d.]+(,{cell}){{{columns}}}", row) for row in rows)
        assert "-0.0000" not in content.decode()
        times = [row.split(",")[0] for row in rows]
        assert times[:4] == ["0", "0.04", "0.08", "0.12"]
        assert (times[10], times[25], times[-1]) == ("0.4", "1", "20")

    def test_gold_standard_file(self, package):
        content = (package / "ratings_gold_standard" / "arousal" / "dev_1.arff").read_bytes()
        head = (
            b"@relation GOLDSTANDARD_AROUSAL\r\n\r\n@attribute Instance_name string\r\n@attribute frameTime numeric\r\n"
            b"@attribute GoldStandard numeric\r\n\r\n\r\n@data\r\n\r\n"
        )
        assert content.startswith(head + b"dev_1,0,")
        rows = content[len(head) :].split(b"\r\n")
        assert rows.pop() == b""
        assert len(rows) == FRAMES
        assert all(re.fullmatch(rb"dev_1,\d+(\.\d{1,2})?,-?[01]\.\d{6}", row) for row in rows)
        assert content.count(b"\n") == content.count(b"\r\n")

    def test_ratings_file(self, package):
        content = (package / "ratings_individual" / "valence" / "train_2.csv").read_bytes()
        lines = content.split(b"\n")
        assert lines[0] == b"time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3"
        assert lines.pop() == b""
        assert len(lines) == 1 + FRAMES
        assert all(re.fullmatch(rb"\d+\.\d\d(;-?[01]\.\d\d){6}", line) for line in lines[1:])
        assert b"-0.00;" not in content
        assert lines[2].startswith(b"0.04;")

    def test_marked_as_simulated(self, package, omg):
        marker = json.loads((package / "simulated.json").read_text())
        assert marker["simulated"] is True
        assert "no recordings" in marker["note"]
        assert marker["version"] == simulate_files.VERSION
        assert marker["settings"] == {
            "seconds": 20.0,
            "recordings": 2,
            "modalities": ["audio", "video_appearance"],
            "dimensions": ["arousal", "valence"],
            "transfer": "helps",
            "seed": 3,
        }
        assert json.loads((omg / "simulated.json").read_text())["corpus"] == "omg"

    def test_options(self, tmp_path):
        simulate_recola(
            tmp_path / "p", seconds=12, recordings=1, modalities=["video_geometric"], dimensions=["valence"]
        )
        assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
            "features_video_geometric",
            "ratings_gold_standard",
            "ratings_individual",
            "simulated.json",
            "test_labels",
        ]
        times, values = features(tmp_path / "p" / "features_video_geometric" / "valence" / "test_1.arff")
        assert values.shape == (301, 632)  # 12 s / 40 ms, both ends
        assert times[-1] == "12"

    def test_progress(self, tmp_path):
        seen = []
        simulate_recola(tmp_path / "p", seconds=10, recordings=1, progress=lambda *args: seen.append(args))
        assert seen == [(1, 3), (2, 3), (3, 3)]


class TestNumbers:
    def test_text_of_numbers(self, tmp_path):
        values = np.array([[0.0, -0.00004, 1.5], [-12345.6789, np.nan, 99999.9999], [0.00005001, 10.0, -0.5]])
        simulate_files.write_table(tmp_path / "t", "a\n", ["k", "", "long,key"], values)
        assert (tmp_path / "t").read_text() == (
            "a\nk,0.0000,0.0000,1.5000\n,-12345.6789,?,99999.9999\nlong,key,0.0001,10.0000,-0.5000\n"
        )

    def test_same_as_python_writes_them(self, tmp_path):
        values = np.random.default_rng(0).standard_normal((200, 30)) * 10.0 ** np.arange(-20, 10).clip(-4, 4)
        simulate_files.write_table(tmp_path / "t", "", [""] * 200, values)
        expected = "".join("".join(f",{v + 0.0:.4f}" for v in row.round(4)) + "\n" for row in values)
        assert (tmp_path / "t").read_text() == expected

    def test_blocks_of_rows_join(self, tmp_path, monkeypatch):
        values = np.arange(35.0).reshape(7, 5)
        keys = [str(k) for k in range(7)]
        simulate_files.write_table(tmp_path / "whole", "", keys, values)
        monkeypatch.setattr(simulate_files, "_CELLS_AT_ONCE", 10)
        simulate_files.write_table(tmp_path / "blocks", "", keys, values)
        assert (tmp_path / "whole").read_bytes() == (tmp_path / "blocks").read_bytes()

    def test_too_large(self, tmp_path):
        with pytest.raises(ValueError, match=r"10\^5"):
            simulate_files.write_table(tmp_path / "t", "", [""], np.array([[1e5]]))


class TestDeterminism:
    def test_same_seed_same_bytes(self, package, tmp_path):
        simulate_recola(tmp_path / "again", seconds=SECONDS, recordings=2, seed=3)
        assert digests(tmp_path / "again") == digests(package)

    def test_other_seed_other_bytes(self, package, tmp_path):
        simulate_recola(tmp_path / "other", seconds=SECONDS, recordings=2, seed=4)
        first, second = digests(package), digests(tmp_path / "other")
        assert first.keys() == second.keys()
        assert all(first[name] != second[name] for name in first)

    def test_a_file_does_not_depend_on_which_others_are_written(self, package, tmp_path):
        simulate_recola(
            tmp_path / "part", seconds=SECONDS, recordings=1, modalities=["audio"], dimensions=["valence"], seed=3
        )
        whole, part = digests(package), digests(tmp_path / "part")
        part.pop("simulated.json")
        assert len(part) == 3 * 3  # features, gold standard and ratings of three recordings
        assert all(whole[name] == digest for name, digest in part.items())

    def test_omg(self, omg, tmp_path):
        simulate_omg(tmp_path / "again", utterances=(300, 100, 60), video_columns=20, seed=3)
        assert digests(tmp_path / "again") == digests(omg)


class TestFeatures:
    @pytest.mark.parametrize(
        ("modality", "dimension", "seconds"),
        [
            ("audio", "arousal", 4),
            ("audio", "valence", 6),
            ("video_appearance", "arousal", 6),
            ("video_appearance", "valence", 4),
        ],
    )
    def test_windows_repeat_the_edge_rows(self, package, modality, dimension, seconds):
        _, values = features(package / f"features_{modality}" / dimension / "dev_1.arff")
        half = round(seconds / 0.04 / 2)
        seen = ~(values == 0).all(axis=1)
        for edge, complete in ((range(half), half), (range(FRAMES - half, FRAMES), FRAMES - 1 - half)):
            kept = [row for row in edge if seen[row]]
            if seen[complete]:
                assert np.array_equal(values[kept], np.repeat(values[[complete]], len(kept), 0), equal_nan=True)
        inside = [row for row in range(half, FRAMES - half - 1) if seen[row] and seen[row + 1]]
        assert all(not np.array_equal(values[row], values[row + 1], equal_nan=True) for row in inside)

    def test_rows_without_a_face_are_zero_in_stretches(self, package):
        for partition in ("train", "dev", "test"):
            for number in (1, 2):
                path = package / "features_video_appearance" / "arousal" / f"{partition}_{number}.arff"
                _, values = features(path)
                lost = (values == 0).all(axis=1)
                assert 15 <= lost.sum() < FRAMES / 2  # at least one of 0.6 s
                assert (values[~lost] == 0).mean() < 0.001  # what rounds to zero
                assert all(length >= 15 for _, length in stretches(lost))
                # The same frames for the other dimension: it is the camera that lost the face.
                _, other = features(Path(str(path).replace("arousal", "valence")))
                assert np.array_equal(lost, (other == 0).all(axis=1))

    def test_missing_values_are_in_audio_only_and_never_fill_a_row(self, tmp_path):
        simulate_recola(tmp_path / "p", seconds=40, recordings=2, dimensions=["arousal"])
        missing = 0
        for path in (tmp_path / "p" / "features_audio").rglob("*.arff"):
            _, values = features(path)
            columns = np.isnan(values).any(axis=0)
            missing += np.isnan(values).sum()
            assert not np.isnan(values).all(axis=1).any()
            assert set(np.flatnonzero(columns) % 6) <= {0, 1}  # every third descriptor, two columns each
        assert missing > 0
        assert all(
            b"?" not in path.read_bytes() for path in (tmp_path / "p" / "features_video_appearance").rglob("*.arff")
        )


def ccc(x, y):
    mx, my = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True)) / len(x)
    vx, vy = sum((a - mx) ** 2 for a in x) / len(x), sum((b - my) ** 2 for b in y) / len(y)
    return 2 * both / (vx + vy + (mx - my) ** 2)


class TestLabels:
    @pytest.mark.parametrize("dimension", DIMENSIONS)
    @pytest.mark.parametrize(("home", "name"), [("", "train_1"), ("", "dev_2"), ("test_labels", "test_1")])
    def test_gold_standard_is_made_of_the_written_ratings(self, package, home, name, dimension):
        columns = rated(package / home / "ratings_individual" / dimension / f"{name}.csv").T.tolist()
        agreement = [
            sum(ccc(mine, other) for s, other in enumerate(columns) if s != r) / 5 for r, mine in enumerate(columns)
        ]
        means = [sum(column) / len(column) for column in columns]
        level = sum(c * m for c, m in zip(agreement, means, strict=True)) / sum(agreement)
        expected = [
            sum(column[t] - mean for column, mean in zip(columns, means, strict=True)) / 6 + level
            for t in range(FRAMES)
        ]
        written = gold(package / home / "ratings_gold_standard" / dimension / f"{name}.arff")
        np.testing.assert_allclose(written, expected, rtol=0, atol=5.001e-7)  # six decimals

    def test_ratings_are_in_steps_within_range(self, package):
        for path in package.rglob("ratings_individual/*/*.csv"):
            values = rated(path)
            assert np.abs(values).max() <= 1
            np.testing.assert_allclose(values * 100, np.rint(values * 100), atol=1e-9)
            assert (values.std(axis=0) > 0.02).all()

    @pytest.mark.parametrize("dimension", DIMENSIONS)
    def test_raters_lag_behind_the_emotion(self, dimension):
        what = scene(0, "train", 1, frames_of(600))
        emotion, given = what.now(dimension), ratings(0, "train", 1, dimension, what)
        lags = np.arange(0, 126, 2)

        def lag(series):
            return 0.04 * max(
                lags, key=lambda d: np.corrcoef(emotion[: len(emotion) - d], series[d : len(series) or None])[0, 1]
            )

        each = [lag(series) for series in given.T]
        assert all(1.3 <= value <= 3.8 for value in each)
        assert max(each) - min(each) > 0.8
        assert 2.0 <= lag(gold_standard_from_ratings(given)) <= 2.9

    def test_raters_err_more_where_it_is_hard_to_read(self):
        what = scene(0, "train", 1, frames_of(900))
        given = ratings(0, "train", 1, "arousal", what)
        spread = (given - given.mean(axis=0)).std(axis=1)
        assert spread[what.speech < 0.05].mean() > 1.1 * spread[what.speech > 0.95].mean()

    def test_emotion_is_skewed_for_arousal_and_correlated(self):
        scenes = [scene(0, "train", number, frames_of(300)) for number in range(1, 21)]
        arousal = np.concatenate([one.now("arousal") for one in scenes])
        valence = np.concatenate([one.now("valence") for one in scenes])
        third = ((arousal - arousal.mean()) ** 3).mean() / arousal.std() ** 3
        assert third > 0.7
        assert abs(((valence - valence.mean()) ** 3).mean() / valence.std() ** 3) < 0.5
        assert 0.1 < np.corrcoef(arousal, valence)[0, 1] < 0.45

    def test_smooth_process(self):
        process = smooth_process(generator(0, "t"), 200_000, 1.0)[:, 0]
        assert abs(process.mean()) < 0.1
        assert abs(process.var() - 1) < 0.1
        # (1 + u) exp(-u) at u = 1 time constant, 25 frames: 2 / e.
        assert abs(np.corrcoef(process[:-25], process[25:])[0, 1] - 2 / np.e) < 0.03


class TestTransfer:
    def probe(self, root, partition, dimension="valence"):
        """Standardised features and gold standard, 2.4 s (60 frames) before it was written."""
        rows, labels = [], []
        for number in range(1, 6):
            _, values = features(root / "features_video_appearance" / dimension / f"{partition}_{number}.arff")
            seen = ~(values == 0).all(axis=1)
            shifted = gold(root / "ratings_gold_standard" / dimension / f"{partition}_{number}.arff")[60:]
            rows.append(values[:-60][seen[:-60]][::5])
            labels.append(shifted[seen[:-60]][::5])
        return np.concatenate(rows), np.concatenate(labels)

    def test_what_video_says_of_the_gold_standard(self, tmp_path):
        read = {}
        for transfer in ("helps", "none", "hurts"):
            simulate_recola(
                tmp_path / transfer,
                seconds=40,
                recordings=5,
                modalities=["video_appearance"],
                dimensions=["valence"],
                transfer=transfer,
            )
            read[transfer] = self.probe(tmp_path / transfer, "dev")
        values, labels = self.probe(tmp_path / "helps", "train")
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        scaled = (values - mean) / deviation
        ridge = np.linalg.solve(scaled.T @ scaled + 300 * np.eye(scaled.shape[1]), scaled.T @ (labels - labels.mean()))
        read = {name: np.corrcoef(((x - mean) / deviation) @ ridge, y)[0, 1] for name, (x, y) in read.items()}
        assert read["helps"] > 0.4
        assert abs(read["none"]) < 0.25
        assert read["hurts"] < -0.4

    def test_labels_and_audio_are_the_same(self, tmp_path):
        for transfer in ("helps", "none", "hurts"):
            simulate_recola(tmp_path / transfer, seconds=10, recordings=1, transfer=transfer)
        first = digests(tmp_path / "helps")
        for transfer in ("none", "hurts"):
            other = digests(tmp_path / transfer)
            changed = {name for name in first if first[name] != other[name]}
            assert changed == {name for name in first if "video" in name} | {"simulated.json"}

    @pytest.mark.parametrize("recordings", [1, 2, 3, 9])
    def test_none_never_shows_a_recording_its_own_emotion(self, recordings):
        shown = [shown_by("video_geometric", number, recordings, "none") for number in range(1, recordings + 1)]
        assert all(source != number and sign == 1 for number, (source, sign) in enumerate(shown, start=1))
        assert len(set(shown)) == recordings
        assert shown_by("audio", 1, recordings, "none") == shown_by("audio", 1, recordings, "hurts") == (1, 1)
        assert shown_by("video_geometric", 1, recordings, "hurts") == (1, -1)


class TestOmg:
    HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"

    def test_files(self, omg):
        tables = {f"features_{m}_{p}.csv" for m in ("audio", "video") for p in ("train", "dev", "test")}
        assert set(digests(omg)) == tables | {
            "omg_TrainVideos.csv",
            "omg_ValidationVideos.csv",
            "omg_TestVideos_WithoutLabels.csv",
            "test_labels/omg_TestVideos_WithLabels.csv",
            "simulated.json",
        }

    @pytest.mark.parametrize(
        ("name", "count"),
        [("omg_TrainVideos", 300), ("omg_ValidationVideos", 100), ("test_labels/omg_TestVideos_WithLabels", 60)],
    )
    def test_labels(self, omg, name, count):
        content = (omg / f"{name}.csv").read_bytes()
        assert not set(content) & set(b'\r"')
        header, *rows = content.decode("ascii").splitlines()
        assert header == self.HEADER
        assert len(rows) == count
        cells = [row.split(",") for row in rows]
        assert all(len(row) == 8 for row in cells)
        assert all(re.fullmatch(r"[0-9a-f]{9}(_[12])?", row[3]) for row in cells)
        assert all(re.fullmatch(r"utterance_[1-9]\d*\.mp4", row[4]) for row in cells)
        assert len({(row[3], row[4]) for row in cells}) == count
        assert all(0 <= float(row[5]) <= 1 and -1 <= float(row[6]) <= 1 for row in cells)
        assert all(float(row[1]) < float(row[2]) for row in cells)
        assert {row[7] for row in cells} == set("0123456")

    def test_test_labels_are_withheld(self, omg):
        lines = (omg / "omg_TestVideos_WithoutLabels.csv").read_text().splitlines()
        labelled = (omg / "test_labels" / "omg_TestVideos_WithLabels.csv").read_text().splitlines()
        assert lines == [",".join(line.split(",")[:5]) for line in labelled]

    def test_numbering_has_gaps_and_people_stay_in_a_partition(self, omg):
        people, gaps = [], 0
        for name in ("omg_TrainVideos", "omg_ValidationVideos", "omg_TestVideos_WithoutLabels"):
            keys = [line.split(",")[3:5] for line in (omg / f"{name}.csv").read_text().splitlines()[1:]]
            people.append({video.split("_")[0] for video, _ in keys})
            numbers = {}
            for video, utterance in keys:
                numbers.setdefault(video, []).append(int(re.search(r"\d+", utterance)[0]))
            gaps += sum(max(found) > len(found) for found in numbers.values())
        assert gaps > 0
        assert len(set.union(*people)) == sum(map(len, people))

    def test_tables(self, omg):
        for modality, columns in (("audio", 88), ("video", 20)):
            header, *rows = (omg / f"features_{modality}_dev.csv").read_text().splitlines()
            names = header.split(",")
            assert names[:2] == ["video", "utterance"]
            assert len(set(names)) == 2 + columns
            keys = [row.split(",")[:2] for row in rows]
            labels = (omg / "omg_ValidationVideos.csv").read_text().splitlines()[1:]
            assert keys == [line.split(",")[3:5] for line in labels]
            values = np.array([row.split(",")[2:] for row in rows], float)
            assert values.shape == (100, columns)
            assert modality == "audio" or values.min() >= 0  # averages of rectified units

    def test_shares_of_the_real_development_set(self, tmp_path):
        simulate_omg(tmp_path / "o", utterances=(7, 617, 7), video_columns=1)
        for name, expected in (
            ("omg_ValidationVideos", [61, 48, 18, 207, 196, 79, 8]),
            ("omg_TrainVideos", [1] * 7),
        ):
            rows = (tmp_path / "o" / f"{name}.csv").read_text().splitlines()[1:]
            assert np.bincount([int(row[-1]) for row in rows]).tolist() == expected

    def test_transfer_changes_the_video_tables_alone(self, omg, tmp_path):
        for transfer in ("none", "hurts"):
            root = tmp_path / transfer
            simulate_omg(root, utterances=(300, 100, 60), video_columns=20, seed=3, transfer=transfer)
            first, other = digests(omg), digests(root)
            changed = {name for name in first if first[name] != other[name]}
            assert changed == {f"features_video_{p}.csv" for p in ("train", "dev", "test")} | {"simulated.json"}


class TestRefusals:
    @pytest.mark.parametrize("write", [simulate_recola, simulate_omg])
    def test_existing_folder(self, tmp_path, write):
        (tmp_path / "mine").write_text("precious")
        with pytest.raises(InputError, match="not an empty folder") as caught:
            write(tmp_path)
        assert "\n" not in str(caught.value)
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]

    def test_a_file(self, tmp_path):
        (tmp_path / "mine").write_text("precious")
        with pytest.raises(InputError, match="not an empty folder"):
            simulate_recola(tmp_path / "mine")

    def test_an_empty_folder_is_filled(self, tmp_path):
        (tmp_path / "empty").mkdir()
        simulate_omg(tmp_path / "empty", utterances=(7, 7, 7), video_columns=1, modalities=["video"])
        assert [path.name for path in tmp_path.iterdir()] == ["empty"]
        assert (tmp_path / "empty" / "simulated.json").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"seconds": 9.9}, "seconds must be 10 to 3600, got 9.9"),
            ({"seconds": float("nan")}, "seconds must be"),
            ({"recordings": 0}, "recordings .* got 0"),
            ({"seed": -1}, "seed must be 0 or more, got -1"),
            ({"modalities": ["audio", "smell"]}, "modalities must be of audio, .*got audio, smell"),
            ({"modalities": []}, "modalities .* got none"),
            ({"dimensions": ["arousal", "arousal"]}, "dimensions .* each once"),
            ({"transfer": "perhaps"}, "transfer must be of helps, none, hurts"),
        ],
    )
    def test_recola_arguments(self, tmp_path, arguments, message):
        with pytest.raises(InputError, match=message):
            simulate_recola(tmp_path / "p", **arguments)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"utterances": (6, 7, 7)}, "utterances must be three numbers"),
            ({"utterances": (100, 100)}, "utterances must be three numbers"),
            ({"video_columns": 0}, "video columns must be 1 or more"),
            ({"modalities": ["geometry"]}, "modalities must be of audio, video"),
            ({"transfer": "perhaps"}, "transfer must be one of"),
            ({"seed": -1}, "seed must be"),
        ],
    )
    def test_omg_arguments(self, tmp_path, arguments, message):
        with pytest.raises(InputError, match=message):
            simulate_omg(tmp_path / "p", **arguments)
        assert not list(tmp_path.iterdir())

    def test_full_disk(self, tmp_path, monkeypatch):
        write, calls = Path.write_bytes, []

        def full(path, content):
            calls.append(path)
            if len(calls) == 5:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(path, content)

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match=r"no space left; what had been written is removed .*/p'") as caught:
            simulate_recola(tmp_path / "p", seconds=10, recordings=1)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "p"))
        assert not list(tmp_path.iterdir())

    def test_really_full_disk(self, tmp_path, capsys):
        disk = tmp_path / "disk"
        disk.mkdir()
        try:
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
            )
        except FileNotFoundError:
            pytest.skip("no mount")
        if mounted.returncode:
            pytest.skip("mounting needs root")
        try:
            code = main(["recola", str(disk / "p"), "--seconds", "10", "--recordings", "1"])
            left = list(disk.iterdir())
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        assert code == 2
        assert left == []
        error = capsys.readouterr().err
        assert error.startswith(f"emobed_tf.simulate: error: {disk / 'p'}: no space left; ")
        assert error.count("\n") == 1

    def test_interrupted(self, tmp_path):
        def stop(done, total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            simulate_recola(tmp_path / "p", seconds=10, recordings=1, progress=stop)
        assert not list(tmp_path.iterdir())


class TestCommand:
    def test_recola(self, tmp_path, capsys):
        arguments = ["--seconds", "10", "--recordings", "1", "--modalities", "audio", "--dimensions", "arousal"]
        assert main(["recola", str(tmp_path / "p"), *arguments, "--transfer", "none", "--seed", "5"]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        # 3 recordings, each with features, gold standard and ratings, and the marker
        assert printed.out.startswith(f"Wrote 10 files to {tmp_path / 'p'}.")
        assert "simulated" in printed.out
        settings = json.loads((tmp_path / "p" / "simulated.json").read_text())["settings"]
        assert settings == {
            "seconds": 10.0,
            "recordings": 1,
            "modalities": ["audio"],
            "dimensions": ["arousal"],
            "transfer": "none",
            "seed": 5,
        }

    def test_omg(self, tmp_path, capsys):
        arguments = ["--utterances", "20", "10", "7", "--video-columns", "3", "--modalities", "video"]
        assert main(["omg", *arguments, str(tmp_path / "p")]) == 0
        assert "Wrote 8 files" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "arguments",
        [
            ["recola", "DIR", "--seconds", "1"],
            ["recola", "DIR", "--modalities", "smell"],
            ["omg", "DIR", "--transfer", "perhaps"],
            ["recola", "/dev/null/p"],
        ],
    )
    def test_errors_are_one_line(self, tmp_path, capsys, monkeypatch, arguments):
        monkeypatch.chdir(tmp_path)
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert re.fullmatch(r"emobed_tf\.simulate: error: [^\n]+\n", printed.err)
        assert printed.out == ""

    @pytest.mark.parametrize("arguments", [[], ["recola"], ["iemocap", "DIR"], ["recola", "DIR", "--seed", "x"]])
    def test_wrong_options_are_one_line(self, capsys, arguments):
        assert main(arguments) == 2
        assert re.fullmatch(r"emobed_tf\.simulate: error: [^\n]+\n", capsys.readouterr().err)

    def test_interrupted(self, tmp_path, capsys, monkeypatch):
        def stop(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("emobed_tf.corpora.simulate.recola.write_marker", stop)
        assert main(["recola", str(tmp_path / "p"), "--seconds", "10", "--recordings", "1"]) == 130
        assert capsys.readouterr().err == "\nemobed_tf.simulate: interrupted\n"
        assert not list(tmp_path.iterdir())

    def test_progress(self, tmp_path, monkeypatch):
        seen = []

        @contextlib.contextmanager
        def progress(what):
            yield lambda done, total, now="": seen.append((what, done, total))

        monkeypatch.setattr(console, "progress", progress)
        assert main(["recola", str(tmp_path / "p"), "--seconds", "10", "--recordings", "1"]) == 0
        assert seen == [("simulating recola", done, 3) for done in (1, 2, 3)]

    def test_help_imports_nothing_heavy(self):
        code = (
            "import sys, emobed_tf.simulate as s\n"
            "try:\n    s.main(['--help'])\nexcept SystemExit:\n    pass\n"
            "light = not {'numpy', 'scipy', 'tensorflow'} & set(sys.modules)\n"
            "import emobed_tf.corpora.simulate\n"
            "sys.exit(0 if light and 'tensorflow' not in sys.modules else 1)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
