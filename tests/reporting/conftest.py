"""Runs to report on, and pages of some of them."""

import pytest

from emobed_tf.config import preset
from tests.reporting.pages import report
from tests.tiny import TINY


@pytest.fixture(scope="session")
def runs(stack, recola, tables, tmp_path_factory):
    """Finished runs by name: two of a regression, two of a classification, one on the other modality."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("report")
    regression = preset("recola").replace(data_dir=recola, **TINY)
    classification = preset("tables").replace(data_dir=tables, **{**TINY, "epochs": 2, "batch_size": 8})
    plans = {
        "classic": regression.replace(framework="classic"),
        "emobed": regression,
        "classic-audio": classification.replace(framework="classic"),
        "classic-face": classification.replace(framework="classic", target="face"),
        "joint-audio": classification.replace(framework="joint"),
    }
    return {name: train_run(config, folder / name).path for name, config in plans.items()}


@pytest.fixture(scope="session")
def pair(runs, tmp_path_factory):
    """The page of classic and EmoBed on RECOLA's stand-in, and its folder."""
    folder = tmp_path_factory.mktemp("pages") / "pair"
    return report(folder, runs["classic"], runs["emobed"]), folder


@pytest.fixture(scope="session")
def trio(runs, tmp_path_factory):
    """The page of three runs of a classification, one of them on another modality, and its folder."""
    folder = tmp_path_factory.mktemp("pages") / "trio"
    return report(folder, runs["classic-audio"], runs["classic-face"], runs["joint-audio"]), folder
