"""Tensors to the JSON of answers, read back by Python's own parser."""

import base64
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from serving.outputs import check_size, write
from serving.rest import RestError

OUTPUTS = {"p": np.float32([[1, 2], [3, 4]]), "k": np.int32([5, 6])}


def strings(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


class TestNumbers:
    @given(arrays(np.float32, array_shapes(max_dims=4, max_side=4, min_side=0)))
    def test_columns_read_back_to_the_same_bits(self, values):
        answer = json.loads(write({"y": values}, rows=False))
        assert list(answer) == ["outputs"]
        np.testing.assert_array_equal(np.float32(answer["outputs"]).reshape(values.shape), values)

    @given(arrays(np.float64, array_shapes(max_dims=3, max_side=4)))
    def test_rows_read_back_to_the_same_bits(self, values):
        answer = json.loads(write({"y": values}, rows=True))
        assert list(answer) == ["predictions"]
        np.testing.assert_array_equal(np.array(answer["predictions"]), values)

    def test_text(self):
        values = np.float32([[0.1, 1, -2.5e-7], [np.nan, np.inf, -np.inf]])
        assert write({"y": values}, rows=False) == b'{"outputs": [[0.1, 1.0, -2.5e-07], [NaN, Infinity, -Infinity]]}\n'

    def test_other_types(self):
        assert json.loads(write({"y": np.int64([2**63 - 1])}, rows=False))["outputs"] == [2**63 - 1]
        assert json.loads(write({"y": np.array([True, False])}, rows=True))["predictions"] == [True, False]

    def test_no_dimension(self):
        assert json.loads(write({"y": np.array(2.5)}, rows=False))["outputs"] == 2.5


def test_the_size_of_an_answer():
    """16 bytes for each number, and 16 beside each text: 3 x 16, and 2 x 16 + 5."""
    numbers, texts = {"y": np.zeros((1, 3))}, {"label": strings(b"low", b"hi")}
    for outputs, size in ((numbers, 48), (texts, 37), ({**numbers, **texts}, 85)):
        check_size(outputs, size)
        with pytest.raises(RestError, match="send fewer recordings at once") as caught:
            check_size(outputs, size - 1)
        assert caught.value.status == 413


def test_work_ends_where_it_is_told_to():
    class OverError(Exception):
        pass

    def over():
        raise OverError

    with pytest.raises(OverError):
        write({"y": np.zeros((2, 3, 4))}, True, over)


class TestStrings:
    def test_text_and_bytes(self):
        outputs = {"label": strings(b'a "b"\n', "ä".encode()), "raw_bytes": strings(b"\xff\x00", b"")}
        expected = [
            {"label": 'a "b"\n', "raw_bytes": {"b64": base64.b64encode(b"\xff\x00").decode()}},
            {"label": "ä", "raw_bytes": {"b64": ""}},
        ]
        assert json.loads(write(outputs, rows=True))["predictions"] == expected

    def test_bytes_under_a_name_for_text(self):
        with pytest.raises(RestError, match="label is no UTF-8 text"):
            write({"label": strings(b"\xff")}, rows=True)


class TestSeveralOutputs:
    def test_rows(self):
        assert json.loads(write(OUTPUTS, rows=True)) == {"predictions": [{"p": [1, 2], "k": 5}, {"p": [3, 4], "k": 6}]}

    def test_columns(self):
        assert json.loads(write(OUTPUTS, rows=False)) == {"outputs": {"p": [[1, 2], [3, 4]], "k": [5, 6]}}

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            (np.float32(1), "Tensor name: z has no shape information "),
            (np.zeros((0, 2)), "Tensor name: z has invalid batch size: 0"),
            (np.zeros(3), "Tensor name: z has inconsistent batch size: 3 expecting: 2"),
        ],
    )
    def test_rows_need_one_first_dimension(self, values, words):
        with pytest.raises(RestError, match=re.escape(words)):
            write({**OUTPUTS, "z": np.asarray(values)}, rows=True)
