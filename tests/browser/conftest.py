"""A browser for all tests of pages, and a fresh page for each."""

import pytest

from tests.browser.chromium import Chromium, find


@pytest.fixture(scope="session")
def chromium():
    """Headless Chromium."""
    if find() is None:
        pytest.skip("no Chromium: install Debian's package `chromium`")
    with Chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium):
    """A blank page."""
    with chromium.page() as page:
        yield page
