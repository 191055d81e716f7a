"""The server as an ASGI application: routes, limits, health. Predictions run in threads, so that the rest answers."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from serving import body as bodies
from serving import inputs, metrics, outputs
from serving.answers import Answer, error_answer, json_answer
from serving.demo import Demo
from serving.memory import LARGE, SMALL, Room, trim
from serving.models import Models
from serving.rest import RestError, Route, invalid, parse_route

log = logging.getLogger("serving")
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_BODIES = 4  # of the largest that may be in memory at the same time, beside any number of small ones
_LEAST_ANSWER = 1 << 24  # bytes that one may have at least, such as a manifest's
_PIECE = 1 << 17  # bytes of an answer that are sent at once: so many wait in memory for a client that doesn't read


@dataclass(frozen=True)
class Limits:
    """What one client can't take from the others.

    Attributes:
        max_body: bytes of a request's body, also when it is uncompressed.
        max_concurrent: predictions under way, from the last byte of their bodies on; one more is answered with 503.
        timeout: seconds for a prediction, from its request's headers to its answer; then it is answered with 504 and
            its computation stopped at the next operation of the graph. Until it has really ended, it counts as under
            way.
    """

    max_body: int
    max_concurrent: int
    timeout: float

    @property
    def max_elements(self) -> int:
        """Numbers, texts, lists and objects of a body: one for every eight bytes of the largest body."""
        return self.max_body // 8

    @property
    def max_answer(self) -> int:
        """Bytes of an answer, and of all large ones that are being sent."""
        return max(_BODIES * self.max_body, _LEAST_ANSWER)


class App:
    """TensorFlow Serving's REST API for some models, with `/healthz`, metrics and a page to try them.

    Args:
        models: to be served.
        limits: see there.
        counts: told of every prediction.
        workers: predictions computed at the same time; others wait.
        demo: the page; None: there is none.
    """

    def __init__(self, models: Models, limits: Limits, counts: metrics.Metrics, workers: int, demo: Demo | None = None):
        self._models = models
        self._demo = demo
        self._limits = limits
        self._counts = counts
        self._workers = ThreadPoolExecutor(workers, "predict")
        self._places = threading.Semaphore(limits.max_concurrent)
        self._room = Room(_BODIES * limits.max_body)
        self._room_for_answers = Room(limits.max_answer)
        self._receiving: set[asyncio.Timeout] = set()
        self._is_ending = False

    def close(self) -> None:
        """Begins no further computation, and waits for none."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request; ASGI."""
        method, query = scope["method"], scope["query_string"]
        target = (scope["raw_path"] + (b"?" + query if query else b"")).decode("latin-1")
        with contextlib.suppress(_ClientLeftError):
            answer = await self._answer(method, target, dict(scope["headers"]), receive)
            taken = max(0, len(answer.body) - SMALL)
            if not self._room_for_answers.take(taken):
                taken = 0
                answer = error_answer(
                    _unavailable("as many large answers are being sent as this server takes; ask again")
                )
            is_large = len(answer.body) > LARGE
            try:
                await self._send(answer, send)
            finally:
                self._room_for_answers.give_back(taken)
                del answer
            if is_large:
                await asyncio.to_thread(trim)

    async def _send(self, answer: Answer, send: Send) -> None:
        """Piece by piece, each of which waits until the client has read most of what came before."""
        headers = [("content-type", answer.content_type), ("content-length", str(len(answer.body)))]
        headers += answer.headers
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode(), value.encode()) for name, value in headers],
            }
        )
        size = len(answer.body)
        try:
            for start in range(0, max(1, size), _PIECE):
                end = start + _PIECE
                piece = {"type": "http.response.body", "body": answer.body[start:end], "more_body": end < size}
                async with asyncio.timeout(self._limits.timeout):
                    await send(piece)
        except TimeoutError:
            log.warning("a client has read nothing for %g s; its answer is cut off", self._limits.timeout)

    async def _answer(self, method: str, target: str, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        path = target.partition("?")[0]
        if path == "/healthz":
            return self._health()
        if path == metrics.PATH:
            return Answer(HTTPStatus.OK, self._counts.page(), metrics.CONTENT_TYPE)
        if self._demo is not None and (page := self._demo.answer(method, path)):
            return page
        if not path.lower().startswith("/v1/"):
            return error_answer(RestError("NOT_FOUND", f"Not found: {path}; models are at /v1/models/NAME"))
        if method == "OPTIONS":
            return Answer(HTTPStatus.BAD_REQUEST, b"", "text/html; charset=ISO-8859-1")
        if method == "POST" and headers.get(b"sec-fetch-site") == b"cross-site":  # a browser says so, and nobody else
            return error_answer(RestError("PERMISSION_DENIED", "a page of another site must not ask this server"))
        try:
            route = parse_route(method, target)
            if route.action == "status":
                return json_answer(self._models.status(route))
            if route.action == "metadata":
                return json_answer(self._models.metadata(route))
        except RestError as error:
            return error_answer(error)
        return await self._predict(route, headers, receive)

    def _health(self) -> Answer:
        missing = self._models.without_version()
        if missing:
            return json_answer({"status": "no version is available", "models": missing}, HTTPStatus.SERVICE_UNAVAILABLE)
        return json_answer({"status": "ok"})

    async def _predict(self, route: Route, headers: Mapping[bytes, bytes], receive: Receive) -> Answer:
        begun = time.monotonic()
        code = "INTERNAL"
        try:
            answer = Answer(HTTPStatus.OK, await self._prediction(route, headers, receive, begun))
            code = "OK"
        except RestError as error:
            answer = error_answer(error)
            code = error.code
        except _ClientLeftError:
            code = "CANCELLED"
            raise
        finally:
            if route.model in self._models:
                self._counts.count_prediction(route.model, code, time.monotonic() - begun)
        return answer

    async def _prediction(self, route: Route, headers: Mapping[bytes, bytes], receive: Receive, begun: float) -> bytes:
        self._take_place()  # for now: a server that is full says so before it has received anything
        self._places.release()
        deadline = begun + self._limits.timeout
        body = _Body(self._room)
        work = None
        try:
            await self._receive(body, headers, receive, deadline)
            self._take_place()
            self._counts.under_way.inc()
            is_zipped = b"gzip" in headers.get(b"content-encoding", b"")
            work = self._workers.submit(self._work, route, body, is_zipped, deadline)
        finally:
            if work is None:
                body.drop()
        work.add_done_callback(lambda _: self._leave(body))
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await asyncio.wrap_future(work)
        except TimeoutError:
            raise self._too_slow() from None

    def _take_place(self) -> None:
        if not self._places.acquire(blocking=False):
            raise _unavailable(
                f"as many predictions are under way as this server takes ({self._limits.max_concurrent}); ask again"
            )

    def end(self) -> None:
        """Refuses requests that have not wholly arrived; what is computed is still answered. Called in the loop."""
        self._is_ending = True
        for limit in self._receiving:
            with contextlib.suppress(RuntimeError):  # it has just been reached
                limit.reschedule(0)

    async def _receive(self, body: "_Body", headers: Mapping[bytes, bytes], receive: Receive, deadline: float) -> None:
        announced = int(headers.get(b"content-length", 0))
        more = True
        limit = asyncio.timeout(0 if self._is_ending else deadline - time.monotonic())
        self._receiving.add(limit)
        try:
            async with limit:
                while more and max(announced, len(body.content)) <= self._limits.max_body:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _ClientLeftError
                    if not body.add(message.get("body", b"")):
                        raise _unavailable("as many large bodies are under way as this server takes; ask again")
                    more = message.get("more_body", False)
        except TimeoutError:
            if self._is_ending:
                raise _unavailable("the server is ending") from None
            raise RestError(
                "DEADLINE_EXCEEDED",
                f"the request did not arrive within {self._limits.timeout:g} s",
                status=HTTPStatus.REQUEST_TIMEOUT,
            ) from None
        finally:
            self._receiving.discard(limit)
        if max(announced, len(body.content)) > self._limits.max_body:
            raise bodies.too_large(self._limits.max_body)

    def _work(self, route: Route, body: "_Body", is_zipped: bool, deadline: float) -> bytes:
        try:
            return self._compute(route, body, is_zipped, deadline)
        except RestError as error:
            # What was computed with would live as long as the error: its frames hold it.
            error.__traceback__ = error.__context__ = None
            answer = error
        except Exception as error:  # whatever one request does, it is answered, and the others are, too
            log.error("a prediction of %s failed", route.model, exc_info=error)
            words = " ".join(str(error).split())
            answer = RestError(
                "INTERNAL", f"the server failed ({type(error).__name__}: {words[:200]}); its log has more"
            )
        finally:
            if body.is_large:
                trim()
        raise answer

    def _compute(self, route: Route, body: "_Body", is_zipped: bool, deadline: float) -> bytes:
        content = bytes(body.content)
        body.content.clear()
        if is_zipped:
            content = bodies.uncompressed(content, self._limits.max_body)
        body.is_large |= len(content) > LARGE
        bodies.check_elements(content, self._limits.max_elements)
        document = bodies.parse(content)
        del content
        name = inputs.signature_name(document)
        _, servable = self._models.find(route)
        if route.action != "predict":
            raise invalid(f"no signature of {route.model} is made for :{route.action}; ask :predict")
        signature = servable.signature(name)

        def check_time() -> None:
            if time.monotonic() > deadline:
                raise self._too_slow()

        tensors, rows = inputs.read(document, signature.dtypes, check_time)
        del document
        check_time()
        try:
            with self._counts.timed_run(route.model):
                found = servable.run(signature, tensors, deadline - time.monotonic())
        except RestError as error:
            if error.code == "DEADLINE_EXCEEDED":
                raise self._too_slow() from None
            raise
        outputs.check_size(found, self._limits.max_answer)
        return outputs.write(found, rows, check_time)

    def _too_slow(self) -> RestError:
        return RestError("DEADLINE_EXCEEDED", f"the prediction took longer than {self._limits.timeout:g} s")

    def _leave(self, body: "_Body") -> None:
        body.drop()
        self._counts.under_way.dec()
        self._places.release()


class _Body:
    """The bytes of a request's body that have arrived, and the room that they take.

    Attributes:
        content: the bytes.
        is_large: whether memory is worth giving back when it has been answered.
    """

    def __init__(self, room: Room):
        self.content = bytearray()
        self.is_large = False
        self._room = room
        self._taken = 0

    def add(self, part: bytes) -> bool:
        """Appends bytes. False if there is no room for them."""
        needed = max(0, len(self.content) + len(part) - SMALL) - self._taken
        if needed > 0 and not self._room.take(needed):
            return False
        self._taken += max(0, needed)
        self.content += part
        self.is_large = len(self.content) > LARGE
        return True

    def drop(self) -> None:
        """Gives the room back."""
        self.content.clear()
        self._room.give_back(self._taken)
        self._taken = 0


class _ClientLeftError(Exception):
    pass


def _unavailable(words: str) -> RestError:
    return RestError("UNAVAILABLE", words, headers=(("retry-after", "1"),))
