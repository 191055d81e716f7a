"""Tables of a learning curve: what stands in the cells."""

import numpy as np

from emobed_tf.comparison.curve.curves import Worth
from emobed_tf.comparison.curve.tables import worth_grid


def test_worth_is_a_bound_where_the_reference_ends():
    points = [Worth(10.0, 100.0, 4.1, 0.0, 9.9, 70.0), Worth(20.0, 100.0, 60.0, 8.0, 60.0, 60.0)]
    grid = worth_grid("audio", "EmoBed", points)
    assert grid.rows == [
        ["10", "4", "0 to 10", "100", "24.4 to 1"],  # 100 / 4.1
        ["20", ">= 60", "8 to >= 60", "100", "1.7 to 1"],  # 100 / 60
    ]


def test_nothing_has_no_rate():
    grid = worth_grid("audio", "EmoBed", [Worth(10.0, np.float64(100.0), 0.0, 0.0, 3.0, 70.0)])
    assert grid.rows == [["10", "0", "0 to 3", "100", ""]]
