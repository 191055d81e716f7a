"""A request's JSON to tensors, as TensorFlow Serving reads it: rows (`instances`) or columns (`inputs`)."""

import base64
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from serving.body import shown
from serving.rest import DEFAULT_SIGNATURE, RestError, invalid

_TYPES = {dict: "Object", list: "Array", str: "String", int: "Number", float: "Number", type(None): "Null"}
_FLOATS: dict[str, np.dtype[Any]] = {"float": np.dtype(np.float32), "double": np.dtype(np.float64)}
_INTEGERS = {name: np.dtype(name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64")}
_DTYPES: dict[str, np.dtype[Any]] = {**_FLOATS, **_INTEGERS, "bool": np.dtype(bool), "string": np.dtype(object)}
_NUMBER_TYPES = {int, float}
_AT_ONCE = 1 << 16  # numbers
_MAX_RANK = 63  # of a row; NumPy takes one dimension more


def signature_name(document: Mapping[str, Any]) -> str:
    """The signature that a request names, or the default one.

    Args:
        document: see `body.parse`.

    Returns:
        Its name; whether the model has such a signature isn't known here.

    Raises:
        RestError: if it is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name or DEFAULT_SIGNATURE


def read(
    document: Mapping[str, Any], dtypes: Mapping[str, str], check_time: Callable[[], None] = lambda: None
) -> tuple[dict[str, np.ndarray], bool]:
    """The tensors of a request.

    Args:
        document: see `body.parse`.
        dtypes: TensorFlow's name of the type (`float`, `string`, …) by the input's name.
        check_time: called now and then; what it raises ends the work.

    Returns:
        Arrays by the input's name, strings as bytes objects; True if they came in rows.

    Raises:
        RestError: with TensorFlow Serving's words.
    """
    if not dtypes:
        raise invalid(f"Failed to get input map for signature: {signature_name(document)}")
    for name, dtype in dtypes.items():
        if dtype not in _DTYPES:
            raise RestError("UNIMPLEMENTED", f"Conversion of JSON Value of {name} to type: {dtype}")
    if "instances" in document and "inputs" in document:
        raise invalid(
            f"JSON Value: {shown(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' "
            "keys to exist "
        )
    if "instances" in document:
        instances = document["instances"]
        if not isinstance(instances, list):
            raise invalid(f"JSON Value: {shown(document)} Expecting 'instances' to be an list/array")
        if not instances:
            raise invalid(f"JSON Value: {shown(document)} No values in 'instances' array")
        return _from_rows(instances, dtypes, check_time), True
    if "inputs" in document:
        return _from_columns(document["inputs"], dtypes), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _from_rows(
    instances: list[Any], dtypes: Mapping[str, str], check_time: Callable[[], None]
) -> dict[str, np.ndarray]:
    by_name = _is_named(instances[0])
    if not by_name and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    values: dict[str, list[Any]] = {name: [] for name in dtypes}
    shapes: dict[str, tuple[int, ...]] = {}
    for number, instance in enumerate(instances):
        check_time()
        if _is_named(instance) != by_name:
            expected = "object but got list" if by_name else "value/list but got object"
            raise invalid(f"Expecting {expected} at item {number} of input list")
        for name, item in instance.items() if by_name else [(next(iter(dtypes)), instance)]:
            try:
                _add_instance(name, item, dtypes, values, shapes)
            except RestError as error:
                key = f" key: {name}" if by_name else ""
                raise invalid(
                    f"Failed to process element: {number}{key} of 'instances' list. Error: {error.code}: {error}"
                ) from None
        if by_name and set(instance) != set(dtypes):
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: {shown(instance)} keys must be "
                f"equal to: {','.join(sorted(dtypes))}"
            )
    return {name: _array(values[name], (len(instances), *shapes[name]), dtypes[name]) for name in dtypes}


def _add_instance(
    name: str, item: Any, dtypes: Mapping[str, str], values: dict[str, list[Any]], shapes: dict[str, tuple[int, ...]]
) -> None:
    if name not in dtypes:
        raise invalid(f"JSON object: does not have named input: {name}")
    shape = _shape(item)
    before = len(values[name])
    _gather(item, 0, shape, dtypes[name], values[name])
    first = shapes.setdefault(name, shape)
    if math.prod(first) != len(values[name]) - before:
        raise invalid(f"Expecting tensor size: {math.prod(first)} but got: {len(values[name]) - before}")
    if first != shape:
        expected, found = (f"[{','.join(map(str, sizes))}]" for sizes in (first, shape))
        raise invalid(f"Expecting shape {expected} but got: {found}")


def _from_columns(inputs: Any, dtypes: Mapping[str, str]) -> dict[str, np.ndarray]:
    if not _is_named(inputs):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        inputs = {next(iter(dtypes)): inputs}
    found = {}
    for name, dtype in dtypes.items():
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        values: list[Any] = []
        shape = _shape(inputs[name])
        _gather(inputs[name], 0, shape, dtype, values)
        found[name] = _array(values, shape, dtype)
    return found


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict[str, Any]) -> bool:
    return list(value) == ["b64"] and isinstance(value["b64"], str)


def _shape(value: Any) -> tuple[int, ...]:
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        value = value[0] if value else None
    if len(sizes) > _MAX_RANK:
        raise invalid(f"Expecting at most {_MAX_RANK} dimensions but got: {len(sizes)}")
    return tuple(sizes)


def _gather(value: Any, level: int, shape: tuple[int, ...], dtype: str, into: list[Any]) -> None:
    rank = len(shape)
    if not isinstance(value, list):
        if level != rank:
            raise invalid(
                f"JSON Value: {shown(value)} found at incorrect level: {level + 1} in the JSON DOM. Expected at "
                f"level: {rank}"
            )
        into.append(_scalar(value, dtype))
        return
    if level >= rank:
        raise invalid(f"Encountered list at unexpected level: {level} expected < {rank}")
    if len(value) != shape[level]:
        raise invalid(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    if level == rank - 1 and dtype in _FLOATS and _NUMBER_TYPES.issuperset(map(type, value)):
        into.extend(value)  # nearly all rows are of this kind, and each number on its own takes ten times as long
        return
    for item in value:
        _gather(item, level + 1, shape, dtype, into)


def _scalar(value: Any, dtype: str) -> Any:
    kind = type(value)
    if dtype in _FLOATS and kind in _NUMBER_TYPES:
        return value
    if dtype in _INTEGERS and kind is int:
        info = np.iinfo(_INTEGERS[dtype])
        if info.min <= value <= info.max:
            return value
    if dtype == "bool" and kind is bool:
        return value
    if dtype == "string" and kind is str:
        return value.encode()
    if dtype == "string" and kind is dict:
        return _decoded(value)
    name = str(value) if kind is bool else _TYPES[kind]
    raise invalid(f"JSON Value: {shown(value)} Type: {name} is not of expected type: {dtype}")


def _decoded(value: dict[str, Any]) -> bytes:
    if not _is_base64(value):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    text = re.sub(r"\s", "", value["b64"], flags=re.ASCII)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise invalid("Unable to base64 decode") from None


def _array(values: list[Any], shape: tuple[int, ...], dtype: str) -> np.ndarray:
    array = np.empty(len(values), _DTYPES[dtype])
    with np.errstate(over="ignore"):  # what is too large for the type becomes infinite
        for start in range(0, len(values), _AT_ONCE):  # no other thread runs meanwhile
            array[start : start + _AT_ONCE] = values[start : start + _AT_ONCE]
    return array.reshape(shape)
