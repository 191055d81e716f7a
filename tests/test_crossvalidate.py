"""The command: what it prints and leaves, goes on with after a kill, and refuses in one line."""

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emobed_tf.comparison.protocol import predictions_file
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.systems.base import Problem, System
from tests.commands import assert_one_line, command, process
from tests.conftest import SHARED

pytestmark = pytest.mark.usefixtures("stack")


class NearestMean(System):
    """The class whose training mean is nearest, after a random shift that the seed draws."""

    title = "nearest mean"
    tasks = (CLASSIFICATION,)

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        return [{"noise": 0.1 * k} for k in range(number)]

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        recordings = problem.recordings("train")[problem.target]
        labels = np.array([int(r.labels[problem.label]) for r in recordings])
        features = np.stack([r.features[0] for r in recordings])
        self.target = problem.target
        means = np.stack([features[labels == k].mean(axis=0) for k in range(len(problem.corpus.classes))])
        self.means = means + settings["noise"] * np.random.default_rng(seed).normal(size=means.shape)

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        return [-np.linalg.norm(r.features[0] - self.means, axis=1) for r in recordings[self.target]]


class AlwaysTheFirst(NearestMean):
    """Always the first class."""

    title = "always the first class"

    def predict(self, recordings):
        return [np.eye(len(self.means))[0] for _ in recordings[self.target]]


NEAREST, FIRST = "tests.test_crossvalidate:NearestMean", "tests.test_crossvalidate:AlwaysTheFirst"
SMALL = ("--folds", 3, "--seeds", 2, "--configurations", 2, "--threads", 1, "--systems", FIRST, NEAREST)


