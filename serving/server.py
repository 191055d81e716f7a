"""Puts the parts together and runs them: loads the models, then answers HTTP until it is told to end."""

import gc
import math
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn

from emobed_tf import console
from serving import signals
from serving.app import App, Limits
from serving.demo import Demo
from serving.metrics import Metrics
from serving.models import Model, Models
from serving.servable import Servable

THREADS = ("predict", "load", "watch")
"""What the names of threads begin with that compute, or load models."""


def serve(
    listening: socket.socket,
    folders: Mapping[str, Path],
    labels: Mapping[str, Mapping[str, int]],
    limits: Limits,
    *,
    threads: int,
    poll: float,
    demo: bool,
    on_ready: Callable[[Models], None],
) -> None:
    """Serves models until SIGINT or SIGTERM, and then finishes what is under way.

    While models are loaded, both do what they did before, see `interrupts.end_at_once`.

    Args:
        listening: where clients connect; those that come while models are loaded wait.
        folders: of the versions, by the model's name.
        labels: version by label, by the model's name.
        limits: see there.
        threads: of one TensorFlow operation; also the number of predictions computed at the same time, but at least 2.
        poll: seconds between two looks at the folders.
        demo: whether there is a page to try models.
        on_ready: called with the models when they are loaded.
    """
    gc.freeze()  # nothing that was imported is ever garbage, and looking at it again and again holds up all threads
    counts = Metrics()

    def load(path: Path) -> Servable:
        with counts.counted_load(path):
            servable = Servable(path, threads)
            servable.warm_up()
        return servable

    models = Models([Model(name, folder, labels[name], load) for name, folder in folders.items()])
    # In a thread of its own: this one notices signals at once, and not when TensorFlow gives control back.
    with console.waiting("loading models"), ThreadPoolExecutor(1, "load") as loading:
        loading.submit(models.refresh).result()
    app = App(models, limits, counts, workers=max(2, threads), demo=Demo(models) if demo else None)
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(limits.timeout) + 1,
    )
    server = _Server(config, app)
    # uvicorn raises the signal again when it has finished; that must not end the process with an error.
    with signals.calling(server.stop):
        on_ready(models)
        with models.watched(poll):
            server.run(sockets=[listening])
        app.close()


class _Server(uvicorn.Server):
    """uvicorn's server, which waits for answers but not for questions when it ends."""

    def __init__(self, config: uvicorn.Config, app: App):
        super().__init__(config)
        self._app = app

    def stop(self) -> None:
        """Begins to end it."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finishes what is under way.

        Args:
            sockets: where clients connect.
        """
        self._app.end()
        await super().shutdown(sockets)
