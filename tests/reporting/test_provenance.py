"""Settings that differ, and where a run comes from."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_settings_that_differ_are_marked(pair):
    page, _ = pair
    assert "4 settings differ between the runs" in page.text, "framework, alpha, beta, auxiliary"
    assert len(page.all("mark")) == 8


def test_provenance(pair, runs):
    page, _ = pair
    origin = json.loads((runs["emobed"] / "run.json").read_text())
    for text in (origin["provenance"]["commit"] or "", origin["provenance"]["python"], str(runs["emobed"])):
        assert text in page.text
    for name, value in origin["facts"]["fingerprints"].items():
        assert name in page.text
        assert value in page.text


def test_every_feature_is_listed(pair, runs):
    page, _ = pair
    for columns in json.loads((runs["emobed"] / "run.json").read_text())["facts"]["features"].values():
        assert ", ".join(columns) in page.text