def data(tables):
    return ("--dataset", "tables", "--data-dir", tables, "--targets", "audio", "face")


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossvalidate") / "done"
    result = command("crossvalidate", *data(tables), *SMALL, "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


class TestResults:
    def test_says_what_could_be_detected_before_anything_is_trained(self, done):
        text = done[1]
        before = text.index("would be detected in 80 % of cases")
        assert before < text.index("cross-validated by speaker")
        assert "sign-flip test over speakers at 0.025 (0.05 / 2 targets" in text
        assert "the partitions of the data are ignored" in text

    def test_scores_are_those_of_the_kept_predictions(self, done, tables):
        from sklearn.metrics import balanced_accuracy_score, f1_score

        scores = rows(done[0] / "crossvalidation.csv")
        assert len(scores) == 2 * 2 * 2
        classes = sorted({row["label"] for row in rows(tables / "audio.csv")})
        for target in ("audio", "face"):
            labels = {row["id"]: classes.index(row["label"]) for row in rows(tables / f"{target}.csv")}
            for seed in (0, 1):
                said = {}
                for fold in (1, 2, 3):
                    scenario = Scenario(target, (), fold, 3)  # no system here uses the auxiliary
                    with np.load(predictions_file(done[0] / "predictions", scenario, NEAREST, seed)) as kept:
                        tested = {name: kept[name] for name in kept if name.startswith("test/")}
                    said |= {name.removeprefix("test/"): int(np.argmax(values)) for name, values in tested.items()}
                assert said.keys() == labels.keys()
                true, predicted = list(labels.values()), [said[name] for name in labels]
                (row,) = [r for r in scores if (r["target"], r["system"], r["seed"]) == (target, NEAREST, str(seed))]
                assert float(row["uar"]) == pytest.approx(balanced_accuracy_score(true, predicted))
                assert float(row["f1_macro"]) == pytest.approx(f1_score(true, predicted, average="macro"))
                assert float(row["f1_micro"]) == pytest.approx(np.mean(np.equal(true, predicted)))

    def test_gains(self, done):
        # Always one class of three: an unweighted average recall of 1/3.
        scores = [float(row["uar"]) for row in rows(done[0] / "crossvalidation.csv") if row["system"] == FIRST]
        assert scores == pytest.approx([1 / 3] * 4)
        gains = rows(done[0] / "crossvalidation-gains.csv")
        assert [(gain["target"], gain["first"], gain["second"]) for gain in gains] == [
            ("audio", FIRST, NEAREST),
            ("face", FIRST, NEAREST),
        ]
        assert gains[0]["better"] == "True"  # the face has too few utterances of nine speakers
        assert "nearest mean" in done[1] and "Gain in UAR over always the first class" in done[1]
        assert "always the first class" in (done[0] / "crossvalidation.md").read_text()
        latex = (done[0] / "crossvalidation.tex").read_text()
        assert latex.startswith("% needs \\usepackage{booktabs,graphicx}\n") and "always the first class" in latex

    def test_folds(self, done, tables):
        found = rows(done[0] / "folds.csv")
        speakers = {row["speaker"] for name in ("audio", "face") for row in rows(tables / f"{name}.csv")}
        assert sorted(row["speaker"] for row in found) == sorted(speakers)
        assert {row["fold"] for row in found} == {"1", "2", "3"}


class TestGoingOn:
    def copy(self, done, tmp_path):
        return Path(shutil.copytree(done[0], tmp_path / "copy"))

    def test_after_a_kill_in_the_middle_of_a_line(self, done, tables, tmp_path):
        folder = self.copy(done, tmp_path)
        whole = (folder / "trials.jsonl").read_text().splitlines(keepends=True)
        (folder / "trials.jsonl").write_text("".join(whole[:20]) + whole[20][:30])
        (folder / "crossvalidation.csv").unlink()
        result = command("crossvalidate", *data(tables), *SMALL, "--output", folder)
        assert result.returncode == 0, result.stderr
        again = (folder / "trials.jsonl").read_text().splitlines(keepends=True)
        assert again[:20] == whole[:20] and len(again) == len(whole)
        assert (folder / "crossvalidation.csv").read_bytes() == (done[0] / "crossvalidation.csv").read_bytes()

    def test_a_folder_of_an_earlier_version(self, done, tables, tmp_path):
        """Its ledger has a line of text as the key of a trial; nothing is done again, and nothing is added."""
        folder = self.copy(done, tmp_path)
        header, *lines = (json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines())
        for line in lines:
            key = line["key"]
            place = f"{key['target']}, fold {key['fold']} of 3"  # no system here uses the auxiliary
            settings = json.dumps(key["settings"], sort_keys=True)
            line["key"] = f"{place} | {key['system']} | {settings} | {key['seed']} | {key['purpose']}"
        before = "".join(json.dumps(line) + "\n" for line in ({**header, "format": 1}, *lines))
        (folder / "trials.jsonl").write_text(before)
        (folder / "crossvalidation.csv").unlink()
        result = command("crossvalidate", *data(tables), *SMALL, "--output", folder)
        assert result.returncode == 0, result.stderr
        assert (folder / "trials.jsonl").read_text() == before
        assert (folder / "crossvalidation.csv").read_bytes() == (done[0] / "crossvalidation.csv").read_bytes()

    def test_more_seeds_keep_what_there_is(self, done, tables, tmp_path):
        folder = self.copy(done, tmp_path)
        before = (folder / "trials.jsonl").read_text()
        result = command("crossvalidate", *data(tables), *SMALL, "--seeds", 3, "--output", folder)
        assert result.returncode == 0, result.stderr
        after = (folder / "trials.jsonl").read_text()
        assert after.startswith(before)
        assert len(after.splitlines()) - len(before.splitlines()) == 2 * 2 * 3  # targets, systems, folds

    @pytest.mark.slow
    def test_two_workers_find_the_same(self, done, tables, tmp_path):
        folder = tmp_path / "two"
        result = process("crossvalidate", *data(tables), *SMALL, "--workers", 2, "--output", folder)
        assert result.returncode == 0, result.stderr
        for name in ("crossvalidation.csv", "crossvalidation-gains.csv"):
            assert (folder / name).read_bytes() == (done[0] / name).read_bytes()


class TestSelection:
    @pytest.fixture(scope="class")
    @staticmethod
    def asked(tables, tmp_path_factory):
        """All that may be asked for at once, of systems that take no time."""
        folder = tmp_path_factory.mktemp("crossvalidate") / "asked"
        choice = ("--inner-folds", 2, "--selection-seeds", 2, "--rule", "one-standard-error", "--show-selection")
        more = ("--targets", "audio", "--configurations", 3, "--fold-seeds", 2, "--primary", NEAREST)
        result = command("crossvalidate", *data(tables), *SMALL, *choice, *more, "--output", folder)
        assert result.returncode == 0, result.stderr
        return folder, result.stdout

    def test_says_what_is_ahead(self, asked):
        text = " ".join(asked[1].split())
        assert "3 settings on inner folds, each on 2 splits and with 2 seeds, then 2 seeds with the best" in text
        assert text.index("3 settings on inner folds") < text.index("cross-validated by speaker")

    def test_fits(self, asked):
        keys = [json.loads(line)["key"] for line in (asked[0] / "trials.jsonl").read_text().splitlines()[1:]]
        purposes = [key.get("purpose") for key in keys]
        # Two systems, two deals of three folds: 3 settings on 2 splits with 2 seeds; 2 finals; 2 others looked at.
        assert purposes.count("choice") == 2 * 6 * 12
        assert purposes.count("final") == 2 * 6 * 2
        assert purposes.count("look") == 2 * 6 * 2
        assert keys.count({"deal": 2}) == 1 and len(keys) == 2 * 6 * 16 + 1

    def test_the_look_is_called_exploratory(self, asked):
        assert "EXPLORATORY: rank correlation" in asked[1]
        assert "EXPLORATORY: rank correlation" in (asked[0] / "crossvalidation.md").read_text()
        looks = rows(asked[0] / "selection.csv")
        assert len(looks) == 2 * 6 * 3
        assert sum(row["chosen"] == "True" for row in looks) == 2 * 6

    def test_scores_of_both_deals(self, asked):
        scores = rows(asked[0] / "crossvalidation.csv")
        assert [(row["deal"], row["seed"]) for row in scores if row["system"] == NEAREST] == [
            ("1", "0"),
            ("1", "1"),
            ("2", "0"),
            ("2", "1"),
        ]
        folds = rows(asked[0] / "folds.csv")
        assert {row["fold_of_deal_2"] for row in folds} == {"1", "2", "3"}
        assert [row["fold"] for row in folds] != [row["fold_of_deal_2"] for row in folds]

    def test_what_is_said(self, asked):
        text = " ".join(asked[1].split())
        assert "Primary contrast: nearest mean." in text
        assert "a gain above" in text and "is excluded (one-sided, 95 %)" in text
        assert "speakers of one fold share a model" in text
        assert "in each of 2 deals of the speakers" in text
        assert "Settings that were chosen, emotion from audio, deal 2 of 2" in text


class TestRefuses:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (("--folds", 16), ("15 speakers for 16 folds",)),
            (("--folds", 1), ("--folds: expected 2 or more",)),
            (("--dev-speakers", 10), ("--dev-speakers: expected 1 to 9",)),
            (("--seeds", 0), ("--seeds: expected 1 or more",)),
            (("--configurations", 0), ("--configurations: expected 1 or more",)),
            (("--systems", "classic", "nosuch"), ("unknown system 'nosuch'", "classic, joint")),
            (("--systems", "svr"), ("system svr learns regression, not classification",)),
            (("--systems",), ("--systems: expected at least one",)),
            (("--primary", "svm"), ("--primary svm", "compared with")),
            (("--inner-folds", 0), ("--inner-folds: expected 1 or more",)),
            (("--inner-folds", 11), ("--inner-folds: expected 2 to 10",)),
            (("--fold-seeds", 0), ("--fold-seeds: expected 1 or more",)),
            (("--rule", "one-standard-error"), ("no standard error", "--selection-seeds")),
            (("--targets", "audio", "gait"), ("no modality 'gait'", "audio, face")),
            (("--targets", "audio", "audio"), ("audio a second time",)),
            (("--framework", "joint"), ("--framework joint", "--systems")),
            (("--seed", 2), ("--seed 2", "--seeds")),
        ],
    )
    def test_in_one_line(self, tables, tmp_path, more, words):
        output = tmp_path / "out"
        result = command("crossvalidate", *data(tables), *SMALL, *more, "--output", output)
        assert_one_line(result, *words)
        assert not (output / "predictions").exists()

    def test_data_without_speakers(self, tables, tmp_path):
        for name in ("audio", "face"):
            kept = [{k: v for k, v in row.items() if k != "speaker"} for row in rows(tables / f"{name}.csv")]
            with (tmp_path / f"{name}.csv").open("w") as file:
                writer = csv.DictWriter(file, list(kept[0]))
                writer.writeheader()
                writer.writerows(kept)
        result = command("crossvalidate", *data(tmp_path), *SMALL, "--output", tmp_path / "out")
        assert_one_line(result, "modality 'audio': no speakers", "add a column 'speaker'")

    def test_the_folder_of_another(self, done, tables):
        before = (done[0] / "trials.jsonl").read_bytes()
        for more in (("--folds", 4), ("--epochs", 5), ("--fold-seed", 1)):
            result = command("crossvalidate", *data(tables), *SMALL, *more, "--output", done[0])
            assert_one_line(result, str(done[0]))
        assert (done[0] / "trials.jsonl").read_bytes() == before


class TestRealData:
    @pytest.mark.skipif(not (SHARED / "data/ravdess").is_dir(), reason="the RAVDESS tables are not here")
    def test_svm_on_the_face_is_as_good_as_its_description_says(self, tmp_path):
        # README of the tables: a support vector classifier, 8-fold by actor on all 24: .57 on face; chance is .14.
        tables = SHARED / "data/ravdess"
        size = ("--folds", 5, "--seeds", 1, "--configurations", 1, "--threads", 1, "--systems", "svm")
        more = ("--targets", "face", "--output", tmp_path / "out")
        result = command("crossvalidate", "--dataset", "tables", "--data-dir", tables, *size, *more)
        assert result.returncode == 0, result.stderr
        (row,) = rows(tmp_path / "out" / "crossvalidation.csv")
        assert float(row["uar"]) == pytest.approx(0.57, abs=0.07)
