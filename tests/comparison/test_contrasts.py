"""The primary contrast: which one it is."""

import pytest

from emobed_tf.comparison.contrasts import contrast, primary_system
from emobed_tf.errors import InputError


class TestPrimary:
    def test_emobed_or_else_the_first(self):
        assert primary_system(("classic", "joint", "emobed"), "classic", None) == "emobed"
        assert primary_system(("svm", "classic", "joint"), "classic", None) == "svm"
        assert primary_system(("classic",), "classic", None) is None

    def test_named(self):
        assert primary_system(("classic", "joint", "emobed"), "classic", "joint") == "joint"
        with pytest.raises(InputError, match="--primary svm: expected one of .* compared with classic: joint, emobed"):
            primary_system(("classic", "joint", "emobed"), "classic", "svm")
        with pytest.raises(InputError, match="there is none"):
            primary_system(("classic",), "classic", "classic")

    def test_contrast(self):
        assert (contrast("emobed", "emobed"), contrast("joint", "emobed")) == ("primary", "exploratory")
