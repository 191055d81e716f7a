"""The protocol: what is tried, chosen and read when; what is estimated."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.protocol import Budget, Cell, predictions_file, run_cells
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import OfficialSource
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.systems.base import System
from emobed_tf.training.session import default_session

HERE, AUDIO = "tests.comparison.test_protocol", Scenario("audio")


class Rigged(System):
    """Answers rightly on a share of development that its setting names, on the rest of test: choosing by test shows.

    Attributes:
        log: what was asked of all instances: (method, partition or settings).
    """

    title = "rigged"
    log: ClassVar[list] = []
    fails_with: ClassVar[tuple] = ()

    def configurations(self, problem, number):
        assert not problem.modality.partition("test")
        return [{"right": share} for share in (0.2, 0.8, 0.5, 0.8, 1.0)[:number]]

    def fit(self, problem, settings, seed):
        assert not any(modality.partition("test") for modality in problem.corpus)
        Rigged.log.append(("fit", settings["right"], seed, type(self).__name__))
        if settings["right"] in Rigged.fails_with:
            raise InputError("the weights are not finite")
        self.target, self.right, self.classes = problem.target, settings["right"], len(problem.corpus.classes)

    def predict(self, recordings):
        found = recordings[self.target]
        partition = found[0].partition
        Rigged.log.append(("predict", partition))
        share = self.right if partition == "dev" else 1 - self.right
        answers = []
        for k, recording in enumerate(found):
            label = int(recording.labels["emotion"])
            answer = label if k < round(share * len(found)) else (label + 1) % self.classes
            answers.append(np.eye(self.classes)[answer])
        return answers

    parameters = 7


class Second(Rigged):
    """Another one like it."""


class Noisy(Rigged):
    """Its answers depend on the seed: what is best with seed 0 is not what is best in the mean."""

    def configurations(self, problem, number):
        return [{"right": share, "l2": l2} for share, l2 in ((0.8, 1e-4), (0.6, 1e-2), (0.2, 1e-3))[:number]]

    def fit(self, problem, settings, seed):
        super().fit(problem, settings, seed)
        self.right = settings["right"] if settings["right"] != 0.8 or seed == 0 else 0.2  # 0.8, 0.2, 0.2, ...

    def simplicity(self, settings):
        return (-settings["l2"],)


class Short(Rigged):
    """May be searched by halving."""

    halving = True

    def configurations(self, problem, number):
        return [{"right": k / 15} for k in range(number)]

    def fit(self, problem, settings, seed):
        super().fit(problem, settings, seed)
        Rigged.log.append(("epochs", problem.config.training.epochs))


class Shapeless(Rigged):
    """Forgets a class."""

    def predict(self, recordings):
        return [values[1:] for values in super().predict(recordings)]


class Unable(Rigged):
    """Has no settings for these data."""

    def configurations(self, problem, number):
        raise InputError("these data have no ratings")


class Regression(Rigged):
    """Learns numbers alone."""

    tasks = ("regression",)


@pytest.fixture(autouse=True)
def fresh():
    Rigged.log, Rigged.fails_with = [], ()


@pytest.fixture(scope="module")
def source(tables):
    config = preset("tables").replace(data_dir=tables, target="audio", threads=1, selection="f1_micro")
    return OfficialSource(config)


@pytest.fixture
def run(source, tmp_path):
    def run(*systems, configurations=3, seeds=2, ledger=None, budget=None, splits=(), **more):
        cells = [Cell(AUDIO, source, f"{HERE}:{name}", splits) for name in systems]
        ledger = ledger or Ledger(tmp_path / "ledger.jsonl", {"of": "a test"})
        return run_cells(cells, budget or Budget(configurations, seeds), ledger, Workers(), threads=1, **more)

    return run


@pytest.mark.usefixtures("stack")
class TestRunCells:
    def test_the_best_on_development_is_chosen(self, run):
        (result,) = run("Rigged")
        assert result.settings == {"right": 0.8}
        assert [record["score"] for record in result.tried] == pytest.approx([3 / 15, 12 / 15, 8 / 15])
        assert [record["seed"] for record in result.runs] == [0, 1]
        assert result.failed is None

    def test_test_is_read_once_a_seed_after_everything_is_chosen(self, run):
        run("Rigged")
        kinds = [entry[:2] for entry in Rigged.log]
        assert kinds.count(("predict", "test")) == 2
        first = kinds.index(("predict", "test"))
        assert [entry for entry in kinds[:first] if entry[0] == "fit"][:3] == [("fit", 0.2), ("fit", 0.8), ("fit", 0.5)]
        assert all(entry[1] == 0.8 for entry in kinds[first:] if entry[0] == "fit")

    def test_test_scores_are_of_the_chosen(self, run):
        (result,) = run("Rigged")
        parts = result.runs[0]["partitions"]
        assert parts["dev"]["scores"]["f1_micro"] == pytest.approx(12 / 15)
        assert parts["test"]["scores"]["f1_micro"] == pytest.approx(3 / 15)
        assert np.sum(parts["test"]["statistics"]) == parts["test"]["frames"] == 15
        assert result.runs[0]["parameters"] == 7

    def test_between_equals_the_earlier_wins(self, run):
        (result,) = run("Rigged", configurations=4)
        assert [record["score"] for record in result.tried].count(pytest.approx(0.8)) == 2
        assert [entry for entry in Rigged.log if entry[0] == "fit"].count(("fit", 0.8, 1, "Rigged")) == 1
        assert result.settings == {"right": 0.8}

    def test_what_is_done_is_not_done_again(self, run):
        first = run("Rigged")
        Rigged.log = []
        assert run("Rigged") == first
        assert Rigged.log == []

    def test_more_seeds_add_fits_alone(self, run):
        run("Rigged", seeds=1)
        Rigged.log = []
        run("Rigged", seeds=3)
        assert [entry for entry in Rigged.log if entry[0] == "fit"] == [
            ("fit", 0.8, 1, "Rigged"),
            ("fit", 0.8, 2, "Rigged"),
        ]

    def test_cells_that_belong_together_are_fitted_before_others_are_chosen(self, run):
        run("Rigged", "Second", configurations=3, seeds=1, together=lambda cell: cell.system)
        fits = [entry[1:] for entry in Rigged.log if entry[0] == "fit"]
        first_two = [("Rigged", 0.2), ("Second", 0.2), ("Rigged", 0.8), ("Second", 0.8)]
        assert fits == [
            *((share, 0, name) for name, share in first_two),  # their time is taken
            (0.5, 0, "Rigged"),
            (0.8, 0, "Rigged"),  # the chosen one, with test
            (0.5, 0, "Second"),
            (0.8, 0, "Second"),
        ]

    def test_a_single_configuration_is_fitted_as_often_as_there_are_seeds(self, run):
        seconds = []
        (result,) = run("Rigged", configurations=1, seeds=3, announce=seconds.append)
        assert [entry[:2] for entry in Rigged.log] == [("fit", 0.2), ("predict", "dev"), ("predict", "test")] * 3
        assert result.settings == {"right": 0.2} and len(result.runs) == 3 and len(result.tried) == 1
        assert len(seconds) == 1

    def test_a_single_configuration_is_timed_by_its_final_fit(self, run):
        seconds = []
        run("Rigged", configurations=1, seeds=1, announce=seconds.append)
        assert seconds == [0]

    def test_a_final_fit_takes_the_network_of_the_choice(self, source, tmp_path, monkeypatch):
        """Three settings and two seeds: the chosen one with seed 0 was trained before. A look at the others, too."""
        from emobed_tf.training import loop

        trained, train = [], loop.train
        monkeypatch.setattr(loop, "train", lambda c, *a, **k: trained.append(c) or train(c, *a, **k))
        small = {"epochs": 3, "encoder_units": 4, "head_units": 4, "xla": False}
        source = OfficialSource(source.config.replace(**small))
        found = []
        for name, forgets in (("remembers", False), ("forgets", True)):
            monkeypatch.setattr("emobed_tf.training.session.MOST_BYTES", 0 if forgets else 2**20)
            default_session.cache_clear()
            ledger = Ledger(tmp_path / name / "ledger.jsonl", {"of": "a test"})
            budget = Budget(3, 2, show_selection=True)
            (result,) = run_cells([Cell(AUDIO, source, "emobed")], budget, ledger, Workers(), threads=1)
            found.append([{k: v for k, v in r.items() if "seconds" not in k} for _, r in ledger.items()])
            assert all(record["seconds"] > 0.01 for record in result.runs)
        assert len(trained) == (3 + 1) + (3 + 2 + 2)
        assert found[0] == found[1]
        default_session.cache_clear()

    def test_equal_cells_are_done_once(self, run):
        first, second = run("Rigged", "Rigged")
        assert first == second
        assert len([entry for entry in Rigged.log if entry[0] == "fit"]) == 3 + 2

    def test_a_setting_that_fails_loses(self, run):
        Rigged.fails_with = (0.8,)
        (result,) = run("Rigged")
        assert result.settings == {"right": 0.5}
        assert result.tried[1]["failed"] == "the weights are not finite"
        assert len(result.runs) == 2 and result.failed is None

    def test_all_fail(self, run):
        Rigged.fails_with = (0.2, 0.8, 0.5)
        (result,) = run("Rigged")
        assert result.settings is None and result.runs == ()
        assert result.failed == "the weights are not finite"

    def test_data_that_do_not_suit_leave_a_reason_and_others_go_on(self, run):
        unable, rigged = run("Unable", "Rigged")
        assert unable.failed == "these data have no ratings"
        assert rigged.settings == {"right": 0.8}

    def test_wrong_answers_are_no_scores(self, run):
        (result,) = run("Shapeless")
        assert "expected 15 predictions, number 0 of shape (3,), got 15, that one of shape (2,)" in result.failed

    def test_the_wrong_task(self, run):
        with pytest.raises(InputError, match="Regression learns regression, not classification"):
            run("Regression")

    def test_estimate_and_progress(self, run):
        told, seconds = [], []
        run("Rigged", progress=lambda *now: told.append(now), announce=seconds.append)
        assert [now[:2] for now in told][-1] == (5, 5)
        assert [now[0] for now in told] == sorted(now[0] for now in told)
        assert len(seconds) == 1 and seconds[0] > 0
        seconds.clear()
        run("Rigged", announce=seconds.append)
        assert seconds == [0]

    def test_predictions_are_kept(self, run, tmp_path):
        run("Rigged", predictions=tmp_path / "kept")
        with np.load(predictions_file(tmp_path / "kept", AUDIO, f"{HERE}:Rigged", 1)) as kept:
            assert len(kept.files) == 30
            assert {name.partition("/")[0] for name in kept.files} == {"dev", "test"}
            assert all(kept[name].sum() == 1 and kept[name].shape == (3,) for name in kept.files)

    def test_predictions_under_a_former_name_are_found(self, tmp_path):
        place = tmp_path / "audio+face, fold 1 of 3"
        place.mkdir()
        former = place / "emobed_tf.controls%3ATripletAlone-seed0.npz"
        former.write_bytes(b"")
        scenario = Scenario("audio", ("face",), 1, 3)
        assert predictions_file(tmp_path, scenario, "triplet_alone", 0) == former
        assert predictions_file(tmp_path, scenario, "triplet_alone", 1) == place / "triplet_alone-seed1.npz"

    @pytest.mark.parametrize("name", ["configurations", "seeds"])
    def test_a_budget_of_nothing(self, name):
        with pytest.raises(InputError, match=f"--{name}: expected 1 or more, found 0"):
            Budget(**{name: 0}).check()


@dataclass(frozen=True)
class Half:
    """Some development recordings of the problem, as a split."""

    source: OfficialSource
    begin: int
    end: int

    def __call__(self):
        problem = self.source()
        kept = [r.id for r in problem.modality.partition("dev")][self.begin : self.end]
        recordings = tuple(r for r in problem.modality.recordings if r.partition == "train" or r.id in kept)
        return problem.with_modality(replace(problem.modality, recordings=recordings))


@pytest.mark.usefixtures("stack")
class TestSelection:
    def test_the_mean_over_seeds_is_chosen(self, run):
        """(.8 + .2 + .2) / 3 = .4 is below .6, which is best with every seed but the first."""
        (one,) = run("Noisy", budget=Budget(3, 1))
        assert one.settings["right"] == 0.8
        (three,) = run("Noisy", budget=Budget(3, 1, selection_seeds=3))
        assert three.settings["right"] == 0.6
        assert [record["score"] for record in three.tried] == pytest.approx([0.4, 0.6, 0.2])
        assert three.tried[0]["scores"] == pytest.approx([12 / 15, 3 / 15, 3 / 15])

    def test_more_seeds_keep_the_fits_of_the_first(self, run):
        run("Noisy", budget=Budget(3, 1))
        Rigged.log = []
        run("Noisy", budget=Budget(3, 1, selection_seeds=2))
        fits = [entry[1:3] for entry in Rigged.log if entry[0] == "fit"]
        assert fits == [(0.8, 1), (0.6, 1), (0.2, 1), (0.6, 0)]  # a second seed of each, and the final of another

    def test_the_simplest_within_one_standard_error(self, run):
        """With two seeds 0.8 has .8 and .2: its mean .5 is below .6, whose error is 0: the rules agree."""
        budget = Budget(3, 1, selection_seeds=2, rule="one-standard-error")
        (found,) = run("Noisy", budget=budget)
        assert found.settings["right"] == 0.6

    def test_splits_are_scored_instead_of_development(self, run, source, tmp_path):
        splits = (Half(source, 0, 8), Half(source, 8, 15))
        (found,) = run("Rigged", budget=Budget(3, 1), splits=splits)
        # round(.2 * 8) / 8 and round(.2 * 7) / 7: shares of the two halves.
        assert found.tried[0]["scores"] == pytest.approx([2 / 8, 1 / 7])
        assert found.settings == {"right": 0.8}
        keys = [json.loads(line)["key"] for line in (tmp_path / "ledger.jsonl").read_text().splitlines()[1:]]
        assert [key.get("split") for key in keys if key["purpose"] == "choice"].count([1, 2]) == 3
        assert [key.get("split") for key in keys if key["purpose"] == "final"] == [None]

    def test_nobody_looks_at_test_unless_asked(self, run):
        (found,) = run("Rigged", budget=Budget(3, 1))
        assert found.looks == ()
        assert [entry for entry in Rigged.log if entry == ("predict", "test")] == [("predict", "test")]

    def test_looks_show_test_scores_of_all_and_change_nothing(self, run):
        (before,) = run("Rigged", budget=Budget(3, 1))
        (found,) = run("Rigged", budget=Budget(3, 1, show_selection=True))
        assert (found.settings, found.tried, found.runs) == (before.settings, before.tried, before.runs)
        shown = [look["partitions"]["test"]["scores"]["f1_micro"] for look in found.looks]
        assert shown == pytest.approx([12 / 15, 3 / 15, 8 / 15])  # 15 - 3, 15 - 12, round(.5 * 15)


@pytest.mark.usefixtures("stack")
class TestHalving:
    def test_the_best_quarter_goes_on(self, run, source, tmp_path):
        """16 configurations: 16 for 1/16 of the epochs, 4 for a quarter, then the best of them whole."""
        epochs = source.config.training.epochs
        (found,) = run("Short", budget=Budget(16, 2, halving=True))
        assert found.settings == {"right": 1.0}
        lengths = [entry[1] for entry in Rigged.log if entry[0] == "epochs"]
        assert lengths == [-(-epochs // 16)] * 16 + [-(-epochs // 4)] * 4 + [epochs] * 2
        assert [record["rung"] for record in found.tried] == [1] * 12 + [2] * 4
        assert all(
            record["epochs"] == (-(-epochs // 16), -(-epochs // 4))[record["rung"] - 1] for record in found.tried
        )

    def test_the_ledger_says_who_was_cut_and_when(self, run, source, tmp_path):
        run("Short", budget=Budget(16, 1, halving=True))
        lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()[1:]]
        (decision,) = [line for line in lines if line["key"]["purpose"] == "halving"]
        assert decision["record"]["kept"] == [{"right": k / 15} for k in (12, 13, 14, 15)]
        assert decision["record"]["cut"] == [{"right": k / 15} for k in range(12)]
        assert decision["record"]["epochs"] == -(-source.config.training.epochs // 16)
        assert decision["key"]["rung"] == 1

    def test_goes_on_after_a_kill(self, run, tmp_path):
        (first,) = run("Short", budget=Budget(16, 1, halving=True))
        path = tmp_path / "ledger.jsonl"
        whole = path.read_text().splitlines(keepends=True)
        path.write_text("".join(whole[:19]))
        Rigged.log = []
        (again,) = run("Short", budget=Budget(16, 1, halving=True))
        assert again.settings == first.settings
        assert [record["score"] for record in again.tried] == [record["score"] for record in first.tried]
        assert len([entry for entry in Rigged.log if entry[0] == "fit"]) == len(whole) - 19

    def test_a_system_that_cannot_be_shortened_is_searched_whole(self, run):
        (found,) = run("Rigged", budget=Budget(3, 1, halving=True))
        assert all("rung" not in record for record in found.tried)

    def test_all_fail_at_the_first_rung(self, run):
        Rigged.fails_with = tuple(k / 15 for k in range(5))
        (found,) = run("Short", budget=Budget(5, 1, halving=True))
        assert found.settings is None and found.failed == "the weights are not finite"
        assert len(found.tried) == 5

    def test_without_halving_begins_anew_in_the_same_folder(self, run):
        run("Short", budget=Budget(4, 1, halving=True))
        Rigged.log = []
        run("Short", budget=Budget(4, 1))
        assert len([entry for entry in Rigged.log if entry[0] == "fit"]) == 4  # the final fit is there
