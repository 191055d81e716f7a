"""How long reading a full-size RECOLA package takes: 27 recordings of 300 s, 888 features, one dimension.

    python experiments/reading.py DIR

Writes the simulated package into DIR once (about 1.5 GB), then reads it in processes of their own: without the cache of
parsed features, and twice with it. Prints seconds and peak memory of each.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODALITIES = ("audio", "video_appearance", "video_geometric")


def read(folder: Path) -> None:
    from emobed_tf import corpora

    started = time.perf_counter()
    corpus = corpora.load("recola", folder, modalities=MODALITIES)
    seconds = time.perf_counter() - started
    cells = sum(recording.features.size for modality in corpus for recording in modality.recordings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{cells / 1e6:.0f} million cells in {seconds:.1f} s, peak {peak:.2f} GB")


def main() -> None:
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        read(folder)
        return
    if not folder.exists():
        from emobed_tf.corpora.simulate import simulate_recola

        started = time.perf_counter()
        simulate_recola(folder, seconds=300, modalities=MODALITIES, dimensions=("arousal",))
        print(f"written in {time.perf_counter() - started:.1f} s")
    with tempfile.TemporaryDirectory(dir=folder.parent) as cache:
        for what in ("first", "cached", "cached"):
            print(f"{what}: ", end="", flush=True)
            environment = {**os.environ, "EMOBED_CACHE": cache}
            subprocess.run([sys.executable, __file__, str(folder), "read"], env=environment, check=True)


if __name__ == "__main__":
    main()
