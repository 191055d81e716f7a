"""Encoders other than the paper's train as it does: repeat bit for bit, in used models and after a kill."""

import json

import numpy as np
import pytest

from emobed_tf.errors import InputError
from tests.models.test_encoders import OWN
from tests.training.test_loop import assert_equal_weights, settings, weights

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

ENCODERS = {
    "dense": {"encoder": "dense"},
    "tcn": {"encoder": "tcn", "encoder_layers": 2},
    "dropout": {"encoder": f"{OWN}:layered", "diagnostics": 2},
    "weights of its own": {"encoder": f"{OWN}:convolution"},
    "shared trunk": {"sharing": "trunk"},
}


@pytest.fixture(params=list(ENCODERS))
def changes(request):
    return ENCODERS[request.param]


class TestFrames:
    def test_repeats_and_continues(self, changes, recola, tmp_path):
        """The second training has the first one's model, the third goes on where two epochs ended, in a new model."""
        from emobed_tf.training.loop import train_run
        from emobed_tf.training.session import Session

        first = train_run(settings(recola, **changes), tmp_path / "first")
        again = train_run(settings(recola, **changes), tmp_path / "again")
        assert_equal_weights(weights(first), weights(again))
        train_run(settings(recola, **changes, epochs=2), tmp_path / "short")
        with Session() as new:
            continued = train_run(settings(recola, **changes), tmp_path / "short", resume=True, session=new)
        assert_equal_weights(weights(first), weights(continued))
        other = train_run(settings(recola, **changes, seed=1), tmp_path / "other")
        assert (weights(other)["shared.output/kernel"] != weights(first)["shared.output/kernel"]).all()

    def test_in_memory_is_the_same(self, changes, recola, tmp_path):
        """There, no gradient norms are computed, which draw random numbers, too."""
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import train, train_run

        config, corpus = load_corpus(settings(recola, **changes))
        run = train_run(config, tmp_path / "run", corpus=corpus)
        found = train(config, corpus)
        assert_equal_weights(found.weights, weights(run, "best"))
        assert found.score == json.loads(str(run.read_arrays("last")["state"]))["best"]


class TestUtterances:
    @pytest.mark.parametrize("xla", [False, True])
    @pytest.mark.parametrize("encoder", ["dense", "tcn"])
    def test_learn_from_single_frames(self, encoder, xla, tables, tmp_path):
        """Many steps in a call, compiled as a whole or not; three classes that a line can tell apart."""
        from emobed_tf.training.loop import train_run

        config = settings(
            tables,
            "tables",
            encoder=encoder,
            head_layers=0,
            batch_size=1,
            epochs=6,
            learning_rate=0.01,
            xla=xla,
            framework="joint",
        )
        run = train_run(config, tmp_path / "run")
        assert run.read_json("scores.json")["dev"]["f1_macro"] > 0.7  # by chance about a third
        again = train_run(config, tmp_path / "again")
        assert_equal_weights(weights(run), weights(again))


class TestOtherSystems:
    @pytest.mark.parametrize("encoder", ["dense", "tcn", f"{OWN}:layered"])
    def test_encoders_side_by_side(self, encoder):
        """Model-level fusion: an encoder for each part of the input."""
        from emobed_tf.models.build import build
        from emobed_tf.models.design import Architecture, Branch
        from emobed_tf.settings import Network

        network = Network(2, 6, 1, 5, encoder=encoder)
        model = build(Architecture((Branch("joined", (("audio", 4), ("video", 3))),), 1, network, 10.0))
        features = np.random.default_rng(0).normal(size=(2, 9, 7)).astype(np.float32)
        found = model.embed("joined", model.standardise("joined")(features), training=False)
        assert found.shape == (2, 9, 12)
        np.testing.assert_allclose(found, model.encoder("joined")(features), atol=1e-6)
        features[..., :4] += 1
        moved = np.abs(model.encoder("joined")(features) - found).max(axis=(0, 1)) > 0
        assert moved[:6].any() and not moved[6:].any()


def test_a_name_that_is_wrong_is_one_sentence(recola, tmp_path):
    from emobed_tf.training.loop import train_run

    with pytest.raises(InputError, match="--encoder gru2: expected gru, dense, tcn, or package.module:NAME"):
        train_run(settings(recola, encoder="gru2"), tmp_path / "run")
