"""What a user can mend: commands print it as one line on stderr and exit with 2."""

import re

_LONGEST = 1800  # characters of a message
_BEGINNING = 1200  # of them that a longer one keeps; where it ends, it says what to do
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # breaks lines, moves a cursor, or is no text


class InputError(ValueError):
    """Wrong input: the message says what was expected, what came, where, and what to do.

    It is one line of at most 1,800 characters, whatever names it quotes from a file.
    """

    def __str__(self) -> str:
        return _one_line(super().__str__())


class MissingInputError(InputError, FileNotFoundError):
    """A file or folder that should be there is not."""

    def __str__(self) -> str:
        return _one_line(self.args[0])


class EmoBedWarning(UserWarning):
    """Something doubtful in the input or in a run that doesn't stop it."""


def _one_line(text: str) -> str:
    text = _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)
    return text if len(text) <= _LONGEST else f"{text[:_BEGINNING]}…{text[_BEGINNING + 1 - _LONGEST :]}"
