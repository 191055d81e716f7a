"""Post-processing against a search in plain loops that applies every chain literally, and numbers worked by hand."""

import json
from dataclasses import replace
from itertools import product
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobed_tf.corpora.time import shift
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.evaluation.postprocessing import SHIFTS, WINDOWS, PostProcessing, learn

FRAME = 0.04


def recordings(seed=0, count=3, frames=400, gain=0.4, offset=0.2, late=-6, noise=0.08):
    """Gold standards, and predictions that are too flat, off-centre, too early and noisy."""
    rng = np.random.default_rng(seed)
    golds = [
        np.convolve(rng.normal(size=frames + 40), np.ones(40) / 10, mode="valid")[:frames] * 0.3 for _ in range(count)
    ]
    predictions = []
    for gold in golds:
        spikes = np.where(rng.random(frames) < 0.05, rng.normal(size=frames), 0.0)
        predictions.append(gain * shift(gold, late) + offset + noise * rng.normal(size=frames) + spikes)
    return golds, predictions


def plain_shift(x, k):
    return [x[min(max(t - k, 0), len(x) - 1)] for t in range(len(x))]


def plain_median(x, window):
    half = window // 2
    return [median(x[min(max(t + k, 0), len(x) - 1)] for k in range(-half, half + 1)) for t in range(len(x))]


def pooled(golds, predictions):
    return concordance_cc(np.concatenate(golds), np.concatenate(predictions))


def plain_scores(golds, predictions, windows, shifts):
    """Pooled concordance of every chain, each applied literally."""
    scores = {}
    for window, centred, scaled, frames in product(windows, (False, True), (False, True), shifts):
        filtered = [np.array(plain_median(list(p), window)) for p in predictions]
        together = np.concatenate(filtered)
        mean, deviation = together.mean(), together.std()
        steps = filtered
        if scaled and np.ptp(together) <= 1e-6 * np.abs(together).max():
            continue
        if scaled:
            steps = [mean + (p - mean) * (np.concatenate(golds).std() / deviation) for p in steps]
        if centred:
            steps = [p + (np.concatenate(golds).mean() - mean) for p in steps]
        steps = [plain_shift(p, frames) for p in steps]
        scores[window, centred, scaled, frames] = pooled(golds, steps)
    return scores


def key(chain):
    return chain.window, chain.centred, chain.scaled, chain.shift


class TestPostProcessing:
    def test_default_changes_nothing(self):
        _, (prediction, *_) = recordings()
        np.testing.assert_array_equal(PostProcessing().apply(prediction), prediction)

    def test_median_by_hand(self):
        # Nearest: 5 5 1 | 5 1 9 | 1 9 2 | 9 2 3 | 2 3 3.
        assert PostProcessing(window=3).apply([5, 1, 9, 2, 3]).tolist() == [5, 5, 2, 3, 3]

    @given(st.lists(st.integers(-9, 9), min_size=1, max_size=25), st.sampled_from([1, 3, 5, 11]))
    def test_median_equals_the_definition(self, values, window):
        assert PostProcessing(window=window).apply(values).tolist() == plain_median(values, window)

    def test_order_by_hand(self):
        # Median 5 5 2 3 3; times 2 plus 1: 11 11 5 7 7; one frame later: 11 11 11 5 7.
        chain = PostProcessing(window=3, gain=2.0, offset=1.0, shift=1, centred=True, scaled=True)
        assert chain.apply([5, 1, 9, 2, 3]).tolist() == [11, 11, 11, 5, 7]

    def test_json_and_back(self):
        chain = PostProcessing(window=5, gain=1.25, offset=-0.1, shift=3, centred=True, scaled=True)
        assert PostProcessing.from_dict(json.loads(json.dumps(chain.to_dict()))) == chain

    def test_what_was_learnt_goes_into_json(self):
        chain, trace = learn(*recordings(), FRAME)
        assert PostProcessing.from_dict(json.loads(json.dumps(chain.to_dict()))) == chain
        assert json.loads(json.dumps(trace)) == trace

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"window": 4}, "odd number of frames"),
            ({"window": 0}, "odd number of frames"),
            ({"window": 3.0}, "whole number of frames"),
            ({"shift": -1}, "time shift, got -1"),
            ({"shift": True}, "time shift, got True"),
            ({"gain": float("nan")}, "finite gain and offset"),
            ({"offset": "0"}, "finite gain and offset"),
        ],
    )
    def test_refuses(self, values, message):
        with pytest.raises(InputError, match=message):
            PostProcessing.from_dict({**PostProcessing().to_dict(), **values})

    def test_refuses_other_keys(self):
        with pytest.raises(InputError, match="got window$"):
            PostProcessing.from_dict({"window": 3})

    @pytest.mark.parametrize(
        ("values", "message"), [([[0.1]], r"shape \(1, 1\)"), ([], r"shape \(0,\)"), ([np.nan], "NaN or infinity")]
    )
    def test_refuses_to_apply_to(self, values, message):
        with pytest.raises(InputError, match=message):
            PostProcessing().apply(values)


