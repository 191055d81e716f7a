import pytest

from emobed_tf.corpora.simulate import simulate_omg, simulate_recola
from tests.corpora.simulate.written import SECONDS


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated") / "recola"
    simulate_recola(root, seconds=SECONDS, recordings=2, seed=3)
    return root


@pytest.fixture(scope="module")
def omg(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated") / "omg"
    simulate_omg(root, utterances=(300, 100, 60), video_columns=20, seed=3)
    return root
