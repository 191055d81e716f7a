"""`python -m emobed_tf.predict`: what it writes is what an evaluation writes."""

import csv

import numpy as np
import pytest

from tests.commands import assert_one_line, command

pytestmark = pytest.mark.usefixtures("stack")


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

    def test_wrong_features(self, arousal_run, recola, tmp_path):
        folder, _ = arousal_run
        video = recola / "features_video_appearance" / "arousal" / "test_1.arff"
        result = command("predict", folder, "--features", video, "--output", tmp_path / "p.csv")
        assert_one_line(result, "test_1.arff")
        assert not (tmp_path / "p.csv").exists()
