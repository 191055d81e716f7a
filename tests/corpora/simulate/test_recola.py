"""Simulated RECOLA packages: their form to the byte, determinism, what labels and features say, refusals."""

import json
import re

import numpy as np
import pytest

from emobed_tf.corpora import gold_standard_from_ratings, load
from emobed_tf.corpora.simulate import files as simulate_files
from emobed_tf.corpora.simulate import simulate_recola
from emobed_tf.corpora.simulate.recola import shown_by
from emobed_tf.errors import InputError
from tests.corpora.corpus_writers import close
from tests.corpora.simulate.written import FRAMES, SECONDS, digests, features, gold, rated

DIMENSIONS = ("arousal", "valence")


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

    def test_marked_as_simulated(self, package):
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
        assert marker["corpus"] == "recola"


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


class TestRefusals:
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
    def test_arguments(self, tmp_path, arguments, message):
        with pytest.raises(InputError, match=message):
            simulate_recola(tmp_path / "p", **arguments)
        assert not list(tmp_path.iterdir())

    def test_interrupted(self, tmp_path):
        def stop(done, total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            simulate_recola(tmp_path / "p", seconds=10, recordings=1, progress=stop)
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dimension", ["arousal", "valence"])
def test_as_the_reader_reads_it(tmp_path, dimension):
    # In a minute, unlike in ten seconds, raters agree (the sum of their concordances is positive).
    simulate_recola(tmp_path / "sim", seconds=60, recordings=2)
    corpus = load("recola", tmp_path / "sim", dimension=dimension)
    assert corpus.simulated
    assert list(corpus.modalities) == ["audio", "video_appearance"]
    for modality in corpus:
        assert [len(modality.partition(name)) for name in ("train", "dev", "test")] == [2, 2, 2]
        for recording in modality.recordings:
            # 60 s, a row every 40 ms, both ends.
            assert recording.frames == 1501
            assert recording.labels[dimension].shape == (1501,)
            # The labels of test are in a folder of their own.
            assert recording.ratings[dimension].shape == (1501, 6)
            # Ratings have two digits in the file and are float32 in memory, gold standards have six digits.
            expected = gold_standard_from_ratings(recording.ratings[dimension])
            np.testing.assert_allclose(recording.labels[dimension], np.clip(expected, -1, 1), atol=2e-6)


def test_a_table_of_another_corpus_beside_it(tmp_path):
    """A table of another corpus, of utterances, beside RECOLA's frames: they share the dimension and nothing else."""
    simulate_recola(tmp_path / "sim", seconds=10, recordings=1, modalities=["audio"])
    table = tmp_path / "speech.csv"
    table.write_text("id,partition,arousal,f\nu,train,0.25,1\nv,dev,-0.5,2\n")
    corpus = load("recola", tmp_path / "sim", tables=[f"speech={table}"])
    assert corpus.modality("speech").frame_seconds is None
    close(corpus.modality("speech").recordings[1].labels["arousal"], [-0.5])
