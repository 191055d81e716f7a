"""A RECOLA package into memory: for the first time, or with its parsed features in the cache."""

import os
import tempfile
import time

from tests.benchmarks.worker import Driver


def main() -> None:
    driver = Driver()
    from emobed_tf import corpora

    folder, modalities = driver.arguments["folder"], driver.arguments["modalities"]

    def load(cache: str) -> dict:
        os.environ["EMOBED_CACHE"] = cache
        started = time.perf_counter()
        corpora.load("recola", folder, modalities=modalities)
        return {"seconds": time.perf_counter() - started}

    def first() -> dict:
        with tempfile.TemporaryDirectory(dir=driver.arguments["scratch"]) as cache:
            return load(cache)

    if driver.arguments["cached"]:
        with tempfile.TemporaryDirectory(dir=driver.arguments["scratch"]) as cache:
            load(cache)
            driver.serve(lambda: load(cache))
    else:
        driver.serve(first)


if __name__ == "__main__":
    main()
