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


@pytest.mark.parametrize("kind", [InputError, MissingInputError])
class TestMessages:
    """They quote what stands in strangers' files."""

    def test_are_one_line(self, kind):
        message = str(kind("a.csv:1: column 'a\nb\u2028\x1b[2J\ud800\x85': expected é"))
        assert message == r"a.csv:1: column 'a\nb\u2028\x1b[2J\ud800\x85': expected é"

    def test_are_short_and_keep_their_ends(self, kind):
        message = str(kind(f"a.csv:1: column '{'b' * 10**5}'; take it out"))
        assert len(message) == 1800
        assert message.startswith("a.csv:1: column 'bbb") and message.endswith("bbb'; take it out")
