"""`blendshapes`: how a face moves, by 52 coefficients that are much like action units, and how the head is held."""

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.faces import Face
from emobed_tf.recordings.landmarker import LandmarkExtractor

POSE = ("pose_pitch", "pose_yaw", "pose_roll", "pose_x", "pose_y", "pose_z")
"""Degrees, and centimetres before the camera."""
# fmt: off
BLENDSHAPES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)
# fmt: on
"""MediaPipe's names, left and right as the face itself has them."""


class Blendshapes(LandmarkExtractor):
    """Mean and deviation of head pose and of MediaPipe's blendshapes, 116 columns.

    Where the head is, is right in itself for a camera with an angle of view of 63 degrees, which MediaPipe supposes.
    """

    version = "1"
    names = (*POSE, *BLENDSHAPES)
    expression = True

    def numbers_of(self, face: Face, image: np.ndarray) -> np.ndarray:
        """Pose and blendshapes of a face.

        Args:
            face: with its `Landmarked`.
            image: is not looked at.

        Returns:
            float64 `[58]`.

        Raises:
            InputError: if the model knows other blendshapes.
        """
        known = face.found.blendshapes
        if known.keys() != set(BLENDSHAPES):
            raise InputError(f"{self.model}: expected {len(BLENDSHAPES)} blendshapes, found {len(known)} or other ones")
        return np.array([*head_pose(face.found.pose), *(known[name] for name in BLENDSHAPES)])


def head_pose(pose: np.ndarray) -> tuple[float, ...]:
    """Angles and place of a head.

    Args:
        pose: `[4, 4]`, see `landmarker.Landmarked`.

    Returns:
        Degrees of rotation about x, then y, then z: pitch (up to 90: looks down), yaw (up to 90: turned to the
        picture's right) and roll (up to 180: tilted against the clock as seen in the picture); and x to the right, y
        up and z towards the viewer from the camera, in centimetres.
    """
    turn = pose[:3, :3]
    pitch = np.arctan2(turn[2, 1], turn[2, 2])
    yaw = np.arctan2(-turn[2, 0], np.hypot(turn[2, 1], turn[2, 2]))
    roll = np.arctan2(turn[1, 0], turn[0, 0])
    return *(float(np.degrees(angle)) for angle in (pitch, yaw, roll)), *map(float, pose[:3, 3])
