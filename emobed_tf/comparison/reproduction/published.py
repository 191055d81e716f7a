"""The values that the paper's Tables 1 to 3 print, to stand beside one's own on the same data set."""

from collections.abc import Mapping

from emobed_tf.comparison.grids import decimals
from emobed_tf.datasets import OMG, RECOLA

DATA_SETS = {1: RECOLA.name, 2: RECOLA.name, 3: OMG.name}
"""The data set of each table."""

SOURCE = {RECOLA.name: "published, RECOLA", OMG.name: "published, OMG-Emotion"}
"""What the column is called, by data set."""

END_TO_END = "end_to_end"
"""The row that needs raw recordings."""

_SCENARIOS = (
    ("audio", "video_appearance"),
    ("video_appearance", "audio"),
    ("audio", "video_geometric"),
    ("video_geometric", "audio"),
)
# CCC: development and test in each of the four scenarios, as printed.
_AROUSAL: Mapping[str, tuple[float | None, ...]] = {
    "classic": (0.766, 0.605, 0.512, 0.411, 0.766, 0.605, 0.499, 0.399),
    "joint": (0.769, 0.611, 0.520, 0.401, 0.769, 0.611, 0.515, 0.413),
    "triplet": (0.795, 0.633, 0.541, 0.465, 0.794, 0.632, 0.512, 0.397),
    "emobed": (0.792, 0.644, 0.549, 0.475, 0.793, 0.639, 0.527, 0.417),
    "svr": (0.796, 0.648, 0.483, 0.343, 0.796, 0.648, 0.379, 0.272),
    "strength": (0.755, 0.666, 0.350, 0.196, 0.755, 0.666, None, None),
    END_TO_END: (0.786, 0.715, 0.371, 0.435, 0.786, 0.715, None, None),
    "mtl_re": (0.788, 0.629, 0.512, 0.425, 0.788, 0.629, 0.502, 0.324),
    "mtl_pu": (0.803, 0.654, 0.502, 0.406, 0.803, 0.654, 0.508, 0.327),
    "curriculum": (0.687, 0.591, 0.417, 0.343, 0.687, 0.591, 0.394, 0.267),
    "ddat_re": (0.807, 0.694, 0.539, 0.437, 0.807, 0.694, 0.544, 0.400),
    "ddat_pu": (0.811, 0.664, 0.518, 0.438, 0.811, 0.664, 0.513, 0.397),
}
_VALENCE: Mapping[str, tuple[float | None, ...]] = {
    "classic": (0.504, 0.381, 0.545, 0.525, 0.504, 0.381, 0.619, 0.529),
    "joint": (0.505, 0.393, 0.546, 0.511, 0.513, 0.395, 0.622, 0.527),
    "triplet": (0.515, 0.404, 0.564, 0.517, 0.512, 0.405, 0.636, 0.517),
    "emobed": (0.514, 0.434, 0.564, 0.516, 0.521, 0.439, 0.645, 0.520),
    "svr": (0.455, 0.375, 0.474, 0.486, 0.455, 0.375, 0.612, 0.507),
    "strength": (0.476, 0.364, 0.592, 0.464, 0.476, 0.364, None, None),
    END_TO_END: (0.428, 0.369, 0.637, 0.620, 0.428, 0.369, None, None),
    "mtl_re": (0.519, 0.331, 0.529, 0.366, 0.519, 0.331, 0.632, 0.488),
    "mtl_pu": (0.506, 0.416, 0.468, 0.418, 0.506, 0.416, 0.643, 0.452),
    "curriculum": (0.159, 0.174, 0.446, 0.419, 0.159, 0.174, 0.300, 0.269),
    "ddat_re": (0.508, 0.422, 0.528, 0.457, 0.508, 0.422, 0.639, 0.471),
    "ddat_pu": (0.498, 0.407, 0.514, 0.431, 0.498, 0.407, 0.632, 0.501),
}
# F1 on development: audio, video.
_CLASSES: Mapping[str, tuple[float | None, ...]] = {
    "svm": (0.330, None),
    "forest": (None, 0.370),
    "classic": (0.365, 0.379),
    "joint": (0.402, 0.421),
    "triplet": (0.407, 0.410),
    "emobed": (0.417, 0.439),
}


def modalities(table: int) -> tuple[tuple[str, ...], ...]:
    """The modalities of each scenario of a table: the target, then the auxiliary.

    Args:
        table: 1, 2 or 3.

    Returns:
        Two names for each scenario, in the paper's order.
    """
    return _SCENARIOS if table in (1, 2) else (("audio", "video"), ("video", "audio"))


def scenarios_on(dataset: str) -> tuple[tuple[str, ...], ...]:
    """The paper's scenarios on a data set.

    Args:
        dataset: its name.

    Returns:
        As `modalities`; empty where the paper doesn't have the data set.
    """
    return next((modalities(table) for table, name in DATA_SETS.items() if name == dataset), ())


def values(table: int) -> Mapping[tuple[str, tuple[str, ...], str], float]:
    """Published scores of a table by row (name of the system, or `END_TO_END`), scenario and partition.

    Args:
        table: 1 (arousal, CCC), 2 (valence, CCC) or 3 (F1 of seven classes, development only).

    Returns:
        Scores in [0, 1]; what the paper leaves out is not there.
    """
    rows = {1: _AROUSAL, 2: _VALENCE, 3: _CLASSES}[table]
    partitions = ("dev", "test") if table in (1, 2) else ("dev",)
    places = [(scenario, partition) for scenario in modalities(table) for partition in partitions]
    return {
        (row, scenario, partition): value
        for row, printed in rows.items()
        for (scenario, partition), value in zip(places, printed, strict=True)
        if value is not None
    }


def end_to_end(table: int) -> str:
    """The values of the end-to-end row, which no scenario changes.

    Args:
        table: 1 or 2.

    Returns:
        Development and test by target, such as `audio .786/.715, video_appearance .371/.435`.
    """
    printed = values(table)
    found = {
        names[0]: "/".join(decimals(printed[END_TO_END, names, part]) for part in ("dev", "test"))
        for names in modalities(table)
        if (END_TO_END, names, "dev") in printed
    }
    return ", ".join(f"{target} {pair}" for target, pair in found.items())
