"""Scores by labels: what is drawn, and where."""

import pytest

from emobed_tf.errors import InputError
from emobed_tf.figures import label_curves


def point(target, system, labelled, mean):
    interval = {"low": mean - 0.1, "high": mean + 0.05}
    return {"target": target, "system": system, "labelled": labelled, "mean": mean, "score": "uar", **interval}


def test_a_panel_for_each_target_and_a_line_for_each_system():
    points = [point(t, s, n, 0.3 + n / 100) for t in ("audio", "face") for s in ("classic", "EmoBed") for n in (10, 20)]
    figure = label_curves(points[:-2], title="Learning curves", simulated=True)
    assert [axis.get_title() for axis in figure.axes] == ["from audio", "from face"]
    assert [len(axis.containers) for axis in figure.axes] == [2, 1]  # the face's EmoBed is not there
    line = figure.axes[0].containers[0].lines[0]
    assert line.get_xdata().tolist() == [10, 20]
    assert line.get_ydata().tolist() == pytest.approx([0.4, 0.5])
    (bars,) = figure.axes[0].containers[0].lines[2]
    assert bars.get_segments()[0][:, 1].tolist() == pytest.approx([0.3, 0.45])
    assert figure.axes[0].get_xscale() == "log"
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["10", "20"]
    assert "SIMULATED" in figure.get_suptitle()


def test_a_legend_of_many_systems_hides_no_line():
    points = [point(t, f"system {k}", n, 0.3) for t in ("audio", "face") for k in range(9) for n in (10, 20)]
    figure = label_curves(points)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == 9 and all(axis.get_legend() is None for axis in figure.axes)
    below = legend.get_window_extent().y1
    assert all(axis.get_tightbbox().y0 >= below for axis in figure.axes)
    assert not label_curves(points[:6]).legends


def test_nothing():
    with pytest.raises(InputError, match="at least one point of a learning curve"):
        label_curves([])
