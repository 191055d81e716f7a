"""The page to try models that hear: `/demo`, its files, and which models there are."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from serving.answers import Answer, error_answer, json_answer
from serving.models import Models
from serving.rest import RestError

PATH = "/demo"
_FOLDER = Path(__file__).with_name("demo_page")
_TYPES = MappingProxyType({".html": "text/html", ".css": "text/css", ".js": "text/javascript"})
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "media-src blob:",  # the file that is played, which never leaves the browser as such
        "img-src data:",  # an empty icon
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("content-security-policy", _POLICY),
    ("permissions-policy", "microphone=(self)"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-cache"),
)


class Demo:
    """Answers below `/demo`: a page that asks the server itself, and nothing else.

    Args:
        models: of the server.
    """

    def __init__(self, models: Models):
        self._models = models
        self._files = _files()

    def answer(self, method: str, path: str) -> Answer | None:
        """The answer to a request.

        Args:
            method: HTTP's word.
            path: without a query string.

        Returns:
            The answer; None if the path isn't the page's.
        """
        if path != PATH and not path.startswith(f"{PATH}/"):
            return None
        if method != "GET":
            return error_answer(
                RestError("INVALID_ARGUMENT", f"{path} takes GET", status=HTTPStatus.METHOD_NOT_ALLOWED)
            )
        if path == f"{PATH}/models":
            return json_answer(self.models(), headers=_HEADERS)
        found = self._files.get(path)
        if found is None:
            return error_answer(RestError("NOT_FOUND", f"Not found: {path}; the page is {PATH}"))
        return found

    def models(self) -> Mapping[str, list[Mapping[str, object]]]:
        """The models that answer, each by its highest version: its number and the names of its signatures.

        Returns:
            JSON values.
        """
        return {
            "models": [
                {"name": name, "version": number, "signatures": sorted(servable.metadata)}
                for name, number, servable in self._models.newest()
            ]
        }


def _files() -> dict[str, Answer]:
    """The page's files by path."""
    found = {}
    for file in _FOLDER.iterdir():
        if file.suffix in _TYPES:
            path = PATH if file.name == "index.html" else f"{PATH}/{file.name}"
            content_type = f"{_TYPES[file.suffix]}; charset=utf-8"
            found[path] = Answer(HTTPStatus.OK, file.read_bytes(), content_type, _HEADERS)
    return found
