"""What importing the package sets for Keras and TensorFlow: only what nobody has set, and only in time."""

import pytest

from tests.test_runtime import python


class TestImportingThePackage:
    CODE = """
import os, sys, warnings
before = dict(os.environ)
{}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import emobed_tf
print(dict(sorted(set(os.environ.items()) - set(before.items()))), len(caught), "tensorflow.python" in sys.modules)
"""

    def test_sets_what_nobody_has_set(self):
        printed, _ = python(self.CODE.format(""))
        assert printed == (
            "{'KERAS_BACKEND': 'tensorflow', 'TF_CPP_MIN_LOG_LEVEL': '3', 'TF_ENABLE_ONEDNN_OPTS': '1'} 0 False\n"
        )

    def test_leaves_what_the_user_has_set(self):
        theirs = {"KERAS_BACKEND": "torch", "TF_ENABLE_ONEDNN_OPTS": "0", "TF_CPP_MIN_LOG_LEVEL": "1"}
        printed, _ = python(self.CODE.format(""), **theirs)
        assert printed == "{} 0 False\n"

    @pytest.mark.parametrize("name", ["tensorflow", "keras"])
    def test_does_nothing_where_it_is_too_late(self, name):
        printed, _ = python(self.CODE.format(f"sys.modules[{name!r}] = object()"))
        assert printed == "{} 0 False\n"
