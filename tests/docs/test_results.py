"""`docs/results.md`: what it shows of RAVDESS follows from the records of all fits, beside the experiments."""

import lzma
import subprocess
import sys

import pytest

from tests.conftest import ROOT, SHARED

RAVDESS = SHARED / "data" / "ravdess"
RECORDS = ROOT / "experiments" / "records"
TABLES = {"curves": "curve.md", "pairs": "crossvalidation.md", "audit": "verdict.md"}


@pytest.mark.slow
@pytest.mark.skipif(not RAVDESS.is_dir(), reason="no RAVDESS features beside the repository (shared/data)")
@pytest.mark.parametrize("part", TABLES)
def test_tables_follow_from_the_records(part, tmp_path):
    """Nothing is trained: all fits are there."""
    tables = [word for name in ("audio", "face") for word in ("--table", f"{name}={RAVDESS / name}.csv")]
    words = [sys.executable, "experiments/programme.py", *tables, "--output", str(tmp_path), "--only", part]
    words += ["--records", str(RECORDS)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    folder = tmp_path / "corpus"
    assert (folder / "trials.jsonl").read_bytes() == lzma.decompress((RECORDS / "ravdess-corpus.jsonl.xz").read_bytes())
    made = (folder / TABLES[part]).read_text()
    assert made == (ROOT / "docs" / "tables" / f"ravdess-{part}.md").read_text()
