"""Predictions over time as the page holds them."""

import base64
import csv
import json
from types import SimpleNamespace

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
    from emobed_tf.reporting import series

    part = SimpleNamespace(partition="dev", recordings=({"time": np.zeros(100)}, {"time": np.zeros(50)}))
    content = SimpleNamespace(parts={"dev": part})
    for values, expected in ((450, 1), (449, 2), (150, 3)):
        monkeypatch.setattr(series, "VALUES", values)
        assert series.factor([content]) == expected


class TestGaps:
    """The values of frames without a gold standard."""

    def test_stretches(self):
        from emobed_tf.reporting.series import gaps

        nan = np.nan
        assert gaps(np.array([nan, nan, 1, 2, nan, 3])) == [[0, 2], [4, 5]]
        assert gaps(np.array([1.0, nan])) == [[1, 2]]
        assert gaps(np.ones(3)) == []

    def test_thinned(self):
        from emobed_tf.reporting.series import thinned

        nan = np.nan
        found = thinned(np.array([nan, 3.0, nan, 1.0, nan, nan, nan, nan, 5.0, nan]), 2)
        np.testing.assert_array_equal(found, [3, 1, nan, nan, 5, 5])

    def test_on_a_page(self):
        """What has no value neither widens the range nor is drawn."""
        from emobed_tf.reporting.series import encoded

        columns = {"id": np.array(["r"] * 3), "time": np.array([0, 0.5, 1.0]), "gold_standard": [np.nan, 1.0, 3.0]}
        columns |= {"raw": [1.0, 2.0, 3.0], "postprocessed": [1.0, 1.0, 1.0]}
        part = SimpleNamespace(partition="dev", recordings=({k: np.array(v) for k, v in columns.items()},))
        data = json.loads(encoded(SimpleNamespace(parts={"dev": part}, facts=SimpleNamespace(label="arousal")), 1))
        assert (data["low"], data["high"]) == (1.0, 3.0)
        assert data["recordings"][0]["gaps"] == {"gold_standard": [[0, 1]]}
        levels = np.frombuffer(base64.b64decode(data["recordings"][0]["values"]["gold_standard"]), "<u2")
        assert levels[1:].tolist() == [0, 65535]
