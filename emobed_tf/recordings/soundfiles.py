"""Files of sound alone, by libsndfile: wav, flac, ogg, mp3 and the like."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.extras import needed

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".w64", ".rf64")
"""Of files that are read here."""
_BLOCK = 1 << 17  # values that are read at a time
_UNKNOWN_SIZE = (0, 0xFFFFFFFF)  # what a program writes that doesn't know yet how long a recording will be
_LARGEST_PAGE = 65_307  # bytes of an Ogg file
_ESTIMATE = 0.02  # by which the length that libsndfile announces of an mp3 file may be too long
_END_OF_STREAM = 4  # a flag of its last page


def open_sound(path: Path, notes: list[str]) -> tuple[int, int, Iterator[np.ndarray]]:
    """Opens a file of sound.

    Args:
        path: with one of `SUFFIXES`; it is there, and not empty.
        notes: to which is added what is doubtful, when the blocks have been read.

    Returns:
        Sampling rate in Hz; number of channels; and blocks of samples, float32 `[samples, channels]`, integers divided
        by full scale, so that they are in [-1, 1). The iterator raises InputError where the file breaks off.

    Raises:
        InputError: if it is no sound.
    """
    soundfile = needed("soundfile", "audio", "reading sound")
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise InputError(
            f"{path}: no sound that can be read ({error.error_string.rstrip('.')}); expected what its suffix says, "
            "such as wav, flac, ogg or mp3"
        ) from None
    return file.samplerate, file.channels, _blocks(file, path, notes, soundfile.LibsndfileError)


def _blocks(file: Any, path: Path, notes: list[str], broken: type[Exception]) -> Iterator[np.ndarray]:
    done, problem = 0, ""
    with file:
        try:
            while len(block := file.read(max(1, _BLOCK // file.channels), dtype="float32", always_2d=True)):
                done += len(block)
                yield block
        except broken as error:
            problem = str(error).strip().rstrip(".")
        seconds, promised = done / file.samplerate, file.frames / file.samplerate
        if file.format == "MP3" and not problem:
            if seconds < promised * (1 - _ESTIMATE):
                notes.append(f"{promised:.2f} s were announced, so it may have been cut short, at {seconds:.2f} s")
        elif done < file.frames:
            problem = f"{promised:.2f} s were announced{', ' if problem else ''}{problem}"
        elif file.format.startswith("WAV") and _is_cut_short(path):
            problem = "its header announces more"
    if problem:
        raise InputError(f"{path}: breaks off at {seconds:.2f} s ({problem}); copy or make it again")
    if file.format == "OGG" and not _has_last_page(path):
        notes.append(f"its last page is missing, so it may have been cut short, at {seconds:.2f} s")


def _is_cut_short(path: Path) -> bool:
    """Whether a RIFF file announces more bytes of samples than it has, which libsndfile passes over in silence."""
    size = os.path.getsize(path)
    with path.open("rb") as file:
        if file.read(4) != b"RIFF":
            return False
        file.seek(12)
        while len(head := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                return length not in _UNKNOWN_SIZE and file.tell() + length > size
            file.seek(length + length % 2, os.SEEK_CUR)
    return False


def _has_last_page(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, os.path.getsize(path) - _LARGEST_PAGE))
        end = file.read()
    last = end.rfind(b"OggS")
    return last >= 0 and len(end) > last + 5 and bool(end[last + 5] & _END_OF_STREAM)
