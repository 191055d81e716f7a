"""Bodies of requests to tensors. The words of errors are those of TensorFlow Serving's json_tensor.cc."""

import base64
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.body import parse
from serving.inputs import read, signature_name
from serving.rest import RestError

BOTH = {"x": "float", "y": "string"}


def tensors(body, **dtypes):
    """Arrays by name, and whether they came in rows; one input `x` of floats unless told."""
    return read(parse(body.encode() if isinstance(body, str) else body), dtypes or {"x": "float"})


def refused(body, **dtypes):
    """What the client is told, and the code."""
    with pytest.raises(RestError) as caught:
        tensors(body, **dtypes)
    return str(caught.value), caught.value.code


class TestNumbers:
    @given(st.data())
    def test_rows_and_columns_hold_the_same_numbers(self, data):
        shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
        # RapidJSON's quick parser may miss a double's last bit, so the very largest float32 is left out.
        finite = st.floats(-np.float32(3e38), np.float32(3e38), width=32)
        number = finite | st.sampled_from([math.nan, math.inf, -math.inf]) | st.integers(-(2**63), 2**64 - 1)
        flat = data.draw(st.lists(number, min_size=math.prod(shape), max_size=math.prod(shape)))
        expected = np.array(flat, np.float32).reshape(shape)
        values = json.dumps(np.array(flat, object).reshape(shape).tolist())
        for body, by_row in (
            (f'{{"instances": {values}}}', True),
            (f'{{"inputs": {values}}}', False),
            (f'{{"inputs": {{"x": {values}}}}}', False),
        ):
            found, rows = tensors(body)
            assert rows is by_row
            assert found["x"].dtype == np.float32
            np.testing.assert_array_equal(found["x"], expected, strict=True)

    def test_scalars_and_empty_lists(self):
        assert tensors('{"inputs": 1.5}')[0]["x"].shape == ()
        assert tensors('{"instances": [1.5, 2]}')[0]["x"].tolist() == [1.5, 2]
        assert tensors('{"inputs": []}')[0]["x"].shape == (0,)
        assert tensors('{"instances": [[], []]}')[0]["x"].shape == (2, 0)

    def test_missing_values_are_numbers_that_are_not_finite(self):
        found = tensors('{"instances": [[NaN, Infinity, -Infinity, 1.0]]}')[0]["x"]
        np.testing.assert_array_equal(found, [[np.nan, np.inf, -np.inf, 1]])

    def test_integers(self):
        found = tensors('{"instances": [[1, -128]]}', x="int8")[0]["x"]
        assert (found.dtype, found.tolist()) == (np.int8, [[1, -128]])
        assert tensors('{"inputs": [18446744073709551615]}', x="uint64")[0]["x"].tolist() == [2**64 - 1]
        assert tensors('{"inputs": [true, false]}', x="bool")[0]["x"].tolist() == [True, False]

    @pytest.mark.parametrize(
        ("value", "dtype", "words"),
        [
            ("1.0", "int32", "Type: Number is not of expected type: int32"),
            ("128", "int8", "JSON Value: 128 Type: Number is not of expected type: int8"),
            ("2147483648", "int32", "is not of expected type: int32"),
            ("true", "int32", "JSON Value: true Type: True is not of expected type: int32"),
            ("1", "bool", "JSON Value: 1 Type: Number is not of expected type: bool"),
            ("false", "float", "JSON Value: false Type: False is not of expected type: float"),
            ('"1.5"', "float", 'JSON Value: "1.5" Type: String is not of expected type: float'),
            ("1.5", "string", "JSON Value: 1.5 Type: Number is not of expected type: string"),
            ('{"b64": "QQ=="}', "float", "Type: Object is not of expected type: float"),
        ],
    )
    def test_of_the_wrong_type(self, value, dtype, words):
        for body in (f'{{"inputs": [{value}]}}', f'{{"inputs": [0.5, {value}]}}'):
            if dtype != "float":
                body = f'{{"inputs": [{value}]}}'
            message, code = refused(body, x=dtype)
            assert words in message
            assert code == "INVALID_ARGUMENT"

    def test_large_numbers(self):
        """The real server takes integers that a float rounds (its sources before 2.21 refused them).

        2^24 + 1 lies halfway between 2^24 and 2^24 + 2, and 2^53 + 1 likewise: both go to the even one, the first.
        """
        found = tensors('{"inputs": [16777215, 16777216, 16777217, -16777219, 3.4028234e38]}')[0]["x"]
        assert found.tolist() == [2**24 - 1, 2**24, 2**24, -(2**24) - 4, np.finfo(np.float32).max]
        assert tensors('{"inputs": [9007199254740993]}', x="double")[0]["x"].tolist() == [2**53]

    def test_what_is_too_large_for_a_float_is_infinite(self, recwarn):
        """The real server takes it; whether infinity is a value is the model's business."""
        assert tensors('{"inputs": [1e39, -1e300, 0.5]}')[0]["x"].tolist() == [math.inf, -math.inf, 0.5]
        assert not recwarn

    def test_an_integer_of_more_than_64_bits_is_a_double(self):
        assert tensors('{"inputs": [1180591620717411303424]}')[0]["x"].tolist() == [2**70]

    def test_types_that_json_can_not_hold(self):
        for body in ('{"inputs": [1]}', '{"inputs": []}', '{"instances": [1]}'):
            assert refused(body, x="half") == ("Conversion of JSON Value of x to type: half", "UNIMPLEMENTED")


