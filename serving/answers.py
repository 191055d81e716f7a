"""Answers of the server, as HTTP sends them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from serving.rest import RestError

JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """Status, body and headers of an answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(
    value: Mapping[str, Any], status: int = HTTPStatus.OK, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """An answer in JSON.

    Args:
        value: JSON values by name.
        status: HTTP status.
        headers: further ones.

    Returns:
        The answer.
    """
    return Answer(status, json.dumps(value, indent=1).encode() + b"\n", headers=headers)


def error_answer(error: RestError) -> Answer:
    """The answer to a request that can't be fulfilled.

    Args:
        error: what is wrong.

    Returns:
        Its text under `error`.
    """
    return json_answer({"error": str(error)}, error.status, error.headers)
