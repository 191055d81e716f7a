"""The nested protocol: nothing of an outer fold is touched, folds become one result, whatever failed is told."""

import csv
import dataclasses

import numpy as np
import pandas as pd
import pytest

from emobed_tf.comparison.crossvalidation.plan import (
    CrossValidationSettings,
    FoldSource,
    check_settings,
    plan_cross_validation,
)
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import run_trial
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.systems.baselines.svm import SupportVectorMachine
from emobed_tf.systems.registry import find_system
from tests.oracles import speakers
from tests.training.test_loop import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")

THREE = CrossValidationSettings(targets=("audio", "face"), folds=3)
SYSTEMS = ("classic", "emobed")


def settings(folder, **changes):
    names = tuple(f"{name}={folder / name}.csv" for name in ("audio", "face"))
    return preset("tables").replace(table=names, **{**TINY, "batch_size": 16, **changes})


@pytest.fixture(scope="module")
def plan(tables):
    return plan_cross_validation(settings(tables), THREE, SYSTEMS)


@pytest.fixture(scope="module")
def spoilt(plan, tables, tmp_path_factory):
    """The same tables, but the first fold's test speakers have other features and the next class."""
    folder = tmp_path_factory.mktemp("spoilt")
    following = {"anger": "joy", "joy": "calm", "calm": "anger"}
    for name in ("audio", "face"):
        with (tables / f"{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if row["speaker"] in plan.folds[0].test:
                row["label"] = following[row["label"]]
                row.update({c: f"{1000 - 7 * float(row[c])}" for c in row if c.startswith(name)})
        with (folder / f"{name}.csv").open("w") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    found = plan_cross_validation(settings(folder), THREE, SYSTEMS)
    assert found.folds == plan.folds
    return found


class TestPlan:
    def test_folds_are_the_same_for_all_targets(self, plan):
        audio, face = ([plan.cell(t, "classic", fold).source().corpus for fold in plan.folds] for t in plan.targets)
        for heard, seen in zip(audio, face, strict=True):
            for name in plan.targets:
                for part in ("train", "dev", "test"):
                    assert {r.id for r in heard.modality(name).partition(part)} == {
                        r.id for r in seen.modality(name).partition(part)
                    }

    def test_every_recording_is_tested_once(self, plan):
        for target in plan.targets:
            tested = [
                r.id
                for fold in plan.folds
                for r in plan.cell(target, "classic", fold).source().recordings("test")[target]
            ]
            assert sorted(tested) == sorted(r.id for r in plan.corpus.modality(target).recordings)

    def test_by_speaker_the_corpus_part_is_that_of_the_folds_training(self, tables):
        """Brute force: a fold's training recordings stand beside the speaker's. Audio has 12 utterances of each."""
        plan = plan_cross_validation(settings(tables, standardise="speaker", speaker_prior=2.0), THREE, ("svm",))
        raw = {r.id: r for r in plan.corpus.modality("audio").recordings}
        for fold in plan.folds:
            found = plan.cell("audio", "svm", fold).source().corpus.modality("audio")
            training = np.concatenate([raw[r.id].features for r in found.partition("train")])
            for who in (fold.train[0], fold.test[0]):
                theirs = [r for r in found.recordings if r.speaker == who]
                said = np.concatenate([raw[r.id].features for r in theirs])
                expected = speakers.brought(said, said, training, 2)
                np.testing.assert_allclose(np.concatenate([r.features for r in theirs]), expected, atol=1e-4)

    def test_settings(self, plan):
        # Chosen by what is reported, unless another score is asked for.
        assert plan.scores == ("uar", "f1_macro", "f1_micro")
        assert plan.configs["audio"].classification_score == "uar"
        assert plan.configs["audio"].data.auxiliary == ("face",)
        assert plan.configs["face"].data.auxiliary == ("audio",)

    def test_another_selection(self, tables):
        found = plan_cross_validation(settings(tables, selection="f1_micro"), THREE, SYSTEMS)
        assert found.configs["face"].classification_score == "f1_micro"

    def test_default_target_is_that_of_the_settings(self, tables):
        assert plan_cross_validation(
            settings(tables, target="face"), CrossValidationSettings(folds=3), SYSTEMS
        ).targets == ("face",)
        assert plan_cross_validation(settings(tables), CrossValidationSettings(folds=3), SYSTEMS).targets == ("audio",)

    def test_a_cell_says_what_it_is(self, plan):
        cells = plan.cells(SYSTEMS)
        assert cells[1].scenario == Scenario("audio", ("face",), fold=2, folds=3)
        assert len(set(cells)) == len(cells) == 2 * 2 * 3

    def test_deals(self, plan, tables):
        found = plan_cross_validation(settings(tables), dataclasses.replace(THREE, fold_seeds=2), SYSTEMS)
        assert found.folds == plan.folds and found.identity() == plan.identity()
        cells = found.cells(("classic",))
        assert cells[:3] == plan.cells(("classic",))[:3]
        assert [cell.scenario.deal for cell in cells[:6]] == [None] * 3 + [2] * 3
        other = plan_cross_validation(settings(tables), dataclasses.replace(THREE, fold_seed=1), SYSTEMS)
        assert found.repeats == (other.folds,)
        assert cells[3].source.fold == other.folds[0]

    def test_inner_folds(self, plan, tables):
        found = plan_cross_validation(settings(tables), dataclasses.replace(THREE, inner_folds=2), SYSTEMS)
        assert found.identity() == plan.identity()
        for cell in found.cells(("classic",)):
            problems = [source() for source in cell.splits]
            tested = {r.speaker for r in cell.source().modality.partition("test")}
            developed = [{r.speaker for r in problem.modality.partition("dev")} for problem in problems]
            assert len(problems) == 2 and not developed[0] & developed[1]
            for problem in problems:
                assert not tested & {r.speaker for modality in problem.corpus for r in modality.recordings}

    @pytest.mark.parametrize("name", ["fold_seeds", "inner_folds"])
    def test_numbers_in_range(self, tables, name):
        with pytest.raises(InputError, match=f"--{name.replace('_', '-')}: expected 1 or more, found 0"):
            plan_cross_validation(settings(tables), dataclasses.replace(THREE, **{name: 0}), SYSTEMS)

    def test_cells_with_equal_shapes_are_neighbours(self, plan):
        order = [(cell.scenario.target, cell.system) for cell in plan.cells(SYSTEMS)]
        assert order == [(t, s) for t in ("audio", "face") for s in SYSTEMS for _ in range(3)]

    def test_one_modality_is_enough_without_a_crossmodal_system(self, tables):
        alone = settings(tables).replace(table=(f"audio={tables / 'audio.csv'}",))
        found = plan_cross_validation(alone, CrossValidationSettings(folds=3), ("classic", "svm"))
        assert found.configs["audio"].data.auxiliary == ()
        with pytest.raises(InputError, match="needs an auxiliary modality"):
            plan_cross_validation(alone, CrossValidationSettings(folds=3), SYSTEMS)

    def test_recola_speakers_are_its_recordings_with_labels(self, recola):
        config = preset("recola").replace(data_dir=recola, **TINY)
        found = plan_cross_validation(config, CrossValidationSettings(folds=3), SYSTEMS)
        # Three recordings a partition; the simulated package has its test labels apart, where the reader finds them.
        assert sorted(found.speakers) == [f"{part}_{k}" for part in ("dev", "test", "train") for k in (1, 2, 3)]
        assert found.scores == ("ccc",)

    def test_partitions_are_neither_needed_nor_looked_at(self, plan, tables, tmp_path):
        audio, face = (pd.read_csv(tables / f"{name}.csv") for name in ("audio", "face"))
        audio.drop(columns="partition").to_csv(tmp_path / "audio.csv", index=False)
        face.assign(partition=[f"split {k % 7}" for k in range(len(face))]).to_csv(tmp_path / "face.csv", index=False)
        found = plan_cross_validation(settings(tmp_path), THREE, SYSTEMS)
        assert found.folds == plan.folds
        for target in plan.targets:
            a, b = (each.cell(target, "classic", each.folds[1]).source().corpus for each in (found, plan))
            for name in plan.targets:
                groups = [[(r.id, r.partition) for r in each.modality(name).recordings] for each in (a, b)]
                assert groups[0] == groups[1]
                assert {part for _, part in groups[0]} == {"train", "dev", "test"}

    def test_identity_tells_what_matters(self, plan, tables):
        def identity(protocol=THREE, **changes):
            return plan_cross_validation(settings(tables, **changes), protocol, SYSTEMS).identity()

        assert identity() == plan.identity()
        assert identity(epochs=4) != plan.identity()
        assert identity(dataclasses.replace(THREE, fold_seed=1)) != plan.identity()
        assert identity(dataclasses.replace(THREE, targets=("face",))) == plan.identity()

    def test_defaults_are_those_of_the_data_set(self, plan):
        defaults = plan.defaults()
        assert (defaults["dataset"], defaults["batch_size"], defaults["margin"]) == ("tables", 64, "none")
        assert defaults["epoch"] == "target", "what it was before it could be set"
        missing = plan.identity().keys() - defaults.keys()
        assert missing == {"command", "folds", "data"}, "settings that came later need a default"


class TestNothingOfTheOuterFoldIsTouched:
    @pytest.mark.parametrize("system", ["emobed", "svm", "permuted_labels"])
    def test_choices_are_the_same(self, plan, spoilt, system):
        def tried(of):
            cell = of.cell("audio", system, of.folds[0])
            plans = find_system(system)().configurations(cell.source().without_test(), 2)
            return [run_trial(cell.trial(each, 0)).record for each in plans]

        for a, b in zip(tried(plan), tried(spoilt), strict=True):
            assert "failed" not in a
            for name in ("settings", "score", "partitions"):
                assert a[name] == b[name]

    def test_weights_are_the_same(self, plan, spoilt):
        from emobed_tf.systems.frameworks import EmoBedSystem

        weights = []
        for of in (plan, spoilt):
            system = EmoBedSystem()
            system.fit(of.cell("audio", "emobed", of.folds[0]).source().without_test(), {"alpha": 0.5, "beta": 0.3}, 0)
            weights.append(system.trained.weights)
        assert weights[0].keys() == weights[1].keys()
        for name, values in weights[0].items():
            np.testing.assert_array_equal(values, weights[1][name], err_msg=name)

    def test_but_what_is_learnt_from_is(self, plan, spoilt):
        # In the second fold the spoilt speakers are for development or training: there it must be seen.
        scores = []
        for of in (plan, spoilt):
            cell = of.cell("audio", "svm", of.folds[1])
            defaults = SupportVectorMachine().configurations(cell.source(), 1)[0]
            outcome = run_trial(cell.trial(defaults, 0, final=True))
            scores.append(outcome.record["partitions"])
        assert scores[0] != scores[1]


class TestSettings:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [({"framework": "classic"}, "name them with --systems"), ({"seed": 3}, "leave --seed out")],
    )
    def test_what_the_protocol_fixes(self, tables, changes, message):
        with pytest.raises(InputError, match=message):
            check_settings(settings(tables, **changes))

    def test_a_target_twice(self, tables):
        with pytest.raises(InputError, match="--targets: audio a second time"):
            plan_cross_validation(
                settings(tables), CrossValidationSettings(targets=("audio", "face", "audio")), SYSTEMS
            )

    def test_a_source_can_be_sent_to_a_worker(self, plan):
        import pickle

        source = plan.cell("audio", "classic", plan.folds[0]).source
        assert isinstance(source, FoldSource)
        assert pickle.loads(pickle.dumps(source)) == source  # noqa: S301
        assert hash(source) == hash(pickle.loads(pickle.dumps(source)))  # noqa: S301
