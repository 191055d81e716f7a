"""The documentation as a site: every link leads somewhere, and nothing is fetched from elsewhere."""

import re
import subprocess
import sys

import pytest

import emobed_tf
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it, in another folder, and what the build said."""
    folder = tmp_path_factory.mktemp("site")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    # No proxy answers there: whatever is fetched fails the build.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environment = {"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1", **nowhere}
    result = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder, result.stdout + result.stderr


@pytest.mark.slow
class TestSite:
    def test_no_warnings(self, site):
        assert "WARNING" not in site[1]

    def test_every_package_has_a_page(self, site):
        packages = {".".join(path.parent.relative_to(ROOT).parts[:2]) for path in ROOT.glob("emobed_tf/*/__init__.py")}
        packages |= {"emobed_tf", "tuning", "serving", "serving.client"}
        assert {path.name.removesuffix(".html") for path in (site[0] / "api").iterdir()} - {"index"} == packages

    def test_links_work_where_pages_are_opened_as_files(self, site):
        for page in site[0].rglob("*.html"):
            text = re.sub(r"<base [^>]*>", "", page.read_text())
            for link in re.findall(r'href="?([^"\s>#?]+)', text):
                if not re.match(r"[a-z]+:|//", link) and page.name != "404.html":
                    assert (page.parent / link).is_file(), (page, link)

    def test_public_names_lead_to_their_reference(self, site):
        text = (site[0] / "api" / "index.html").read_text()
        for name in set(emobed_tf.__all__) - {"__version__"}:
            assert re.search(rf'href="[\w./]+#[\w.]+\.{name}"', text), name

    def test_functions_show_what_they_take_and_raise(self, site):
        text = (site[0] / "api" / "emobed_tf.training.html").read_text()
        place = text.index('id="emobed_tf.training.loop.train_run"')
        section = text[place : text.index("<h3", place + 10)] if "<h3" in text[place + 10 :] else text[place:]
        for word in ("Parameters", "output", "resume", "Raises", "InputError"):
            assert word in section

    def test_nothing_comes_from_elsewhere(self, site):
        loaded = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//[^>]*>")
        for page in site[0].rglob("*.html"):
            found = [tag for tag in loaded.findall(page.read_text()) if 'rel="canonical"' not in tag]
            assert not found, page
