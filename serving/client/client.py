"""A client for what `emobed_tf.export` wrote and TensorFlow Serving serves: NumPy in and out, no TensorFlow.

    with Client("http://localhost:8501", "audio") as client:
        arousal = client.predict(features)  # [frames, features] -> [frames]
        with client.stream() as live:
            for frames in microphone():
                print(live.send(frames)[-1])

A model that is standardised by speaker (`manifest()["standardise"]`) is told what is known of the speaker:

    with Client("http://localhost:8501", "audio") as client:
        anna = client.speaker(everything_that_anna_said)
        print(client.predict(features, speaker=anna))

A classifier of utterances takes a table of them:

    with Client("http://localhost:8501", "audio") as client:
        said = client.predict(table)  # [utterances, features], or a DataFrame
        print(said.labels, said.probabilities, said.version)

`python -m serving.client` is the same for the shell.
"""

import base64
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, cast
from urllib.parse import quote

import numpy as np
from numpy.typing import ArrayLike

from emobed_tf.corpora.moments import Moments
from emobed_tf.errors import InputError
from emobed_tf.files import parse_json
from emobed_tf.saved_model.manifest import FORMAT, OF_SPEAKER, PACKED, check_manifest
from serving.client.connection import Connection, ServingError, unexpected
from serving.client.payload import Answer, Classification, Heard, as_batch, as_packed, of_one_recording
from serving.client.speaker import Speakers, as_inputs, as_states, check_takes_speakers, statistics_of
from serving.client.stream import States, Stream

__all__ = ["Classification", "Client", "Heard", "ServingError", "Stream", "VersionStatus"]

_ALSO_PACKED = ("serving_default", "postprocessed")  # signatures whose answers PACKED gives as well


@dataclass(frozen=True)
class VersionStatus:
    """What the server says of one version of a model.

    Attributes:
        version: its number.
        state: `START`, `LOADING`, `AVAILABLE`, `UNLOADING` or `END`.
        error: why it could not be loaded; empty if nothing is wrong.
    """

    version: int
    state: str
    error: str


