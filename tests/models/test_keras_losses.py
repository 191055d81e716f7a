"""The losses as Keras has them: in `compile`, with masks, saved and loaded again."""

import audmetric
import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def series():
    rng = np.random.default_rng(3)
    true = rng.normal(size=(4, 30)).astype(np.float32)
    return true, (0.6 * true + 0.3 * rng.normal(size=true.shape)).astype(np.float32)


class TestConcordanceLoss:
    def test_is_one_minus_the_pooled_concordance(self, series):
        from emobed_tf import ConcordanceLoss

        true, pred = series
        assert float(ConcordanceLoss()(true, pred)) == pytest.approx(
            1 - audmetric.concordance_cc(true.ravel(), pred.ravel()), abs=1e-6
        )

    def test_a_last_dimension_of_one_changes_nothing(self, series):
        from emobed_tf import ConcordanceLoss

        true, pred = series
        loss = ConcordanceLoss()
        assert float(loss(true, pred[..., None])) == float(loss(true, pred))
        assert float(loss(true.ravel(), pred.reshape(-1, 1))) == pytest.approx(float(loss(true, pred)), abs=1e-7)

    @pytest.mark.parametrize("kind", [bool, np.float32, np.int64])
    def test_frames_of_weight_zero_do_not_count(self, series, kind):
        from emobed_tf import ConcordanceLoss

        true, pred = series
        mask = np.random.default_rng(0).random(true.shape) < 0.7
        expected = 1 - audmetric.concordance_cc(true[mask], pred[mask])
        assert float(ConcordanceLoss()(true, pred, mask.astype(kind))) == pytest.approx(expected, abs=1e-6)
        sequences = np.array([1, 0, 1, 1], kind)
        expected = 1 - audmetric.concordance_cc(true[[0, 2, 3]].ravel(), pred[[0, 2, 3]].ravel())
        assert float(ConcordanceLoss()(true, pred, sequences)) == pytest.approx(expected, abs=1e-6)


class TestBatchHardTripletLoss:
    # Points on a line: d+ 1, 1, 2, 2; d- 5, 4, 4, 6.
    POINTS, CLASSES = np.float32([[0], [1], [5], [7]]), np.array([0, 0, 1, 1])

    def test_by_hand(self):
        from emobed_tf import BatchHardTripletLoss

        assert float(BatchHardTripletLoss()(self.CLASSES, self.POINTS)) == -3.25  # (-4 - 3 - 2 - 4) / 4
        assert float(BatchHardTripletLoss(anchors="sum")(self.CLASSES, self.POINTS)) == -13
        assert float(BatchHardTripletLoss(margin=3.5)(self.CLASSES, self.POINTS)) == 0.5  # (0 + .5 + 1.5 + 0) / 4

    def test_a_masked_embedding_takes_no_part(self):
        from emobed_tf import BatchHardTripletLoss

        # Without 5, the anchor 7 has no positive: d+ 1, 1; d- 7, 6.
        assert float(BatchHardTripletLoss()(self.CLASSES, self.POINTS, np.array([1.0, 1, 0, 1]))) == -5.5

    def test_normalised(self):
        from emobed_tf import BatchHardTripletLoss

        # Directions 0, 90 degrees of class 0, 180 of class 1: d+ sqrt 2 twice, d- 2 and sqrt 2; 180 has no positive.
        points = np.float32([[3, 0], [0, 0.1], [-7, 0]])
        loss = BatchHardTripletLoss(normalise=True)
        assert float(loss(np.array([0, 0, 1]), points)) == pytest.approx((2**0.5 - 2 + 0) / 2, abs=1e-6)


class TestInKeras:
    def test_compile_fit_save_and_load(self, tmp_path):
        import keras

        from emobed_tf import BatchHardTripletLoss, ConcordanceLoss, PooledCCC

        rng = np.random.default_rng(0)
        x = rng.normal(size=(64, 5)).astype(np.float32)
        y, classes = x.sum(axis=1), (x[:, 0] > 0).astype(np.int32)
        hidden = keras.layers.Dense(4, name="embedding")(inputs := keras.Input((5,)))
        model = keras.Model(inputs, {"embedding": hidden, "value": keras.layers.Dense(1)(hidden)})
        losses = {"embedding": BatchHardTripletLoss(margin="soft"), "value": ConcordanceLoss()}
        model.compile(keras.optimizers.Adam(0.05), losses, metrics={"value": PooledCCC()})
        history = model.fit(x, {"embedding": classes, "value": y}, epochs=30, batch_size=32, verbose=0).history
        assert history["value_loss"][-1] < 0.3 < history["value_loss"][0]
        model.save(tmp_path / "m.keras")
        again = keras.models.load_model(tmp_path / "m.keras")
        before, after = (m.evaluate(x, {"embedding": classes, "value": y}, verbose=0) for m in (model, again))
        assert before == after
        assert again.loss["embedding"].margin == "soft"

    def test_configurations_come_back(self):
        from emobed_tf import BatchHardTripletLoss, ConcordanceLoss

        loss = BatchHardTripletLoss(0.2, "sum", True, "mine")
        again = BatchHardTripletLoss.from_config(loss.get_config())
        assert (again.margin, again.anchors, again.normalise, again.name) == (0.2, "sum", True, "mine")
        assert ConcordanceLoss.from_config(ConcordanceLoss("c").get_config()).name == "c"
