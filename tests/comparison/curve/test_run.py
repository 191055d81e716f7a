"""A learning curve as a whole: fits, continued folders, what came to no result."""

import contextlib
import json

import pytest

from emobed_tf.comparison.crossvalidation.plan import CrossValidationSettings
from emobed_tf.comparison.crossvalidation.run import open_folder
from emobed_tf.comparison.curve.plan import CurveSettings, plan_curve
from emobed_tf.comparison.curve.run import run_curve
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tests.test_crossvalidate import NEAREST

pytestmark = pytest.mark.usefixtures("stack")

SYSTEMS = ("svm", NEAREST)


@pytest.fixture(scope="module")
def opened(tables, tmp_path_factory):
    settings = preset("tables").replace(data_dir=tables, threads=1)
    protocol = CrossValidationSettings(targets=("audio",), folds=3)
    folder = tmp_path_factory.mktemp("curve")
    validation = open_folder(settings, protocol, Budget(2, 2), SYSTEMS, folder, Workers())
    yield validation
    validation.close()


@pytest.fixture(scope="module")
def done(opened):
    plan = plan_curve(opened.plan, CurveSettings(amounts=(1, 2), draws=2))
    return plan, run_curve(opened, plan, SYSTEMS)


def test_fits_of_all_draws_and_seeds(done):
    _, results = done
    assert set(results.curves) == {("audio", "svm"), ("audio", NEAREST)}
    curve = results.curves["audio", "svm"]
    assert curve.fits == ((1, 0), (1, 1), (2, 0), (2, 1))
    # All 60 utterances are tested by every fit.
    assert curve.sums.sum(axis=(0, 3, 4)).tolist() == [[60.0] * 4] * 2


def test_nothing_is_done_again(done, opened):
    before = (opened.output / "trials.jsonl").read_bytes()
    plan, results = done
    again = run_curve(opened, plan, SYSTEMS)
    assert (opened.output / "trials.jsonl").read_bytes() == before
    assert (again.curves["audio", "svm"].sums == results.curves["audio", "svm"].sums).all()


def test_a_system_that_fails_is_told(opened, capsys):
    """With two of three classes in training, the nearest mean of the third is not a number."""
    plan = plan_curve(opened.plan, CurveSettings(amounts=(2,), draws=1, missing_class=("joy",)))
    results = run_curve(opened, plan, SYSTEMS)
    assert set(results.recalls) == {("audio", "svm")}
    assert results.recalls["audio", "svm"].recalls(results.recalls["audio", "svm"].sums).max() == 0  # never heard of
    assert "prediction is not finite (without joy)" in capsys.readouterr().err


def test_as_many_steps_needs_emobed(opened):
    plan = plan_curve(opened.plan, CurveSettings(amounts=(2,), draws=1))
    with pytest.raises(InputError, match="as_many_steps counts the steps of EmoBed; add emobed"):
        run_curve(opened, plan, ("svm", "as_many_steps"))
    with pytest.raises(InputError, match="as_many_steps@joint counts the steps of joint training; add joint"):
        run_curve(opened, plan, ("emobed", "as_many_steps@joint"))


def test_as_many_steps_as_another_system(tables, tmp_path, capsys):
    settings = preset("tables").replace(data_dir=tables, threads=1, epochs=2)
    systems, protocol = ("joint", "as_many_steps@joint"), CrossValidationSettings(targets=("audio",), folds=2)
    with contextlib.closing(open_folder(settings, protocol, Budget(1, 1), systems, tmp_path, Workers())) as validation:
        results = run_curve(validation, plan_curve(validation.plan, CurveSettings(amounts=(2,), draws=1)), systems)
    assert set(results.curves) == {("audio", "joint"), ("audio", "as_many_steps@joint")}
    keys = [json.loads(line).get("key", {}) for line in (tmp_path / "trials.jsonl").read_text().splitlines()]
    followed = [key["settings"] for key in keys if key.get("system") == "as_many_steps@joint"]
    assert len(followed) == 2 and all(settings["emobed"] for settings in followed)  # one for each fold
    assert "no result" not in capsys.readouterr().err
