"""MediaPipe on a real video of two faces: what is found, and what stays out of the process."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.blendshapes import Blendshapes
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictures import Segment, look
from tests.conftest import ROOT
from tests.recordings.films import landmarker, speech

KEEPS_OUT = """
import importlib.util
import sys
from pathlib import Path
from emobed_tf.recordings.extraction import Job, extract_file
from emobed_tf.recordings.looking import Looking

model, film = sys.argv[1:]
job = Job(film, ((0.0, 0.4),), "landmarks", None, Looking(model=model))
(rows,) = extract_file(job).rows
assert rows.features.shape == (1, 632)
assert "mediapipe" in sys.modules
assert "tensorflow" not in sys.modules
assert importlib.util.find_spec("tensorflow")  # what kept it out is gone
"""


def extractor(**more):
    return Blendshapes(None, Looking(model=str(landmarker()), **more))


def test_faces_of_a_known_picture():
    """Both are found where they are: their boxes were read off the picture by eye, to within a fifth of a face."""
    with extractor().finding() as find:
        (faces, *_), _ = look(Segment(speech(), 1.0, 1.1), find, [], 0.1)
    left, right = sorted(faces, key=lambda face: face.centre)
    np.testing.assert_allclose(left.box, (81, 53, 117, 98), atol=8)
    np.testing.assert_allclose(right.box, (180, 27, 222, 77), atol=8)
    for face in (left, right):
        assert face.found.points.shape == (478, 2)
        assert face.found.pose.shape == (4, 4)
        assert all(0 <= share <= 1 for share in face.found.blendshapes.values())
        right_eye, left_eye, chin = (face.found.points[k] for k in (33, 263, 152))  # left and right are its own
        assert right_eye[0] < left_eye[0]
        assert chin[1] > max(right_eye[1], left_eye[1])


def test_says_what_it_is():
    assert extractor().version.startswith("1, mediapipe ")
    assert extractor().licence == ""


def test_tensorflow_stays_out():
    line = [sys.executable, "-c", KEEPS_OUT, landmarker(), speech()]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "W0000" not in done.stderr


def test_a_file_that_is_no_landmarker(tmp_path):
    path = tmp_path / "a.task"
    path.write_text("no model\n" * 10)
    with pytest.raises(InputError, match=r"a\.task: no face landmarker; expected MediaPipe's face_landmarker\.task"):
        Blendshapes(None, Looking(model=str(path)))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("face_landmarks_detector.tflite", "no network")
    with pytest.raises(InputError, match=r"a\.task: MediaPipe can't read it"):
        Blendshapes(None, Looking(model=str(path))).prepare()


def test_without_mediapipe(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.delitem(sys.modules, "mediapipe.tasks.python.vision", raising=False)
    with pytest.raises(InputError, match=r"looking at faces needs mediapipe.*pip install 'emobed-tf\[video\]'"):
        extractor().prepare()
