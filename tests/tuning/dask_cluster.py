"""A Dask cluster in processes of its own, whose workers can be killed."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT

PATIENCE = 180  # seconds


class Cluster:
    """A Dask scheduler, and workers that do one task at a time. No nanny: a worker that is killed stays away."""

    def __init__(self, folder: Path):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port))
        self.workers: list[subprocess.Popen] = []
        self._until(lambda: _listens(port), "the scheduler doesn't listen")

    def add_worker(self, *flags: str, path: Path = ROOT) -> subprocess.Popen:
        """Starts one more, and waits until the scheduler knows it."""
        from distributed import Client

        threads = () if "--nthreads" in flags else ("--nthreads", "1")
        where = ("--no-nanny", "--local-directory", str(self.folder))
        worker = self._start("worker", self.address, *threads, *where, *flags, path=path)
        self.workers.append(worker)
        with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
            self._until(lambda: str(worker.pid) in self._known(client), "the worker doesn't come")
        return worker

    def close(self):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _known(self, client):
        return {str(pid) for pid in client.run(os.getpid).values()}

    def _start(self, *line: str, path: Path = ROOT):
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *line, "--no-dashboard"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(path)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _until(self, holds, complaint):
        until = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < until, complaint
            time.sleep(0.2)


def _listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
