"""What the tests of readers share."""

import pytest

from tests.corpora.corpus_writers import table_text, write


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test sees another's cache, or the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("EMOBED_CACHE", str(folder))
    return folder


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "face.csv", table_text())
