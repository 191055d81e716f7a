"""Which versions of which models are served: found in folders, loaded in the background, dropped when they are gone."""

import contextlib
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.rest import RestError, Route, invalid, version_of

if TYPE_CHECKING:
    from serving.servable import Servable

log = logging.getLogger("serving")
_SECONDS = 1.0  # for the thread that looks for versions to end

Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Version:
    """What became of a version.

    Attributes:
        state: TensorFlow Serving's word: `LOADING`, `AVAILABLE`, or `END` (failed, or gone).
        code, message: why it ended; `OK` and empty if nothing went wrong.
        servable: while it is available.
        files: what was there when it could not be loaded.
    """

    state: str
    code: str = "OK"
    message: str = ""
    servable: "Servable | None" = None
    files: Fingerprint | None = None


class Model:
    """The versions in a folder: sub-directories whose names are whole numbers; anything else there is ignored.

    `refresh` belongs to one thread; everything else may be called from any thread at any time, and never waits.

    Args:
        name: under which it is served.
        folder: TensorFlow Serving's base path.
        labels: version by label.
        load: makes a servable of a version's folder; whatever it raises means that this version can't be served.
    """

    def __init__(self, name: str, folder: Path, labels: Mapping[str, int], load: Callable[[Path], "Servable"]):
        self.name = name
        self.folder = folder
        self.labels = dict(labels)
        self._load = load
        self._versions: Mapping[int, Version] = {}  # replaced whole, so that readers need no lock
        self._is_lost = False

    def refresh(self) -> None:
        """Loads versions that are new, then drops those that are gone.

        A version that failed is tried again when its files change. A version that was loaded stays as it was loaded,
        whatever happens to its files. If the folder itself can't be read, nothing is dropped.
        """
        try:
            present = version_folders(self.folder)
        except OSError as error:
            if not self._is_lost:
                log.error("%s: %s: %s; what is loaded is served on", self.name, self.folder, error.strerror)
            self._is_lost = True
            return
        self._is_lost = False
        for number in sorted(present, reverse=True):
            self._load_if_new(number, present[number])
        gone = [number for number in self.available() if number not in present]
        for number in gone:
            # Who still computes with it holds it, and it goes with the last of them.
            self._set(number, Version("END"))
            log.info("%s: version %d is gone and no longer served", self.name, number)
        if gone:
            gc.collect()  # a graph refers to itself, and much time can pass before such are looked for

    def available(self) -> list[int]:
        """The versions that answer, in ascending order."""
        return sorted(number for number, version in self._versions.items() if version.state == "AVAILABLE")

    def find(self, number: int | None) -> tuple[int, "Servable"]:
        """A version that answers.

        Args:
            number: of the version; None for the highest.

        Returns:
            Its number, and what answers.

        Raises:
            RestError: if there is none.
        """
        versions = self._versions
        if number is None:
            number = max((k for k, version in versions.items() if version.servable is not None), default=None)
            if number is None:
                raise _not_found(f"Latest({self.name})")
        version = versions.get(number)
        if version is None or version.servable is None:
            raise _not_found(f"Specific({self.name}, {number})")
        return number, version.servable

    def status(self, number: int | None) -> dict[str, Any]:
        """What became of the versions, in the form of TensorFlow Serving's answer.

        Args:
            number: of the version; None for all that were ever seen.

        Returns:
            JSON values.

        Raises:
            RestError: if the version was never seen.
        """
        versions = self._versions
        if number is not None and number not in versions:
            raise RestError("NOT_FOUND", f"Could not find version {number} of model {self.name}")
        shown = sorted(versions, reverse=True) if number is None else [number]
        return {
            "model_version_status": [
                {
                    "version": str(k),
                    "state": versions[k].state,
                    "status": {"error_code": versions[k].code, "error_message": versions[k].message},
                }
                for k in shown
            ]
        }

    def _load_if_new(self, number: int, path: Path) -> None:
        known = self._versions.get(number)
        if known is not None and known.state == "AVAILABLE":
            return
        files = _fingerprint(path)
        if known is not None and known.files == files:
            return
        self._set(number, Version("LOADING"))
        begun = time.monotonic()
        try:
            servable = self._load(path)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one version, the others are served on
            message = " ".join(str(error).split()) or type(error).__name__
            self._set(number, Version("END", getattr(error, "code", "UNKNOWN"), message, files=files))
            log.error("%s: version %d can't be served: %s", self.name, number, message)
            return
        self._set(number, Version("AVAILABLE", servable=servable))
        log.info("%s: version %d is served (loaded in %.1f s)", self.name, number, time.monotonic() - begun)

    def _set(self, number: int, version: Version) -> None:
        self._versions = {**self._versions, number: version}


