"""Which runs can be compared with the first one."""

import pytest

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_what_cannot_be_compared_says_why(trio):
    assert "classic-face against classic-audio, dev: no test, the two runs have different recordings" in trio[0].text
    assert "joint-audio better than classic-audio?" in trio[0].text
