"""Simulated features: windows, frames without a face, missing values."""

from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora.simulate import simulate_recola
from tests.corpora.simulate.written import FRAMES, features


def stretches(flags):
    """(start, length) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2] - edges[::2], strict=True))


class TestFeatures:
    @pytest.mark.parametrize(
        ("modality", "dimension", "seconds"),
        [
            ("audio", "arousal", 4),
            ("audio", "valence", 6),
            ("video_appearance", "arousal", 6),
            ("video_appearance", "valence", 4),
        ],
    )
    def test_windows_repeat_the_edge_rows(self, package, modality, dimension, seconds):
        _, values = features(package / f"features_{modality}" / dimension / "dev_1.arff")
        half = round(seconds / 0.04 / 2)
        seen = ~(values == 0).all(axis=1)
        for edge, complete in ((range(half), half), (range(FRAMES - half, FRAMES), FRAMES - 1 - half)):
            kept = [row for row in edge if seen[row]]
            if seen[complete]:
                assert np.array_equal(values[kept], np.repeat(values[[complete]], len(kept), 0), equal_nan=True)
        inside = [row for row in range(half, FRAMES - half - 1) if seen[row] and seen[row + 1]]
        assert all(not np.array_equal(values[row], values[row + 1], equal_nan=True) for row in inside)

    def test_rows_without_a_face_are_zero_in_stretches(self, package):
        for partition in ("train", "dev", "test"):
            for number in (1, 2):
                path = package / "features_video_appearance" / "arousal" / f"{partition}_{number}.arff"
                _, values = features(path)
                lost = (values == 0).all(axis=1)
                assert 15 <= lost.sum() < FRAMES / 2  # at least one of 0.6 s
                assert (values[~lost] == 0).mean() < 0.001  # what rounds to zero
                assert all(length >= 15 for _, length in stretches(lost))
                # The same frames for the other dimension: it is the camera that lost the face.
                _, other = features(Path(str(path).replace("arousal", "valence")))
                assert np.array_equal(lost, (other == 0).all(axis=1))

    def test_missing_values_are_in_audio_only_and_never_fill_a_row(self, tmp_path):
        simulate_recola(tmp_path / "p", seconds=40, recordings=2, dimensions=["arousal"])
        missing = 0
        for path in (tmp_path / "p" / "features_audio").rglob("*.arff"):
            _, values = features(path)
            columns = np.isnan(values).any(axis=0)
            missing += np.isnan(values).sum()
            assert not np.isnan(values).all(axis=1).any()
            assert set(np.flatnonzero(columns) % 6) <= {0, 1}  # every third descriptor, two columns each
        assert missing > 0
        assert all(
            b"?" not in path.read_bytes() for path in (tmp_path / "p" / "features_video_appearance").rglob("*.arff")
        )
