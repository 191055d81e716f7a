"""Puts the parts together and runs them: loads the models, then answers HTTP until it is told to end."""

import gc
import math
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import uvicorn

from emobed_tf import console
from serving.app import App, Limits
from serving.metrics import Metrics
from serving.models import Model, Models
from serving.servable import Servable


def serve(
    listening: socket.socket,
    folders: Mapping[str, Path],
    labels: Mapping[str, Mapping[str, int]],
    limits: Limits,
    *,
    threads: int,
    poll: float,
    on_ready: Callable[[Models], None],
) -> None:
    """Serves models until SIGINT or SIGTERM, and then finishes what is under way.

    Args:
        listening: where clients connect; those that come while models are loaded wait.
        folders: of the versions, by the model's name.
        labels: version by label, by the model's name.
        limits: see there.
        threads: of one TensorFlow operation; also the number of predictions computed at the same time, but at least 2.
        poll: seconds between two looks at the folders.
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
    with console.waiting("loading models"):
        models.refresh()
    config = uvicorn.Config(
        App(models, limits, counts, workers=max(2, threads)),
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(limits.timeout) + 1,
    )
    server = uvicorn.Server(config)
    # uvicorn raises the signal again when it has finished; that must not end the process with an error.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    on_ready(models)
    with models.watched(poll):
        server.run(sockets=[listening])
