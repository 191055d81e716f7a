"""Tables without a tool: what columns are called."""

from emobed_tf.corpora.forms import plain


def test_roles_by_name():
    form = plain.recognise(("id", "time", "partition", "speaker", "label", "f"))
    assert form.roles == {name: name for name in ("id", "time", "partition", "speaker", "label")}


def test_other_names_count_where_the_first_is_not_there():
    assert plain.recognise(("name", "emotion", "f")).roles == {"name": "id", "emotion": "label"}
    assert plain.recognise(("id", "name", "label", "emotion")).roles == {"id": "id", "label": "label"}
    assert "name" not in plain.recognise(("file", "name")).roles
