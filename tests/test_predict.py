"""`python -m emobed_tf.predict`: what it writes is what an evaluation writes."""

import csv

import numpy as np
import pytest

from tests.commands import assert_one_line, command, flags
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.fixture(scope="module")
def speech_run(tables, tmp_path_factory):
    """The folder of a run on utterances."""
    folder = tmp_path_factory.mktemp("speech") / "run"
    chosen = flags(**{**TINY, "epochs": 1, "batch_size": 8})
    result = command("train", "--no-report", "--dataset", "tables", "--data-dir", tables, *chosen, "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder


class TestPredict:
    def test_equals_the_evaluation(self, arousal_run, recola, tmp_path):
        folder, _ = arousal_run
        assert command("evaluate", folder, "--test").returncode == 0
        files = [recola / "features_audio" / "arousal" / f"test_{k}.arff" for k in (1, 2)]
        result = command("predict", folder, "--features", *files, "--output", tmp_path / "new" / "p.csv")
        assert result.returncode == 0, result.stderr
        with open(tmp_path / "new" / "p.csv", newline="") as file:
            found = [row for row in csv.DictReader(file) if row["id"] == "test_2"]
        with open(folder / "predictions" / "test" / "test_2.csv", newline="") as file:
            expected = list(csv.DictReader(file))
        assert len(found) == len(expected)
        for name in ("time", "raw", "postprocessed"):
            a, b = (np.array([float(row[name]) for row in rows]) for rows in (found, expected))
            np.testing.assert_allclose(a, b, atol=1e-5)

    @pytest.mark.parametrize("run", ["arousal_run", "speech_run"])
    def test_to_standard_output(self, run, recola, tables, request, tmp_path):
        """The same bytes as in a file; how many rows there are is said elsewhere."""
        found = request.getfixturevalue(run)
        folder = found[0] if run == "arousal_run" else found
        file = recola / "features_audio" / "arousal" / "test_1.arff" if run == "arousal_run" else tables / "audio.csv"
        written = command("predict", folder, "--features", file, "--output", tmp_path / "p.csv")
        assert written.returncode == 0, written.stderr
        result = command("predict", folder, "--features", file)
        assert (result.returncode, result.stdout) == (0, (tmp_path / "p.csv").read_text())
        said = {"arousal_run": "301 rows (trained on SIMULATED data)", "speech_run": "60 rows"}[run]
        assert result.stderr == said + "\n"
        assert written.stdout == f"{tmp_path / 'p.csv'}: {said}\n"

    def test_no_files(self, arousal_run):
        assert_one_line(command("predict", arousal_run[0], "--features"), "--features", "name one file or more")

    def test_wrong_features(self, arousal_run, recola, tmp_path):
        folder, _ = arousal_run
        video = recola / "features_video_appearance" / "arousal" / "test_1.arff"
        result = command("predict", folder, "--features", video, "--output", tmp_path / "p.csv")
        assert_one_line(result, "test_1.arff")
        assert not (tmp_path / "p.csv").exists()
