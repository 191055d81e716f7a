"""Recordings that tests write: tones of a pitch for each class, and tables that name them."""

import csv
import wave

import numpy as np

RATE = 16_000
PITCHES = {"calm": 300, "joy": 1200}


def write_wav(path, samples, rate=RATE):
    """16-bit sound, one channel.

    Args:
        path: of the file.
        samples: int16 `[samples]`.
        rate: in Hz.
    """
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


def tone(seconds, pitch, rng):
    """A tone with some noise, int16 `[samples]`."""
    time = np.arange(round(seconds * RATE)) / RATE
    sound = 0.2 * np.sin(2 * np.pi * pitch * time) + rng.normal(0, 0.01, len(time))
    return np.rint(32_768 * sound).astype(np.int16)


def write_table(path, rows):
    """A CSV table.

    Args:
        path: of the file.
        rows: dicts with the same keys.
    """
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_clips(folder, each=(6, 3, 3), seconds=0.4):
    """Clips of either class in all partitions, of lengths that differ.

    Args:
        folder: that they are written into, with their table `clips.csv`.
        each: clips of train, dev and test.
        seconds: about how long a clip is.

    Returns:
        The table.
    """
    rng, rows = np.random.default_rng(0), []
    for partition, number in zip(("train", "dev", "test"), each, strict=True):
        for k in range(number):
            label = list(PITCHES)[k % 2]
            name = f"{partition}_{k}.wav"
            write_wav(folder / name, tone(seconds * rng.uniform(0.8, 1.2), PITCHES[label] * rng.uniform(0.9, 1.1), rng))
            rows.append({"file": name, "partition": partition, "speaker": f"{partition}{k % 3}", "label": label})
    return write_table(folder / "clips.csv", rows)
