"""Finished trials on disk, one JSON line each: what was done survives a kill and isn't done again."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from emobed_tf._version import __version__
from emobed_tf.errors import InputError
from emobed_tf.files import parse_json

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # a system without it has no such locks
    fcntl = None

FORMAT = (
    2  # of new files: keys are fields. Of format 1 they may be texts; such a file is read, and goes on as it began.
)
_BEGINNING = b'{"format": '


def canonical(key: Any) -> str:
    """A key as text: the same for keys that are the same to a ledger.

    Args:
        key: a JSON value. Objects are the same in whatever order their parts stand.

    Returns:
        JSON with sorted names.
    """
    return json.dumps(key, sort_keys=True, allow_nan=False)


class OtherIdentityError(InputError):
    """A ledger's file is of other settings or data.

    Attributes:
        before: the file's identity, flat.
        now: the one that it was opened with, flat.
    """

    def __init__(self, message: str, before: Mapping[str, Any], now: Mapping[str, Any]):
        super().__init__(message)
        self.before, self.now = before, now


class Ledger:
    """Records by key, in memory and in a file of JSON lines that only one process writes at a time.

    The first line says what the records are of; every other is one record, on disk when `add` returns. A last line that
    a kill left half written is dropped.

    Args:
        path: of the file; it and its folder are made if they aren't there.
        identity: all that the records depend on beside their keys (settings, fingerprints of data): JSON values, nested
            as you like. A ledger is opened again only with its own, and by its own version of the package; one without
            any record takes another.
        defaults: parts of the identity that were not there from the beginning, by name, nested as in `identity`: a file
            that lacks one is of the value that stands here. Others are never looked at.
        former_key: what a key is in a file of format 1. Default: the same.
        began_with: what else a new file notes in its first line. It binds nobody, since keys say all of it.
        check: looks at every record that is read: key, record, and file and line for messages. It raises InputError.

    Raises:
        OtherIdentityError: if the file has another identity.
        InputError: if it is damaged, or is written by another process now.
        OSError: if it can't be written.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        *,
        defaults: Mapping[str, Any] | None = None,
        former_key: Callable[[Any], Any] | None = None,
        began_with: Mapping[str, Any] | None = None,
        check: Callable[[Any, dict[str, Any], str], None] | None = None,
    ):
        self.path = Path(path)
        self._defaults, self._former_key, self._format = _flat(dict(defaults or {})), former_key, FORMAT
        self._records: dict[str, tuple[Any, dict[str, Any]]] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115
        try:
            self._lock()
            began = {"began_with": dict(began_with)} if began_with else {}
            self._begin({"format": FORMAT, "emobed_tf": __version__, "identity": dict(identity), **began}, check)
        except BaseException:
            self._file.close()
            raise

    def __contains__(self, key: Any) -> bool:
        return canonical(self._written(key)) in self._records

    def __getitem__(self, key: Any) -> dict[str, Any]:
        return self._records[canonical(self._written(key))][1]

    def __len__(self) -> int:
        return len(self._records)

    def items(self) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Keys as they stand in the file (tuples are lists) and records, in the order in which they came."""
        return iter(self._records.values())

    def add(self, key: Any, record: Mapping[str, Any]) -> None:
        """Keeps a record: it is on disk when this returns.

        Args:
            key: a JSON value: text, a number, or a list or object of those.
            record: JSON values; no NaN.

        Raises:
            ValueError: if there is a record of that key, or a value that JSON doesn't have.
            InputError: if the file has been removed.
            OSError: if it can't be written; the file is as before.
        """
        if key in self:
            raise ValueError(f"{self.path}: a second record of {key!r}")
        line = json.dumps({"key": self._written(key), "record": dict(record)}, allow_nan=False)
        self._append(line)
        self._keep(json.loads(line))

    def agree(self, key: Any, record: Mapping[str, Any]) -> None:
        """Keeps a record, or makes sure that the one of that key says the same: a part of the identity that came later.

        Args:
            key: see `add`.
            record: see `add`.

        Raises:
            InputError: if it says something else; what differs is named.
            ValueError: see `add`.
            OSError: see `add`.
        """
        if key in self:
            self._compare(_flat(self[key]), _flat(json.loads(json.dumps(dict(record), allow_nan=False))))
        else:
            self.add(key, record)

    def close(self) -> None:
        """Lets another process write the file; nothing can be added any more."""
        self._file.close()

    def _written(self, key: Any) -> Any:
        """The key as this file has it."""
        return self._former_key(key) if self._format == 1 and self._former_key is not None else key

    def _keep(self, entry: dict[str, Any]) -> None:
        self._records[canonical(entry["key"])] = entry["key"], entry["record"]

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise InputError(f"{self.path}: another process works in this folder; wait, or choose another") from None
        except OSError:
            pass  # a file system without locks

    def _begin(self, header: dict[str, Any], check: Callable[[Any, dict[str, Any], str], None] | None) -> None:
        header = json.loads(json.dumps(header, allow_nan=False))
        self._file.seek(0)
        content = self._file.read()
        if content and not content.startswith(_BEGINNING[: len(content)]):
            raise InputError(f"{self.path}: expected finished trials, found something else; choose another folder")
        whole = content[: content.rfind(b"\n") + 1]
        lines = [self._parsed(number, line) for number, line in enumerate(whole.splitlines(), 1)]
        if len(lines) < 2:  # no record, so its identity binds nobody
            self._file.truncate(0)
            self._append(json.dumps(header))
            return
        self._check(lines[0], header)
        for number, entry in enumerate(lines[1:], 2):
            if check is not None:
                check(entry["key"], entry["record"], f"{self.path}, line {number}: damaged")
            self._keep(entry)
        self._file.truncate(len(whole))

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        with contextlib.suppress(ValueError):
            entry = parse_json(line)
            if isinstance(entry, dict) and (number == 1 or _is_entry(entry)):
                return entry
        raise InputError(f"{self.path}, line {number}: damaged; remove that line, or choose another folder")

    def _check(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        written = before.get("format")
        if type(written) is not int or written not in range(1, FORMAT + 1):
            raise InputError(
                f"{self.path}: written by another version (format {repr(written)[:40]}, this one reads up to "
                f"{FORMAT}); choose another folder"
            )
        self._format = written
        then, now = ({"emobed_tf": h.get("emobed_tf"), **_flat(h.get("identity"))} for h in (before, now))
        added = {name: value for name, value in self._defaults.items() if name in now and name not in then}
        self._compare({**then, **added}, now)

    def _compare(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        names = [name for name in {**now, **before} if before.get(name) != now.get(name)]
        if names:
            changes = [f"{name} was {_shown(before.get(name))}, is {_shown(now.get(name))}" for name in names[:3]]
            more = f", and {len(names) - 3} more" if len(names) > 3 else ""
            raise OtherIdentityError(
                f"{self.path}: of other settings or data: {', '.join(changes)}{more}; choose another folder",
                before,
                now,
            )

    def _append(self, line: str) -> None:
        descriptor = self._file.fileno()
        state = os.fstat(descriptor)
        if not state.st_nlink:  # what is written is gone when this process is
            raise InputError(f"{self.path}: has been removed, and what was done with it; start again")
        size = state.st_size
        content = memoryview(line.encode() + b"\n")
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            os.fsync(descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            raise OSError(error.errno, error.strerror, str(self.path)) from None


def _is_entry(values: dict[str, Any]) -> bool:
    return set(values) == {"key", "record"} and isinstance(values["record"], dict)


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """A nested object's values by their names from outside to inside."""
    if not isinstance(value, dict):
        return {name: value}
    parts = [_flat(part, f"{name} {key}".strip()) for key, part in value.items()]
    return {key: item for part in parts for key, item in part.items()}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:59] + "…"
