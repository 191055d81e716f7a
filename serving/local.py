"""`python -m serving.local`: serves exported models in this process, for a machine without Docker."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("serving.local")  # until it serves: see server.serve

import errno
import logging
import os
import re
import shlex
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.runtime import import_tensorflow
from emobed_tf.saved_model.example import curl_line
from serving import signals
from serving.models import Models, version_folders
from serving.rest import RestError, Route, version_of

PROG = "serving.local"
DESCRIPTION = """Serves exported models with TensorFlow Serving's REST API: status, metadata, predict.

For tests, demonstrations, and machines without Docker. TensorFlow Serving is the server for production:
serving/docker-compose.yml."""
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
_DAY = 86_400
_SHOWN = 100  # characters of a label
_MOST = {"threads": 1024, "max_body": 10_000, "max_concurrent": 100_000, "timeout": _DAY, "poll": _DAY}


@dataclass(frozen=True)
class Arguments:
    """A server."""

    model_dirs: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="FOLDER [FOLDER ...]", help_behavior_hint="")
    ]
    """Folders of a model's versions (1, 2, …), as emobed_tf.export makes them, or NAME=FOLDER; a model is called after
    its folder. All versions are served, and the highest answers requests that name none."""
    label: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="LABEL=VERSION")] = ()
    """A label for a version, such as stable=1; NAME/LABEL=VERSION where there are several models."""
    host: Annotated[str, tyro.conf.arg(metavar="ADDRESS")] = "127.0.0.1"
    """Address to listen on."""
    port: int = 8501
    """Port to listen on; 0: any free one."""
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Threads of one TensorFlow operation; also how many predictions are computed at the same time, but at least 2."""
    max_body: float = 64
    """MB of a request's body, also once it is uncompressed; a larger one is answered with 413, and so is one with more
    than one number or list for every 8 bytes of this."""
    max_concurrent: int = 64
    """Predictions under way, waiting ones included; one more is answered with 503."""
    timeout: float = 30
    """Seconds for a prediction; then it is stopped and answered with 504."""
    poll: float = 1
    """Seconds between two looks for new and removed versions."""
    no_demo: tyro.conf.FlagCreatePairsOff[bool] = False
    """Leave out the page /demo, on which models that take sound are tried with a file or the microphone."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, after SIGINT or SIGTERM while it served, too; 2 after an error that the user can mend. A signal
        before that ends the process with 130 (SIGINT) or 143 (SIGTERM).
    """
    return console.run(PROG, lambda: _main(argv), ends_at_once=True)


def _main(argv: Sequence[str] | None) -> int:
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION)
    _check_numbers(arguments)
    folders = _model_folders(arguments.model_dirs)
    labels = _labels(arguments.label, folders)
    listening = _listen(arguments.host, arguments.port)
    if arguments.host not in _THIS_MACHINE:
        print(
            f"warning: --host {arguments.host}: whoever reaches this machine can use the server, without a password "
            "and without TLS",
            file=sys.stderr,
        )
    logging.basicConfig(stream=console.LogStream(), format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("serving").setLevel(logging.INFO)

    import_tensorflow(arguments.threads)
    try:
        from serving.app import Limits
        from serving.server import THREADS, serve
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed; pip install 'emobed-tf[serving]' brings it") from None

    serve(
        listening,
        folders,
        labels,
        Limits(round(1e6 * arguments.max_body), arguments.max_concurrent, arguments.timeout),
        threads=arguments.threads,
        poll=arguments.poll,
        demo=not arguments.no_demo,
        on_ready=lambda models: _announce(arguments, listening.getsockname()[1], list(folders), models),
    )
    print("stopped", flush=True)
    signals.end_if_held_up(0, THREADS)
    return 0


def _announce(arguments: Arguments, port: int, names: list[str], models: Models) -> None:
    host = arguments.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"serving {', '.join(names)} at {url} until Ctrl-C")
    print("TensorFlow Serving is the server for production: serving/docker-compose.yml")
    print(f"try: {_example(url, names[0], models)}", flush=True)
    if not arguments.no_demo and any("wav" in servable.metadata for _, _, servable in models.newest()):
        print(f"demo page: {url}/demo", flush=True)


