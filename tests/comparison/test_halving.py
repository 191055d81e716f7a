"""Rungs of successive halving, counted by hand."""

import pytest

from emobed_tf.comparison.halving import KEPT, Rung, rungs


@pytest.mark.parametrize(
    ("configurations", "epochs", "expected"),
    [
        (16, 60, [(16, 4), (4, 15)]),
        (17, 60, [(17, 1), (5, 4), (2, 15)]),  # ceil(60/64), ceil(60/16), 60/4
        (4, 60, [(4, 15)]),
        (3, 10, [(3, 3)]),
        (16, 1, [(16, 1), (4, 1)]),
    ],
)
def test_by_hand(configurations, epochs, expected):
    assert KEPT == 4
    found = rungs(configurations, epochs, halving=True)
    assert [(rung.configurations, rung.epochs) for rung in found] == expected
    assert [rung.number for rung in found] == list(range(1, len(found) + 1))


def test_epochs_of_sixteen_configurations_are_an_eighth():
    # 16 * 4 + 4 * 15 = 124 epochs instead of 16 * 60 = 960.
    assert sum(rung.configurations * rung.epochs for rung in rungs(16, 60, halving=True)) == 124


@pytest.mark.parametrize(("configurations", "halving"), [(16, False), (1, True)])
def test_without_halving_all_are_trained_whole(configurations, halving):
    assert rungs(configurations, 60, halving) == (Rung(configurations),)
