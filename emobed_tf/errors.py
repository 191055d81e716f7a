"""What a user can mend: commands print it as one line on stderr and exit with 2."""


class InputError(ValueError):
    """Wrong input: the message says what was expected, what came, where, and what to do."""


class MissingInputError(InputError, FileNotFoundError):
    """A file or folder that should be there is not."""

    def __str__(self) -> str:
        return self.args[0]


class EmoBedWarning(UserWarning):
    """Something doubtful in the input or in a run that doesn't stop it."""
