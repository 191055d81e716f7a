"""What errors are caught as."""

import pytest

from emobed_tf.errors import InputError, MissingInputError


def test_input_errors_are_value_errors():
    with pytest.raises(ValueError, match="no such thing"):
        raise InputError("no such thing")


@pytest.mark.parametrize("kind", [InputError, FileNotFoundError, ValueError])
def test_what_is_missing_is_caught_as_any_of_its_kinds(kind):
    with pytest.raises(kind):
        raise MissingInputError("a.csv: no such file")


def test_what_is_missing_says_its_message():
    """`OSError` would print its arguments in its own way."""
    assert str(MissingInputError("a.csv: no such file")) == "a.csv: no such file"
