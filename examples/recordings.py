"""Writes small recordings to try the demo with: clips.csv, and a folder of sound that it names.

Twelve voices that nobody has say something in three moods. They are made of harmonics, a melody and syllables, so what
a model makes of them says nothing about people.

    python examples/recordings.py FOLDER
"""

import csv
import sys
import wave
from pathlib import Path

import numpy as np

RATE = 16_000
SECONDS = 1.6
SPEAKERS = {"train": 6, "dev": 3, "test": 3}
TAKES = 4  # of each speaker and mood
# Pitch as a multiple of the speaker's own, how far it swings, semitones by which it ends higher; syllables a second;
# loudness; how slowly harmonics fade, as an exponent.
MOODS = {
    "anger": (1.2, 0.12, -4, 5.0, 0.5, 0.6),
    "calm": (0.9, 0.03, -1, 2.5, 0.15, 1.8),
    "joy": (1.5, 0.20, 5, 4.0, 0.3, 1.1),
}


def main(folder: Path) -> None:
    """Writes clips and their table into a folder."""
    rng, rows = np.random.default_rng(0), []
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    for partition, speakers in SPEAKERS.items():
        for speaker in range(1, speakers + 1):
            own_pitch = rng.uniform(100, 220)
            for mood in MOODS:
                for take in range(1, TAKES + 1):
                    name = f"clips/{partition}{speaker}-{mood}{take}.wav"
                    write(folder / name, voice(mood, own_pitch, rng))
                    rows.append([name, partition, f"{partition}{speaker}", mood])
    with (folder / "clips.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["file", "partition", "speaker", "label"], *rows])
    # By this file, all that is made from these recordings is marked as simulated.
    (folder / "simulated.json").write_text('{"simulated": "voices made by examples/recordings.py"}\n')
    print(f"wrote {folder / 'clips.csv'}, and {len(rows)} recordings that it names")


def voice(mood: str, own_pitch: float, rng: np.random.Generator) -> np.ndarray:
    """Somebody in a mood: samples in [-1, 1], float64 `[samples]`."""
    # Nobody is all anger: each take is drawn towards the middle of all moods, by up to a half.
    middle = np.mean(list(MOODS.values()), axis=0)
    height, swing, rise, syllables, loudness, fading = middle + rng.uniform(1 / 2, 1) * (MOODS[mood] - middle)
    time = np.arange(round(SECONDS * rng.uniform(0.8, 1.2) * RATE)) / RATE
    share = time / time[-1]
    melody = height * rng.uniform(0.95, 1.05) * 2 ** (rise * share / 12)
    melody = melody * (1 + swing * np.sin(2 * np.pi * rng.uniform(1.5, 2.5) * time + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(own_pitch * melody) / RATE
    sound = sum(np.sin(k * phase) / k**fading for k in range(1, 16))
    spoken = np.clip(np.sin(2 * np.pi * syllables * rng.uniform(0.9, 1.1) * time + rng.uniform(0, 6)) + 0.3, 0, 1)
    sound = sound * spoken / np.abs(sound).max()
    return loudness * rng.uniform(0.8, 1.2) * sound + rng.normal(0, 0.003, time.size)


def write(path: Path, samples: np.ndarray) -> None:
    """Writes 16-bit sound of one channel."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(32_767 * samples.clip(-1, 1)).astype("<i2").tobytes())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("expected a folder: python examples/recordings.py FOLDER")
    main(Path(sys.argv[1]))
