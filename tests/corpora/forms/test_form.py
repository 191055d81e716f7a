"""Forms of tables: which module knows which header."""

import pytest

from emobed_tf.corpora.forms import RECOGNISERS, recognise
from emobed_tf.corpora.forms.form import ROLES, Form

HEADERS = {
    "audformat": ("file", "start", "end", "F0"),
    "openSMILE": ("name", "frameTime", "F0"),
    "OpenFace": ("frame", "face_id", "timestamp", "confidence", "success", "AU01_r"),
    "MuSe": ("timestamp", "segment_id", "f"),
    "nkululeko": ("file", "emotion", "speaker", "f"),
    "OMG-Emotion": ("video", "utterance", "f"),
    "": ("id", "partition", "label", "f"),
}


@pytest.mark.parametrize("title", HEADERS)
def test_each_header_is_known_for_what_it_is(title):
    form = recognise(HEADERS[title])
    assert form.title == title
    assert set(form.roles.values()) <= set(ROLES)
    assert set(form.roles) | set(form.beside) <= set(HEADERS[title])
    assert not set(form.roles) & set(form.beside)


def test_the_last_module_takes_every_header():
    assert RECOGNISERS[-1].recognise(("x",)) == Form("", {})


def test_the_order_of_the_columns_does_not_matter_but_for_class():
    for title, names in HEADERS.items():
        assert recognise(names[::-1]).title == title
