"""Exported runs: a regression and a classification, and regressions with encoders other than the paper's."""

import numpy as np
import pytest

from tests.saved_model.exported import CHAIN, KINDS, export
from tests.tiny import settings


@pytest.fixture(scope="session")
def arousal(stack, recola, tmp_path_factory):
    """Two encoder layers and one of the head; a chain in which every step is on; no weights but the best epoch's."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("arousal")
    run = train_run(settings(recola, encoder_layers=2, epochs=2), folder / "run")
    run.write_chain(CHAIN, {})
    run.write_arrays("last", {})
    return export(run, folder)


@pytest.fixture(scope="session")
def emotion(stack, tables, tmp_path_factory):
    """A classification of utterances; the head has no layer with a state."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("emotion")
    config = settings(tables, "tables", head_layers=0, batch_size=8, epochs=8, learning_rate=0.02)
    return export(train_run(config, folder / "run"), folder)


@pytest.fixture(scope="session")
def spoken(stack, tmp_path_factory):
    """A classification of sequences of five frames; the head has no layer with a state."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("spoken")
    rng = np.random.default_rng(0)
    for name in ("audio", "face"):
        lines = ["id,time,partition,speaker,label,a,b,c"]
        for k in range(24):
            partition, label = ("train", "train", "dev", "test")[k // 2 % 4], ("calm", "joy")[k % 2]
            for frame in range(5):
                values = ",".join(f"{value:.4f}" for value in k % 2 + rng.normal(size=3))
                lines.append(f"{name}{k},{0.1 * frame:.1f},{partition},{partition}{k % 4},{label},{values}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    config = settings(folder, "tables", head_layers=0, batch_size=4)
    return export(train_run(config, folder / "run"), folder)


@pytest.fixture(scope="session", params=list(KINDS))
def kind(request):
    """A kind of encoder."""
    return request.param


@pytest.fixture(scope="session")
def another(kind, stack, recola, tmp_path_factory):
    """A regression with an encoder of that kind."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp(kind)
    config = settings(recola, epochs=2, framework="triplet", **KINDS[kind])
    return export(train_run(config, folder / "run"), folder)


@pytest.fixture(scope="session")
def by_speaker(stack, recola, tmp_path_factory):
    """A regression that is standardised by speaker, with a chain in which every step is on."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("by_speaker")
    config = settings(recola, epochs=2, framework="classic", standardise="speaker", speaker_prior=2.0)
    run = train_run(config, folder / "run")
    run.write_chain(CHAIN, {})
    return export(run, folder)
