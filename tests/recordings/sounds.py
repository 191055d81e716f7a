"""Recordings that tests write themselves, so that they know every sample."""

import numpy as np
import soundfile


def sine(hertz, seconds, rate, amplitude=0.5):
    """float64 `[samples]`."""
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def noise(seconds, rate=16_000, amplitude=0.1, seed=0):
    return amplitude * np.random.default_rng(seed).normal(size=round(seconds * rate))


def speech_like(seconds, rate=16_000, seed=0):
    """Harmonics of a voice whose pitch and loudness move, with pauses and a little noise."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.4 * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    loudness = np.clip(np.sin(2 * np.pi * 1.3 * time + seed), 0, 1)
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    return 0.15 * loudness * voice + 0.003 * np.random.default_rng(seed).normal(size=time.size)


def write(path, samples, rate=16_000, subtype="PCM_16"):
    """Writes `[samples]` or `[samples, channels]`; the suffix is the format."""
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def write_video(path, samples, rate, picture_seconds, frames_per_second=10, silent_start=0.0):
    """A video with a grey picture and sound that begins later than the picture, by its time stamps; no sound: None."""
    import av

    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=frames_per_second)
        picture.width = picture.height = 64
        sound = None
        if samples is not None:
            sound = container.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=rate)
            sound.layout = "mono"
        for k in range(round(picture_seconds * frames_per_second)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), k % 255, np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode())
        if sound is not None:
            integers = np.rint(samples * 32_767).astype(np.int16)
            for begin in range(0, len(integers), 1024):
                frame = av.AudioFrame.from_ndarray(integers[None, begin : begin + 1024], format="s16", layout="mono")
                frame.sample_rate = rate
                frame.pts = begin + round(silent_start * rate)
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path
