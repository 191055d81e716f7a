"""`python -m serving.client`: predictions from a server for files, as `emobed_tf.predict` makes them."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("serving.client")  # while what is below is imported

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import numpy as np
import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.moments import Moments
from emobed_tf.corpora.prediction import as_manifest_says, load_features
from emobed_tf.corpora.samples import as_model_input
from emobed_tf.corpora.speakers import speaker_moments
from emobed_tf.corpora.time import shift
from emobed_tf.errors import InputError
from emobed_tf.files import plain_number, print_csv, write_csv
from emobed_tf.settings import SPEAKER, OptionalInt, OptionalName, OptionalPath
from serving.client import audio
from serving.client.client import Client
from serving.client.connection import ServingError
from serving.client.payload import Classification

PROG = "serving.client"
DESCRIPTION = """Predicts with a model on a server, from feature files or from recordings of sound.

Feature files are RECOLA's ARFF files, or CSV and Parquet tables.

It writes the same CSV as emobed_tf.predict."""
_Files = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]", help_behavior_hint="")]
_NUMBERS_AT_ONCE = 100_000  # about 2 MB of JSON


@dataclass(frozen=True)
class Arguments:
    """Files and a model."""

    url: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SERVER")]
    """The server's address, such as http://localhost:8501."""
    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """Name of the model there."""
    features: _Files = ()
    """Feature files; they need no labels."""
    audio: _Files = ()
    """Recordings instead: sound, or videos. A model of waveforms is sent their sound; for one of features they are
    extracted here, with the extractor, version and settings that its manifest names."""
    extractor: OptionalName = None
    """With --audio: an extractor of your own that the model's manifest may name (module:Class)."""
    signature: Annotated[
        Literal["prediction", "postprocessed", "embed"] | None,
        tyro.conf.arg(metavar="{prediction,postprocessed,embed}", help_behavior_hint=""),
    ] = None
    """Ask for this alone (default: prediction, and for a regression postprocessed as well)."""
    version: OptionalInt = None
    """Version of the model (default: the newest)."""
    label: OptionalName = None
    """Label of a version, where the server has labels."""
    output: OptionalPath = None
    """CSV file to write (default: standard output)."""
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
    if bool(arguments.features) == bool(arguments.audio):
        raise InputError("name one file or more, either of --features or of --audio")
    if arguments.extractor and not arguments.audio:
        raise InputError("--extractor has no effect without --audio")
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
    said = f"{len(rows)} row{'s' if len(rows) != 1 else ''} from {arguments.name}, version {client.version}{simulated}"
    if output is None:
        print_csv(rows)
        print(said, file=sys.stderr)
    else:
        write_csv(output, rows)
        print(f"{output}: {said}")
    return 0


def _rows(client: Client, manifest: Mapping[str, Any], arguments: Arguments) -> list[dict[str, Any]]:
    if arguments.audio and "waveform" in manifest:
        return _heard_rows(client, manifest, arguments)
    with console.waiting("reading features"):
        found = _extracted(manifest, arguments) if arguments.audio else _read(manifest, arguments)
        recordings = [replace(recording, features=as_model_input(recording.features)) for recording in found]
    # As `emobed_tf.predict` has them: all that a speaker says in these files.
    voices = speaker_moments(recordings) if manifest.get("standardise") == SPEAKER else None
    rows: list[dict[str, Any]] = []
    with console.progress("predicting") as progress:
        for group in _groups(recordings, manifest):
            rows += _group_rows(client, manifest, group, arguments.signature, voices)
            progress(len(rows), sum(recording.frames for recording in recordings))
    return rows


def _read(manifest: Mapping[str, Any], arguments: Arguments) -> list[Recording]:
    return load_features(arguments.features, **as_manifest_says(manifest))


def _extracted(manifest: Mapping[str, Any], arguments: Arguments) -> list[Recording]:
    made = audio.extraction_in(manifest, arguments.extractor)
    if made.licence:
        print(f"note: {made.licence}", file=sys.stderr)
    return audio.features_of(arguments.audio, manifest, made)


