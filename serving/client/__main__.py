"""`python -m serving.client`: predictions from a server for feature files, as `emobed_tf.predict` makes them."""

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.corpora import load_features
from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.time import shift
from emobed_tf.errors import InputError
from emobed_tf.files import write_csv
from serving.client.client import Client
from serving.client.connection import ServingError
from serving.client.payload import Classification

PROG = "serving.client"
DESCRIPTION = """Predicts from feature files with a model on a server: RECOLA's ARFF files, or CSV and Parquet tables.

The CSV that comes out is that of emobed_tf.predict."""


@dataclass(frozen=True)
class Arguments:
    """Feature files and a model."""

    url: tyro.conf.Positional[str]
    """The server's address, such as http://localhost:8501."""
    name: tyro.conf.Positional[str]
    """Name of the model."""
    features: tuple[Path, ...]
    """Feature files; no labels needed."""
    signature: Literal["prediction", "postprocessed", "embed"] | None = None
    """Only one column, or each frame's embedding (default: prediction, and of a regression postprocessed as well)."""
    version: int | None = None
    """Version of the model (default: the newest)."""
    label: str | None = None
    """Label of a version, where the server has labels."""
    output: Path | None = None
    """CSV file to write (default: to stdout)."""
    timeout: float = 60.0
    """Seconds to wait for the server."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION)
    if not arguments.features:
        raise InputError("--features: name one file or more")
    output = arguments.output
    if output is not None and output.is_dir():
        raise IsADirectoryError(21, "is a folder; name a CSV file", str(output))
    named = Client(
        arguments.url,
        arguments.name,
        version=arguments.version,
        label=arguments.label,
        timeout=arguments.timeout,
    )
    try:
        with named, named.pinned() as client:
            manifest = client.manifest()
            rows = _rows(client, manifest, arguments)
    except ServingError as error:
        raise InputError(str(error)) from None
    simulated = " (trained on SIMULATED data)" if manifest["simulated"] else ""
    said = f"{len(rows)} rows from {arguments.name}, version {client.version}{simulated}"
    if output is None:
        _print_csv(rows)
        print(said, file=sys.stderr)
    else:
        write_csv(output, rows)
        print(f"{output}: {said}")
    return 0


def _rows(client: Client, manifest: Mapping[str, Any], arguments: Arguments) -> list[dict[str, Any]]:
    with console.waiting("reading features"):
        recordings = load_features(
            arguments.features,
            modality=manifest["model"]["target"],
            feature_names=manifest["features"],
            frame_seconds=manifest["frame_seconds"],
        )
    rows: list[dict[str, Any]] = []
    with console.progress("predicting") as progress:
        for done, recording in enumerate(recordings):
            progress(done, len(recordings), recording.id)
            rows += _recording_rows(client, manifest, recording, arguments.signature)
    return rows


def _recording_rows(
    client: Client, manifest: Mapping[str, Any], recording: Recording, signature: str | None
) -> list[dict[str, Any]]:
    values: dict[str, np.ndarray] = {}
    if signature in (None, "prediction"):
        said = client.predict(recording.features)
        if isinstance(said, Classification):
            shares = {f"p_{name}": float(p) for name, p in zip(said.classes, said.probabilities, strict=True)}
            return [{"id": recording.id, "prediction": str(said.labels), **shares}]
        values["raw"] = shift(said, manifest["label_delay_frames"])
    if signature in (None, "postprocessed"):
        values["postprocessed"] = client.postprocess(recording.features)
    if signature == "embed":
        embedding = client.embed(recording.features)
        values = {f"embedding_{k}": column for k, column in enumerate(embedding.T, 1)}
    step = manifest["frame_seconds"]
    return [
        {
            "id": recording.id,
            **({"time": round(recording.start + k * step, 6)} if step else {}),
            **{name: float(column[k]) for name, column in values.items()},
        }
        for k in range(recording.frames)
    ]


def _print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    sys.stdout.flush()  # a reader that went away is noticed here, not at the interpreter's end


if __name__ == "__main__":
    sys.exit(main())
