"""Simulated OMG-Emotion packages: their form to the byte, determinism, shares of classes, refusals."""

import json
import re

import numpy as np
import pytest

from emobed_tf.corpora import load
from emobed_tf.corpora.simulate import simulate_omg
from emobed_tf.errors import InputError
from tests.corpora.simulate.written import digests


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

    def test_marked_as_simulated(self, omg):
        marker = json.loads((omg / "simulated.json").read_text())
        assert (marker["simulated"], marker["corpus"], marker["settings"]["seed"]) == (True, "omg", 3)

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

    def test_same_seed_same_bytes(self, omg, tmp_path):
        simulate_omg(tmp_path / "again", utterances=(300, 100, 60), video_columns=20, seed=3)
        assert digests(tmp_path / "again") == digests(omg)


class TestRefusals:
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
    def test_arguments(self, tmp_path, arguments, message):
        with pytest.raises(InputError, match=message):
            simulate_omg(tmp_path / "p", **arguments)
        assert not list(tmp_path.iterdir())


def test_as_the_reader_reads_it(tmp_path):
    simulate_omg(tmp_path / "sim", utterances=(30, 20, 10), video_columns=4)
    corpus = load("omg", tmp_path / "sim")
    assert corpus.simulated
    assert {name: len(modality.feature_names) for name, modality in corpus.modalities.items()} == {
        "audio": 88,
        "video": 4,
    }
    for modality in corpus:
        assert [len(modality.partition(name)) for name in ("train", "dev", "test")] == [30, 20, 10]
        assert all(recording.labels for recording in modality.partition("test"))
