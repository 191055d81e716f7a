"""What is drawn, named and explained: data, labels, units, legends; never pixels."""

import numpy as np
import pytest

from emobed_tf import figures
from emobed_tf.errors import InputError
from tests.figures.drawn import line, texts, title


class TestEnvelope:
    def test_every_pixel_keeps_its_extremes(self):
        """Against a plain loop over pixels, with a spike of one frame in each direction."""
        rng = np.random.default_rng(0)
        values, times = rng.normal(size=5000), np.arange(5000) * 0.04
        values[1234], values[4321] = 50.0, -50.0
        at, kept = figures.envelope(times, values, 100)
        assert len(kept) <= 202
        assert (np.diff(at) > 0).all()
        for pixel in range(100):
            frames = slice(50 * pixel, 50 * pixel + 50)
            inside = (at >= times[frames][0]) & (at <= times[frames][-1])
            assert kept[inside].min() == values[frames].min()
            assert kept[inside].max() == values[frames].max()
        np.testing.assert_array_equal(values[np.round(at / 0.04).astype(int)], kept)

    def test_a_gap_stays_one(self):
        """Frames 250 to 399 of 1,000 have no value: pixels 25 to 39 of 100. So has every second frame elsewhere."""
        frames = np.arange(1000)
        values = np.where(((frames >= 250) & (frames < 400)) | (frames % 2 == 1), np.nan, frames)
        at, kept = figures.envelope(frames, values, 100)
        inside = (at >= 250) & (at < 400)
        assert np.isnan(kept[inside]).all() and inside.sum() == 15
        elsewhere = kept[~inside][:-1]  # the last frame is one of those without a value
        expected = [v for p in range(100) if not 25 <= p < 40 for v in (10 * p, 10 * p + 8)]
        np.testing.assert_array_equal(elsewhere, expected)

    def test_short_lines_stay(self):
        times, values = np.arange(200.0), np.arange(200.0) ** 2
        for ours, given in zip(figures.envelope(times, values, 100), (times, values), strict=True):
            np.testing.assert_array_equal(ours, given)


def recording(name, frames=5):
    times = np.arange(frames) * 0.04
    return {"id": [name] * frames, "time": times, "gold_standard": np.sin(times), "raw": np.cos(times)} | {
        "postprocessed": times
    }


class TestPredictions:
    def test_three_lines_in_seconds(self):
        figure = figures.predictions([recording("dev_1"), recording("dev_2")], label="arousal")
        first, second = figure.axes
        for legend, key in (("gold", "gold_standard"), ("raw", "raw"), ("post", "postprocessed")):
            np.testing.assert_allclose(line(first, legend).get_xdata(), [0, 0.04, 0.08, 0.12, 0.16])
            np.testing.assert_allclose(line(first, legend).get_ydata(), recording("dev_1")[key])
        assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("dev_1", "dev_2")
        assert (first.get_ylabel(), second.get_xlabel()) == ("arousal", "time in s")
        assert texts(figure.legends[0]) == ["gold standard", "raw prediction", "post-processed prediction"]

    def test_without_gold_standard(self):
        found = recording("new")
        del found["gold_standard"]
        assert len(figures.predictions([found], label="arousal").axes[0].lines) == 2

    def test_gaps_in_the_gold_standard(self):
        """Cells that are empty in a file, None in memory; a frame alone is a dot."""
        for empty in (None, ""):
            found = recording("dev_1", 6) | {"gold_standard": np.array([1.0, 2.0, empty, 4.0, empty, 6.0], object)}
            drawn = line(figures.predictions([found], label="arousal").axes[0], "gold")
            np.testing.assert_array_equal(drawn.get_ydata(), [1, 2, np.nan, 4, np.nan, 6])
            assert (drawn.get_marker(), drawn.get_markevery()) == (".", [3, 5])

    def test_long_lines_keep_their_extremes(self):
        found = recording("long", 7500)
        found["raw"][777] = 9.0
        drawn = line(figures.predictions([found], label="arousal").axes[0], "raw")
        assert len(drawn.get_xdata()) < 2100
        assert drawn.get_ydata().max() == 9.0

    def test_text_of_the_data_stays_text(self, tmp_path):
        figure = figures.predictions([recording("_a $x$ <b>")], label="arousal", title="$\\frac$", simulated=True)
        figures.save(figure, tmp_path / "odd")
        assert "$" in figure.axes[0].get_title(loc="left")
        assert title(figure).endswith("(SIMULATED data)")

    def test_refuses_utterances(self):
        with pytest.raises(InputError, match="time"):
            figures.predictions([{"id": ["a"], "raw": [1.0]}], label="arousal")
        with pytest.raises(InputError, match="at least one"):
            figures.predictions([], label="arousal")


