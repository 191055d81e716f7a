"""Pose and expression: angles beside SciPy's, and what turning and mirroring a picture does to them."""

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from emobed_tf.recordings.blendshapes import BLENDSHAPES, POSE, Blendshapes, head_pose
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictures import Segment, look
from tests.recordings.films import landmarker, speech


def seen(pictures):
    """Pose and blendshapes of the largest face of each picture: a dictionary by name."""
    extractor = Blendshapes(None, Looking(model=str(landmarker())))
    found = []
    for picture in pictures:
        with extractor.watching(Segment(speech()), []) as see:  # anew: nothing is remembered
            found.append(dict(zip(extractor.names, see(np.ascontiguousarray(picture), 0.0), strict=True)))
    return found


@pytest.fixture(scope="module")
def pictures():
    """The speaker, larger; turned against the clock by 15 degrees; and mirrored."""
    (whole, *_), _ = look(Segment(speech(), 3.0, 3.1), lambda image, _: image, [], 0.1)
    large = Image.fromarray(whole[:160, 130:290]).resize((480, 480), Image.Resampling.BICUBIC)
    return seen([np.asarray(large), np.asarray(large.rotate(15)), np.asarray(large)[:, ::-1]])


class TestHeadPose:
    @pytest.mark.parametrize("angles", [(0, 0, 0), (20, 0, 0), (0, 35, 0), (0, 0, -50), (-12, 33, 140)])
    def test_beside_scipy(self, angles):
        """Extrinsic rotations about x, y, z."""
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
        pose[:3, 3] = (1, 2, -60)
        np.testing.assert_allclose(head_pose(pose), (*angles, 1, 2, -60), atol=1e-9)

    def test_signs(self):
        """Of a nose that points to the viewer, at (0, 0, 1): turned to the right it has x > 0, looking down y < 0."""
        for angles, where in (((0, 30, 0), (0.5, 0)), ((30, 0, 0), (0, -0.5))):
            pose = np.eye(4)
            pose[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
            np.testing.assert_allclose((pose @ (0, 0, 1, 0))[:2], where, atol=1e-9)
            assert max(head_pose(pose)[:3]) == pytest.approx(30)


class TestPictures:
    def test_turning_the_picture_turns_the_head(self, pictures):
        plain, turned, _ = pictures
        assert turned["pose_roll"] - plain["pose_roll"] == pytest.approx(15, abs=4)

    def test_a_mirror_changes_sides(self, pictures):
        plain, _, mirrored = pictures
        assert abs(plain["pose_yaw"]) > 5
        assert mirrored["pose_yaw"] == pytest.approx(-plain["pose_yaw"], abs=4)
        assert mirrored["pose_roll"] == pytest.approx(-plain["pose_roll"], abs=4)
        assert mirrored["pose_pitch"] == pytest.approx(plain["pose_pitch"], abs=5)
        sides = [name for name in BLENDSHAPES if name.endswith("Left")]
        left = np.array([plain[name] - plain[name.replace("Left", "Right")] for name in sides])
        right = np.array([mirrored[name.replace("Left", "Right")] - mirrored[name] for name in sides])
        assert np.corrcoef(left, right)[0, 1] > 0.5

    def test_shares(self, pictures):
        assert all(0 <= picture[name] <= 1 for picture in pictures for name in BLENDSHAPES)


def test_columns():
    assert len(POSE) + len(set(BLENDSHAPES)) == 58
    columns = Blendshapes(None, Looking(model=str(landmarker()))).columns
    assert len(columns) == 116
    assert columns[:2] == ("pose_pitch_mean", "pose_pitch_stddev")
    assert "jawOpen_mean" in columns
