"""How far groups of embeddings stand apart: on a plane to look at (t-SNE), and as a number (silhouette)."""

import numpy as np

from emobed_tf.errors import InputError

_PERPLEXITY = 30.0
_FEWEST = 5


def plane(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """t-SNE (van der Maaten and Hinton, 2008) to two dimensions, as the paper draws its Fig. 3 and 4.

    Distances between clusters and their sizes mean nothing there: `silhouette` takes the vectors themselves.

    Args:
        vectors: float `[n, units]`, n at least 5. Time and memory grow with n: 1,500 take seconds.
        seed: the same one gives the same picture.

    Returns:
        float32 `[n, 2]`, no unit.

    Raises:
        InputError: if there are fewer than 5 vectors.
    """
    from sklearn.manifold import TSNE  # here: it takes a second to import
    from threadpoolctl import threadpool_limits

    if len(vectors) < _FEWEST:
        raise InputError(f"expected at least {_FEWEST} embeddings for a picture of them, got {len(vectors)}")
    start = "pca" if min(vectors.shape) > 1 and np.ptp(vectors) > 0 else "random"
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    # OpenMP's threads wait by spinning: with two on a busy machine this took 30 times as long as with one.
    with threadpool_limits(1):
        return TSNE(2, perplexity=perplexity, init=start, random_state=seed).fit_transform(vectors)


def silhouette(vectors: np.ndarray, groups: np.ndarray) -> float | None:
    """Mean silhouette (Rousseeuw, 1987) of vectors in groups, Euclidean.

    Near 1 the groups stand apart, about 0 they lie in each other, as groups dealt at random do, below 0 they are mixed
    up.

    Args:
        vectors: float `[n, units]`.
        groups: name or number of each vector's group, `[n]`; an empty text is no group, and its vectors are left out.

    Returns:
        In [-1, 1]; None where it isn't defined: fewer than two groups, or none of more than one vector.

    Example:
        >>> corners = np.array([[0.0, 0.0], [0.0, 1.0], [9.0, 0.0], [9.0, 1.0]])
        >>> round(silhouette(corners, np.array(["low", "low", "high", "high"])), 3)
        0.889
    """
    from sklearn.metrics import silhouette_score

    groups = np.asarray(groups).astype(str)
    vectors, groups = np.asarray(vectors)[groups != ""], groups[groups != ""]
    if not 2 <= len(set(groups)) < len(groups):
        return None
    return float(silhouette_score(vectors, groups))
