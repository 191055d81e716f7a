"""The body of a request: uncompressed, and read as JSON as TensorFlow Serving reads it."""

import codecs
import io
import zlib
from itertools import islice
from typing import Any

import rapidjson

from serving.memory import LARGE, without_collector
from serving.rest import RestError, invalid

_GZIP = 16 + zlib.MAX_WBITS
_ROOT_FOLLOWED = "The document root must not be followed by other values."
_SHOWN = 256  # bytes
_PART = 1 << 16  # bytes that are read before other threads get their turn


def uncompressed(body: bytes, most: int) -> bytes:
    """The content of a gzip file.

    Args:
        body: the file.
        most: bytes that the content may have. No more of it is ever in memory.

    Returns:
        The content; nothing if the file is damaged, for that is what TensorFlow Serving then reads.

    Raises:
        RestError: if the content has more.
    """
    inflate = zlib.decompressobj(_GZIP)
    try:
        content = inflate.decompress(body, most + 1)
    except zlib.error:
        return b""
    if len(content) > most:
        raise too_large(most, " when it is uncompressed")
    return content if inflate.eof else b""


def too_large(most: int, when: str = "") -> RestError:
    """The error of a body that is too large: status 413.

    Args:
        most: bytes that it may have.
        when: words on when it has more.

    Returns:
        The error, to be raised.
    """
    words = f"the request's body has more than {most / 1e6:g} MB{when}; send fewer recordings at once"
    return RestError("OUT_OF_RANGE", words, status=413)


def check_elements(body: bytes, most: int) -> None:
    """Refuses a body with more numbers, texts, lists and objects than a server has memory for.

    Each takes many times the three bytes that `[],` has.

    Args:
        body: uncompressed; it isn't read, only its commas and brackets are counted.
        most: how many it may have.

    Raises:
        RestError: with the status 413, if it has more.
    """
    if len(body) > most and sum(body.count(mark) for mark in b",[{") > most:
        raise RestError(
            "OUT_OF_RANGE",
            f"the request's body has more than {most} numbers and lists; send fewer recordings at once",
            status=413,
        )


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object at the start of a body.

    Args:
        body: in UTF-8, with a byte order mark or without. NaN and Infinity are numbers, of several values for one key
            the first one counts, and what follows the object is ignored.

    Returns:
        The object.

    Raises:
        RestError: with RapidJSON's words.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    mark = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    try:
        document = _load(body[mark:], mark)
    except RecursionError:
        raise invalid("JSON Parse error: nested too deeply") from None
    except UnicodeDecodeError:
        raise invalid("JSON Parse error: Invalid encoding in string.") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def shown(value: Any) -> str:
    """A JSON value as an error quotes it: at most 256 bytes of its text.

    Args:
        value: from `parse`.

    Returns:
        The text; where it is longer, its beginning and `...`.
    """
    try:
        text = rapidjson.dumps(
            _beginning(value, [_SHOWN]), indent=4, write_mode=rapidjson.WM_SINGLE_LINE_ARRAY, ensure_ascii=False
        )
    except RecursionError:
        text = "…"
    content = text.encode()
    return text if len(content) <= _SHOWN else content[:_SHOWN].decode(errors="ignore") + "..."


def _beginning(value: Any, left: list[int]) -> Any:
    """As much of a value as its first `left` bytes can show: each value within takes one byte or more."""
    left[0] -= 1
    if isinstance(value, str):
        return value[: _SHOWN + 1]
    if isinstance(value, list):
        return [_beginning(item, left) for item in islice(value, _SHOWN + 1) if left[0] >= 0]
    if isinstance(value, dict):
        items = islice(value.items(), _SHOWN + 1)
        return {name[: _SHOWN + 1]: _beginning(item, left) for name, item in items if left[0] >= 0}
    return value


class _Parts(io.BytesIO):
    """Bytes, some at a time: RapidJSON lets no other thread run but where it asks Python for more."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size)


class _Decoder(rapidjson.Decoder):
    """Of several values for one key the first one counts, as in RapidJSON's own `FindMember`."""

    def start_object(self) -> list[tuple[str, Any]]:
        return []

    def end_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            found.setdefault(name, value)
        return found


_decode = _Decoder(number_mode=rapidjson.NM_NATIVE | rapidjson.NM_NAN)


def _load(body: bytes, before: int) -> Any:
    """A JSON value; `before` bytes of the body came before it."""
    try:
        if len(body) < LARGE:
            return _decode(body)
        _check_encoding(body)
        with without_collector():
            return _decode(_Parts(body), chunk_size=_PART)
    except rapidjson.JSONDecodeError as error:
        offset, _, reason = str(error).removeprefix("Parse error at offset ").partition(": ")
    if reason == _ROOT_FOLLOWED:
        return _load(body[: int(offset)], before)
    raise invalid(f"JSON Parse error: {reason} at offset: {before + int(offset)}")


def _check_encoding(body: bytes) -> None:
    """What RapidJSON itself does with a body that it has as a whole."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), LARGE):
        decoder.decode(body[start : start + LARGE])
    decoder.decode(b"", final=True)
