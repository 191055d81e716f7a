"""`docs/results.md`: what it shows of RAVDESS follows from the records of all fits, beside the experiments."""

import lzma
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT, SHARED

RAVDESS = SHARED / "data" / "ravdess"
RECORDS = ROOT / "experiments" / "records"
NUMBER = re.compile(r"\d*\.?\d+")
SIGN_OF_ZERO = re.compile(r"[+-](?=\.0+(?!\d))")  # as printed
TABLES = {  # each part's folder, and what it writes
    "curves": ("corpus", "curve.md"),
    "speaker": ("speaker", "curve.md"),
    "losses": ("losses", "curve.md"),
    "missing": ("corpus", "missing-class.md"),
    "pairs": ("corpus", "crossvalidation.md"),
    "audit": ("corpus", "verdict.md"),
    "selection": ("corpus", "crossvalidation.md"),
}


def assert_same(made, published):
    """The same words and numbers, but for a last digit and the sign of a zero, in which processors may differ."""
    words = [NUMBER.split(SIGN_OF_ZERO.sub("", text)) for text in (made, published)]
    assert words[0] == words[1]
    for one, other in zip(NUMBER.findall(made), NUMBER.findall(published), strict=True):
        small = float(other) < 1 and "." in other
        assert float(one) == pytest.approx(float(other), abs=0.0011 if small else 1, rel=0 if small else 0.01)


@pytest.mark.slow
@pytest.mark.skipif(not RAVDESS.is_dir(), reason="no RAVDESS features beside the repository (shared/data)")
@pytest.mark.parametrize("part", TABLES)
def test_tables_follow_from_the_records(part, tmp_path):
    """Nothing is trained: all fits are there."""
    tables = [word for name in ("audio", "face") for word in ("--table", f"{name}={RAVDESS / name}.csv")]
    words = [sys.executable, "experiments/programme.py", *tables, "--output", str(tmp_path), "--only", part]
    words += ["--records", str(RECORDS)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    folder, table = TABLES[part]
    kept = lzma.decompress((RECORDS / f"ravdess-{folder}.jsonl.xz").read_bytes())
    assert (tmp_path / folder / "trials.jsonl").read_bytes() == kept
    made = (tmp_path / folder / table).read_text()
    assert_same(made, (ROOT / "docs" / "tables" / f"ravdess-{part}.md").read_text())
