"""The one contrast that a comparison is made for; all others are exploratory."""

from collections.abc import Sequence

from emobed_tf.errors import InputError

EMOBED = "emobed"
PRIMARY, EXPLORATORY = "primary", "exploratory"


def primary_system(systems: Sequence[str], reference: str, wanted: str | None) -> str | None:
    """The system whose gain over the reference is the primary contrast.

    Args:
        systems: names of all that are compared.
        reference: name of the one that the others are compared with.
        wanted: named by the user; None: EmoBed, or else the first that is compared with the reference.

    Returns:
        Its name; None where nothing is compared with the reference.

    Raises:
        InputError: if the named one is not compared with the reference.
    """
    others = [system for system in systems if system != reference]
    if wanted is not None:
        if wanted not in others:
            raise InputError(
                f"--primary {wanted}: expected one of the systems that are compared with {reference}: "
                f"{', '.join(others) or 'there is none'}"
            )
        return wanted
    return EMOBED if EMOBED in others else next(iter(others), None)


def contrast(system: str, primary: str | None) -> str:
    """What a row is called by its part in the comparison.

    Args:
        system: of the row.
        primary: see `primary_system`.

    Returns:
        `primary` or `exploratory`.
    """
    return PRIMARY if system == primary else EXPLORATORY
