"""`vgg-face`: what a network that tells people apart sees in a face. The paper's features of OMG-Emotion."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from emobed_tf.errors import InputError
from emobed_tf.recordings import vgg16
from emobed_tf.recordings.extras import needed, version_of
from emobed_tf.recordings.faces import Face
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictureextractor import FaceExtractor
from emobed_tf.recordings.windows import Windows
from emobed_tf.runtime import import_tensorflow

_LONGEST = 320  # pixels of the picture in which faces are looked for: a fifth of the time that 640 would take
_MARGIN = 1.3  # sides of the box that was found: VGG-Face saw heads, and detectors find faces
_GREY = tuple(round(mean) for mean in reversed(vgg16.MEANS))  # beyond the picture: nothing, once the mean is taken off


class VGGFace(FaceExtractor):
    """Mean of VGG-Face's `fc7` over faces that MTCNN has found and that were turned upright, 4096 columns.

    TensorFlow runs it, in the processes that extract.

    Args:
        windows: None: one row for a recording.
        looking: besides the step which face, and the file with the weights, see `vgg16.read_weights`.

    Raises:
        InputError: if mtcnn is not installed, or the file has another suffix.
    """

    version = "1"
    licence = "VGG-Face's weights are for non-commercial use only (Oxford's licence), and so is what is made with them"
    width = 4096
    """Of `fc7`."""
    functionals = ("mean",)
    picture_step = 0.2
    variable = "EMOBED_VGG_FACE"
    wanted = "VGG-Face's weights, rcmalli_vggface_tf_vgg16.h5 or vgg_face.mat"

    def __init__(self, windows: Windows | None = None, looking: Looking | None = None) -> None:
        self.names = tuple(f"fc7_{k + 1:04d}" for k in range(self.width))
        super().__init__(windows, looking)
        detector = version_of("mtcnn", "faces", "vgg-face")
        self.version = f"{type(self).version}, mtcnn {detector}"
        if self.model.suffix.lower() not in vgg16.SUFFIXES:
            raise InputError(f"{self.model}: expected the suffix {' or '.join(vgg16.SUFFIXES)}: {self.wanted}")

    def prepare(self) -> None:
        """Starts TensorFlow and reads the weights."""
        self._parts  # noqa: B018

    @cached_property
    def _parts(self) -> tuple[Any, Callable[[np.ndarray], np.ndarray]]:
        """Detector and network."""
        weights = vgg16.read_weights(self.model)
        found = len(weights["fc7"][1])
        if found != self.width:
            raise InputError(f"{self.model}: layer fc7: expected {self.width} units, got {found}")
        import_tensorflow(1)  # as linear algebra in these processes
        return needed("mtcnn", "faces", "vgg-face").MTCNN(), vgg16.network(weights)

    @contextmanager
    def finding(self) -> Iterator[Callable[[np.ndarray, float], Sequence[Face]]]:
        """Looks for faces in each picture by itself.

        Yields:
            What finds all faces of a picture, each with the places of its eyes.
        """
        detector, _ = self._parts
        yield lambda image, seconds: _found(detector, image)

    def numbers_of(self, face: Face, image: np.ndarray) -> np.ndarray:
        """`fc7` of a face.

        Args:
            face: with the places of its eyes.
            image: uint8 `[height, width, 3]`.

        Returns:
            float32 `[4096]`.
        """
        _, fc7 = self._parts
        return fc7(aligned(image, face)[None])[0]


def _found(detector: Any, image: np.ndarray) -> list[Face]:
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    small = image
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
    faces = []
    for one in detector.detect_faces(small):
        left, top, wide, high = (float(value) / scale for value in one["box"])
        eyes = tuple(
            (float(across) / scale, float(down) / scale)
            for across, down in (one["keypoints"]["left_eye"], one["keypoints"]["right_eye"])
        )
        faces.append(Face((left, top, left + wide, top + high), eyes))
    return faces


def aligned(image: np.ndarray, face: Face, size: int = vgg16.SIZE) -> np.ndarray:
    """A face cut out upright: a square around the box's centre, 1.3 times its longer side, with the eyes level.

    Args:
        image: uint8 `[height, width, 3]`.
        face: whose `found` are the places of both eyes, the picture's left one first, across and down in pixels.
        size: height and width of the result.

    Returns:
        uint8 `[size, size, 3]`; the mean of VGG-Face's faces beyond the picture.
    """
    (x0, y0), (x1, y1) = face.found
    angle = math.atan2(y1 - y0, x1 - x0)
    scale = face.width * _MARGIN / size
    reduction = max(1, int(scale))  # by whole numbers first, so that no pixel is passed over
    whole = Image.fromarray(image)
    if reduction > 1:
        whole = whole.reduce(reduction)
    across, down = (place / reduction for place in face.centre)
    cos, sin = math.cos(angle) * scale / reduction, math.sin(angle) * scale / reduction
    half = size / 2
    places = (cos, -sin, across - half * (cos - sin), sin, cos, down - half * (sin + cos))
    cut = whole.transform((size, size), Image.Transform.AFFINE, places, Image.Resampling.BILINEAR, fillcolor=_GREY)
    return np.asarray(cut)
