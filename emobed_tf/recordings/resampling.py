"""Another sampling rate, block by block: as if a whole recording were resampled at once, in little memory."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

_BLOCK = 1 << 19  # samples of the input that are resampled at a time, about
_REACH = 10  # of resample_poly's filter to each side, in samples of the slower rate


def resampled(blocks: Iterable[np.ndarray], rate: int, wanted: int) -> Iterator[np.ndarray]:
    """Resamples with `scipy.signal.resample_poly`, whose low-pass filter (Kaiser window, beta 5) prevents aliasing.

    Args:
        blocks: float32 `[any]` each, one after another.
        rate: of the blocks in Hz.
        wanted: in Hz.

    Yields:
        float32 `[any]`. Together they are what `resample_poly` makes of all blocks put together:
        `ceil(samples * wanted / rate)` samples.
    """
    up, down = wanted // math.gcd(rate, wanted), rate // math.gcd(rate, wanted)
    if up == down:
        yield from blocks
        return
    from scipy.signal import resample_poly  # takes a second to import

    # `down` samples of the input make `up` of the output, so that cuts at multiples of them leave phases as they are.
    side = (math.ceil(_REACH * max(up, down) / up / down) + 1) * down
    size = max(side, _BLOCK // down * down)
    held, lead = np.empty(0, np.float32), 0  # `lead`: samples in front that have been resampled, and are seen again
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= lead + size + side:
            out = resample_poly(held[: lead + size + side], up, down)
            yield out[lead // down * up : (lead + size) // down * up]
            held, lead = held[lead + size - side :], side
    if len(held):
        yield resample_poly(held, up, down)[lead // down * up :]
