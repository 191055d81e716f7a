"""`examples/recordings.py`: clips that a table names, of people who are in one partition each; who is calm is quiet."""

import subprocess
import sys

import numpy as np
import pandas as pd
import soundfile

from emobed_tf.corpora import load
from tests.conftest import ROOT


def test_writes_what_its_table_names(tmp_path):
    line = [sys.executable, str(ROOT / "examples" / "recordings.py"), str(tmp_path)]
    said = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    table = pd.read_csv(tmp_path / "clips.csv")
    assert f"{len(table)} recordings" in said
    assert load("recordings", tables={"audio": tmp_path / "clips.csv"}).simulated
    assert set(table["partition"]) == {"train", "dev", "test"}
    assert table.groupby("speaker")["partition"].nunique().max() == 1
    loudness = []
    for name in table["file"]:
        sound, rate = soundfile.read(tmp_path / name)
        assert rate == 16_000
        assert 1.2 < len(sound) / rate < 2
        loudness.append(np.sqrt(np.mean(sound**2)))
    means = pd.Series(loudness).groupby(table["label"]).mean()
    assert means["calm"] < min(means["anger"], means["joy"])
