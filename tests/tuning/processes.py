"""Searches in processes of their own."""

import os
import subprocess
import sys
import time

from tests.conftest import ROOT
from tests.tuning.searches import TWO, on_tables, table

PATIENCE = 300  # seconds; the machine may be busy with something else


def search_line(tables, *more):
    spaces = [word for entry in TWO for word in ("--space", entry)]
    lines = [word for word in on_tables(tables) if word]
    keep = lines.index("--encoder-layers")
    fixed = ["--framework", "emobed", "--epochs", "2", "--batch-size", "16", "--threads", "1", "--no-xla"]
    fixed += ["--diagnostics", "0"]
    return [sys.executable, "-m", "tuning.search", *lines[:keep], *fixed, *spaces, *map(str, more)]


def started(line, **environment):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    variables = {"no_grpc_proxy": "127.0.0.1", **environment}
    return subprocess.Popen(line, cwd=ROOT, env={**os.environ, **variables}, **pipes)


def wait_for(what, process, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while not (found := what()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
    return found


def ended(folder):
    try:
        return table(folder)
    except FileNotFoundError:
        return []


def assert_trials(folder, alone):
    """Every trial once, with the values and scores of a search in one process."""
    rows = table(folder)
    assert [row["trial"] for row in rows] == [row["trial"] for row in alone]
    for row, expected in zip(rows, alone, strict=True):
        for name, value in expected.items():
            assert row[name] == str(value), (row["trial"], name)
