"""What all tests share: one thread, a cache of their own, small simulated packages."""

import gc
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.environment import fix_environment
from emobed_tf.runtime import import_tensorflow

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
THREADS = 1

fix_environment()  # before any test module imports TensorFlow


@pytest.fixture(scope="module", autouse=True)
def quick_collections():
    """What stays from earlier modules is not looked at again by each collection: late in a run, one took 10 s."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """A cache that no other run has touched, for this process and those that it starts."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["EMOBED_CACHE"] = str(folder)
    for name in ("EMOBED_RECOLA_DIR", "EMOBED_OMG_DIR"):
        os.environ.pop(name, None)
    return folder


@pytest.fixture(scope="session")
def stack():
    """TensorFlow, with the tests' number of threads."""
    import_tensorflow(THREADS)
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    return tf


@pytest.fixture(scope="session")
def recola(tmp_path_factory):
    """A small simulated RECOLA package: 3 recordings of 12 s a partition, audio and appearance."""
    from emobed_tf.corpora.simulate import simulate_recola

    folder = tmp_path_factory.mktemp("data") / "recola"
    simulate_recola(folder, seconds=12, recordings=3)
    return folder


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    """Two tables of utterances with three classes: 60 heard and 30 seen, other ids, one label set."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    for name, utterances, columns in (("audio", 60, 5), ("face", 30, 4)):
        centres = rng.normal(size=(3, columns))
        lines = ["id,partition,speaker,label," + ",".join(f"{name}_{k}" for k in range(columns))]
        for i in range(utterances):
            partition = ("train", "train", "dev", "test")[i // 3 % 4]
            values = centres[i % 3] + 0.7 * rng.normal(size=columns)
            label = ("anger", "joy", "calm")[i % 3]
            speaker = f"{partition}_{i // 12}"
            lines.append(f"{name}_{i},{partition},{speaker},{label}," + ",".join(f"{v:.5f}" for v in values))
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def quiet_collapse():
    """Tiny models may collapse; what is tested here is something else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="epoch .* the embedding has collapsed")
        yield


@pytest.fixture(scope="session")
def arousal_run(stack, recola, tmp_path_factory):
    """A finished run of EmoBed, trained by the command: its folder, and what the command said."""
    return _trained_by_command(recola, tmp_path_factory.mktemp("runs") / "emobed")


@pytest.fixture(scope="session")
def classic_run(stack, recola, tmp_path_factory):
    """The folder of a finished run of the classic system on the same data."""
    return _trained_by_command(recola, tmp_path_factory.mktemp("runs") / "classic", framework="classic")[0]


def _trained_by_command(data, folder, **settings):
    from tests.commands import command, flags
    from tests.tiny import TINY

    result = command(
        "train", "--no-report", "--data-dir", data, *flags(**{**TINY, **settings}), "--no-report", "--output", folder
    )
    assert result.returncode == 0, result.stderr
    return folder, result
