"""ARFF files of features into memory, one after the other, by any of three readers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.benchmarks.worker import Driver, resident

Reader = Callable[[Path], np.ndarray]


def _ours() -> Reader:
    from emobed_tf.corpora.arff import parse_features

    return lambda path: parse_features(path.read_bytes(), path)[1]


def _scipy() -> Reader:
    from scipy.io import arff

    def read(path: Path) -> np.ndarray:
        rows, _ = arff.loadarff(path)
        return rows.view((np.float64, len(rows.dtype.names)))[:, 1:]

    return read


def _liac() -> Reader:
    import arff

    def read(path: Path) -> np.ndarray:
        with path.open() as file:
            return np.array(arff.load(file)["data"], dtype=np.float64)[:, 1:]

    return read


READERS = {"ours": _ours, "scipy": _scipy, "liac-arff": _liac}


def main() -> None:
    driver = Driver()
    read = READERS[driver.arguments["reader"]]()
    paths = [Path(file) for file in driver.arguments["files"]]
    before = resident()
    features = read(paths[0]).astype(np.float64)
    computes = [*features.shape, float(np.nanmean(features)), float(np.nanstd(features))]

    def repeat() -> None:
        for path in paths:
            read(path)

    driver.serve(repeat, per_repeat=len(paths), computes=computes, before=before)


if __name__ == "__main__":
    main()
