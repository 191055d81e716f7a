"""Commands that ask a served model, ready to be copied into a shell."""

import json
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np

from emobed_tf.corpora.prediction import as_in_training, load_features
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run

_LONGEST = 100  # numbers that are written out


def curl_line(url: str, model: str, shape: Sequence[int]) -> str:
    """A command that asks for a prediction from zeros.

    Args:
        url: the server's address.
        model: its name there.
        shape: of one element of the batch, such as `[frames, features]`.

    Returns:
        The line. A long list of numbers isn't written out; Python makes it.
    """
    address = shlex.quote(f"{url}/v1/models/{quote(model, safe='')}:predict")
    if math.prod(shape) <= _LONGEST:
        body = json.dumps({"instances": np.zeros([1, *shape], int).tolist()})
        return f"curl -d {shlex.quote(body)} {address}"
    instance = "0"
    for size in reversed(shape):
        instance = f"[{instance}]" if size == 1 else f"[{instance}] * {size}"
    code = f'import json; print(json.dumps({{"instances": [{instance}]}}))'
    return f"python -c {shlex.quote(code)} | curl -d @- {address}"


def client_line(run: Run, url: str, model: str) -> str | None:
    """A command that asks for predictions from a file of the target's features that the run was trained or scored on.

    Args:
        run: finished.
        url: the server's address.
        model: its name there.

    Returns:
        The line; None where no such file is left.
    """
    file = _feature_file(run)
    if file is None:
        return None
    return shlex.join(["python", "-m", "serving.client", url, model, "--features", str(file)])


def _feature_file(run: Run) -> Path | None:
    facts, data = run.facts(), run.config().data
    files = [Path(path) for name, _, path in (entry.partition("=") for entry in data.table) if name == facts.target]
    if data.data_dir is not None:
        within = [name for name in facts.fingerprints if facts.target in name]
        within.sort(key=lambda name: "dev" not in name)
        files += [data.data_dir / name for name in within]
    for file in files[:3]:  # reading takes its time, and the line is only an offer
        try:
            load_features(file, **as_in_training(run.config(), facts))
        except (InputError, OSError):
            continue
        return file
    return None
