"""What is drawn, named and explained: data, labels, units, legends; never pixels."""

import numpy as np
import pytest

from emobed_tf import figures
from emobed_tf.errors import InputError
from tests.figures.drawn import line, texts


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

    def test_a_long_name_stays_in_the_picture(self):
        name = "emobed-" + "-".join(["with-alpha-0.5"] * 12)
        figure = figures.intervals([{**self.ROWS[0], "run": name}, self.ROWS[1]], title=name)
        figure.draw_without_rendering()
        for text in (*figure.axes[0].get_yticklabels(), figure._suptitle):
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1
        assert figure._suptitle.get_text().replace("\n", "") == name

    def test_refuses_a_mixture(self):
        with pytest.raises(InputError, match="one score"):
            figures.intervals([self.ROWS[0], {**self.ROWS[1], "score_name": "ccc"}])
