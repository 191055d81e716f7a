"""A generator of load: good questions at a rate, bad ones among them, and clients that are slow or say nothing more.

A question is due at its time, whether or not those before it have been answered, and its latency counts from then on:
a server that stalls isn't spared the questions that would have come meanwhile.
"""

import contextlib
import http.client
import itertools
import json
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

_SECONDS = 120.0  # that a client waits


@dataclass(frozen=True)
class Question:
    """A request whose answer is known.

    Attributes:
        path: behind the server's address.
        body: its bytes.
        is_right: whether a status and the JSON of an answer are right.
        encoding: of the body, as the header says.
    """

    path: str
    body: bytes
    is_right: Callable[[int, dict], bool]
    encoding: str = "identity"


@dataclass
class Tally:
    """What became of questions.

    Attributes:
        statuses: how often each came.
        wrong: what was not right: path, status and the answer's beginning.
        seconds: from the time at which each was due until it was answered, by status.
    """

    statuses: Counter = field(default_factory=Counter)
    wrong: list[tuple] = field(default_factory=list)
    seconds: dict[int, list[float]] = field(default_factory=dict)

    def add(self, question: Question, status: int, text: bytes, seconds: float) -> None:
        """Counts an answer; one of a busy server (503) is neither right nor wrong."""
        self.statuses[status] += 1
        self.seconds.setdefault(status, []).append(seconds)
        if status != 503 and not question.is_right(status, json.loads(text)):
            self.wrong.append((question.path, status, text[:200]))

    def __iadd__(self, other: "Tally") -> "Tally":
        self.statuses += other.statuses
        self.wrong += other.wrong
        for status, seconds in other.seconds.items():
            self.seconds.setdefault(status, []).extend(seconds)
        return self

    def quantile(self, share: float, status: int = 200) -> float:
        """Seconds within which a share of the answers of a status came."""
        return float(np.quantile(self.seconds[status], share))


def send(connection: http.client.HTTPConnection, question: Question) -> tuple[int, bytes]:
    """Status and text of the answer."""
    headers = {"Content-Encoding": question.encoding}
    connection.request("POST", question.path, question.body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def throughput(url: str, questions: Sequence[Question], clients: int, seconds: float) -> float:
    """Questions a second that a server answers to clients of which each asks again as soon as it is answered."""
    end = time.monotonic() + seconds
    with contextlib.closing(_Clients(url, clients)) as asking:
        tally = asking.ask(questions, lambda number: None if time.monotonic() > end else 0.0)
    assert not tally.wrong, tally.wrong[:3]
    return tally.statuses[200] / seconds


def at_rate(url: str, questions: Sequence[Question], rate: float, clients: int, seconds: float) -> Tally:
    """Asks questions in a random order at even distances.

    Args:
        url: of the server.
        questions: of which any may come several times.
        rate: questions a second.
        clients: connections, of which each waits for its answer. While all wait, questions are late.
        seconds: for how long.

    Returns:
        What became of them.
    """
    begun = time.monotonic()
    with contextlib.closing(_Clients(url, clients)) as asking:
        return asking.ask(questions, lambda number: begun + number / rate if number / rate < seconds else None)


class _Clients:
    """Threads with a connection each."""

    def __init__(self, url: str, number: int):
        self._connections = [http.client.HTTPConnection(urlsplit(url).netloc, timeout=_SECONDS) for _ in range(number)]

    def ask(self, questions: Sequence[Question], due: Callable[[int], float | None]) -> Tally:
        """Asks until there is no time at which the next question is due."""
        tally, numbers, lock, failed = Tally(), itertools.count(), threading.Lock(), []

        def client(connection: http.client.HTTPConnection, chosen: random.Random) -> None:
            try:
                while not failed and (when := due(next(numbers))) is not None:
                    time.sleep(max(0.0, when - time.monotonic()))
                    question, begun = chosen.choice(questions), when or time.monotonic()
                    status, text = send(connection, question)
                    with lock:
                        tally.add(question, status, text, time.monotonic() - begun)
            except Exception as error:  # noqa: BLE001  raised below, where a test sees it
                failed.append(error)

        threads = [
            threading.Thread(target=client, args=(connection, random.Random(k)))
            for k, connection in enumerate(self._connections)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        return tally

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@contextlib.contextmanager
def stalled(url: str, path: str, number: int) -> Iterator[None]:
    """Clients that send half of a request and no more while the block runs; they come again when they are sent away."""
    ended = threading.Event()
    parts = [
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{".encode(),
        f"POST {path} HTTP/1.1\r\nHo".encode(),
    ]

    def client(part: bytes) -> None:
        while not ended.is_set():
            with contextlib.suppress(OSError), _connected(url) as sock:
                sock.sendall(part)
                sock.settimeout(0.5)
                while not ended.is_set():
                    with contextlib.suppress(TimeoutError):
                        if not sock.recv(4096):
                            break

    with _running([lambda part=part: client(part) for _, part in zip(range(number), itertools.cycle(parts))], ended):
        yield


@contextlib.contextmanager
def slow(url: str, questions: Sequence[Question], number: int, tally: Tally) -> Iterator[None]:
    """Clients that send a byte after the other, and read so as well, while the block runs.

    Args:
        url: of the server.
        questions: small ones.
        number: of clients.
        tally: for what becomes of the questions.

    Yields:
        Nothing. Questions that are under way in the end are asked to the end.
    """
    ended = threading.Event()

    def client(chosen: random.Random) -> None:
        while not ended.is_set():
            question, begun = chosen.choice(questions), time.monotonic()
            with _connected(url) as sock:
                head = (
                    f"POST {question.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                    f"Content-Encoding: {question.encoding}\r\nContent-Length: {len(question.body)}\r\n\r\n"
                )
                content = head.encode() + question.body
                size = 1 + len(content) // 20  # two seconds for each
                for start in range(0, len(content), size):
                    sock.sendall(content[start : start + size])
                    time.sleep(0.1)
                answer = b""
                while part := sock.recv(100):
                    answer += part
                    time.sleep(0.01)
            head, _, text = answer.partition(b"\r\n\r\n")
            tally.add(question, int(head.split()[1]), text, time.monotonic() - begun)

    with _running([lambda k=k: client(random.Random(k)) for k in range(number)], ended):
        yield


@contextlib.contextmanager
def _running(functions: Sequence[Callable[[], None]], ended: threading.Event) -> Iterator[None]:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _connected(url: str) -> socket.socket:
    found = urlsplit(url)
    return socket.create_connection((found.hostname, found.port), timeout=_SECONDS)


def resident(process: int) -> float:
    """Memory of a process in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 1e6
