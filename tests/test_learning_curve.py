"""The command: what it prints and leaves, and refuses in one line."""

import csv

import pytest

from emobed_tf.learning_curve import main
from tests.commands import assert_one_line, command
from tests.test_crossvalidate import FIRST, NEAREST, data

pytestmark = pytest.mark.usefixtures("stack")

SMALL = ("--folds", 3, "--seeds", 1, "--configurations", 1, "--threads", 1, "--draws", 2, "--amounts", 3, 4)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("curve") / "out"
    systems = ("--systems", FIRST, NEAREST)
    result = command("learning_curve", *data(tables)[:-1], *SMALL, *systems, "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


def test_files(done):
    folder, text = done
    scores = rows(folder / "curve.csv")
    assert len(scores) == 2 * 2 * 2
    # Always one class of three: an unweighted average recall of 1/3, whatever there is to learn from.
    assert [float(row["uar"]) for row in scores if row["system"] == FIRST] == pytest.approx([1 / 3] * 4)
    (gain,) = rows(folder / "curve-gains.csv")
    assert (gain["first"], gain["second"]) == (FIRST, NEAREST)
    assert float(gain["low"]) < float(gain["area"]) < float(gain["high"])
    assert "UAR from audio, by labels of audio" in text
    for name in ("curve.md", "curve.html", "curve.png", "curve.svg"):
        assert (folder / name).stat().st_size > 500
    page = (folder / "curve.html").read_text()
    assert 'src="data:image/png;base64,' in page and "nearest mean" in page


def test_a_curve_by_recordings_leaves_that_by_speakers_as_it_is(done, tables):
    folder, _ = done
    before = {name: (folder / name).read_bytes() for name in ("curve.csv", "curve.md", "curve.html", "curve.png")}
    amounts = ("--amounts-of", "recordings", "--amounts", 6, 9)
    rest = (*amounts, "--systems", FIRST, NEAREST, "--output", folder)
    result = command("learning_curve", *data(tables)[:-1], *SMALL[:-3], *rest)
    assert result.returncode == 0, result.stderr
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert {row["amount"] for row in rows(folder / "curve-recordings.csv")} == {"6", "9"}
    assert f"page: {folder}/curve-recordings.html" in result.stdout


def test_refuses(tables):
    result = command("learning_curve", *data(tables), "--systems", "classic")
    assert_one_line(result, "--systems: expected at least two, such as classic emobed")


def test_inner_folds_are_refused_before_anything_is_read(tmp_path, capsys):
    nothing = ("--table", f"audio={tmp_path / 'none.csv'}")
    words = "--inner-folds: a learning curve chooses on one set of development speakers; leave it out"
    assert_one_line(command("learning_curve", *nothing, "--inner-folds", 2), words)
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "--inner-folds " not in said and "--dev-speakers " in said
