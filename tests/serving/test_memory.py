"""Room for bodies, and memory that goes back to the system."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from serving.memory import Room, without_collector
from tests.conftest import ROOT


def test_room():
    room = Room(10)
    assert room.take(4) and room.take(6)
    assert not room.take(1)
    room.give_back(6)
    assert not room.take(7), "and nothing was taken"
    assert room.take(6)


def test_the_collector_waits_for_the_last_of_several():
    with without_collector():
        with without_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


LARGE_DOCUMENTS = """
from serving import body
from serving.memory import trim
from tests.serving.test_memory import resident

document = ('{"instances": [[' + ",".join(["[" + ",".join(["0.12345"] * 88) + "]"] * 5000) + "]]}").encode()
for k in range(14):
    body.parse(document)
    trim()
    if k == 1:
        before = resident()
print(resident() - before)
"""


@on_linux
def test_large_documents_leave_nothing_behind():
    """Without a collection, one after the other left a megabyte, up to 23 of them."""
    line = [sys.executable, "-c", LARGE_DOCUMENTS]
    grown = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(grown) < 4_000_000


SMALL_PIECES = """
from serving.memory import trim
from tests.serving.test_memory import resident

pieces = [bytearray(2000) for _ in range(50_000)]
stays = bytearray(2000)
before = resident()
pieces.clear()
trim()
print(before - resident())
"""


@on_linux
def test_trim_gives_memory_back():
    """Small pieces that were taken before others that stay are kept by the C library, which can't shrink its heap.

    In a process of its own: in one that has run other tests, the pieces lie in holes between what stays.
    """
    line = [sys.executable, "-c", SMALL_PIECES]
    given_back = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(given_back) > 0.5 * 50_000 * 2000