def _example(url: str, name: str, models: Models) -> str:
    """A line that asks for a prediction; for the model's status where it isn't known what would be one."""
    try:
        _, servable = models.find(Route("predict", name))
        shape = servable.example_shape()
    except RestError:
        shape = None
    if shape is None:
        return f"curl {shlex.quote(f'{url}/v1/models/{quote(name)}')}"
    return curl_line(url, name, shape)


def _check_numbers(arguments: Arguments) -> None:
    if not 0 <= arguments.port <= 65535:
        raise InputError(f"--port {arguments.port}: expected 0 to 65535")
    for name, most in _MOST.items():
        value = getattr(arguments, name)
        if not 0 < value <= most:
            raise InputError(f"--{name.replace('_', '-')} {value:g}: expected more than 0, and {most:,} at most")


def _model_folders(model_dirs: Sequence[str]) -> dict[str, Path]:
    if not model_dirs:
        raise InputError("expected the folder of a model's versions; python -m emobed_tf.export makes one from a run")
    folders: dict[str, Path] = {}
    for text in model_dirs:
        name, is_named, folder = text.partition("=")
        if not is_named or Path(text).is_dir():
            name, folder = Path(text).resolve().name, text
        if not re.fullmatch(r"[^/:]+", name):
            raise InputError(f"{text}: '{name}' can't be a model's name, which has no / and no :; write NAME=FOLDER")
        if name in folders:
            raise InputError(f"{text}: there is a model '{name}' already; call this one NAME={folder}")
        folders[name] = _checked(Path(folder))
    return folders


def _checked(folder: Path) -> Path:
    if not folder.is_dir():
        raise MissingInputError(f"{folder}: no such folder; python -m emobed_tf.export makes one from a run")
    if (folder / "saved_model.pb").exists():
        raise InputError(f"{folder}: that is a version of a model; name the folder of all versions, {folder.parent}")
    if not version_folders(folder):
        raise InputError(
            f"{folder}: expected versions of a model, folders called 1, 2, …, found none; "
            "python -m emobed_tf.export writes them"
        )
    return folder


def _labels(texts: Sequence[str], folders: Mapping[str, Path]) -> dict[str, dict[str, int]]:
    labels: dict[str, dict[str, int]] = {name: {} for name in folders}
    for text in texts:
        found = re.fullmatch(r"(?:(?P<model>[^/:=]+)/)?(?P<label>[^/:=]+)=(?P<version>[0-9]+)", text)
        if not found:
            raise InputError(f"--label {text}: expected LABEL=VERSION or NAME/LABEL=VERSION, such as stable=1")
        if found["model"] is None and len(folders) > 1:
            raise InputError(f"--label {text}: of which model? Write NAME/{text}, NAME one of {', '.join(folders)}")
        name = found["model"] or next(iter(folders))
        if name not in folders:
            raise InputError(f"--label {text}: no model is called '{name}'; there are {', '.join(folders)}")
        present = version_folders(folders[name])
        version = version_of(found["version"])
        if version not in present:
            raise InputError(
                f"--label {text[:_SHOWN]}: {folders[name]} has no version {found['version'][:_SHOWN]}, but "
                f"{', '.join(map(str, sorted(present)))}"
            )
        labels[name][found["label"]] = version
    return labels


def _listen(host: str, port: int) -> socket.socket:
    if not host:
        raise InputError("--host: expected an address, such as 127.0.0.1; 0.0.0.0 listens on all of this machine's")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
    except (socket.gaierror, UnicodeError, TypeError):
        raise InputError(f"--host {host}: no such address; expected one of this machine's, such as 127.0.0.1") from None
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise InputError(f"--host {host}: not an address of this machine, as 127.0.0.1 is") from None
        raise InputError(f"--host {host} --port {port}: {error.strerror}; --port 0 takes any free one") from None
    # asyncio does so for sockets of its own only; without it, an answer's second packet waits 40 ms for the client.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


if __name__ == "__main__":
    sys.exit(main())
