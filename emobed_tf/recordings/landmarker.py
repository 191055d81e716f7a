"""Landmarks, expression and pose of faces in pictures, by MediaPipe's face landmarker."""

import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.extras import needed, version_of
from emobed_tf.recordings.faces import Face
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictureextractor import FaceExtractor
from emobed_tf.recordings.windows import Windows
from emobed_tf.runtime import quiet_stderr

_FACES = 5  # that are found at most
_PART = "face_landmarks_detector.tflite"  # of the file with the model, which is an archive


@dataclass(frozen=True)
class Landmarked:
    """What is known of a face.

    Attributes:
        points: across and down in pixels, float64 `[478, 2]`.
        blendshapes: how much of each movement of the face there is, by name, in [0, 1]; empty if nobody asked.
        pose: float64 `[4, 4]`: from MediaPipe's canonical face, in centimetres with x to the right, y up and z towards
            the viewer, to where this one is before the camera.
    """

    points: np.ndarray
    blendshapes: dict[str, float]
    pose: np.ndarray


class LandmarkExtractor(FaceExtractor):
    """An extractor of one's own that stands on landmarks has `numbers_of` alone to write, of a face's `Landmarked`.

    Args:
        windows: None: one row for a recording.
        looking: besides the step which face, and the file with the model.

    Raises:
        InputError: if MediaPipe is not installed, or the file is no face landmarker.
    """

    variable = "EMOBED_FACE_LANDMARKER"
    wanted = "MediaPipe's face_landmarker.task"
    expression = False
    """Whether blendshapes are needed, which take a fifth of the time."""

    def __init__(self, windows: Windows | None = None, looking: Looking | None = None) -> None:
        super().__init__(windows, looking)
        library = version_of("mediapipe", "video", "looking at faces")
        self.version = f"{type(self).version}, mediapipe {library}"
        if not zipfile.is_zipfile(self.model) or _PART not in zipfile.ZipFile(self.model).namelist():
            raise InputError(f"{self.model}: no face landmarker; expected {self.wanted}")

    def prepare(self) -> None:
        """Makes sure that MediaPipe can read the file."""
        with self.finding():
            pass

    @contextmanager
    def finding(self) -> Iterator[Callable[[np.ndarray, float], Sequence[Face]]]:
        """Looks for up to five faces, and follows them from picture to picture.

        Yields:
            What finds all faces of one picture after another, each with its `Landmarked`.

        Raises:
            InputError: if the file can't be read.
        """
        vision = _mediapipe()
        options = vision.FaceLandmarkerOptions(
            base_options=needed("mediapipe.tasks.python", "video", "looking at faces").BaseOptions(
                model_asset_path=str(self.model)
            ),
            running_mode=vision.RunningMode.VIDEO,
            num_faces=_FACES,
            output_face_blendshapes=self.expression,
            output_facial_transformation_matrixes=True,
        )
        try:
            with quiet_stderr():
                landmarker = vision.FaceLandmarker.create_from_options(options)
                landmarker.detect_for_video(_picture(np.zeros((64, 64, 3), np.uint8)), 0)  # more is said at the first
        except (RuntimeError, ValueError, OSError) as error:
            raise InputError(f"{self.model}: MediaPipe can't read it ({' '.join(str(error).split())})") from None
        with landmarker:
            yield lambda image, seconds: _found(landmarker, image, 1 + round(seconds * 1000))


def _mediapipe() -> Any:
    # For its own documentation MediaPipe imports TensorFlow where that is installed. It takes seconds, and openSMILE
    # could not be in this process afterwards.
    keep_out = "tensorflow" not in sys.modules
    if keep_out:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        return needed("mediapipe.tasks.python.vision", "video", "looking at faces")
    finally:
        if keep_out:
            del sys.modules["tensorflow"]


def _picture(image: np.ndarray) -> Any:
    mediapipe = needed("mediapipe", "video", "looking at faces")
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)


def _found(landmarker: Any, image: np.ndarray, milliseconds: int) -> list[Face]:
    found = landmarker.detect_for_video(_picture(image), milliseconds)
    size = (image.shape[1], image.shape[0])
    faces = []
    for k, landmarks in enumerate(found.face_landmarks):
        points = np.array([(point.x, point.y) for point in landmarks]) * size
        shapes = {one.category_name: one.score for one in found.face_blendshapes[k]} if found.face_blendshapes else {}
        pose = np.asarray(found.facial_transformation_matrixes[k], np.float64)
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        faces.append(Face((left, top, right, bottom), Landmarked(points, shapes, pose)))
    return faces
