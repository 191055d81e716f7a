"""MuSe's header."""

import pytest

from emobed_tf.corpora.forms import muse


def test_milliseconds():
    form = muse.recognise(("timestamp", "segment_id", "f"))
    assert (form.roles, form.beside, form.seconds) == ({"timestamp": "time"}, ("segment_id",), 0.001)
    assert form.one_recording


def test_a_time_beside_it_is_no_second_time():
    form = muse.recognise(("id", "time", "timestamp", "segment_id", "f"))
    assert (form.roles, form.beside) == ({"id": "id", "timestamp": "time"}, ("segment_id", "time"))


@pytest.mark.parametrize("names", [("timestamp", "f"), ("segment_id", "f")])
def test_others(names):
    assert muse.recognise(names) is None