class TestStrings:
    def test_text_and_base64(self):
        code = base64.b64encode(b"\xff\x00").decode()
        body = json.dumps({"inputs": ["ä", "", {"b64": code}, {"b64": "QQ"}]})
        assert tensors(body, x="string")[0]["x"].tolist() == ["ä".encode(), b"", b"\xff\x00", b"A"]

    def test_base64_with_blanks(self):
        """absl::Base64Unescape, which the real server calls, passes over ASCII's blanks."""
        body = json.dumps({"inputs": [{"b64": " Q\tU\r\nI= "}]})
        assert tensors(body, x="string")[0]["x"].tolist() == [b"AB"]

    def test_one_alone(self):
        assert tensors('{"inputs": {"b64": "QQ=="}}', x="string")[0]["x"].item() == b"A"
        assert tensors('{"instances": [{"b64": "QQ=="}]}', x="string")[0]["x"].tolist() == [b"A"]

    def test_not_base64(self):
        for code in ("?", "ä", "Q", "QUI\u00a0="):
            body = json.dumps({"inputs": [{"b64": code}]})
            assert refused(body, x="string")[0] == "Unable to base64 decode"
        message, _ = refused('{"inputs": [{"b64": 1}]}', x="string")
        assert message == 'JSON Value: {\n    "b64": 1\n} not formatted correctly for base64 data'


