"""What is said where a package is missing."""

import sys

import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.extras import needed


def test_an_installed_package():
    assert needed("json", "audio", "reading") is sys.modules["json"]


def test_a_missing_package_is_one_line_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(InputError) as error:
        needed("soundfile", "audio", "reading sound")
    assert str(error.value) == (
        "reading sound needs soundfile, which is not installed; pip install 'emobed-tf[audio]' brings it"
    )


def test_a_library_of_the_system_that_is_missing(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("raise OSError('sndfile library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"reading sound needs half_installed, which can't be loaded \(sndfile lib"):
        needed("half_installed", "audio", "reading sound")
