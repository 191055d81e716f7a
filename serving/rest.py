"""TensorFlow Serving's REST contract: which request asks for what, and how what went wrong is told."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, cast
from urllib.parse import unquote

Action = Literal["status", "metadata", "predict", "classify", "regress"]
_POSTED = ("classify", "regress", "predict")

DEFAULT_SIGNATURE = "serving_default"

CODES = {
    "OK": HTTPStatus.OK,
    "CANCELLED": 499,
    "UNKNOWN": HTTPStatus.INTERNAL_SERVER_ERROR,
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "DEADLINE_EXCEEDED": HTTPStatus.GATEWAY_TIMEOUT,
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "PERMISSION_DENIED": HTTPStatus.FORBIDDEN,
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
    "FAILED_PRECONDITION": HTTPStatus.BAD_REQUEST,
    "ABORTED": HTTPStatus.CONFLICT,
    "OUT_OF_RANGE": HTTPStatus.BAD_REQUEST,
    "UNIMPLEMENTED": HTTPStatus.NOT_IMPLEMENTED,
    "INTERNAL": HTTPStatus.INTERNAL_SERVER_ERROR,
    "UNAVAILABLE": HTTPStatus.SERVICE_UNAVAILABLE,
    "DATA_LOSS": HTTPStatus.INTERNAL_SERVER_ERROR,
    "UNAUTHENTICATED": HTTPStatus.UNAUTHORIZED,
}
"""HTTP status by TensorFlow's name of an error."""

_WHICH = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(rf"/v1/models/(?P<model>[^/:]+){_WHICH}:(?P<action>classify|regress|predict)", re.IGNORECASE)
_GET = re.compile(rf"/v1/models(?:/(?P<model>[^/:]+))?{_WHICH}(?:/(?P<action>metadata))?", re.IGNORECASE)
_INT64_MAX = 2**63 - 1
_DIGITS = 19  # that it has


class RestError(Exception):
    """A request that is answered with an error.

    Attributes:
        code: TensorFlow's name of the error, a key of `CODES`.
        status: HTTP status.
        headers: to send with the answer.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, headers: tuple[tuple[str, str], ...] = ()
    ):
        super().__init__(message)
        self.code = code
        self.status = int(CODES[code] if status is None else status)
        self.headers = headers


def invalid(message: str) -> RestError:
    """The error of a request that no server could answer: status 400.

    Args:
        message: what is wrong with it.

    Returns:
        The error, to be raised.
    """
    return RestError("INVALID_ARGUMENT", message)


def version_of(digits: str) -> int | None:
    """The number of a version, which TensorFlow Serving keeps in 64 bits.

    Args:
        digits: of the number.

    Returns:
        The number; None if it is larger.
    """
    digits = digits.lstrip("0") or "0"
    if len(digits) > _DIGITS:  # Python refuses to read thousands of them
        return None
    return number if (number := int(digits)) <= _INT64_MAX else None


@dataclass(frozen=True)
class Route:
    """What a request asks of which model.

    Attributes:
        action: what to do.
        model: its name, decoded.
        version: the version asked for; None: by label, or the highest.
        label: the label asked for, decoded.
    """

    action: Action
    model: str
    version: int | None = None
    label: str | None = None


def parse_route(method: str, target: str) -> Route:
    """Reads a request line below `/v1/`.

    Args:
        method: HTTP's word, such as `GET`.
        target: path with query string as the client wrote it, percent-encoding included: like TensorFlow Serving, a
            query string is taken for a part of the name.

    Returns:
        What is asked for.

    Raises:
        RestError: with TensorFlow Serving's words.

    Example:
        >>> parse_route("POST", "/v1/models/arousal/versions/2:predict")
        Route(action='predict', model='arousal', version=2, label=None)
    """
    found = {"GET": _GET, "POST": _POST}[method].fullmatch(target) if method in ("GET", "POST") else None
    # The patterns take small and capital letters alike, but what is to be done is known by its small ones alone.
    if found is None or (method == "POST" and found["action"] not in _POSTED):
        raise invalid(f"Malformed request: {method} {target}")
    if found["model"] is None:
        raise invalid("Missing model name in request.")
    version = version_of(found["version"]) if found["version"] else None
    if found["version"] and version is None:
        raise invalid(f"Failed to convert version: {found['version']} to numeric.")
    return Route(
        action=cast(Action, found["action"] if found["action"] in ("metadata", *_POSTED) else "status"),
        model=unquote(found["model"]),
        version=version,
        label=unquote(found["label"]) if found["label"] else None,
    )
