"""The server as an ASGI application: routes, limits, health. Predictions run in threads, so that the rest answers."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from serving import body as bodies
from serving import inputs, metrics, outputs
from serving.models import Models
from serving.rest import RestError, Route, invalid, parse_route

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

JSON = "application/json"


@dataclass(frozen=True)
class Limits:
    """What one client can't take from the others.

    Attributes:
        max_body: bytes of a request's body, also when it is uncompressed.
        max_concurrent: predictions under way; one more is answered with 503.
        timeout: seconds for a prediction, from its request's headers to its answer; then it is answered with 504 and
            its computation stopped at the next operation of the graph. Until it has really ended, it counts as under
            way.
    """

    max_body: int
    max_concurrent: int
    timeout: float


@dataclass(frozen=True)
class Answer:
    """Status, body and headers of an answer."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


class App:
    """TensorFlow Serving's REST API for some models, with `/healthz` and metrics.

    Args:
        models: to be served.
        limits: see there.
        counts: told of every prediction.
        workers: predictions computed at the same time; others wait.
    """

    def __init__(self, models: Models, limits: Limits, counts: metrics.Metrics, workers: int):
        self._models = models
        self._limits = limits
        self._counts = counts
        self._workers = ThreadPoolExecutor(workers, "predict")
        self._places = threading.Semaphore(limits.max_concurrent)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request; ASGI."""
        method, query = scope["method"], scope["query_string"]
        target = (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")
        with contextlib.suppress(_ClientLeftError):
            answer = await self._answer(method, target, dict(scope["headers"]), receive)
            headers = [("content-type", answer.content_type), ("content-length", str(len(answer.body)))]
            headers += answer.headers
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.status,
                    "headers": [(name.encode(), value.encode()) for name, value in headers],
                }
            )
            await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, method: str, target: str, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        path = target.partition("?")[0]
        if path == "/healthz":
            return self._health()
        if path == metrics.PATH:
            return Answer(HTTPStatus.OK, self._counts.page(), metrics.CONTENT_TYPE)
        if not path.lower().startswith("/v1/"):
            return _error(RestError("NOT_FOUND", f"Not found: {path}; models are at /v1/models/NAME"))
        if method == "OPTIONS":
            return Answer(HTTPStatus.BAD_REQUEST, b"", "text/html; charset=ISO-8859-1")
        try:
            route = parse_route(method, target)
            if route.action == "status":
                return _json(self._models.status(route))
            if route.action == "metadata":
                return _json(self._models.metadata(route))
        except RestError as error:
            return _error(error)
        return await self._predict(route, headers, receive)

    def _health(self) -> Answer:
        missing = self._models.without_version()
        if missing:
            return _json({"status": "no version is available", "models": missing}, HTTPStatus.SERVICE_UNAVAILABLE)
        return _json({"status": "ok"})

    async def _predict(self, route: Route, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        begun = time.monotonic()
        code = "INTERNAL"
        try:
            answer = Answer(HTTPStatus.OK, await self._prediction(route, headers, receive, begun))
            code = "OK"
        except RestError as error:
            answer = _error(error)
            code = error.code
        except _ClientLeftError:
            code = "CANCELLED"
            raise
        finally:
            if route.model in self._models:
                self._counts.count_prediction(route.model, code, time.monotonic() - begun)
        return answer

    async def _prediction(self, route: Route, headers: Mapping[bytes, bytes], receive: Receive, begun: float) -> bytes:
        if not self._places.acquire(blocking=False):
            raise RestError(
                "UNAVAILABLE",
                f"as many predictions are under way as this server takes ({self._limits.max_concurrent}); ask again",
                headers=(("retry-after", "1"),),
            )
        self._counts.under_way.inc()
        work = None
        deadline = begun + self._limits.timeout
        try:
            body = await self._body(headers, receive)
            is_zipped = b"gzip" in headers.get(b"content-encoding", b"")
            work = self._workers.submit(self._compute, route, body, is_zipped, deadline)
        finally:
            if work is None:
                self._leave()
        work.add_done_callback(lambda _: self._leave())
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise self._too_slow() from None

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        announced = int(headers.get(b"content-length", 0))
        body = bytearray()
        more = True
        try:
            async with asyncio.timeout(self._limits.timeout):
                while more and max(announced, len(body)) <= self._limits.max_body:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _ClientLeftError
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            raise RestError(
                "DEADLINE_EXCEEDED",
                f"the request did not arrive within {self._limits.timeout:g} s",
                status=HTTPStatus.REQUEST_TIMEOUT,
            ) from None
        if max(announced, len(body)) > self._limits.max_body:
            raise bodies.too_large(self._limits.max_body)
        return bytes(body)

    def _compute(self, route: Route, body: bytes, is_zipped: bool, deadline: float) -> bytes:
        document = bodies.parse(bodies.uncompressed(body, self._limits.max_body) if is_zipped else body)
        name = inputs.signature_name(document)
        _, servable = self._models.find(route)
        if route.action != "predict":
            raise invalid(f"no signature of {route.model} is made for :{route.action}; ask :predict")
        signature = servable.signature(name)
        tensors, rows = inputs.read(document, signature.dtypes)
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise self._too_slow()
        try:
            with self._counts.timed_run(route.model):
                found = servable.run(signature, tensors, seconds)
        except RestError as error:
            if error.code == "DEADLINE_EXCEEDED":
                raise self._too_slow() from None
            raise
        return outputs.write(found, rows)

    def _too_slow(self) -> RestError:
        return RestError("DEADLINE_EXCEEDED", f"the prediction took longer than {self._limits.timeout:g} s")

    def _leave(self) -> None:
        self._counts.under_way.dec()
        self._places.release()


class _ClientLeftError(Exception):
    pass


def _json(value: Mapping[str, Any], status: int = HTTPStatus.OK) -> Answer:
    return Answer(status, json.dumps(value, indent=1).encode() + b"\n")


def _error(error: RestError) -> Answer:
    return replace(_json({"error": str(error)}, error.status), headers=error.headers)
