"""Tensors to the JSON of an answer, as TensorFlow Serving writes it: rows (`predictions`) or columns (`outputs`)."""

import base64
import json
import math
from collections.abc import Callable, Mapping

import numpy as np

from serving.rest import RestError, invalid

_BYTES = 16  # of a float32 and the comma behind it, at most
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def check_size(outputs: Mapping[str, np.ndarray], most: int) -> None:
    """Refuses outputs of which a server has no memory for the text.

    Args:
        outputs: see `write`.
        most: bytes of text.

    Raises:
        RestError: with the status 413, if it could have more.
    """
    size = 0
    for array in outputs.values():
        size += _BYTES * array.size
        if array.dtype == object:
            size += sum(map(len, array.reshape(-1)))
    if size > most:
        raise RestError(
            "OUT_OF_RANGE",
            f"the answer would have up to {size / 1e6:,.0f} MB, and this server sends {most / 1e6:,.0f} MB at most; "
            "send fewer recordings at once",
            status=413,
        )


def write(outputs: Mapping[str, np.ndarray], rows: bool, check_time: Callable[[], None] = lambda: None) -> bytes:
    """The answer to a prediction.

    Args:
        outputs: arrays by name; strings as bytes objects. Those of outputs whose name ends with `_bytes` travel in
            base64.
        rows: one entry for each element of the first dimension, under `predictions`; else whole arrays, under
            `outputs`.
        check_time: called now and then; what it raises ends the work.

    Returns:
        JSON in UTF-8; each float as short as the same number of its type allows; NaN and Infinity as such.

    Raises:
        RestError: if outputs don't share their first dimension but should, or a string is no UTF-8.
    """
    names = sorted(outputs)
    if not rows:
        whole = [_nested(name, outputs[name], 0, check_time)[0] for name in names]
        return f'{{"outputs": {_entry(names, whole)}}}\n'.encode()
    sizes = {}
    for name in names:
        if outputs[name].ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        sizes[name] = len(outputs[name])
        if not sizes[name]:
            raise invalid(f"Tensor name: {name} has invalid batch size: 0")
        if sizes[name] != sizes[names[0]]:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {sizes[name]} expecting: {sizes[names[0]]}"
            )
    columns = [_nested(name, outputs[name], 1, check_time) for name in names]
    entries = [_entry(names, row) for row in zip(*columns, strict=True)]
    return f'{{"predictions": [{", ".join(entries)}]}}\n'.encode()


def _entry(names: list[str], values: list[str] | tuple[str, ...]) -> str:
    if len(names) == 1:
        return values[0]
    return f"{{{', '.join(f'{json.dumps(name)}: {value}' for name, value in zip(names, values, strict=True))}}}"


def _nested(name: str, array: np.ndarray, outer: int, check_time: Callable[[], None]) -> list[str]:
    """JSON text of the elements of the first `outer` dimensions, in order."""
    shape = array.shape
    if len(shape) <= outer:
        return _leaves(name, array.reshape(-1))
    # Row by row: one call for the whole array would hold up all other threads.
    rows = array.reshape(math.prod(shape[:-1]), shape[-1])
    texts = []
    for row in rows:
        check_time()
        texts.append(f"[{', '.join(_leaves(name, row))}]")
    for axis in range(len(shape) - 2, outer - 1, -1):
        size, count = shape[axis], math.prod(shape[:axis])
        texts = [f"[{', '.join(texts[k * size : (k + 1) * size])}]" for k in range(count)]
    return texts


def _leaves(name: str, values: np.ndarray) -> list[str]:
    if values.dtype == object:
        return [_string(name, value) for value in values]
    if values.dtype == bool:
        return ["true" if value else "false" for value in values]
    texts = values.astype(str).tolist()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return [_NOT_FINITE.get(text, text) for text in texts]
    return texts


def _string(name: str, value: bytes) -> str:
    if name.endswith("_bytes"):
        return json.dumps({"b64": base64.b64encode(value).decode()})
    try:
        return json.dumps(value.decode(), ensure_ascii=False)
    except UnicodeDecodeError:
        raise invalid(f"Tensor name: {name} is no UTF-8 text; one of that kind needs a name in _bytes") from None
