"""Predictions over time as the page's JavaScript reads them: 16 bits a value, fewer frames where there are many."""

import base64
import json
from typing import Any

import numpy as np

from emobed_tf.corpora.labels import pooled
from emobed_tf.figures import SERIES
from emobed_tf.reporting.contents import Contents
from emobed_tf.reporting.folder import Columns
from emobed_tf.reporting.html import Safe

VALUES = 1_500_000  # on a page: 4 MB
_LEVELS = 65535


def timed(content: Contents) -> list[tuple[str, Columns]]:
    """The recordings that have a course in time.

    Args:
        content: a run.

    Returns:
        Partition and columns of each; none for utterances and for a classification.
    """
    parts = content.parts.values()
    return [(part.partition, columns) for part in parts for columns in part.recordings if "time" in columns]


def thinned(values: np.ndarray, times: int) -> np.ndarray:
    """Two values for each `2 * times` frames: the smallest and the largest, in the order in which they came.

    Args:
        values: float `[frames]`, NaN where a frame has none.
        times: how many times fewer values, >= 1.

    Returns:
        `[2 * ceil(frames / (2 * times))]`, NaN where so many frames have none; the values themselves with `times` 1.
    """
    if times == 1:
        return values
    low, high = (np.where(np.isnan(values), beyond, values) for beyond in (np.inf, -np.inf))
    blocks = [slice(start, start + 2 * times) for start in range(0, len(values), 2 * times)]
    pairs = [sorted((int(np.argmin(low[block])), int(np.argmax(high[block])))) for block in blocks]
    return np.array([values[block][k] for block, pair in zip(blocks, pairs, strict=True) for k in pair])


def gaps(values: np.ndarray) -> list[list[int]]:
    """Stretches without a value.

    Args:
        values: float `[n]`, NaN where there is none.

    Returns:
        [position of the first, position after the last] of each stretch.
    """
    edges = np.diff(np.concatenate([[False], np.isnan(values), [False]]).astype(int))
    return np.stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)], axis=1).tolist()


def factor(contents: list[Contents]) -> int:
    """How many times fewer values than frames a page holds, so that it opens on a phone.

    Args:
        contents: all runs of the page.

    Returns:
        1 or more; see `thinned`.
    """
    total = sum(len(columns["time"]) * len(SERIES) for content in contents for _, columns in timed(content))
    return max(1, -(-total // VALUES))


def encoded(content: Contents, times: int) -> Safe:
    """The recordings of a run as JSON that a `script` element can hold.

    `{low, high, label, series: [{key, legend}], recordings: [{id, partition, start, step, values: {key: base64}, gaps:
    {key: [[first, end]]}}]}`; value = low + (high - low) * uint16 / 65535, little-endian; start and step in seconds;
    from `first` to before `end` there is no value; a series without gaps has none there.

    Args:
        content: a run with at least one recording that has a course in time.
        times: how many times fewer values than frames, from `factor`.

    Returns:
        JSON as markup, which no `</script>` within can end.
    """
    recordings = timed(content)
    keys = [key for key, *_ in SERIES]
    every = [columns[key] for _, columns in recordings for key in keys if key in columns]
    low, high = (function(pooled(every)) for function in (np.min, np.max))
    scale = _LEVELS / (high - low) if high > low else 0.0

    def packed(values: np.ndarray) -> str:
        levels = np.round((np.nan_to_num(thinned(values, times), nan=low) - low) * scale).astype("<u2")
        return base64.b64encode(levels.tobytes()).decode()

    found: dict[str, Any] = {
        "low": float(low),
        "high": float(high),
        "label": content.facts.label,
        "series": [{"key": key, "legend": legend} for key, legend, *_ in SERIES],
        "recordings": [
            {
                "id": str(columns["id"][0]),
                "partition": partition,
                "start": float(columns["time"][0]),
                "step": _step(columns["time"]) * times,
                "values": {key: packed(columns[key]) for key in keys if key in columns},
                "gaps": {k: gap for k in keys if k in columns and (gap := gaps(thinned(columns[k], times)))},
            }
            for partition, columns in recordings
        ],
    }
    return Safe(json.dumps(found, separators=(",", ":")).replace("<", "\\u003c"))


def _step(times: np.ndarray) -> float:
    return float((times[-1] - times[0]) / (len(times) - 1)) if len(times) > 1 else 1.0
