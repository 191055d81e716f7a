"""Predictions over time as the page holds them."""

import base64
import csv
import json

import numpy as np
import pytest

from tests.commands import command
from tests.reporting.pages import copied

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_series_are_the_predictions(pair, runs, tmp_path):
    """Decoded by hand: 16 bits of the range of all of them are the CSV's numbers."""
    folder = copied(runs["emobed"], tmp_path)
    assert command("evaluate", folder).returncode == 0
    data = json.loads(pair[0].scripts["series-2"])
    assert [found["id"] for found in data["recordings"]] == ["dev_1", "dev_2", "dev_3"]
    second = data["recordings"][1]
    assert (second["start"], second["step"], second["partition"]) == (0.0, pytest.approx(0.04), "dev")
    with open(folder / "predictions" / "dev" / "dev_2.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for key in ("gold_standard", "raw", "postprocessed"):
        levels = np.frombuffer(base64.b64decode(second["values"][key]), "<u2") / 65535
        values = data["low"] + levels * (data["high"] - data["low"])
        np.testing.assert_allclose(values, [float(row[key]) for row in rows], atol=1e-4)


def test_thinned_keeps_extremes_in_their_order():
    from emobed_tf.reporting.series import thinned

    values = np.array([3.0, 9, 1, 4, 7, 7, 0, 8, 5])
    np.testing.assert_array_equal(thinned(values, 2), [9, 1, 0, 8, 5, 5])
    np.testing.assert_array_equal(thinned(values, 1), values)


def test_a_page_holds_so_many_values(monkeypatch):
    from types import SimpleNamespace

    from emobed_tf.reporting import series

    part = SimpleNamespace(partition="dev", recordings=({"time": np.zeros(100)}, {"time": np.zeros(50)}))
    content = SimpleNamespace(parts={"dev": part})
    for values, expected in ((450, 1), (449, 2), (150, 3)):
        monkeypatch.setattr(series, "VALUES", values)
        assert series.factor([content]) == expected
