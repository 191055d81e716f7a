"""What figures draw, name and explain: data, labels, units, legends; never pixels."""

import threading
import xml.etree.ElementTree

import matplotlib
import matplotlib.pyplot
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from emobed_tf import figures
from emobed_tf.errors import InputError


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def line(axis, label):
    (found,) = [found for found in axis.lines if found.get_label().startswith(label)]
    return found


def title(figure):
    return figure._suptitle.get_text()


def point(value, score, seed=0, **more):
    ground = {"parameter": "alpha", "scenario": "arousal from audio", "score_name": "ccc", "simulated": False}
    return {**ground, "value": value, "seed": seed, "score": score, **more}


class TestSweep:
    # alpha 0: .2, .4 -> mean .3, deviation sqrt(.01 + .01) = .141421; alpha .5: .5, .7 -> .6, the same; 1: one seed, .1
    POINTS = (point(0.5, 0.5), point(0.5, 0.7, 1), point(0.0, 0.2), point(0.0, 0.4, 1), point(1.0, 0.1))

    def test_means_in_the_order_of_values(self):
        axis = figures.sweep(self.POINTS).axes[0]
        drawn = line(axis, "arousal from audio")
        np.testing.assert_allclose(drawn.get_xdata(), [0.0, 0.5, 1.0])
        np.testing.assert_allclose(drawn.get_ydata(), [0.3, 0.6, 0.1])

    def test_band_is_one_sample_deviation(self):
        axis = figures.sweep(self.POINTS).axes[0]
        corners = axis.collections[0].get_paths()[0].vertices
        for value, low, high in ((0.0, 0.158579, 0.441421), (0.5, 0.458579, 0.741421), (1.0, 0.1, 0.1)):
            here = corners[np.isclose(corners[:, 0], value), 1]
            assert here.min() == pytest.approx(low, abs=1e-6)
            assert here.max() == pytest.approx(high, abs=1e-6)

    def test_best_mean_is_marked_and_named(self):
        axis = figures.sweep(self.POINTS).axes[0]
        (star,) = [found for found in axis.lines if found.get_marker() == "*"]
        assert (star.get_xdata(), star.get_ydata()) == (0.5, 0.6)
        assert texts(axis.get_legend()) == ["arousal from audio (best: 0.5, 0.600)"]
        assert "standard deviation over seeds" in axis.get_legend().get_title().get_text()

    def test_scenarios_differ_in_colour_and_marker(self):
        more = [{**found, "scenario": "valence from video"} for found in self.POINTS]
        axis = figures.sweep([*self.POINTS, *more]).axes[0]
        first, second = line(axis, "arousal"), line(axis, "valence")
        assert first.get_color() != second.get_color()
        assert first.get_marker() != second.get_marker()

    def test_diverged_trainings_are_left_out(self):
        axis = figures.sweep([*self.POINTS, point(0.5, None, 2), point(2.0, float("nan"))]).axes[0]
        np.testing.assert_allclose(line(axis, "arousal").get_ydata(), [0.3, 0.6, 0.1])

    def test_nothing_but_diverged_trainings(self):
        assert not figures.sweep([point(0.5, None)]).axes[0].lines

    def test_labels_and_simulated(self):
        figure = figures.sweep([{**found, "simulated": True} for found in self.POINTS])
        assert figure.axes[0].get_xlabel() == r"$\alpha$"
        assert figure.axes[0].get_ylabel() == "development CCC"
        assert title(figure) == "sweep of alpha (SIMULATED data)"
        assert title(figures.sweep(self.POINTS)) == "sweep of alpha"

    def test_wide_ranges_are_logarithmic(self):
        for values, scale in (((1e-4, 1e-2), "log"), ((0.0, 1e-2), "linear"), ((0.01, 0.5), "linear")):
            assert figures.sweep([point(value, 0.1) for value in values]).axes[0].get_xscale() == scale

    def test_values_that_are_no_numbers(self):
        axis = figures.sweep([point("none", 0.1), point("soft", 0.3), point(0.2, 0.2)]).axes[0]
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["none", "soft", "0.2"]
        np.testing.assert_allclose(line(axis, "arousal").get_ydata(), [0.1, 0.3, 0.2])

    def test_refuses_a_mixture(self):
        with pytest.raises(InputError, match="alpha, beta"):
            figures.sweep([point(0, 1), point(0, 1, parameter="beta")])
        with pytest.raises(InputError, match="at least one"):
            figures.sweep([])