class TestLearn:
    @pytest.mark.parametrize(
        "faults",
        [
            {},
            {"gain": 1.0, "offset": 0.0, "late": 0},
            {"gain": 2.5, "noise": 0.3},
            {"gain": -0.5},
            {"offset": 0.0, "late": -2, "noise": 0.02},
        ],
    )
    def test_equals_a_search_in_plain_loops(self, faults):
        golds, predictions = recordings(seed=3, count=2, frames=90, **faults)
        chain, trace = learn(golds, predictions, FRAME, windows=(0.12, 0.28), shifts=(0.04, 0.16, 0.24))
        scores = plain_scores(golds, predictions, (1, 3, 7), (0, 1, 4, 6))
        assert key(chain) == max(scores, key=scores.get)
        assert trace["time_shift"] == pytest.approx(max(scores.values()), abs=1e-12)
        assert trace["raw"] == pytest.approx(scores[1, False, False, 0], abs=1e-12)
        assert trace["median_filter"] == pytest.approx(scores[chain.window, False, False, 0], abs=1e-12)
        assert trace["centring"] == pytest.approx(scores[chain.window, chain.centred, False, 0], abs=1e-12)
        assert trace["scaling"] == pytest.approx(scores[chain.window, chain.centred, chain.scaled, 0], abs=1e-12)

    def test_frames_without_a_gold_standard(self):
        """They are filtered and shifted as all are, and count in no mean, no deviation and no concordance."""
        golds, predictions = recordings(count=2, frames=60)
        counts = [np.random.default_rng(k).random(60) < 0.6 for k in range(2)]
        gaps = [np.where(count, gold, np.nan) for gold, count in zip(golds, counts, strict=True)]
        chain, _ = learn(gaps, predictions, FRAME, (0.12, 0.2), (0.12, 0.24))
        together = np.concatenate([gold[count] for gold, count in zip(golds, counts, strict=True)])
        scores = {}
        for window, centred, scaled, frames in product((1, 3, 5), (False, True), (False, True), (0, 3, 6)):
            filtered = [np.array(plain_median(list(p), window)) for p in predictions]
            seen = np.concatenate([f[count] for f, count in zip(filtered, counts, strict=True)])
            gain = together.std() / seen.std() if scaled else 1.0
            to = together.mean() if centred else seen.mean()
            moved = [np.array(plain_shift(to + gain * (f - seen.mean()), frames)) for f in filtered]
            judged = np.concatenate([m[count] for m, count in zip(moved, counts, strict=True)])
            scores[window, centred, scaled, frames] = concordance_cc(together, judged), gain, to - gain * seen.mean()
        best = max(scores, key=lambda k: scores[k][0])
        assert key(chain) == best
        assert (chain.gain, chain.offset) == pytest.approx(scores[best][1:])
        assert len(chain.apply(predictions[0])) == 60

    def test_the_grid_of_the_paper(self):
        assert WINDOWS == (0.12, 0.20, 0.28, 0.36, 0.44)
        assert len(SHIFTS) == 15 and SHIFTS[0] == 0.04 and SHIFTS[-1] == 0.60
        golds, predictions = recordings(seed=4, count=2, frames=60)
        scores = plain_scores(golds, predictions, (1, 3, 5, 7, 9, 11), range(16))
        assert key(learn(golds, predictions, FRAME)[0]) == max(scores, key=scores.get)

    @settings(deadline=None, max_examples=30)
    @given(
        st.integers(0, 10**6),
        st.integers(-20, 20).map(lambda k: k / 10),
        st.integers(-10, 10).map(lambda k: k / 10),
        st.integers(-15, 15),
        st.integers(0, 5).map(lambda k: k / 10),
        st.integers(1, 3),
    )
    def test_never_worse_and_every_kept_step_helps(self, seed, gain, offset, late, noise, count):
        golds, predictions = recordings(seed, count, 80, gain, offset, late, noise)
        chain, trace = learn(golds, predictions, FRAME)
        achieved = pooled(golds, [chain.apply(p) for p in predictions])
        assert achieved == pytest.approx(trace["time_shift"], abs=1e-10)
        assert achieved >= pooled(golds, predictions) - 1e-12
        off = {"window": 1, "centred": False, "scaled": False, "shift": 0}
        scores = plain_scores(golds, predictions, {1, chain.window}, {0, chain.shift})
        for name, value in off.items():
            if getattr(chain, name) != value:
                assert scores[key(replace(chain, **{name: value}))] < achieved - 1e-13

    def test_finds_the_faults_that_were_put_in(self):
        golds, _ = recordings(count=9, frames=1500)
        predictions = [0.25 * shift(gold, -5) + 0.1 for gold in golds]
        chain, trace = learn(golds, predictions, FRAME)
        assert (chain.window, chain.shift, chain.centred, chain.scaled) == (1, 5, True, True)
        # Only the ends of the recordings, which shifting repeats, keep it from exactly 4.
        assert chain.gain == pytest.approx(4, rel=0.01)
        assert trace["time_shift"] > 0.99

    def test_perfect_predictions_stay_as_they_are(self):
        golds, _ = recordings()
        chain, trace = learn(golds, golds, FRAME)
        assert chain == PostProcessing()
        assert set(trace.values()) == {1.0}

    def test_mean_of_predictions_far_away(self):
        golds, predictions = recordings()
        near, _ = learn(golds, predictions, FRAME)
        far, trace = learn(golds, [p + 1e5 for p in predictions], FRAME)
        assert key(far) == key(near)
        assert pooled(golds, [far.apply(p + 1e5) for p in predictions]) == pytest.approx(trace["time_shift"], abs=1e-8)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("constant", [0.0, 0.3])
    def test_constant_predictions(self, constant):
        golds, _ = recordings()
        chain, trace = learn(golds, [np.full_like(g, constant) for g in golds], FRAME)
        assert chain == PostProcessing()
        assert trace["time_shift"] == pytest.approx(0, abs=1e-12)

    def test_rounding_of_a_constant_is_not_scaled(self):
        golds, _ = recordings()
        rng = np.random.default_rng(1)
        predictions = [np.float32(0.3) + rng.integers(-2, 3, len(g)) * np.spacing(np.float32(0.3)) for g in golds]
        chain, _ = learn(golds, predictions, FRAME)
        assert not chain.scaled

    @pytest.mark.filterwarnings("error")
    def test_predictions_constant_after_the_filter(self):
        golds = [np.sin(np.arange(100) / 9)]
        prediction = np.zeros(100)
        prediction[50] = 1.0
        chain, trace = learn(golds, [prediction], FRAME)
        assert np.isfinite(list(trace.values())).all()
        assert np.isfinite(chain.apply(prediction)).all()

    def test_constant_gold_standard(self):
        _, predictions = recordings()
        chain, trace = learn([np.full_like(p, 0.2) for p in predictions], predictions, FRAME)
        assert chain == PostProcessing()
        assert trace["time_shift"] == pytest.approx(0, abs=1e-12)

    def test_slower_frames_drop_what_rounds_away(self):
        # At 0.4 s, windows of 0.12 to 0.44 s are 1 frame, and shifts of 0.04 to 0.56 s are 0 or 1.
        golds, predictions = recordings()
        chain, _ = learn(golds, predictions, 0.4, shifts=SHIFTS[:-1])
        scores = plain_scores(golds, predictions, (1,), (0, 1))
        assert key(chain) == max(scores, key=scores.get) == (1, True, True, 1)

    def test_windows_become_odd_frames(self):
        # At 0.1 s: 1.2, 2.0, 2.8, 3.6, 4.4 frames are 1, 3, 3, 3, 5.
        golds, predictions = recordings(noise=0.3)
        chain, _ = learn(golds, predictions, 0.1, shifts=())
        scores = plain_scores(golds, predictions, (1, 3, 5), (0,))
        assert key(chain) == max(scores, key=scores.get)
        assert chain.window == 5

    def test_even_frames_go_up_in_spite_of_rounding(self):
        # 0.6 / 0.1 comes out below 6; 6 becomes 7.
        golds, predictions = recordings(noise=0.3)
        assert learn(golds, predictions, 0.1, windows=(0.6,), shifts=())[0].window == 7

    @pytest.mark.parametrize(
        ("golds", "predictions", "message"),
        [
            ([], [], "got 0 for 0"),
            ([[0.1]], [], "got 0 for 1"),
            (
                [[0.1, 0.2], [0.1]],
                [[0.1, 0.2], [0.1, 0.2]],
                "expected 1 frames as the prediction of recording 1, got 2",
            ),
            ([[0.1], [np.inf]], [[0.1], [0.1]], "gold standard of recording 1, got infinity"),
            ([[0.1], [0.1]], [[0.1], [np.nan]], "the prediction of recording 1, got NaN or infinity"),
            ([[np.nan], [np.nan]], [[0.1], [0.1]], "gold standard in one frame or more, got NaN alone"),
        ],
    )
    def test_refuses(self, golds, predictions, message):
        with pytest.raises(InputError, match=message):
            learn(golds, predictions, FRAME)
