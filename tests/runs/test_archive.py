"""Archives of arrays, whole and damaged, and by people who mean no good."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.runs.archive import read_arrays, read_shapes

ARRAYS = {
    "layer/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "steps": np.array(7),
    "seen": np.array([True, False]),
    "state": np.array('{"a": 1}'),
    "none": np.zeros((0, 5)),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "best.npz"


def npy(shape, content=b"", descr="<f4"):
    """A file of an array with any header."""
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def write(path, members, **settings):
    with zipfile.ZipFile(path, "w", **settings) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_what_numpy_wrote(path):
    np.savez(path, **ARRAYS)
    found = read_arrays(path)
    assert found.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_array_equal(found[name], values)
    found["layer/kernel"][0, 0] = 5  # they can be changed
    assert read_shapes(path) == {name: values.shape for name, values in ARRAYS.items()}


def test_missing(path):
    with pytest.raises(MissingInputError, match=r"best\.npz: missing"):
        read_arrays(path)


def pickled():
    content = io.BytesIO()
    np.save(content, np.array([print], dtype=object), allow_pickle=True)
    return content.getvalue()


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ({"w.npy": npy("(1000000000000,)", bytes(8))}, r"said to have the shape \(1000000000000,\), but has 8 bytes"),
        ({"w.npy": npy("(-2, -1)", bytes(8))}, "said to have the shape"),
        ({"w.npy": npy("(10000000000,)", b"", "<U0")}, "of the type <U0"),
        ({"w.npy": npy("(1,)", bytes(8), "<M8[s]")}, r"of the type datetime64\[s\]"),
        ({"w.npy": npy("(1,)", bytes(8), "<c8")}, "of the type complex64"),
        ({"w.npy": npy("(1,)", bytes(3), "|S3")}, r"of the type \|S3"),
        ({"w.npy": pickled()}, "of the type object"),
        ({"w.npy": npy("(" * 5000 + ")" * 5000)}, "damaged"),
        ({"w.npy": npy("(1,)", bytes(4)).replace(b"\x01\x00", b"\x09\x00", 1)}, "damaged"),
        ({"w.npy": b"no array"}, "damaged"),
        ({"code.py": b"print()"}, "'code.py' is no array"),
    ],
)
@pytest.mark.parametrize("read", [read_arrays, read_shapes])
def test_members_that_are_no_arrays_of_numbers(path, members, complaint, read):
    write(path, members)
    with pytest.raises(InputError, match=complaint) as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_would_inflate_is_not_inflated(path, compression):
    zeros = bytes(50_000_000)
    write(path, {"w.npy": npy("(12500000,)", zeros)}, compression=compression)
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged"):
        read_arrays(path)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_bits_of_the_directory(path):
    """Encryption, a way of compression that nobody knows, and a name twice."""
    write(path, {"w.npy": npy("(1,)", bytes(4))})
    whole = path.read_bytes()
    entry = whole.rfind(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 77)):  # flags, compression
        damaged = bytearray(whole)
        damaged[entry + offset] = value
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="encrypted|compressed"):
            read_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", npy("(1,)", bytes(4)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("w.npy", npy("(1,)", bytes(4)))
    with pytest.raises(InputError, match="twice"):
        read_arrays(path)


def test_many_names_of_the_same_bytes(path):
    """A thousand entries of the directory that lead to one megabyte would be a gigabyte."""
    content = npy("(250000,)", bytes(1_000_000))
    write(path, {"w000.npy": content})
    whole = path.read_bytes()
    start, end = whole.rfind(b"PK\x01\x02"), whole.rfind(b"PK\x05\x06")
    entries = b"".join(whole[start:end].replace(b"w000", f"w{k:03}".encode()) for k in range(1000))
    tail = bytearray(whole[end:])
    tail[8:12] = struct.pack("<HH", 1000, 1000)
    tail[12:16] = struct.pack("<I", len(entries))
    path.write_bytes(whole[:start] + entries + tail)
    assert len(zipfile.ZipFile(path).namelist()) == 1000
    with pytest.raises(InputError, match="larger than the file"):
        read_arrays(path)


def test_a_damaged_byte_is_noticed(path):
    np.savez(path, w=np.arange(100.0))
    damaged = bytearray(path.read_bytes())
    damaged[400] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="CRC"):
        read_arrays(path)
