"""What is drawn, named and explained: data, labels, units, legends; never pixels."""

import numpy as np
import pandas as pd
import pytest

from emobed_tf import figures
from emobed_tf.errors import InputError
from tests.figures.drawn import line, texts


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
            ("L2 term,", "L2 term", [9, 8]),
            ("score", "training: CCC", [0.1, 0.3]),
            ("score", "development: CCC", [0.2, 0.1]),
        ],
    )
    def test_every_term(self, label, legend, values):
        drawn = line(self.panel(label), legend)
        np.testing.assert_allclose(drawn.get_xdata(), [1, 2])
        np.testing.assert_allclose(drawn.get_ydata(), values)

    @pytest.mark.parametrize(("term", "label"), [("contrastive", "supervised contrastive"), ("alignment", "alignment")])
    def test_terms_that_not_every_objective_has(self, term, label):
        figure = figures.learning_curves([{**row, term: row["triplet"]} for row in self.HISTORY])
        (panel,) = [axis for axis in figure.axes if axis.get_ylabel().startswith(label)]
        np.testing.assert_allclose(line(panel, term).get_ydata(), [0.5, -0.5])

    def test_an_empty_cell_is_a_gap(self):
        history = [*self.HISTORY, {**self.HISTORY[0], "epoch": "3", "gradient_norm_target": "0.5"}]
        (panel,) = [a for a in figures.learning_curves(history).axes if a.get_ylabel().startswith("gradient")]
        drawn = line(panel, "target")
        assert (list(drawn.get_xdata()), list(drawn.get_ydata())) == ([1.0, 3.0], [0.3, 0.5])

    def test_what_never_changes_is_named_and_not_drawn(self):
        """The gradient norm is known of the first epoch alone, and the L2 term is the same twice."""
        figure = figures.learning_curves([{**row, "l2": "9"} for row in self.HISTORY])
        labels = {axis.get_ylabel() for axis in figure.axes}
        assert labels == {"loss, weighted sum (Eq. 8)", "task loss", "triplet loss (Eq. 6)", "score"}
        said = " ".join(figure.get_supxlabel().split())
        assert "L2 term, sum of squared kernels (always 9)" in said
        assert "gradient norm, weighted (recorded in only one epoch)" in said

    def test_a_single_epoch_is_drawn_all_the_same(self):
        assert len(figures.learning_curves(self.HISTORY[:1]).axes) == 6

    def test_best_epoch_in_every_panel(self):
        figure = figures.learning_curves(self.HISTORY, best_epoch=2)
        assert len(figure.axes) == 5
        for axis in figure.axes:
            assert list(line(axis, "best epoch: 2").get_xdata()) == [2, 2]
            assert "best epoch: 2" in texts(axis.get_legend())

    def test_lowest_panels_name_the_axis(self):
        assert [axis.get_xlabel() for axis in figures.learning_curves(self.HISTORY).axes] == [""] * 2 + ["epoch"] * 3

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