class TestLearningCurves:
    HISTORY = (
        {"epoch": "1", "loss": "3", "target": "1", "auxiliary_face": "2", "triplet": "0.5", "l2": "9", "ccc": "0.1"}
        | {"val_ccc": "0.2", "gradient_norm_target": "0.3"},
        {"epoch": "2", "loss": "2", "target": "0.5", "auxiliary_face": "1", "triplet": "-0.5", "l2": "8", "ccc": "0.3"}
        | {"val_ccc": "0.1", "gradient_norm_target": ""},
    )

    def panel(self, label, **settings):
        figure = figures.learning_curves(self.HISTORY, **settings)
        (found,) = [axis for axis in figure.axes if axis.get_ylabel().startswith(label)]
        return found

    @pytest.mark.parametrize(
        ("label", "legend", "values"),
        [
            ("loss", "weighted sum", [3, 2]),
            ("task", "target", [1, 0.5]),
            ("task", "auxiliary: face", [2, 1]),
            ("triplet", "triplet", [0.5, -0.5]),
            ("R,", "R", [9, 8]),
            ("score", "training: CCC", [0.1, 0.3]),
            ("score", "development: CCC", [0.2, 0.1]),
        ],
    )
    def test_every_term(self, label, legend, values):
        drawn = line(self.panel(label), legend)
        np.testing.assert_allclose(drawn.get_xdata(), [1, 2])
        np.testing.assert_allclose(drawn.get_ydata(), values)

    def test_an_empty_cell_is_a_gap(self):
        drawn = line(self.panel("gradient"), "target")
        assert (list(drawn.get_xdata()), list(drawn.get_ydata())) == ([1.0], [0.3])

    def test_best_epoch_in_every_panel(self):
        figure = figures.learning_curves(self.HISTORY, best_epoch=2)
        assert len(figure.axes) == 6
        for axis in figure.axes:
            assert list(line(axis, "best epoch: 2").get_xdata()) == [2, 2]
            assert "best epoch: 2" in texts(axis.get_legend())

    def test_lowest_panels_name_the_axis(self):
        assert [axis.get_xlabel() for axis in figures.learning_curves(self.HISTORY).axes] == [""] * 3 + ["epoch"] * 3

    def test_data_frames_and_rows_are_the_same(self):
        frame = pd.DataFrame(self.HISTORY).replace("", np.nan).astype(float)
        for ours, theirs in zip(
            figures.learning_curves(frame).axes, figures.learning_curves(self.HISTORY).axes, strict=True
        ):
            for a, b in zip(ours.lines, theirs.lines, strict=True):
                np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())

    @pytest.mark.parametrize("history", [[], [{"loss": 1}], [{"epoch": 1, "x": 2}]])
    def test_refuses_what_is_no_history(self, history):
        with pytest.raises(InputError):
            figures.learning_curves(history)


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
            figures.scatter([0, np.nan], [0, 1], label="arousal")


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

    def test_refuses_other_shapes(self):
        with pytest.raises(InputError, match="shape"):
            figures.confusion([[1, 2]], ["a"])


class TestEmbeddings:
    PANELS = (
        figures.Panel("classic", np.eye(2), ["audio", "audio"], ["joy", "calm"], 0.25),
        figures.Panel(
            "emobed", np.arange(6.0).reshape(3, 2), ["audio", "face", "face"], ["joy", "joy", "calm"], 0.5, -0.1
        ),
    )

    def test_modality_is_the_marker_and_class_the_colour(self):
        classic, emobed = figures.embeddings(self.PANELS).axes
        assert [found.get_label() for found in classic.collections] == ["audio"]
        audio, face = emobed.collections
        np.testing.assert_array_equal(audio.get_offsets(), [[0, 1]])
        np.testing.assert_array_equal(face.get_offsets(), [[2, 3], [4, 5]])
        assert len(audio.get_paths()[0].vertices) != len(face.get_paths()[0].vertices), "circle and triangle"
        joy, calm = face.get_facecolors()
        np.testing.assert_array_equal(audio.get_facecolors(), [joy])
        np.testing.assert_array_equal(classic.collections[0].get_facecolors(), [joy, calm])
        assert not np.array_equal(joy, calm)

    def test_silhouettes_in_the_titles(self):
        classic, emobed = figures.embeddings(self.PANELS).axes
        assert classic.get_title() == "classic\nsilhouette by class 0.250, by modality not defined"
        assert emobed.get_title() == "emobed\nsilhouette by class 0.500, by modality -0.100"

    def test_legend(self):
        figure = figures.embeddings(self.PANELS, title="dev")
        assert texts(figure.legends[0]) == ["calm", "joy", "audio", "face"]
        assert title(figure) == "dev"

    def test_more_classes_than_colours(self):
        names = [f"class {k}" for k in range(12)]
        panel = figures.Panel("x", np.zeros((12, 2)), ["audio"] * 12, names)
        colours = figures.embeddings([panel]).axes[0].collections[0].get_facecolors()
        assert len(np.unique(colours, axis=0)) == 12

    def test_refuses_nothing(self):
        with pytest.raises(InputError):
            figures.embeddings([])


