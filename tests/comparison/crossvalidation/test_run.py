"""Results of all folds put together: what came out, what is said of what did not."""

import dataclasses
import json

import pytest

from emobed_tf.comparison.crossvalidation.plan import CrossValidationSettings, plan_cross_validation
from emobed_tf.comparison.crossvalidation.run import open_folder, pool_results
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.protocol import Budget, CellResult
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tests.comparison.crossvalidation.test_out_of_fold import record

THREE = CrossValidationSettings(targets=("audio",), folds=3)


@pytest.fixture(scope="module")
def settings(tables):
    return preset("tables").replace(data_dir=tables, threads=1)


@pytest.fixture(scope="module")
def plan(settings):
    return plan_cross_validation(settings, THREE, ("svm", "forest"))


def results(plan, failed=()):
    found = []
    for cell in plan.cells(("svm", "forest")):
        members = sorted(plan.folds[cell.scenario.fold - 1].test)
        runs = () if cell.system in failed else (record(0, members, [[[1, 0], [0, 1]]] * len(members)),)
        found.append(CellResult(cell, {}, (), runs, None if runs else "no classes"))
    return found


class TestPoolResults:
    def test_by_target_and_system(self, plan):
        found = pool_results(plan, results(plan))
        assert list(found) == [("audio", "svm"), ("audio", "forest")]
        assert all(len(result.statistics.speakers) == len(plan.speakers) for result in found.values())

    def test_what_failed_is_told_and_the_rest_stays(self, plan, capsys):
        assert list(pool_results(plan, results(plan, failed=("svm",)))) == [("audio", "forest")]
        assert capsys.readouterr().err == "no result: SVM on audio, fold 1: no classes\n"

    def test_nothing_at_all(self, plan):
        with pytest.raises(InputError, match="no system came to a result: SVM on audio, fold 1: no classes"):
            pool_results(plan, results(plan, failed=("svm", "forest")))


class TestOpenFolder:
    def test_a_setting_that_came_after_the_folder_was_begun(self, settings, plan, tmp_path, capsys):
        identity = plan.identity()
        del identity["l2"]
        ledger = Ledger(tmp_path / "trials.jsonl", identity)
        ledger.add({"deal": 1}, {})
        ledger.close()
        open_folder(settings, THREE, Budget(), ("svm",), tmp_path, Workers()).close()
        assert "15 (audio 15, face 7) speakers in 3 folds" in capsys.readouterr().out
        with pytest.raises(InputError, match=r"l2 was 0\.0001, is 2\.0; choose another folder$"):
            open_folder(settings.replace(l2=2.0), THREE, Budget(), ("svm",), tmp_path, Workers())

    @pytest.mark.parametrize(("first", "then"), [(("classic", "svm"), ("classic", "emobed")), (("emobed",), ("svm",))])
    def test_systems_with_and_without_auxiliaries(self, settings, tmp_path, first, then):
        ledger = Ledger(tmp_path / "trials.jsonl", plan_cross_validation(settings, THREE, first).identity())
        ledger.add("a trial", {})
        ledger.close()
        with pytest.raises(InputError, match=r"alpha was .* \(alpha and beta are 0 where none of --systems"):
            open_folder(settings, THREE, Budget(), then, tmp_path, Workers())

    @pytest.mark.parametrize("alpha", [0.25, 0.0])
    def test_another_alpha(self, settings, tmp_path, alpha):
        identity = plan_cross_validation(settings.replace(alpha=alpha), THREE, ("emobed",)).identity()
        ledger = Ledger(tmp_path / "trials.jsonl", identity)
        ledger.add("a trial", {})
        ledger.close()
        with pytest.raises(InputError, match=r"alpha was 0\.\d+, is 0\.5; choose another folder$"):
            open_folder(settings, THREE, Budget(), ("emobed",), tmp_path, Workers())

    def test_other_folds(self, settings, plan, tmp_path):
        ledger = Ledger(tmp_path / "trials.jsonl", plan.identity())
        ledger.add("a trial", {})
        ledger.close()
        with pytest.raises(InputError, match="of other settings or data"):
            other = dataclasses.replace(THREE, fold_seed=1)
            open_folder(settings, other, Budget(), ("svm",), tmp_path, Workers())

    def test_further_deals_are_bound_by_the_folder(self, settings, tmp_path, capsys):
        twice = dataclasses.replace(THREE, fold_seeds=2)
        open_folder(settings, twice, Budget(), ("svm",), tmp_path, Workers()).close()
        open_folder(settings, THREE, Budget(), ("svm",), tmp_path, Workers()).close()
        open_folder(settings, twice, Budget(8), ("svm",), tmp_path, Workers()).close()
        header, deal = (json.loads(line) for line in (tmp_path / "trials.jsonl").read_text().splitlines())
        assert deal["key"] == {"deal": 2} and len(deal["record"]["folds"]) == 3
        assert header["began_with"]["search"] == "shared"
        said = capsys.readouterr().out
        assert "1 system, 1 target, 3 folds, 2 deals; for each of them 16 settings on development speakers" in said
