"""What a simulated package holds, read without the package's own readers."""

import hashlib

import numpy as np

SECONDS, FRAMES = 20.0, 501  # of the packages that the tests share: 20 s, a row every 40 ms, both ends


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def features(path):
    """(times as text, features as an array with NaN for `?`) of a feature file."""
    lines = path.read_text().split("@data\n\n")[1].replace("?", "nan").splitlines()
    return [line.split(",")[0] for line in lines], np.loadtxt(lines, delimiter=",")[:, 1:]


def gold(path):
    return np.array([float(line.split(",")[2]) for line in path.read_text().split("@data")[1].split()])


def rated(path):
    return np.loadtxt(path, delimiter=";", skiprows=1)[:, 1:]