class TestIntervals:
    ROWS = tuple(
        {
            "run": run,
            "partition": "dev",
            "score_name": "uar",
            "score": score,
            "low": low,
            "high": high,
            "simulated": False,
        }
        for run, score, low, high in (("classic", 0.4, 0.3, 0.5), ("emobed", 0.5, None, None))
    )

    def test_scores_and_their_bars(self):
        figure = figures.intervals(self.ROWS, title="scores")
        axis = figure.axes[0]
        np.testing.assert_allclose(line(axis, "dev").get_xydata(), [[0.4, 0], [0.5, 1]])
        bar, empty = axis.collections[0].get_segments()
        np.testing.assert_allclose(bar, [[0.3, 0], [0.5, 0]])
        assert not len(empty), "no interval, no bar"
        assert [tick.get_text() for tick in axis.get_yticklabels()] == ["classic", "emobed"]
        assert axis.get_ylim()[0] > axis.get_ylim()[1], "the first run is on top"
        assert axis.get_xlabel() == "UAR, 95 % interval over speakers"

    def test_partitions_stand_beside_each_other(self):
        figure = figures.intervals([*self.ROWS, {**self.ROWS[0], "partition": "test", "score": 0.7}])
        axis = figure.axes[0]
        assert texts(figure.legends[0]) == ["dev", "test"]
        assert line(axis, "dev").get_ydata()[0] < line(axis, "test").get_ydata()[0]

    def test_refuses_a_mixture(self):
        with pytest.raises(InputError, match="one score"):
            figures.intervals([self.ROWS[0], {**self.ROWS[1], "score_name": "ccc"}])


class TestSave:
    def figure(self):
        return figures.sweep(TestSweep.POINTS)

    def test_files_can_be_read_and_repeat(self, tmp_path):
        first, second = (
            figures.save(self.figure(), tmp_path / "new" / "a.b"),
            figures.save(self.figure(), tmp_path / "c"),
        )
        assert [path.name for path in first] == ["a.b.png", "a.b.svg"]
        for ours, theirs in zip(first, second, strict=True):
            assert ours.read_bytes() == theirs.read_bytes()
        with Image.open(first[0]) as image:
            assert image.size == (1008, 633), "7.0 x 4.4 inches at 144 dots"
        assert xml.etree.ElementTree.parse(first[1]).getroot().tag.endswith("svg")

    def test_no_global_state(self, tmp_path):
        """No figure is known to pyplot, no setting has changed, and a thread may draw."""
        before = dict(matplotlib.rcParams)
        thread = threading.Thread(target=lambda: figures.save(self.figure(), tmp_path / "thread"))
        thread.start()
        thread.join(60)
        assert (tmp_path / "thread.svg").exists()
        assert dict(matplotlib.rcParams) == before
        assert matplotlib.pyplot.get_fignums() == []
        assert isinstance(self.figure(), Figure)


class TestColumns:
    def test_all_three_forms(self):
        rows = [{"a": 1, "b": "x"}, {"a": 2}]
        for form in (
            rows,
            {"a": [1, 2], "b": ["x", None]},
            pd.DataFrame({"a": [1, 2], "b": ["x", None]}, dtype=object),
        ):
            found = figures.columns_of(form)
            assert list(found) == ["a", "b"]
            assert list(found["a"]) == [1, 2]
            assert found["b"][0] == "x"
            assert found["b"][1] is None

    def test_colours_are_told_apart(self):
        for number in (1, 7, 8, 20):
            assert len({matplotlib.colors.to_hex(colour) for colour in figures.colours(number)}) == number
