"""Commands as a user types them, and what they answer."""

import contextlib
import csv
import importlib
import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from emobed_tf.errors import EmoBedWarning
from tests.conftest import ROOT


def flags(**settings):
    found = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            found.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            found += [flag, *([str(value)] if not isinstance(value, tuple) else map(str, value))]
    return found


def command(module, *arguments):
    """A command in this process, which has TensorFlow in memory already: what it returned and wrote."""
    out, err = io.StringIO(), io.StringIO()
    main = importlib.import_module(f"emobed_tf.{module}").main
    shown = warnings.showwarning
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default", EmoBedWarning)
        try:
            code = main([str(argument) for argument in arguments])
        finally:
            warnings.showwarning = shown
    return subprocess.CompletedProcess([module, *arguments], code, out.getvalue(), err.getvalue())


def process(module, *arguments, **more):
    """A command in a process of its own."""
    line = [sys.executable, "-m", f"emobed_tf.{module}", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, **more)


def shell(line, folder):
    """A line as it is pasted into a shell, in a folder; `python` is this one."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["/bin/bash", "-e", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )


def assert_one_line(result, *words):
    """Exit code 2, one line on stderr that begins with the command and has these words, nothing of a stack trace."""
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, result.stderr
    assert ": error: " in lines[0]
    for word in words:
        assert word in lines[0], lines[0]


def columns(path, *names):
    """Columns of a CSV file as arrays."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[name]) for row in rows]) for name in names]
