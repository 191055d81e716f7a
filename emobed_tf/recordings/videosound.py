"""The sound of a video, and files of sound that libsndfile doesn't know, by PyAV."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.extras import needed

_DRIFT = 0.02  # seconds by which time stamps are off where they are rounded, or where nothing is missing
_LONGEST_GAP = 3600  # seconds without sound, before it or within; more are time stamps that are damaged
_BLOCK = 1 << 17  # values of a gap at a time
_SHORTER = 0.25  # seconds by which sound has to be shorter than picture for somebody to be told


def open_sound(path: Path, notes: list[str]) -> tuple[int, int, Iterator[np.ndarray]]:
    """Opens the first stream of sound in a container.

    Args:
        path: of a file, which is there.
        notes: to which is added what is doubtful, when the blocks have been read.

    Returns:
        As `soundfiles.open_sound`. Time 0 is where the earliest stream begins, the picture's as a rule: by their time
        stamps samples come where they belong, with zeros where there are none.

    Raises:
        InputError: if it is no video, or has no sound.
    """
    av = needed("av", "video", f"{path}: a file with the suffix '{path.suffix}', as a video,")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, ValueError) as error:
        raise InputError(f"{path}: neither sound nor a video that can be read ({words(error)})") from None
    if not container.streams.audio:
        container.close()
        raise InputError(f"{path}: there is no sound in it")
    stream = container.streams.audio[0]
    if stream.codec_context is None or not stream.rate or not stream.channels:
        container.close()
        raise InputError(f"{path}: its sound is damaged, or in a form that FFmpeg doesn't know; copy or make it again")
    return stream.rate, stream.channels, _blocks(container, stream, path, notes, av)


def _blocks(container: Any, stream: Any, path: Path, notes: list[str], av: Any) -> Iterator[np.ndarray]:
    begin = (container.start_time or 0) / av.time_base
    resampler = av.AudioResampler(format="fltp")  # planes of floats, whatever it was; rate and channels stay
    done = 0
    with container:
        try:
            for frame in container.decode(stream):
                place = done if frame.pts is None else round((float(frame.pts * frame.time_base) - begin) * stream.rate)
                (whole,) = resampler.resample(frame)
                block = np.ascontiguousarray(whole.to_ndarray().T)
                if place < done - _DRIFT * stream.rate:  # such as what an encoder needs before the beginning
                    block = block[done - place :]
                elif place > done + _DRIFT * stream.rate:
                    if place > done + _LONGEST_GAP * stream.rate:
                        raise InputError(
                            f"{path}: nothing from {done / stream.rate:.2f} s to {place / stream.rate:.2f} s by its "
                            f"time stamps; expected {_LONGEST_GAP} s without sound at most; make it again"
                        )
                    yield from _zeros(place - done, stream.channels)
                    done = place
                done += len(block)
                yield block
        except av.FFmpegError as error:
            raise InputError(
                f"{path}: breaks off at {done / stream.rate:.2f} s ({words(error)}); copy or make it again"
            ) from None
        pictures = [video for video in container.streams.video if video.duration]
        if pictures:
            picture = float(pictures[0].duration * pictures[0].time_base)
            if done / stream.rate < picture - _SHORTER:
                notes.append(
                    f"its sound is {done / stream.rate:.2f} s long, shorter than its picture ({picture:.2f} s)"
                )


def _zeros(samples: int, channels: int) -> Iterator[np.ndarray]:
    size = max(1, _BLOCK // channels)
    for begin in range(0, samples, size):
        yield np.zeros((min(size, samples - begin), channels), np.float32)


def words(error: Exception) -> str:
    """What FFmpeg says of a file, in one line.

    Args:
        error: that PyAV raised.

    Returns:
        Its own words, without the path.
    """
    return " ".join(str(getattr(error, "strerror", None) or error).split())
