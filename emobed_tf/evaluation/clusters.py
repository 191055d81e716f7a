"""Units that share something: speakers of one fold are predicted by the same trained models."""

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np


def intraclass_correlation(values: Sequence[float] | np.ndarray, groups: Sequence[Hashable]) -> float | None:
    """How much more alike units of a group are than units of different groups: ICC(1), by one-way analysis of variance.

    (MSB - MSW) / (MSB + (n0 - 1) MSW) with n0 = (N - sum n_g^2 / N) / (groups - 1), the size of a group where sizes
    differ (P. Shrout and J. Fleiss, "Intraclass correlations: Uses in assessing rater reliability", 1979).

    Args:
        values: float `[units]`, such as each speaker's gain.
        groups: of each unit, such as its fold.

    Returns:
        At most 1, and below 0 where units of a group differ more than units of different groups; None with a single
        group, with one unit in each, or where all values are equal.
    """
    array = np.asarray(values, np.float64)
    parts = [array[[k for k, group in enumerate(groups) if group == name]] for name in dict.fromkeys(groups)]
    total, number = len(array), len(parts)
    if number < 2 or total == number:
        return None
    sizes = np.array([len(part) for part in parts])
    means = np.array([part.mean() for part in parts])
    between = float(sizes @ (means - array.mean()) ** 2) / (number - 1)
    within = float(sum(((part - part.mean()) ** 2).sum() for part in parts)) / (total - number)
    size = (total - float(sizes @ sizes) / total) / (number - 1)
    spread = between + (size - 1) * within
    return (between - within) / spread if spread else None


def design_effect(correlation: float, groups: Sequence[Hashable]) -> float:
    """By how much the variance of the mean of all units is larger than if they were independent.

    Args:
        correlation: within groups.
        groups: of each unit.

    Returns:
        1 + (n - 1) correlation with n = sum n_g^2 / N, the mean size of a unit's group; at least 0. As many units as
        N / effect that are independent would say as much.
    """
    sizes = np.array(list(Counter(groups).values()))
    return max(0.0, 1.0 + (float(sizes @ sizes) / len(groups) - 1.0) * correlation)
