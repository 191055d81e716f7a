"""The positive control: same bytes, what the strength changes and what it doesn't, by other libraries' eyes."""

import csv
import json

import numpy as np
import pytest

from emobed_tf.corpora import load
from emobed_tf.corpora.simulate import simulate_tables
from emobed_tf.errors import InputError
from tests.corpora.simulate.written import digests

STRENGTHS = (0.0, 0.5, 1.0)


def read(path):
    """Features and labels by partition, and the speakers of each, without the package's reader."""
    with path.open(newline="") as file:
        _, *rows = csv.reader(file)
    found = {}
    for partition in dict.fromkeys(row[1] for row in rows):
        own = [row for row in rows if row[1] == partition]
        values, labels = np.array([row[4:] for row in own], float), np.array([row[3] for row in own])
        found[partition] = values, labels, [row[2] for row in own]
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Packages by strength that differ in nothing else, with little noise: two features, so that maps are 2 x 2."""
    root = tmp_path_factory.mktemp("tables")
    sizes = {"target_labels": (3000, 10, 1000), "auxiliary_labels": (3000, 10, 1000)}
    for strength in STRENGTHS:
        simulate_tables(
            root / f"{strength}", strength=strength, features=(2, 2), noise=(0, 0), speaker_offset=0, seed=5, **sizes
        )
    return {strength: root / f"{strength}" for strength in STRENGTHS}


class TestForm:
    def test_tables(self, tmp_path):
        counts = {"target_labels": (9, 4, 5), "auxiliary_labels": (45, 0, 3)}
        assert simulate_tables(tmp_path / "p", features=(3, 12), **counts) == 3
        for name, columns, sizes, speakers in (("audio", 3, (9, 4, 5), 3), ("video", 12, (45, 3), 3)):
            header = (tmp_path / "p" / f"{name}.csv").read_text().splitlines()[0].split(",")
            assert header[:4] == ["id", "partition", "speaker", "label"]
            assert len(set(header)) == 4 + columns
            found = read(tmp_path / "p" / f"{name}.csv")
            assert tuple(len(values) for values, _, _ in found.values()) == sizes
            # 9 utterances, 4 of a speaker, are of three; so are 45 with 20 of a speaker.
            assert len(set(found["train"][2])) == speakers

    def test_as_the_reader_reads_it(self, tmp_path):
        simulate_tables(tmp_path / "p", target_labels=(60, 20, 10), auxiliary_labels=(300, 100, 0))
        corpus = load("tables", tmp_path / "p")
        assert corpus.simulated
        assert list(corpus.modalities) == ["audio", "video"]
        assert len(corpus.classes) == 8
        assert [len(corpus.modality("audio").partition(name)) for name in ("train", "dev", "test")] == [60, 20, 10]
        assert len(corpus.modality("audio").feature_names) == 6
        speakers = [{r.speaker for r in modality.recordings} for modality in corpus]
        assert not speakers[0] & speakers[1]

    def test_marked_as_simulated(self, packages):
        marker = json.loads((packages[0.5] / "simulated.json").read_text())
        assert (marker["simulated"], marker["corpus"], marker["settings"]["strength"]) == (True, "tables", 0.5)

    def test_few_labels_of_the_target_lack_no_class(self, tmp_path):
        simulate_tables(tmp_path / "p", target_labels=(8, 17, 0), auxiliary_labels=(8, 0, 0))
        found = read(tmp_path / "p" / "audio.csv")
        assert sorted(found["train"][1]) == [f"class_{k:02d}" for k in range(1, 9)]
        assert sorted(np.unique(found["dev"][1], return_counts=True)[1]) == [2] * 7 + [3]
        # Not in the order of the classes: the two speakers of train have no more in common than others.
        assert list(found["train"][1]) != sorted(found["train"][1])


class TestDeterminism:
    def test_same_seed_same_bytes(self, tmp_path):
        sizes = {"target_labels": (20, 5, 5), "auxiliary_labels": (30, 5, 5)}
        for name, seed in (("first", 1), ("again", 1), ("other", 2)):
            simulate_tables(tmp_path / name, seed=seed, **sizes)
        assert digests(tmp_path / "first") == digests(tmp_path / "again")
        first, other = digests(tmp_path / "first"), digests(tmp_path / "other")
        assert all(first[name] != other[name] for name in first)

    def test_training_utterances_do_not_depend_on_how_many_are_tested(self, tmp_path):
        for tested in (0, 30):
            simulate_tables(tmp_path / f"{tested}", target_labels=(20, 0, tested), auxiliary_labels=(20, 0, 0))
        lines = [(tmp_path / name / "audio.csv").read_text().splitlines() for name in ("0", "30")]
        assert lines[1][:21] == lines[0]

    def test_strength_changes_labels_of_the_auxiliary_alone(self, packages):
        for strength in (0.5, 1.0):
            assert (packages[0.0] / "audio.csv").read_bytes() == (packages[strength] / "audio.csv").read_bytes()
            weak, strong = read(packages[0.0] / "video.csv"), read(packages[strength] / "video.csv")
            np.testing.assert_array_equal(weak["train"][0], strong["train"][0])
            assert np.mean(weak["train"][1] == strong["train"][1]) < 0.9


class TestWorld:
    def test_classes_are_equally_frequent(self, packages):
        for package in packages.values():
            for name in ("audio", "video"):
                _, counts = np.unique(read(package / f"{name}.csv")["train"][1], return_counts=True)
                # A share of 1/8 among 3000 draws has a deviation of .006; it was set on 4000 other draws (.005).
                assert np.abs(counts / 3000 - 1 / 8).max() < (0.0004 if name == "audio" else 4 * np.hypot(0.006, 0.005))

    def test_marginal_distribution_of_features(self, packages):
        values = read(packages[1.0] / "audio.csv")["train"][0]
        # A rotation of two independent standard normal dimensions is the same again.
        np.testing.assert_allclose(np.cov(values.T), np.eye(2), atol=0.12)
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=0.08)

    def test_labels_are_equally_learnable_from_the_auxiliary_alone(self, packages):
        from sklearn.neighbors import KNeighborsClassifier

        learnt = {}
        for strength, package in packages.items():
            tables = read(package / "video.csv")
            neighbours = KNeighborsClassifier(5).fit(*tables["train"][:2])
            learnt[strength] = neighbours.score(*tables["test"][:2])
        assert min(learnt.values()) > 0.8
        assert max(learnt.values()) - min(learnt.values()) < 0.06

    def test_hard_for_a_linear_classifier(self, packages):
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import KNeighborsClassifier

        tables = read(packages[1.0] / "audio.csv")
        linear = LogisticRegression(max_iter=1000).fit(*tables["train"][:2]).score(*tables["test"][:2])
        few = slice(0, 96)
        values, labels, _ = tables["train"]
        from_few = KNeighborsClassifier(1).fit(values[few], labels[few]).score(*tables["test"][:2])
        from_all = KNeighborsClassifier(1).fit(values, labels).score(*tables["test"][:2])
        assert linear < from_all - 0.1
        assert from_few < from_all - 0.1

    def test_what_the_auxiliary_tells_rises_with_the_strength(self, packages):
        """The auxiliary's labels, read at the target's place in the latent once both maps are undone."""
        from sklearn.neighbors import KNeighborsClassifier

        maps = {}
        for name in ("audio", "video"):
            values, labels, _ = read(packages[1.0] / f"{name}.csv")["train"]
            maps[name] = np.array([values[labels == label].mean(axis=0) for label in np.unique(labels)])
        # The means of the classes in one modality are a rotation of those in the other: least squares finds it.
        turn, _, _, _ = np.linalg.lstsq(maps["audio"], maps["video"], rcond=None)
        np.testing.assert_allclose(turn.T @ turn, np.eye(2), atol=0.2)
        told = {}
        for strength, package in packages.items():
            values, labels, _ = read(package / "video.csv")["train"]
            tested, truth, _ = read(package / "audio.csv")["test"]
            told[strength] = KNeighborsClassifier(5).fit(values, labels).score(tested @ turn, truth)
        # Eight equally frequent classes that have nothing to do with each other agree in one of eight on average; but
        # fields of one package are few, so that they can agree more by chance.
        assert told[0.0] < 0.35
        assert told[0.0] + 0.1 < told[0.5] < told[1.0] - 0.1
        assert told[1.0] > 0.75


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"strength": 1.1}, "strength must be 0 to 1, got 1.1"),
            ({"strength": float("nan")}, "strength must be 0 to 1"),
            ({"target_labels": (0, 1, 1)}, "target labels must be 3 numbers, at least 1 0 0; got 0 1 1"),
            ({"auxiliary_labels": (5, 5)}, "auxiliary labels must be 3 numbers, .* got 5 5"),
            ({"speaker_utterances": (1, 0)}, "speaker utterances must be 2 numbers, at least 1 1; got 1 0"),
            ({"classes": 1}, "classes must be 2 to 20, got 1"),
            ({"latent": 0}, "latent must be 1 to 20"),
            ({"fineness": 0}, "fineness must be 0.001 to 1000"),
            ({"features": (1, 6)}, r"features must be two numbers \(audio, video\) of 2 to 9999, got 1 6"),
            ({"noise": (0.1, -1)}, r"noise must be two numbers .* got 0.1 -1"),
            ({"seed": -1}, "seed must be 0 or more, got -1"),
        ],
    )
    def test_arguments(self, tmp_path, arguments, message):
        with pytest.raises(InputError, match=message):
            simulate_tables(tmp_path / "p", **arguments)
        assert not list(tmp_path.iterdir())
