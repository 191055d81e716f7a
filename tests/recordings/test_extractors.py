"""The registry, and an extractor of one's own."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings import extractors
from emobed_tf.recordings.extractors import Extractor, find_extractor
from emobed_tf.recordings.logmel import LogMel
from emobed_tf.recordings.windows import Windows

HERE = "tests.recordings.test_extractors"


class Loudness(Extractor):
    version = "1"
    columns = ("rms", "peak")

    def of(self, samples):
        return [np.sqrt(np.mean(samples**2)), np.abs(samples).max()]


class Nameless(Loudness):
    columns = ()


def function(windows):
    return windows


class TestFind:
    def test_by_name(self):
        assert isinstance(find_extractor("logmel", None), LogMel)

    def test_one_s_own(self):
        windows = Windows(1, 0.5)
        found = find_extractor(f"{HERE}:Loudness", windows)
        assert isinstance(found, Loudness)
        assert found.windows is windows
        assert found.settings == {"window": 1, "step": 0.5, "align": "centre"}
        assert find_extractor(f"{HERE}:Loudness", None).settings == {}

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("mfcc", "--features mfcc: expected logmel, egemaps, blendshapes, landmarks, vgg-face, or package"),
            ("none.at.all:It", "No module named 'none'.*expected a class of a module that Python can import"),
            (f"{HERE}:Missing", "has no attribute 'Missing'"),
            (f"{HERE}:function", "expected a subclass of emobed_tf.recordings.extractors.Extractor"),
            ("emobed_tf.recordings.extractors:Extractor", "with its method 'of'"),
            (f"{HERE}:Nameless", "expected a version and columns"),
        ],
    )
    def test_errors(self, name, message):
        with pytest.raises(InputError, match=message):
            find_extractor(name, None)

    def test_a_window_that_no_frame_fits_into(self):
        with pytest.raises(InputError, match=r"--window 0\.03: --features logmel needs 0\.035 s or more"):
            find_extractor("logmel", Windows(0.03, 0.02))

    def test_the_example_in_the_docstring(self, tmp_path, monkeypatch):
        code = extractors.__doc__.split("say:\n")[1].split("\n`python")[0]
        (tmp_path / "loudness.py").write_text("\n".join(line[4:] for line in code.splitlines()))
        monkeypatch.syspath_prepend(tmp_path)
        times, features = find_extractor("loudness:Loudness", None).extract(np.full(10, 0.5, np.float32))
        assert times is None
        assert features.tolist() == [[0.5]]


class TestExtract:
    def test_a_recording(self):
        times, features = Loudness().extract(np.array([0.5, -0.5, 0.25, -0.25], np.float32))
        assert times is None
        # rms: sqrt((2 * 0.25 + 2 * 0.0625) / 4) = sqrt(0.15625)
        np.testing.assert_allclose(features, [[np.sqrt(0.15625), 0.5]], rtol=1e-6)
        assert features.dtype == np.float32

    def test_windows(self):
        samples = np.repeat(np.array([0.1, 0.2, 0.3, 0.4], np.float32), 8_000)  # half a second each
        times, features = Loudness(Windows(0.5, 0.5, "causal")).extract(samples)
        assert times.tolist() == [0, 0.5, 1, 1.5]
        np.testing.assert_allclose(features[:, 0], [0.1, 0.2, 0.3, 0.4], rtol=1e-5)
