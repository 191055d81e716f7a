"""The picture of a video at even steps in time: what is to be seen then, whatever the video's own rate."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import check_is_there
from emobed_tf.recordings.extras import needed
from emobed_tf.recordings.videosound import words

_Seen = TypeVar("_Seen")

_ROUNDED = 6e-4  # seconds: containers such as Matroska keep time stamps in milliseconds
_LONGEST = 7 * 24 * 3600.0  # seconds of a video
_SHORTER = 0.25  # seconds by which a picture has to end too early for somebody to be told


@dataclass(frozen=True)
class Segment:
    """A video, or a segment of it.

    Attributes:
        path: of the file.
        start: in seconds, >= 0. Time 0 is where the earliest stream begins, as for sound.
        end: in seconds; None: to the last picture. A video that ends before it is no error.
    """

    path: Path
    start: float = 0.0
    end: float | None = None


def look(
    segment: Segment, see: Callable[[np.ndarray, float], _Seen], notes: list[str], step: float
) -> tuple[list[_Seen | None], float]:
    """Shows pictures of a video one after another.

    At `start + k * step` the picture is the last one whose time stamp has come by then, as a player shows it: a rate
    that is lower than that of the steps repeats pictures, a higher one passes some over.

    Args:
        segment: what of which video.
        see: called once for each picture that is shown at some step: with uint8 `[height, width, 3]`, red, green and
            blue, upright and with square pixels; and the seconds from `start` to the first step at which it is shown.
        notes: to which is added what is doubtful, when all was seen.
        step: in seconds.

    Returns:
        What `see` returned for the picture of each step, None where none had come yet: as many as steps begin in the
        segment; and its length in seconds.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it is no video, has no picture, breaks off, or the segment holds none of it.
    """
    path, start, end = segment.path, segment.start, segment.end
    check_is_there(path)
    av = needed("av", "video", f"{path}: looking at a video")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{path}: no video that can be read ({words(error)})") from None
    seen: list[_Seen | None] = []
    until = 0.0  # in the file's time: where the last picture ends that was read
    with container:
        stream = _picture(container)
        if stream is None:
            raise InputError(f"{path}: there is no picture in it")
        try:
            for begin, until, frame in _frames(av, container, stream, start):
                if end is not None and begin >= end:
                    until = end
                    break
                if until > _LONGEST:
                    raise InputError(
                        f"{path}: by its time stamps a picture stands from {begin:.2f} s to {until:.2f} s; expected a "
                        "video of a week at most: they are damaged; copy or make it again"
                    )
                first = max(0, math.ceil((begin - start - _ROUNDED) / step))
                last = math.ceil((until - start - _ROUNDED) / step)
                if last > max(first, len(seen)):
                    seen += [None] * (first - len(seen))
                    seen += [see(_upright(frame, stream), first * step)] * (last - len(seen))
        except av.FFmpegError as error:
            raise InputError(f"{path}: breaks off at {until:.2f} s ({words(error)}); copy or make it again") from None
        if end is None or until < end:
            notes += _early_end(container, until, av.time_base)
    seconds = (until if end is None else min(until, end)) - start
    if seconds <= 0:
        span = "the end" if end is None else f"{end:g} s"
        raise InputError(f"{path}: nothing from {start:g} s to {span}; its picture is {until:.2f} s long")
    steps = max(1, math.ceil((seconds - _ROUNDED) / step))
    return (seen + [None] * steps)[:steps], seconds


def _picture(container: Any) -> Any:
    """The first stream that moves, not a cover; None if there is none."""
    moving = [video for video in container.streams.video if "attached_pic" not in str(video.disposition)]
    return moving[0] if moving else None


def _frames(av: Any, container: Any, stream: Any, start: float) -> Iterator[tuple[float, float, Any]]:
    """Pictures with the time of each, and that of the next or, of the last, where it ends."""
    zero = (container.start_time or 0) / av.time_base
    if start > 0:
        _go_to(container, stream, zero + start)
    usual = 1 / float(stream.average_rate or stream.guessed_rate or 25)
    held: tuple[float, Any] | None = None
    for frame in container.decode(stream):
        stamp = frame.dts if frame.pts is None else frame.pts
        if stamp is None:
            begin = 0.0 if held is None else held[0] + usual
        else:
            begin = float(stamp * frame.time_base) - zero
        if held is None:
            held = begin, frame
        elif begin > held[0]:
            yield held[0], begin, held[1]
            held = begin, frame
    if held is not None:
        lasts = float(held[1].duration * held[1].time_base) if held[1].duration else usual
        yield held[0], held[0] + lasts, held[1]


def _go_to(container: Any, stream: Any, seconds: float) -> None:
    """To a picture before a time from which one can decode; to the beginning where there is no way to find one."""
    wanted = int(seconds / stream.time_base)
    container.seek(wanted, stream=stream)
    first = next((packet.pts for packet in container.demux(stream) if packet.pts is not None), None)
    container.seek(wanted if first is not None and first <= wanted else 0, stream=stream)


def _upright(frame: Any, stream: Any) -> np.ndarray:
    """As a player shows it: phones write pictures that lie on their side, old cameras such with narrow pixels."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width = {} if aspect == 1 else {"width": round(frame.width * aspect)}
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24", **width), round(frame.rotation / 90)))


def _early_end(container: Any, until: float, unit: int) -> Iterator[str]:
    lasts = (container.duration or 0) / unit  # as long as its longest stream
    if until < lasts - _SHORTER:
        yield f"its picture ends at {until:.2f} s, and the file is said to last {lasts:.2f} s"
