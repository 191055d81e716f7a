"""A data set in a form of its own: a folder for each modality, with a JSON file for each clip.

DIR/voice/ann_1.json: {"speaker": "ann", "partition": "train", "emotion": "joy", "features": {"pitch": 210.5, …}}

python -m emobed_tf.train --dataset examples.reader:CLIPS --data-dir DIR --auxiliary face
python -m emobed_tf.predict RUN --features new.json --output predictions.csv
"""

import json

import numpy as np

from emobed_tf import DataSet
from emobed_tf.corpora import Modality, Recording
from emobed_tf.corpora.files import need_folder, read_bytes, sha256
from emobed_tf.errors import InputError

CLIPS = DataSet(
    name="clips",
    title="our clips",
    reader=__name__,
    layout="a folder for each modality, with a JSON file for each clip",
    classes=("anger", "joy", "sadness"),
    dimensions=(),
    target="voice",
    settings={"encoder_layers": 1, "head_layers": 1, "batch_size": 16},
    suffixes=(".json",),
)


def find_modalities(folder):
    need_folder(folder, CLIPS.layout)
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}


def read(folder, modalities, dimension, progress):
    files = {name: sorted((folder / name).glob("*.json")) for name in modalities}
    fingerprints = {str(path): sha256(read_bytes(path)) for paths in files.values() for path in paths}
    return [_modality(name, paths) for name, paths in files.items()], fingerprints


def read_features(path, modality):
    return _modality(modality, [path])


def _modality(name, paths):
    columns, recordings = (), []
    for path in paths:
        try:
            clip = json.loads(read_bytes(path))
            columns = columns or tuple(clip["features"])
            features = np.array([[clip["features"][column] for column in columns]], np.float32)  # one frame
            emotion = clip.get("emotion")  # a test set, or a file to predict from, may lack it
            labels = {} if emotion is None else {"emotion": np.array(CLIPS.classes.index(emotion), np.int32)}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: expected {', '.join(columns)} and one of {CLIPS.classes} ({error!r})") from None
        recordings.append(Recording(path.stem, clip.get("partition", ""), clip.get("speaker", ""), features, labels))
    return Modality(name, columns, tuple(recordings), None, CLIPS.name)
