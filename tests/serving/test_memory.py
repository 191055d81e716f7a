"""Room for bodies, and memory that goes back to the system."""

import gc
import sys
from pathlib import Path

import pytest

from serving import body
from serving.memory import Room, trim, without_collector


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


@on_linux
def test_large_documents_leave_nothing_behind():
    """Without a collection, one after the other left a megabyte, up to 23 of them."""
    document = ('{"instances": [[' + ",".join(["[" + ",".join(["0.12345"] * 88) + "]"] * 5000) + "]]}").encode()

    def read():
        body.parse(document)
        trim()

    for _ in range(2):
        read()
    before = resident()
    for _ in range(12):
        read()
    assert resident() - before < 4_000_000


@on_linux
def test_trim_gives_memory_back():
    """Small pieces that were taken before others that stay are kept by the C library, which can't shrink its heap."""
    pieces = [bytearray(2000) for _ in range(50_000)]
    stays = bytearray(2000)
    before = resident()
    pieces.clear()
    trim()
    assert before - resident() > 50_000_000 or before - resident() > 0.5 * 50_000 * 2000
    assert len(stays) == 2000
