"""The paper's values: against its text, and some by hand."""

import re

import pytest

from emobed_tf.comparison.reproduction import published
from tests.conftest import SHARED

PAPER = SHARED / "design" / "emobed-paper.txt"
ROWS = {
    "classic monomodal": "classic",
    "joint audiovisual training": "joint",
    "crossmodal triplet training": "triplet",
    "EmoBed": "emobed",
    "SVR + offset, 2016 [41]": "svr",
    "Strength modelling, 2017 [14]": "strength",
    "End-to-end, 2017 [54]": published.END_TO_END,
    "MTL (RE), 2017 [55]": "mtl_re",
    "MTL (PU), 2017 [21]": "mtl_pu",
    "Curriculum learning, 2018 [56]": "curriculum",
    "DDAT (RE), 2018 [15]": "ddat_re",
    "DDAT (PU), 2018 [15]": "ddat_pu",
    "SVM [47]": "svm",
    "RF [47]": "forest",
}


def printed(table):
    """Rows of a table as they stand in the paper's text: names and cells, marks of bold and significance off."""
    text = PAPER.read_text(encoding="utf-8")
    part = text.split(f"TABLE {table}\n")[1].split("TABLE ")[0]
    found = {}
    for line in part.splitlines():
        name, *cells = line.split("\t")
        values = [re.sub(r"<[^>]*>|\*", "", cell) for cell in cells]
        if name in ROWS and cells:
            found[ROWS[name]] = [None if value == "—" else float(value) for value in values]
    return found


@pytest.mark.skipif(not PAPER.exists(), reason="the paper's text is not here")
@pytest.mark.parametrize("table", [1, 2, 3])
def test_values_are_the_papers(table):
    rows, unit = printed(table), 100 if table == 3 else 1
    partitions = ("dev",) if table == 3 else ("dev", "test")
    expected = {}
    for row, cells in rows.items():
        places = [(s, p) for s in published.modalities(table) for p in partitions]
        expected |= {(row, *place): v / unit for place, v in zip(places, cells, strict=True) if v is not None}
    assert len(rows) == (6 if table == 3 else 12)
    assert published.values(table) == pytest.approx(expected)


def test_by_hand():
    arousal, valence, classes = (published.values(table) for table in (1, 2, 3))
    assert arousal["emobed", ("video_appearance", "audio"), "test"] == 0.475
    assert valence["classic", ("video_geometric", "audio"), "test"] == 0.529
    assert classes["emobed", ("video", "audio"), "dev"] == 0.439
    assert ("strength", ("video_geometric", "audio"), "dev") not in arousal
