"""TensorBoard as a user starts it, for tests that read from it or look at it."""

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def serving(logdir: Path) -> Iterator[str]:
    """`tensorboard --logdir` on a free port of this machine; gives its address, such as `http://127.0.0.1:40321/`."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logdir), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"TensorBoard \S+ at (http://\S+)", line):
                    threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop it
                    yield found.group(1)
                    return
            raise RuntimeError(f"TensorBoard doesn't start: {''.join(said)[-2000:]}")
        finally:
            process.terminate()
