"""What made the features of a table: `emobed_tf.extract` writes it down beside them, and a trained model keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import ArrowException, parquet

from emobed_tf.files import check_is_file, parse_json

METADATA = b"emobed_tf"
"""Key of a Parquet file's metadata; of `audio.csv` they are in `audio.csv.json`."""


@dataclass(frozen=True)
class Extraction:
    """How features were made of recordings: other recordings are to be treated the same way.

    Attributes:
        extractor: its name, as `emobed_tf.extract --features` takes it.
        version: of what it computes.
        settings: what decides over the numbers besides its version, windows included; JSON values.
        licence: what its licence forbids, models that are trained on its features included; "" if nothing.
    """

    extractor: str
    version: str
    settings: Mapping[str, Any]
    licence: str = ""

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{self.extractor}, version {self.version}" + (f" ({settings})" if settings else "")


def sidecar(path: Path) -> Path:
    """The file that says what made a CSV file's features.

    Args:
        path: of the CSV file.

    Returns:
        Its path; it need not be there.
    """
    return path.with_name(f"{path.name}.json")


def extraction_of(path: Path) -> Extraction | None:
    """What made the features of a table.

    Args:
        path: of a Parquet or CSV file.

    Returns:
        What is written of it; None where nothing is, or something else than `emobed_tf.extract` writes.
    """
    try:
        if path.suffix.lower() == ".parquet":
            text = (parquet.read_schema(path).metadata or {}).get(METADATA, b"")
        else:
            check_is_file(sidecar(path))
            text = sidecar(path).read_bytes()
        said = parse_json(text)
        known = Extraction(said["extractor"], said["version"], said["settings"], said["licence"])
    except (OSError, ValueError, KeyError, TypeError, ArrowException):
        return None
    texts = (known.extractor, known.version, known.licence)
    return known if isinstance(known.settings, dict) and all(isinstance(text, str) for text in texts) else None


def extractions(tables: Sequence[str]) -> dict[str, Extraction]:
    """What made the features of modalities.

    Args:
        tables: each `NAME=PATH`, as a configuration has them.

    Returns:
        By modality, as far as tables say it.
    """
    found = {name: extraction_of(Path(path)) for name, _, path in (entry.partition("=") for entry in tables)}
    return {name: made for name, made in found.items() if made is not None}
