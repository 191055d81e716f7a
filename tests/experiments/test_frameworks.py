"""`experiments/frameworks.py` on any tables: which ones it takes, and one small experiment from end to end."""

import csv
from argparse import Namespace
from pathlib import Path

import pytest

from emobed_tf.corpora.simulate import simulate_tables
from emobed_tf.errors import InputError


@pytest.fixture
def frameworks(experiment):
    return experiment("frameworks")


def test_tables_of_a_folder_and_named_ones(frameworks, tmp_path):
    for name in ("audio", "face"):
        (tmp_path / f"{name}.csv").write_text("id,f\n")
    found = frameworks.modalities(tmp_path, ["face=other/face.csv", "text=text.parquet"])
    assert found == {
        "audio": tmp_path / "audio.csv",
        "face": Path("other/face.csv"),
        "text": Path("text.parquet"),
    }
    with pytest.raises(InputError, match="expected two tables or more"):
        frameworks.modalities(None, ["face=face.csv"])


def test_settings(frameworks):
    config = frameworks.settings({"a": Path("x/a.csv"), "b": Path("b.csv")}, "b", "joint", 3, 1)
    assert config.data.table == ("a=x/a.csv", "b=b.csv")
    assert (config.data.target, config.objective.framework, config.training.seed) == ("b", "joint", 3)


def test_unknown_target(frameworks):
    arguments = Namespace(data_dir=None, table=["a=a.csv", "b=b.csv"], targets=["c"])
    with pytest.raises(InputError, match="--targets: expected some of a, b, got c"):
        frameworks.experiment(arguments)


def test_an_experiment(frameworks, tmp_path, monkeypatch, capsys):
    sizes = {"target_labels": (16, 8, 8), "auxiliary_labels": (60, 30, 30), "speaker_utterances": (4, 4)}
    simulate_tables(tmp_path / "p", classes=2, **sizes)
    settings = frameworks.settings
    small = {"epochs": 1, "encoder_units": 3, "head_units": 3, "xla": False}
    monkeypatch.setattr(frameworks, "settings", lambda *given: settings(*given).replace(**small))
    monkeypatch.setattr(frameworks, "FRAMEWORKS", ("classic", "joint"))
    arguments = Namespace(
        data_dir=tmp_path / "p", table=[], targets=["audio"], output=tmp_path / "out", seeds=2, threads=1
    )
    assert frameworks.experiment(arguments) == 0
    rows = list(csv.DictReader((tmp_path / "out" / "scores.csv").open()))
    assert [(row["framework"], row["seed"], row["partition"]) for row in rows] == [
        (framework, seed, partition)
        for framework in ("classic", "joint")
        for seed in "01"
        for partition in ("dev", "test")
    ]
    lines = (tmp_path / "out" / "summary.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| audio", "| audio"]
    trained = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("config.json")}
    assert frameworks.experiment(arguments) == 0
    assert trained == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("config.json")}
