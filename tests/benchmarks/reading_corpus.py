"""A RECOLA package into memory: for the first time, or with its parsed features in the cache."""

import multiprocessing
import os
import tempfile
import time

from tests.benchmarks.worker import Driver


def main() -> None:
    driver = Driver()
    folder, modalities = driver.arguments["folder"], driver.arguments["modalities"]

    def new_cache() -> tempfile.TemporaryDirectory:
        return tempfile.TemporaryDirectory(dir=driver.arguments["scratch"])

    def first() -> dict:
        with new_cache() as cache:
            return load(folder, modalities, cache)

    if not driver.arguments["cached"]:
        driver.serve(first)
    with new_cache() as cache:
        # By another process: parsing would leave its mark on the peak of this one.
        filling = multiprocessing.get_context("spawn").Process(target=load, args=(folder, modalities, cache))
        filling.start()
        filling.join()
        driver.serve(lambda: load(folder, modalities, cache))


def load(folder: str, modalities: list[str], cache: str) -> dict[str, float]:
    """Reads a package; returns the seconds that it took."""
    from emobed_tf import corpora

    os.environ["EMOBED_CACHE"] = cache
    started = time.perf_counter()
    corpora.load("recola", folder, modalities=modalities)
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    main()