class Models:
    """All models of a server, by name.

    Args:
        models: with different names.
    """

    def __init__(self, models: list[Model]):
        self._models = {model.name: model for model in models}

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def refresh(self) -> None:
        """See `Model.refresh`."""
        for model in self._models.values():
            model.refresh()

    @contextlib.contextmanager
    def watched(self, seconds: float) -> Iterator[None]:
        """Refreshes from time to time while the block runs, in a thread of its own.

        Args:
            seconds: between two looks at the folders.

        Yields:
            Nothing.
        """
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(seconds):
                self.refresh()

        thread = threading.Thread(target=watch, name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_SECONDS)  # it may be loading a version, which nobody waits for any more

    def without_version(self) -> list[str]:
        """Names of the models of which no version answers."""
        return [name for name, model in self._models.items() if not model.available()]

    def newest(self) -> Iterator[tuple[str, int, "Servable"]]:
        """The highest version of each model that has one which answers.

        Yields:
            Name, number, and what answers.
        """
        for name, model in self._models.items():
            with contextlib.suppress(RestError):
                yield name, *model.find(None)

    def find(self, route: Route) -> tuple[int, "Servable"]:
        """The version that a request means.

        Args:
            route: model, and its version or label.

        Returns:
            The version's number, and what answers.

        Raises:
            RestError: if there is none.
        """
        model = self._models.get(route.model)
        if route.label is not None:
            if model is None or route.label not in model.labels:
                raise invalid(f"Unrecognized servable version label: {route.label}")
            return model.find(model.labels[route.label])
        if model is None:
            raise _not_found(
                f"Latest({route.model})" if route.version is None else f"Specific({route.model}, {route.version})"
            )
        return model.find(route.version)

    def status(self, route: Route) -> dict[str, Any]:
        """What became of a model's versions, see `Model.status`.

        Args:
            route: model, and its version; a label is ignored, as TensorFlow Serving does.

        Returns:
            JSON values.

        Raises:
            RestError: if there is no such model or version.
        """
        if route.model not in self._models:
            which = "any versions" if route.version is None else f"version {route.version}"
            raise RestError("NOT_FOUND", f"Could not find {which} of model {route.model}")
        return self._models[route.model].status(route.version)

    def metadata(self, route: Route) -> dict[str, Any]:
        """The signatures of a version, in the form of TensorFlow Serving's answer.

        Args:
            route: model, and its version or label.

        Returns:
            JSON values.

        Raises:
            RestError: if there is no such version.
        """
        number, servable = self.find(route)
        return {
            "model_spec": {"name": route.model, "version": str(number), "signature_name": ""},
            "metadata": {"signature_def": {"signature_def": servable.metadata}},
        }


def version_folders(folder: Path) -> dict[int, Path]:
    """The versions in a folder: sub-folders whose names are whole numbers of 64 bits.

    Args:
        folder: TensorFlow Serving's base path.

    Returns:
        Paths by number; of `1` and `001` the shorter one.

    Raises:
        OSError: if it can't be read.
    """
    found = [entry for entry in folder.iterdir() if entry.name.isascii() and entry.name.isdigit() and entry.is_dir()]
    longest_first = sorted(found, key=lambda entry: -len(entry.name))
    return {number: entry for entry in longest_first if (number := version_of(entry.name)) is not None}


def _fingerprint(path: Path) -> Fingerprint:
    found = []
    for folder, _, names in os.walk(path):
        for name in names:
            file = os.path.join(folder, name)
            with contextlib.suppress(OSError):  # gone in the meantime
                status = os.stat(file)
                found.append((file, status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def _not_found(what: str) -> RestError:
    return RestError("NOT_FOUND", f"Servable not found for request: {what}")
