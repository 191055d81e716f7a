"""Run folders that an earlier version has written: they still evaluate, and export, to what they were."""

import csv
import json
import shutil

import numpy as np
import pytest

from emobed_tf.runs.folder import Run
from tests.commands import command
from tests.conftest import ROOT

FORMER = ROOT / "tests" / "data" / "former_runs"
TASKS = ("regression", "classification")

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture(params=TASKS)
def former(request, tmp_path):
    """A copy of what a former version left, which commands may write into: its run folder, and the target's table."""
    folder = tmp_path / request.param
    shutil.copytree(FORMER / request.param, folder)
    return folder / "run", folder / "data" / "audio.csv"


def predicted(run, partition):
    """Rows of a partition's predictions by recording."""
    found = {}
    for path in sorted((run / "predictions" / partition).glob("*.csv")):
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["id"], []).append(row)
    return found


def inputs(table, recordings):
    """Features of recordings by the standard library alone, float32 `[frames, features]`."""
    found = {name: [] for name in recordings}
    with open(table, newline="") as file:
        for row in csv.DictReader(file):
            if row["id"] in found:
                found[row["id"]].append([float(row[name]) for name in row if name.startswith("audio_")])
    return {name: np.float32(rows) for name, rows in found.items()}


def assert_same(found, expected):
    """Numbers within 1e-6, which another processor's arithmetic may take; everything else exactly."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_same(found[name], value)
        else:
            np.testing.assert_allclose(found[name], value, atol=1e-6, err_msg=name)


def test_evaluates_to_its_old_scores(former):
    run, table = former
    before = json.loads((run / "scores.json").read_text())
    old = {part: predicted(run, part) for part in ("dev", "test")}
    (run / "scores.json").write_text(json.dumps({key: before[key] for key in ("simulated", "training")}))
    shutil.rmtree(run / "predictions")
    result = command("evaluate", run, "--test", "--table", f"audio={table}")
    assert result.returncode == 0, result.stderr
    after = json.loads((run / "scores.json").read_text())
    for part in ("dev", "test"):
        assert_same({name: after[part][name] for name in before[part]}, before[part])
        new = predicted(run, part)
        assert new.keys() == old[part].keys()
        for name, rows in old[part].items():
            for now, then in zip(new[name], rows, strict=True):
                for column in then.keys() - {"id", "label", "prediction"}:
                    assert float(now[column]) == pytest.approx(float(then[column]), abs=1e-6)


def test_exported_it_answers_what_it_predicted(former, tmp_path):
    from tests.saved_model.exported import Server

    run, table = former
    result = command("export", run, tmp_path / "model")
    assert result.returncode == 0, result.stderr
    server, facts = Server(tmp_path / "model" / "1"), Run(run).facts()
    for part in ("dev", "test"):
        old = predicted(run, part)
        for name, features in inputs(table, old).items():
            answers = server(features=features[None])
            if facts.task == "classification":
                (answer,) = answers["probabilities"]
                expected = [float(old[name][0][f"p_{emotion}"]) for emotion in facts.classes]
                np.testing.assert_allclose(np.ravel(answer), expected, atol=1e-6)
            else:  # a prediction stands where its label does, `delay` frames earlier: its first frame is repeated
                (answer,) = answers["prediction"]
                raw = np.float64([row["raw"] for row in old[name]])
                values = np.ravel(answer)
                shifted = np.concatenate([np.repeat(values[:1], facts.delay), values])[: len(values)]
                np.testing.assert_allclose(shifted, raw, atol=1e-6)
