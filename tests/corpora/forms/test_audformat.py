"""audformat's header."""

import pytest

from emobed_tf.corpora.forms import audformat


def test_segments():
    form = audformat.recognise(("file", "start", "end", "f"))
    assert form.roles == {"file": "file", "start": "start", "end": "end"}


@pytest.mark.parametrize("names", [("id", "file", "f"), ("path", "start", "end", "f")])
def test_others(names):
    assert audformat.recognise(names) is None
