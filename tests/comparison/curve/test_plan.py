"""Which labels are kept: nested draws, the same for all systems, nothing else touched."""

import numpy as np
import pytest

from emobed_tf.comparison.crossvalidation.plan import CrossValidationSettings, plan_cross_validation
from emobed_tf.comparison.curve.plan import CurveSettings, plan_curve
from emobed_tf.config import preset
from emobed_tf.errors import EmoBedWarning, InputError


@pytest.fixture(scope="module")
def validation(tables):
    protocol = CrossValidationSettings(targets=("audio", "face"), folds=3)
    return plan_cross_validation(preset("tables").replace(data_dir=tables, threads=1), protocol, ("classic", "emobed"))


def training(cell):
    problem = cell.source()
    return {r.id: r for r in problem.modality.partition("train")}


class TestPoints:
    def test_doubled_until_all(self, validation):
        plan = plan_curve(validation, CurveSettings(draws=2))
        # 15 speakers, 5 tested and a third for development: seven are left, three of whom have a face in some folds.
        assert plan.amounts["audio"][:2] == (1, 2)
        most = {
            fold.number: len({r.speaker for r in training(plan.validation.cell("audio", "svm", fold)).values()})
            for fold in validation.folds
        }
        assert plan.amounts["audio"][-1] == max(most.values())
        assert plan.points("audio")[:4] == [(1, 1), (1, 2), (2, 1), (2, 2)]
        assert plan.points("audio")[-1] == (max(most.values()), 1)  # there is nothing to draw from

    def test_whole_is_the_cross_validation_itself(self, validation):
        plan = plan_curve(validation, CurveSettings())
        whole = plan.part("audio", "svm", plan.points("audio")[-1])
        assert whole == [validation.cell("audio", "svm", fold) for fold in validation.folds]

    def test_recordings_begin_with_one_of_each_class(self, validation):
        plan = plan_curve(validation, CurveSettings(amounts_of="recordings", draws=1))
        assert plan.amounts["audio"][:3] == (3, 6, 12)
        for cell in plan.part("audio", "svm", (3, 1)):
            assert sorted(int(r.labels["emotion"]) for r in training(cell).values()) == [0, 1, 2]

    @pytest.mark.filterwarnings("ignore:a fold of 'face'")
    @pytest.mark.parametrize("units", ["speakers", "recordings"])
    def test_nested(self, validation, units):
        plan = plan_curve(validation, CurveSettings(amounts=(3, 4, 5), amounts_of=units, draws=2))
        for draw in (1, 2):
            folds = [[set(training(c)) for c in plan.part("audio", "svm", (k, draw))] for k in (3, 4)]
            assert all(less < more for less, more in zip(*folds, strict=True))
        first, second = ([set(training(c)) for c in plan.part("audio", "svm", (3, draw))] for draw in (1, 2))
        assert first != second

    def test_systems_see_the_same(self, validation):
        plan = plan_curve(validation, CurveSettings(amounts=(2,), draws=1))
        one, two = (plan.part("audio", system, (2, 1)) for system in ("svm", "emobed"))
        assert [c.source for c in one] == [c.source for c in two]

    def test_labelled(self, validation):
        plan = plan_curve(validation, CurveSettings(amounts=(1, 2), draws=2))
        by_hand = [
            np.mean([len(training(c)) for draw in (1, 2) for c in plan.part("audio", "svm", (amount, draw))])
            for amount in (1, 2)
        ]
        assert plan.labelled("audio") == pytest.approx(by_hand)

    def test_a_target_that_has_fewer(self, validation):
        with pytest.warns(EmoBedWarning, match="a fold of 'face' has 2 to 3 labelled speakers.*--amounts 5 left out"):
            plan = plan_curve(validation, CurveSettings(amounts=(1, 5)))
        assert (plan.amounts["audio"], plan.amounts["face"]) == ((1, 5), (1,))

    def test_all(self, validation):
        # Of face, folds have 2 or 3 speakers (see above): "all" is 3 there, and named twice it stands there once.
        plan = plan_curve(validation, CurveSettings(amounts=("all", 3, 1), draws=2))
        assert (plan.amounts["audio"], plan.amounts["face"]) == ((1, 3, 7), (1, 3))
        assert plan.points("audio")[-1] == (7, 1)


class TestWhatStays:
    def test_only_training_of_the_target_is_fewer(self, validation):
        plan = plan_curve(validation, CurveSettings(amounts=(1,), draws=1))
        for fold, cell in zip(validation.folds, plan.part("audio", "emobed", (1, 1)), strict=True):
            few, whole = cell.source(), validation.cell("audio", "emobed", fold).source()
            assert len({r.speaker for r in few.modality.partition("train")}) == 1
            for part in ("dev", "test"):
                assert [r.id for r in few.modality.partition(part)] == [r.id for r in whole.modality.partition(part)]
            assert few.corpus.modality("face") == whole.corpus.modality("face")

    def test_withheld_class(self, validation):
        plan = plan_curve(validation, CurveSettings(amounts=(1,), draws=1, missing_class=("joy",)))
        label = validation.corpus.classes.index("joy")
        for fold, cell in zip(validation.folds, plan.part("audio", "emobed", "joy"), strict=True):
            few, whole = cell.source(), validation.cell("audio", "emobed", fold).source()
            for part in ("train", "dev"):
                kept = [r.id for r in whole.modality.partition(part) if int(r.labels["emotion"]) != label]
                assert [r.id for r in few.modality.partition(part)] == kept
            assert label in {int(r.labels["emotion"]) for r in few.modality.partition("test")}
            assert label in {int(r.labels["emotion"]) for r in few.corpus.modality("face").partition("train")}
            assert cell.scenario.name.endswith("without joy")

    def test_auxiliary_recordings(self, validation):
        plan = plan_curve(validation, CurveSettings())
        by_hand = np.mean(
            [
                len(validation.cell("audio", "emobed", fold).source().corpus.modality("face").partition("train"))
                for fold in validation.folds
            ]
        )
        assert plan.auxiliary_recordings("audio") == by_hand


class TestRefuses:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            (CurveSettings(amounts=(0,)), "from 1 on, found 0"),
            (CurveSettings(amounts=(2, 2)), "stands there twice"),
            (CurveSettings(draws=0), "--draws: expected 1 or more"),
            (CurveSettings(amounts=(99,)), "--amounts 99: a fold of 'audio' has"),
            (CurveSettings(missing_class=("rage",)), "no class 'rage'; found anger, calm, joy"),
        ],
    )
    def test_in_one_line(self, validation, settings, words):
        with pytest.raises(InputError, match=words):
            plan_curve(validation, settings)

    def test_all_classes(self, validation):
        assert plan_curve(validation, CurveSettings(missing_class=("all",))).withheld == ("anger", "calm", "joy")
