"""What a form of table is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

ROLES = ("id", "file", "video", "utterance", "time", "start", "end", "partition", "speaker", "label", "label_file")
"""What a column can be, besides a feature and a dimension. `file`, `start` and `end` make an id or a time, and so do
OMG-Emotion's `video` and `utterance`. `label_file` names a recording's table of labels over time."""


@dataclass(frozen=True)
class Form:
    """What the columns of a table are.

    Attributes:
        title: the tool that writes it; "" where it is nobody's.
        roles: of `ROLES`, by the name of the column.
        beside: columns that the tool writes beside features, and that are none.
        seconds: one unit of its times in seconds.
        one_recording: whether a file without an id is one recording, called after the file.
        quoted: whether ids stand in single quotes.
        time_may_be_none: whether a time says nothing where every id has one row.
        measures: columns that `missing` reads, of those in `beside`.
        missing: from columns by name (float64 `[rows]`) and the setting `confidence`: bool `[rows]`, True where the
            features of a row are missing.
    """

    title: str
    roles: Mapping[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    seconds: float = 1.0
    one_recording: bool = False
    quoted: bool = False
    time_may_be_none: bool = False
    measures: tuple[str, ...] = ()
    missing: Callable[[Mapping[str, np.ndarray], float], np.ndarray] | None = None
