"""Which face is meant: made-up faces whose names are their `found`."""

import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.faces import Chooser, Face


def face(name, across, size, down=100):
    """A square face around a point."""
    return Face((across - size / 2, down - size / 2, across + size / 2, down + size / 2), name)


def chosen(choice, *pictures, begin=None):
    chooser = Chooser(choice)
    if begin is not None:
        chooser.begin(begin)
    found = [chooser.choose(faces, 0.04 * k) for k, faces in enumerate(pictures)]
    return [one and one.found for one in found]


def test_the_largest_of_each_picture():
    ann, bob = face("ann", 50, 40), face("bob", 200, 30)
    assert chosen("largest", [ann, bob], [bob, ann], [bob], []) == ["ann", "ann", "bob", None]


def test_the_largest_is_followed_whatever_comes():
    pictures = [[face("bob", 200, 31 + 5 * k), face("ann", 50 + k, 40)][:: 1 if k % 2 else -1] for k in range(5)]
    assert chosen("largest", *pictures) == ["ann", "ann", "bob", "bob", "bob"]  # 40 beside 31, 36, 41 …
    assert chosen("tracked", *pictures) == ["ann"] * 5


def test_numbers_count_from_the_left():
    ann, bob = face("ann", 50, 40), face("bob", 200, 30)
    assert chosen("0", [bob, ann], [ann, bob]) == ["ann", "ann"]
    assert chosen("1", [bob, ann], [ann, bob]) == ["bob", "bob"]
    assert chosen("2", [bob, ann], [ann, bob]) == [None, None]


def test_the_other_is_not_taken_for_one_who_is_missing():
    ann, bob = face("ann", 50, 40), face("bob", 120, 40)
    assert chosen("0", [ann, bob], *([[bob]] * 100), [ann, bob]) == ["ann", *[None] * 100, "ann"]


def test_one_who_was_away_may_have_moved():
    # widths of 40: at once 20 pixels, and after 2 s 60
    assert chosen("tracked", [face("ann", 50, 40)], [face("ann", 90, 40)]) == ["ann", None]
    away = [[]] * 49
    assert chosen("tracked", [face("ann", 50, 40)], *away, [face("ann", 105, 40)])[-1] == "ann"
    assert chosen("tracked", [face("ann", 50, 40)], *away, [face("ann", 115, 40)])[-1] is None


def test_the_beginning_decides_by_the_picture_with_the_most_faces():
    ann, bob = face("ann", 50, 40), face("bob", 200, 50)
    begin = [([bob], 0.0), ([bob, ann], 0.04), ([ann], 0.08)]
    assert chosen("0", [bob], [bob, ann], begin=begin) == [None, "ann"]
    assert chosen("1", [bob], [bob, ann], begin=begin) == ["bob", "bob"]
    assert chosen("tracked", [ann], [bob, ann], begin=begin) == [None, "bob"]
    assert chosen("tracked", [ann], begin=[([], 0.0)]) == ["ann"]
    assert chosen("tracked", [ann], begin=[]) == ["ann"]


def test_several_are_counted():
    chooser = Chooser("largest")
    for faces in ([], [face("ann", 50, 40)], [face("ann", 50, 40), face("bob", 200, 30)]):
        chooser.choose(faces, 0)
    assert chooser.several == 1


@pytest.mark.parametrize("choice", ["smallest", "-1", "1.5", "", "²"])
def test_choices(choice):
    with pytest.raises(InputError, match=f"--face: expected largest, tracked, or a number from the left.*got {choice}"):
        Chooser(choice)
