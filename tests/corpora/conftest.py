import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """No test sees another's cache, or the user's."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("EMOBED_CACHE", str(folder))
    return folder
