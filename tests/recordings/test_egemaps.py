"""eGeMAPS beside openSMILE of separately cut windows; in other processes, because TensorFlow is in this one."""

import json
import subprocess
import sys

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.extractors import find_extractor
from tests.conftest import ROOT

FACTS = """
import json, sys
import numpy as np
import opensmile
from emobed_tf.errors import InputError
from emobed_tf.recordings.extractors import find_extractor
from emobed_tf.recordings.windows import Windows
from tests.recordings.sounds import speech_like

samples = speech_like(6).astype(np.float32)
smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
plain = find_extractor("egemaps", None)
times, whole = plain.extract(samples)
facts = {
    "version": plain.version,
    "licence": plain.licence,
    "columns": list(plain.columns),
    "times": times,
    "whole": whole.tolist(),
    "expected": smile.process_signal(samples, 16000).to_numpy().tolist(),
}
for align in ("centre", "causal"):
    windows = Windows(2, 0.25, align)
    times, rows = find_extractor("egemaps", windows).extract(samples)
    _, starts, ends = windows.over(len(samples))
    cuts = [smile.process_signal(samples[a:b], 16000).to_numpy()[0] for a, b in zip(starts, ends)]
    facts[align] = {"times": times.tolist(), "rows": rows.tolist(), "cut": np.array(cuts).tolist()}
many = find_extractor("egemaps", Windows(1, 0.04)).extract(samples)[1]
facts["many"] = [many.shape, int(np.isnan(many).sum())]
causal = find_extractor("egemaps", Windows(0.5, 0.04, "causal")).extract(samples)[1]
facts["without a frame"] = [causal.shape, np.isnan(causal).all(axis=1).nonzero()[0].tolist()]
facts["short"] = []
for extractor in (plain, find_extractor("egemaps", Windows(1, 0.5))):
    try:
        extractor.extract(samples[:960])
    except InputError as error:
        facts["short"].append(str(error))
facts["least"] = int(np.isnan(plain.extract(samples[:961])[1]).sum())
facts["tensorflow"] = "tensorflow" in sys.modules
json.dump(facts, sys.stdout)
"""


@pytest.fixture(scope="module")
def facts():
    line = [sys.executable, "-c", FACTS]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_recording_is_what_opensmile_makes_of_it(facts):
    assert facts["times"] is None
    assert facts["whole"] == facts["expected"]
    assert len(facts["columns"]) == 88
    assert facts["columns"][0] == "F0semitoneFrom27.5Hz_sma3nz_amean"
    assert facts["columns"][-1] == "equivalentSoundLevel_dBp"


def test_says_what_it_is(facts):
    assert facts["version"].startswith("eGeMAPSv02/1, opensmile 2.")
    assert "non-commercial" in facts["licence"]
    assert facts["tensorflow"] is False


@pytest.mark.parametrize("align", ["centre", "causal"])
def test_windows_are_about_those_that_are_cut_out(facts, align):
    found, expected = np.array(facts[align]["rows"], float), np.array(facts[align]["cut"], float)
    assert facts[align]["times"] == [0.25 * k for k in range(24)]
    assert found.shape == (24, 88)
    relative = np.abs(found - expected) / (np.abs(expected) + 1e-3)
    assert np.median(relative) < 0.02
    rows = np.median(relative, axis=1)
    assert rows[2:].max() < 0.05  # those at the end as well: nothing is padded
    # by column over windows: each follows its truth, but for those that smoothing over the edges changes most
    moving = expected.std(axis=0) > 1e-3 * np.abs(expected).max(axis=0)
    alike = [np.corrcoef(found[:, k], expected[:, k])[0, 1] for k in np.flatnonzero(moving)]
    assert np.median(alike) > 0.95


def test_exactly_one_row_a_step(facts):
    assert facts["many"] == [[150, 88], 0]


def test_windows_without_a_frame_are_missing(facts):
    # steps of 40 ms: the first row sees 40 ms, less than a frame of 60
    assert facts["without a frame"] == [[150, 88], [0]]


def test_too_short(facts):
    assert facts["short"] == ["0.060 s are too short; expected more than 0.06 s"] * 2
    assert facts["least"] == 0


def test_beside_tensorflow_is_refused(stack):
    with pytest.raises(InputError, match="TensorFlow is in this process already"):
        find_extractor("egemaps", None)