def _heard_rows(client: Client, manifest: Mapping[str, Any], arguments: Arguments) -> list[dict[str, Any]]:
    """Rows of a model of waveforms, which is sent sound."""
    if arguments.signature == "embed":
        raise InputError("--signature embed: name the recordings as --features; sound alone has no embeddings")
    if arguments.extractor:
        raise InputError(f"--extractor {arguments.extractor}: the model takes sound, nothing is extracted here")
    audio.check_names(arguments.audio)
    rows: list[dict[str, Any]] = []
    with console.progress("predicting") as progress:
        for number, path in enumerate(arguments.audio, 1):
            said = client.hear(audio.wav_of(path, manifest))
            if isinstance(said, Classification):
                rows.append(_class_row(path.stem, said, cast(str, said.labels), said.probabilities))
            else:
                raw = shift(said.prediction, manifest["label_delay_frames"])
                values = {"raw": raw, "postprocessed": said.postprocessed}
                wanted = {"prediction": "raw", "postprocessed": "postprocessed"}.get(arguments.signature or "")
                if wanted:
                    values = {wanted: values[wanted]}
                rows += _frame_rows([(path.stem, 0.0, len(raw))], values, manifest["frame_seconds"])
            progress(number, len(arguments.audio), path.name)
    return rows


def _groups(recordings: Sequence[Recording], manifest: Mapping[str, Any]) -> list[Sequence[Recording]]:
    """What is sent at once: each recording by itself, since their lengths differ, but many utterances."""
    size = max(1, _NUMBERS_AT_ONCE // len(manifest["features"])) if manifest["frame_seconds"] is None else 1
    return [recordings[k : k + size] for k in range(0, len(recordings), size)]


def _group_rows(
    client: Client,
    manifest: Mapping[str, Any],
    group: Sequence[Recording],
    signature: str | None,
    voices: Mapping[str, Moments] | None,
) -> list[dict[str, Any]]:
    each = None if voices is None else [voices[recording.speaker] for recording in group]
    if "classes" in manifest and signature in (None, "prediction"):
        said = cast(Classification, client.predict(np.stack([recording.features for recording in group]), speaker=each))
        return [
            _class_row(recording.id, said, label, probabilities)
            for recording, label, probabilities in zip(group, said.labels, said.probabilities, strict=True)
        ]
    features = np.concatenate([recording.features for recording in group])
    values: dict[str, Any] = {}
    if signature in (None, "prediction"):
        values["raw"] = shift(cast(np.ndarray, client.predict(features, speaker=each)), manifest["label_delay_frames"])
    if signature in (None, "postprocessed"):
        values["postprocessed"] = client.postprocess(features, speaker=each)
    if signature == "embed":
        values = {f"embedding_{k}": column for k, column in enumerate(client.embed(features, speaker=each).T, 1)}
    places = [(recording.id, recording.start, recording.frames) for recording in group]
    return _frame_rows(places, values, manifest["frame_seconds"])


def _class_row(name: str, said: Classification, label: str, probabilities: Sequence[float]) -> dict[str, Any]:
    columns = [f"p_{one}" for one in said.classes]
    return {"id": name, "prediction": label, **dict(zip(columns, probabilities, strict=True))}


def _frame_rows(
    places: Sequence[tuple[str, float, int]], values: Mapping[str, np.ndarray], step: float | None
) -> list[dict[str, Any]]:
    """A row for each frame; `places`: id, start and number of frames of each recording, whose values are joined."""
    frames = [(name, start, k) for name, start, count in places for k in range(count)]
    return [
        {
            "id": name,
            **({"time": round(start + k * step, 6)} if step else {}),
            **{column: plain_number(numbers[row]) for column, numbers in values.items()},
        }
        for row, (name, start, k) in enumerate(frames)
    ]


if __name__ == "__main__":
    sys.exit(main())
