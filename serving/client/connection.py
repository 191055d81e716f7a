"""HTTP to TensorFlow Serving: JSON out and back, what is tried again, and one error for all that goes wrong."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from emobed_tf.errors import InputError

_BACKOFF = 0.25
_LONGEST_WAIT = 10
_DAY = 86_400
_SHOWN = 1000  # letters of a server's words


class ServingError(RuntimeError):
    """The server refused, failed, gave something else than an answer, or could not be reached.

    Attributes:
        status: HTTP status; None where nothing came back.
        message: the server's own text where it gave one.
        url: what was asked.
    """

    def __init__(self, status: int | None, message: str, url: str):
        super().__init__(status, message, url)
        self.status, self.message, self.url = status, message, url

    def __str__(self) -> str:
        said = "".join(letter if letter.isprintable() else " " for letter in self.message[:_SHOWN])
        end = "…" if len(self.message) > _SHOWN else ""
        return f"{_without_password(self.url)}: {said}{end}" + (f" (HTTP {self.status})" if self.status else "")


def unexpected(expected: str, answer: Any, url: str) -> ServingError:
    """The error of a request that the server fulfilled with something else.

    Args:
        expected: what the answer should have been.
        answer: what it was.
        url: what was asked.

    Returns:
        The error, to be raised.
    """
    text = str(answer)
    return ServingError(200, f"expected {expected}, got {text if len(text) <= 80 else text[:80] + '…'}", url)


class Connection:
    """One kept-alive connection to a server. Belongs to one thread.

    Args:
        url: the server's address, kept as `url` without a slash at its end.
        timeout: seconds to wait for the connection, and for the server while it says nothing.
        retries: how often a request is sent again that was answered with 503 (overloaded, loading): after the time in
            `Retry-After`, at most 10 s, else after 0, 0.5, 1, 2, … s. A kept connection that the server
            has closed is replaced, once. Nothing else is tried again.

    Raises:
        InputError: if one of them can't be.
    """

    def __init__(self, url: str, timeout: float, retries: int):
        if not _is_address(url):
            raise InputError(f"expected the server's address, such as http://localhost:8501, got '{url}'")
        if not 0 < timeout <= _DAY:
            raise InputError(f"expected a time-out of more than 0 seconds and at most a day, got {timeout:g}")
        if retries < 0:
            raise InputError(f"expected 0 or more retries, got {retries}")
        self.url, self.timeout, self.retries = url.rstrip("/"), timeout, retries
        self._session = requests.Session()
        self._kept = False  # whether a connection may be left from the request before
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_retry(retries)))

    def get(self, url: str) -> dict[str, Any]:
        """Asks for a JSON object.

        Args:
            url: where it is.

        Returns:
            The object.

        Raises:
            ServingError: if none comes.
        """
        return self._exchange("GET", url, None)

    def post(self, url: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Sends a JSON object and receives another.

        Args:
            url: where it is sent.
            body: the object; a number in it may be NaN.

        Returns:
            The object that answers.

        Raises:
            ServingError: if none comes.
        """
        return self._exchange("POST", url, json.dumps(body, separators=(",", ":")).encode())

    def close(self) -> None:
        """Closes the connection; a later request opens a new one."""
        self._session.close()

    def _exchange(self, method: str, url: str, data: bytes | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if data is not None else {}
        kept, self._kept = self._kept, False
        try:
            response = self._session.request(
                method, url, data=data, headers=headers, timeout=self.timeout, allow_redirects=False
            )
        except requests.Timeout:
            raise ServingError(None, f"no answer within {self.timeout:g} s", url) from None
        except (requests.RequestException, HTTPError) as error:  # urllib3's own, of an address that can't be
            root = _root(error)
            if kept and isinstance(root, (ConnectionResetError, BrokenPipeError)):
                return self._exchange(method, url, data)  # the server closed it while it was idle, or just now
            reason = getattr(root, "strerror", None) or str(root) or type(root).__name__
            hint = "is a server running there, and is this its REST port (usually 8501)?"
            raise ServingError(None, f"no answer: {reason}; {hint}", url) from None
        self._kept = True
        return _parsed(response, url)


class _RetryUnavailable(Retry):
    RETRY_AFTER_STATUS_CODES = frozenset({503})  # Retry's own 413 and 429 would be tried again, too

    def parse_retry_after(self, retry_after: str) -> float:
        """Seconds to wait; 0 for words that aren't understood, so that the server's answer is told and not its header.

        Args:
            retry_after: of the header.

        Returns:
            Seconds.
        """
        try:
            return super().parse_retry_after(retry_after)
        except InvalidHeader:
            return 0.0


def _retry(retries: int) -> Retry:
    return _RetryUnavailable(
        total=retries,
        connect=0,
        read=False,
        other=0,
        status_forcelist={503},
        allowed_methods=None,  # a prediction changes nothing on the server: POST as well
        backoff_factor=_BACKOFF,
        backoff_max=_LONGEST_WAIT,
        retry_after_max=_LONGEST_WAIT,
        raise_on_status=False,
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _root(error: BaseException) -> BaseException:
    # requests and urllib3 wrap what the system said several times.
    inner = error.__cause__ or next((part for part in error.args if isinstance(part, BaseException)), None)
    return error if inner is None else _root(inner)


def _parsed(response: requests.Response, url: str) -> dict[str, Any]:
    status = response.status_code
    if response.is_redirect:
        raise ServingError(status, f"redirected to {response.headers['Location']}; name that address", url)
    try:
        answer = json.loads(response.content)
    except (RecursionError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        begins = " ".join(response.content[:80].decode(errors="replace").split())
        raise ServingError(status, f"expected a JSON object, got '{begins}'; did a proxy answer?", url)
    if status != 200:
        raise ServingError(status, str(answer.get("error", response.reason)), url)
    return answer
