"""Frames that are missing although they have numbers: rows of nothing but zeros, where a tool writes them so."""

import numpy as np


def missing_rows(features: np.ndarray) -> np.ndarray:
    """Features with NaN in rows that are all zeros, such as RECOLA's frames without a face.

    Args:
        features: float32 `[frames, features]`, which is left as it is.

    Returns:
        The same, or a copy if a row is missing.
    """
    missing = ~features.any(axis=1)
    if not missing.any():
        return features
    features = features.copy()
    features[missing] = np.nan
    return features
