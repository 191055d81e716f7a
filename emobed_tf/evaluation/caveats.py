"""What has to be said beside scores and p-values: how small few speakers let a p be, and what a system has seen."""

from collections.abc import Sequence
from decimal import Decimal

from emobed_tf.evaluation.power import smallest_p
from emobed_tf.evaluation.significance import DRAWS, LEVEL

_FEW = 9
_CROSS_VALIDATE = "python -m emobed_tf.crossvalidate compares systems on the speakers of all partitions"


def least_p(speakers: int, exact: bool = True) -> float:
    """The least one-sided p-value that an exchange test over so many speakers can give.

    Args:
        speakers: number of them, 1 or more.
        exact: whether all `2^speakers` ways to exchange the two systems are tried; else `significance.DRAWS` are drawn,
            and the observed one counts among them.

    Returns:
        In (0, 1).
    """
    return smallest_p(speakers) if exact else 1.0 / (DRAWS + 1)


def least_p_note(speakers: int, exact: bool = True, *, cross_validated: bool = False, targets: int = 1) -> str:
    """The least p-value in words; with few speakers also what to do.

    Args:
        speakers: number of them, 1 or more.
        exact: see `least_p`.
        cross_validated: whether these are all speakers that there are: then there is no other command to point to.
        targets: p-values that are corrected for each other by Holm's method.

    Returns:
        One or two sentences.

    Example:
        >>> least_p_note(5, cross_validated=True)
        'With 5 speakers the smallest possible p is 1/32 = .0312.'
    """
    least = least_p(speakers, exact)
    parts = f"1/{2**speakers:,}" if exact else f"1/{DRAWS + 1:,}"
    text = f"With {_counted(speakers, 'speaker')} the smallest possible p is {parts} = {_plain(least)}."
    if targets > 1:
        text = text[:-1] + f", before the correction over {targets} targets."
    if least * targets >= LEVEL:
        text += " No difference can be significant with so few, and intervals over them are too narrow to be believed"
        return f"{text}." if cross_validated else f"{text}; {_CROSS_VALIDATE}."
    if speakers <= _FEW and not cross_validated:
        text += f" So few can only show large differences, and intervals are too narrow; {_CROSS_VALIDATE}."
    return text


def published_note(regression: bool) -> str:
    """What the paper's test takes for granted, and what comes of that.

    Args:
        regression: whether it is Fisher's r-to-z over frames; else the z-test over utterances.

    Returns:
        One sentence.
    """
    if regression:
        return (
            "The paper's test treats frames as independent: it calls equally good systems different in about 4 of 10 "
            "simulated recordings, whose frames resemble their neighbours as real ones do."
        )
    return (
        "The paper's test treats utterances as independent, although those of one speaker resemble each other: where "
        "speakers differ, it calls equally good systems different too often."
    )


def disagreement(p: float, low: float | None, high: float | None) -> str | None:
    """Why a one-sided p-value and the two-sided 95 % interval of the same difference say different things.

    Args:
        p: of the test whether the second system is better.
        low: lower end of the interval of the difference; None where there is none.
        high: its upper end.

    Returns:
        One sentence; None where the two agree.
    """
    if low is None or high is None:
        return None
    if p < LEVEL and low <= 0:
        return (
            f"p is below {LEVEL}, although the interval reaches 0: the test is one-sided and asks only whether the "
            "difference is above 0, while the interval leaves out 2.5 % at either end."
        ).replace("0.05", ".05")
    if p >= LEVEL and low > 0:
        return (
            f"The interval lies above 0, although p is not below {LEVEL}: with few speakers the bootstrap's interval "
            "is too narrow, and the test is what counts."
        ).replace("0.05", ".05")
    return None


def _plain(p: float) -> str:
    """Three digits, without an exponent and without a zero before the point."""
    return format(Decimal(f"{p:.3g}"), "f").removeprefix("0")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def transduction(everything: bool, titles: Sequence[str]) -> list[str]:
    """What has to be said of systems that have seen unlabelled frames of those whom they are tested on.

    Args:
        everything: whether all systems have.
        titles: of those that have.

    Returns:
        A sentence, or none.
    """
    if not (everything or titles):
        return []
    who = "Features" if everything else f"Features of {', '.join(titles)}"
    return [
        f"{who} are standardised by speaker, with statistics of all of a speaker's frames, test's included, labels "
        "unread: scores hold where the speaker is known and several recordings are at hand."
    ]