class Client:
    """One model on a server. Nothing is sent before the first call.

    Without `version`, each call first asks which version the label, or the newest, is now, and then addresses that
    one: what is checked, sent and returned belongs to one version even while the server loads another. `pinned` spares
    this small request.

    A client keeps one connection open and belongs to one thread. Give each thread its own; a stream has its own.

    Features are numbers; NaN is a missing value. A model of recordings takes `[frames, features]` of one,
    `[batch, frames, features]` of several of one length, or a pandas DataFrame of one. A model of utterances takes
    `[features]` or a Series of one, `[utterances, features]` or a DataFrame of several, or `[batch, 1, features]`.
    A DataFrame's columns, or an array's that `columns` names, may have any order, but must be the model's features, no
    fewer and no more. An array without names must have the manifest's order. What comes back has the form of what was
    sent, without the features.

    Every call raises `ServingError` if the server refuses, fails or can't be reached; those that take features raise
    `InputError` before anything is sent if they are not the model's.

    Attributes:
        last_version: number of the version that gave the last answer to features; None before the first.

    Args:
        url: the server's address, such as `http://localhost:8501`.
        model: name of the model there.
        version: number of the version to use.
        label: or the label of the version, where the server's configuration has labels. Neither: the newest.
        timeout: seconds to wait for the connection, and for the server while it says nothing.
        retries: how often to try again after 503 (overloaded, loading); see `Connection`.

    Raises:
        InputError: if an argument can't be.

    Example:
        >>> with Client("http://localhost:8501", "audio") as client:
        ...     features = np.zeros([50, len(client.manifest()["features"])])
        ...     client.predict(features).shape
        (50,)
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 60.0,
        retries: int = 3,
    ):
        if not model:
            raise InputError("expected the name of a model, got an empty one")
        if version is not None and label is not None:
            raise InputError(f"expected a version or a label, got both: version {version} and label '{label}'")
        self.model, self.version, self.label = model, version, label
        self.last_version: int | None = None
        self._connection = Connection(url, timeout, retries)
        self._manifests: dict[int, dict[str, Any]] = {}

    def predict(
        self, features: ArrayLike, columns: Sequence[str] | None = None, *, speaker: Speakers | None = None
    ) -> np.ndarray | float | Classification:
        """What the model says, in the features' time: the label delay is not undone.

        Args:
            features: see the class.
            columns: names of an array's features.
            speaker: who is heard or seen, see `speaker`; of a batch or a table also one for each. Default: nobody who
                is known, so that features are standardised by the corpus.

        Returns:
            Regression: float32 `[frames]`, or `[batch, frames]`; of utterances `[utterances]`, or a float of one.
            Classification: after the last frame.
        """
        return self._ask("serving_default", features, columns, speaker).prediction()

    def postprocess(
        self, features: ArrayLike, columns: Sequence[str] | None = None, *, speaker: Speakers | None = None
    ) -> np.ndarray | float:
        """Predictions of a regression in the gold standard's time, post-processed as learnt on development.

        Args:
            features: of whole recordings, see the class.
            columns: names of an array's features.
            speaker: see `predict`.

        Returns:
            float32 `[frames]`, or `[batch, frames]`; of utterances `[utterances]`, or a float of one.

        Raises:
            InputError: also if the model is a classifier, whose probabilities have nothing to be post-processed.
        """
        return self._ask("postprocessed", features, columns, speaker).by_frame("postprocessed")

    def embed(
        self, features: ArrayLike, columns: Sequence[str] | None = None, *, speaker: Speakers | None = None
    ) -> np.ndarray:
        """Embeddings: what the encoder gives and the head takes.

        Args:
            features: see the class.
            columns: names of an array's features.
            speaker: see `predict`.

        Returns:
            float32 `[frames, units]`, or `[batch, frames, units]`, in the features' time; of utterances
            `[utterances, units]`, or `[units]` of one.
        """
        return cast(np.ndarray, self._ask("embed", features, columns, speaker).by_frame("embedding", None))

    def hear(self, wav: bytes) -> Heard | Classification:
        """What a model of waveforms says of a file of sound.

        Args:
            wav: all bytes of a WAV file: 16-bit PCM, one channel, at the rate that the manifest says under `waveform`.

        Returns:
            Regression: a number for each frame, twice. Classification: after the last frame.

        Raises:
            InputError: if the model takes no sound.
        """

        def ask(version: int) -> Answer:
            self._check_signature(version, "wav")
            url, rows = self._predict(version, "wav", [{"wav": {"b64": base64.b64encode(wav).decode()}}])
            self.last_version = version
            return Answer(rows, of_one_recording(), self._manifest(version), version, url)

        return self._of_current(ask).heard()

    def speaker(self, features: ArrayLike, columns: Sequence[str] | None = None) -> Moments:
        """Statistics of a speaker, for a model that is standardised by speaker (`standardise` in its manifest).

        Nothing is sent but what asks for the manifest. Labels aren't needed; the more frames there are, and the more
        evenly emotions are among them, the better.

        Args:
            features: of one speaker: all recordings or utterances at hand, those to predict included, see the class.
                Recordings of different lengths are joined to one before.
            columns: names of an array's features.

        Returns:
            What `predict`, `postprocess`, `embed` and `stream` take.

        Raises:
            InputError: also if the model is standardised by its corpus.
        """
        manifest = self._manifest(self.current_version())
        check_takes_speakers(manifest)
        return statistics_of(as_batch(features, manifest, columns))

    def stream(self, speaker: Moments | None = None) -> Stream:
        """A stream of one live recording, on a connection of its own.

        Args:
            speaker: who is heard or seen, as far as it is known, see `speaker`. A model that is standardised by speaker
                learns more from frame to frame.

        Returns:
            A stream that begins with the first frame. Close it, or use it in a `with` block.

        Raises:
            InputError: if the model takes utterances, or its network can't be streamed.
        """
        version = self.current_version()
        manifest = self._manifest(version)
        if manifest["frame_seconds"] is None:
            raise InputError(f"{self.model}: the model takes utterances, which have no stream; use predict")
        self._check_signature(version, "stream")
        known = {} if speaker is None else as_states(speaker, manifest)
        pinned = self._pinned_to(version)
        ask = partial(pinned._ask_version, version, "stream", speaker=None)
        return Stream(self.model, version, manifest, ask, pinned.close, known)

    def manifest(self) -> dict[str, Any]:
        """What the exporter wrote down of the model, see `emobed_tf.saved_model.manifest`; asked for once per version.

        Returns:
            JSON values by name; the caller's own copy.

        Raises:
            ServingError: also if the model has none, or one of a newer format than this client's.
        """
        return copy.deepcopy(self._manifest(self.current_version()))

    def metadata(self) -> dict[str, Any]:
        """The server's own description: `model_spec` (name, version) and `metadata` (signatures)."""
        return self._connection.get(self._url(self.version, self.label) + "/metadata")

    def status(self) -> tuple[VersionStatus, ...]:
        """All versions that the server knows, or the client's; newest first. The server pays no heed to labels here."""
        url = self._url(self.version)
        answer = self._connection.get(url)
        try:
            found = [
                VersionStatus(int(one["version"]), one["state"], one["status"]["error_message"])
                for one in answer["model_version_status"]
            ]
        except (KeyError, OverflowError, TypeError, ValueError):
            raise unexpected("a list of versions", answer, url) from None
        return tuple(sorted(found, key=lambda status: -status.version))

    def current_version(self) -> int:
        """The client's version; without one, that which its label, or the newest, is now."""
        if self.version is not None:
            return self.version
        answer = self.metadata()
        try:
            return int(answer["model_spec"]["version"])
        except (KeyError, OverflowError, TypeError, ValueError):
            raise unexpected("a version", answer, self._url(None, self.label) + "/metadata") from None

    def pinned(self) -> "Client":
        """A client, with a connection of its own, that stays with the version that is the current one now."""
        return self._pinned_to(self.current_version())

    def close(self) -> None:
        """Closes the connection. Leaving a `with` block does so."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _url(self, version: int | None, label: str | None = None) -> str:
        url = f"{self._connection.url}/v1/models/{quote(self.model, safe='')}"
        if version is not None:
            return f"{url}/versions/{version}"
        return url if label is None else f"{url}/labels/{quote(label, safe='')}"

    def _pinned_to(self, version: int) -> "Client":
        old = self._connection
        new = Client(old.url, self.model, version=version, timeout=old.timeout, retries=old.retries)
        new._manifests.update(self._manifests)
        return new

    def _ask(
        self, signature: str, features: ArrayLike, columns: Sequence[str] | None, speaker: Speakers | None
    ) -> Answer:
        return self._of_current(
            lambda version: self._ask_version(version, signature, features, columns, speaker=speaker)
        )

    def _of_current(self, ask: Callable[[int], Answer]) -> Answer:
        version = self.current_version()
        try:
            return ask(version)
        except ServingError as error:
            if error.status != 404 or (newer := self.current_version()) == version:
                raise
        return ask(newer)  # the first one was unloaded meanwhile

    def _ask_version(
        self,
        version: int,
        signature: str,
        features: ArrayLike,
        columns: Sequence[str] | None,
        states: States | None = None,
        *,
        speaker: Speakers | None,
    ) -> Answer:
        manifest = self._manifest(version)
        self._check_signature(version, signature)
        batch = as_batch(features, manifest, columns)
        statistics: Sequence[Mapping[str, Any]] = [{}] * len(batch.values)
        if speaker is not None:
            statistics, signature = as_inputs(speaker, batch, manifest), OF_SPEAKER[signature]
        if states is not None and not batch.one:
            raise InputError(f"a stream takes [frames, features] of one recording, got {list(batch.values.shape)}")
        inputs: list[dict[str, Any]]
        if speaker is None and states is None and signature in _ALSO_PACKED and PACKED in manifest["signatures"]:
            signature, inputs = PACKED, as_packed(batch)
        else:
            state = {name: values.tolist() for name, values in (states or {}).items()}
            inputs = [{"features": v.tolist(), **state, **s} for v, s in zip(batch.values, statistics, strict=True)]
        url, rows = self._predict(version, signature, inputs)
        self.last_version = version
        return Answer(rows, batch, manifest, version, url)

    def _check_signature(self, version: int, signature: str) -> None:
        known = self._manifest(version)["signatures"]
        if signature not in known:
            raise InputError(f"{self.model}, version {version}: no signature '{signature}'; it has {', '.join(known)}")

    def _manifest(self, version: int) -> dict[str, Any]:
        if version not in self._manifests:
            url, rows = self._predict(version, "manifest", [{"request": ""}])
            try:
                (text,) = rows
                manifest = parse_json(text)
                newer = manifest["format"] > FORMAT
                if not newer:
                    check_manifest(manifest)
            except (InputError, KeyError, RecursionError, TypeError, ValueError) as error:
                said = f" ({error})" if isinstance(error, InputError) else ""
                raise unexpected(f"a manifest{said}", rows, url) from None
            if newer:
                message = f"the model's manifest has format {manifest['format']}, this client knows {FORMAT}; update it"
                raise ServingError(200, message, url)
            self._manifests[version] = manifest
        return self._manifests[version]

    def _predict(self, version: int, signature: str, instances: list[Any]) -> tuple[str, Any]:
        url = self._url(version) + ":predict"
        answer = self._connection.post(url, {"signature_name": signature, "instances": instances})
        if not isinstance(answer.get("predictions"), list) or len(answer["predictions"]) != len(instances):
            raise unexpected(f"{len(instances)} predictions", answer, url)
        return url, answer["predictions"]