class TestScatter:
    def test_lines_and_ccc(self):
        """gold 0 1 2 3, prediction 1 1 2 2: regression .4 x + .9; CCC = 2 * .5 / (1.25 + .25 + 0) = .667."""
        figure = figures.scatter([0, 1, 2, 3], [1, 1, 2, 2], label="arousal", title="run")
        axis = figure.axes[0]
        assert title(figure) == "run: CCC 0.667"
        np.testing.assert_allclose(line(axis, "perfect").get_xydata(), [[0, 0], [3, 3]])
        np.testing.assert_allclose(line(axis, "regression").get_xydata(), [[0, 0.9], [3, 2.1]])
        np.testing.assert_allclose(line(axis, "frames").get_xydata(), [[0, 1], [1, 1], [2, 2], [3, 2]])
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("gold standard, arousal", "prediction, arousal")
        assert texts(axis.get_legend()) == ["frames", "perfect concordance", "regression"]

    def test_many_points_are_drawn_evenly_and_said_so(self):
        gold = np.linspace(0, 1, 45_000)
        axis = figures.scatter(gold, gold, label="arousal").axes[0]
        np.testing.assert_array_equal(line(axis, "frames (1 of 3 drawn)").get_xdata(), gold[::3])

    def test_a_constant_gold_standard_has_no_regression(self):
        axis = figures.scatter([1, 1], [0, 2], label="arousal").axes[0]
        assert texts(axis.get_legend()) == ["frames", "perfect concordance"]

    def test_refuses_nan(self):
        with pytest.raises(InputError, match="NaN"):
            figures.scatter([0, 1], [0, np.nan], label="arousal")

    def test_frames_without_a_gold_standard_are_no_points(self):
        axis = figures.scatter([0, np.nan, 1, 3], [0, 9, 2, 2], label="arousal").axes[0]
        assert line(axis, "frames").get_xdata().tolist() == [0, 1, 3]
        assert line(axis, "perfect").get_xdata().tolist() == [0, 3]


class TestConfusion:
    def test_counts_and_shares_of_the_row(self):
        """Row 1: 3 of 4 and 1 of 4; row 2: nobody."""
        figure = figures.confusion([[3, 1], [0, 0]], ["joy", "_calm"], title="run", simulated=True)
        axis = figure.axes[0]
        assert [found.get_text() for found in axis.texts] == ["3\n75 %", "1\n25 %", "0", "0"]
        np.testing.assert_allclose(axis.images[0].get_array(), [[75, 25], [0, 0]])
        assert axis.texts[1].get_position() == (1, 0), "predicted class across, true class down"
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted class", "true class")
        assert figure.axes[1].get_ylabel() == "% of the true class"
        assert title(figure) == "run (SIMULATED data)"

    def test_several_side_by_side(self):
        figure = figures.confusions({"old": [[1, 0], [0, 1]], "new": [[0, 1], [1, 0]]}, ["a", "b"], title="dev")
        old, new, bar = figure.axes
        assert (old.get_title(), new.get_title(), title(figure)) == ("old", "new", "dev")
        np.testing.assert_allclose(new.images[0].get_array(), [[0, 100], [100, 0]])
        assert old.images[0].get_clim() == new.images[0].get_clim() == (0, 100), "the same shades"
        assert bar.get_ylabel() == "% of the true class"

    def test_refuses_none(self):
        with pytest.raises(InputError, match="shape"):
            figures.confusions({}, ["a"])

    def test_refuses_other_shapes(self):
        with pytest.raises(InputError, match="shape"):
            figures.confusion([[1, 2]], ["a"])
