"""The body of a request: uncompressed, and read as JSON as TensorFlow Serving reads it."""

import codecs
import zlib
from typing import Any

import rapidjson

from serving.rest import RestError, invalid

_GZIP = 16 + zlib.MAX_WBITS
_ROOT_FOLLOWED = "The document root must not be followed by other values."
_SHOWN = 256  # bytes


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
        text = rapidjson.dumps(value, indent=4, write_mode=rapidjson.WM_SINGLE_LINE_ARRAY, ensure_ascii=False)
    except RecursionError:
        text = "…"
    content = text.encode()
    return text if len(content) <= _SHOWN else content[:_SHOWN].decode(errors="ignore") + "..."


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
        return _decode(body)
    except rapidjson.JSONDecodeError as error:
        offset, _, reason = str(error).removeprefix("Parse error at offset ").partition(": ")
    if reason == _ROOT_FOLLOWED:
        return _load(body[: int(offset)], before)
    raise invalid(f"JSON Parse error: {reason} at offset: {before + int(offset)}")