class TestShapes:
    @pytest.mark.parametrize(
        ("inputs", "words"),
        [
            ("[[1.0], [1.0, 2.0]]", "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
            ("[[1.0], 1.0]", "JSON Value: 1.0 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
            ("[1.0, [1.0]]", "Encountered list at unexpected level: 1 expected < 1"),
            ("[[[1.0, 2.0]], [1.0]]", "JSON Value: 1.0 found at incorrect level: 3 in the JSON DOM"),
            ("[[[1.0]], [2.0]]", "JSON Value: 2.0 found at incorrect level: 3 in the JSON DOM"),
        ],
    )
    def test_ragged_columns(self, inputs, words):
        assert words in refused(f'{{"inputs": {inputs}}}')[0]

    @pytest.mark.parametrize(
        ("second", "words"),
        [
            ("[1.0, 2.0, 3.0]", "Expecting tensor size: 2 but got: 3"),
            ("[[1.0, 2.0]]", "Expecting shape [2] but got: [1,2]"),
            ("[]", "Expecting tensor size: 2 but got: 0"),
            ("5", "Expecting tensor size: 2 but got: 1"),
        ],
    )
    def test_ragged_rows(self, second, words):
        expected = f"Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: {words}"
        assert refused(f'{{"instances": [[1.0, 2.0], {second}]}}')[0] == expected

    def test_more_dimensions_than_an_array_has(self):
        for key in ("inputs", "instances"):
            assert tensors(f'{{"{key}": {"[" * 63}1{"]" * 63}}}')[0]["x"].size == 1
            assert "at most 63 dimensions" in refused(f'{{"{key}": {"[" * 65}1{"]" * 65}}}')[0]


class TestNames:
    def test_several_inputs(self):
        rows = '{"instances": [{"x": [1.0], "y": "a"}, {"y": "b", "x": [2.0]}]}'
        columns = '{"inputs": {"x": [[1.0], [2.0]], "y": ["a", "b"], "z": "is ignored"}}'
        for body in (rows, columns):
            found, _ = tensors(body, **BOTH)
            assert found["x"].tolist() == [[1], [2]]
            assert found["y"].tolist() == [b"a", b"b"]

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ('{"instances": [[1.0]]}', "instances is a plain list, but expecting list of objects"),
            ('{"inputs": [[1.0]]}', "inputs is a plain value/list, but expecting an object"),
            (
                '{"instances": [{"x": 1.0}]}',
                "Failed to process element: 0 of 'instances' list. "
                'JSON object: {\n    "x": 1.0\n} keys must be equal to: x,y',
            ),
            ('{"instances": [{"x": 1.0, "y": "a"}, 1.0]}', "Expecting object but got list at item 1 of input list"),
            ('{"instances": [{"x": 1.0, "z": 1}]}', "element: 0 key: z of 'instances' list. Error: INVALID_ARGUMENT: "),
            ('{"inputs": {"x": 1.0}}', "Missing named input: y in 'inputs' object."),
        ],
    )
    def test_wrong_ones(self, body, words):
        assert words in refused(body, **BOTH)[0]

    def test_a_signature_without_inputs(self):
        with pytest.raises(RestError, match="Failed to get input map for signature: init"):
            read(parse(b'{"signature_name": "init", "inputs": 1}'), {})

    def test_of_one_name_twice_the_first_counts(self):
        """The real server looks keys up with RapidJSON's FindMember, which finds the first."""
        found, rows = tensors('{"inputs": {"x": [1.0], "x": [2.0]}, "inputs": {"x": [3.0]}}')
        assert (found["x"].tolist(), rows) == ([1], False)
        assert signature_name(parse(b'{"signature_name": "embed", "signature_name": "stream"}')) == "embed"

    def test_default_signature(self):
        assert signature_name({}) == signature_name({"signature_name": ""}) == "serving_default"
        assert signature_name({"signature_name": "embed"}) == "embed"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "b64"]), inner, max_size=3),
)


class TestAnything:
    @given(
        document=st.dictionaries(st.sampled_from(["instances", "inputs", "signature_name"]), VALUES) | VALUES,
        dtypes=st.dictionaries(
            st.sampled_from("xy"), st.sampled_from(["float", "double", "int8", "uint64", "bool", "string", "half"])
        ),
    )
    def test_is_tensors_or_the_clients_mistake(self, document, dtypes):
        try:
            found, rows = read(parse(json.dumps(document).encode()), dtypes)
        except RestError:
            return
        assert set(found) == set(dtypes)
        assert rows == ("instances" in document)

    @given(st.binary() | st.text(alphabet='{}[]":,.0e-NaInfity').map(str.encode))
    def test_bytes_are_a_document_or_the_clients_mistake(self, body):
        try:
            document = parse(body)
        except RestError:
            return
        assert isinstance(document, dict)
