"""The driver itself: what other tests' empty list of errors rests on."""

import pytest

from tests.browser.chromium import ScriptError


@pytest.fixture
def written(tmp_path):
    """Writes a page with a body, and gives its address."""

    def write(body):
        path = tmp_path / "page.html"
        path.write_text(f"<!doctype html><meta charset=utf-8><title>A page</title><link rel=icon href=data:,>{body}")
        return path.as_uri()

    return write


class TestPage:
    def test_a_good_page_has_no_errors(self, page, written):
        page.open(written("<p>é</p><script>console.log('all well'); console.warn('hm')</script>"))
        assert page.evaluate("document.querySelector('p').textContent") == "é"
        assert page.errors == []

    @pytest.mark.parametrize(
        ("body", "error"),
        [
            ("<script>console.error('went', 'wrong', 3)</script>", "went wrong 3"),
            ("<script>null.x</script>", "TypeError"),
            ("<script>Promise.reject(new Error('late'))</script>", "late"),
            ("<script>setTimeout(() => { throw new Error('in a timer') })</script>", "in a timer"),
            ("<script>syntax error</script>", "SyntaxError"),
            ("<img src=nowhere.png>", "nowhere.png: net::ERR_FILE_NOT_FOUND"),
            ("<script src=http://127.0.0.1:9/x.js></script>", "http://127.0.0.1:9/x.js: net::"),
        ],
    )
    def test_errors(self, page, written, body, error):
        page.open(written(body))
        page.evaluate("new Promise(resolve => setTimeout(resolve, 50))")
        assert len(page.errors) == 1
        assert error in page.errors[0]
        page.open(written(""))
        assert page.errors == []

    def test_requests(self, page, written, tmp_path):
        page.open(written("<img src=nowhere.png><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"))
        assert page.requests == [(tmp_path / name).as_uri() for name in ("page.html", "nowhere.png")]

    def test_no_such_page(self, page, tmp_path):
        with pytest.raises(ScriptError, match="FILE_NOT_FOUND"):
            page.open((tmp_path / "none.html").as_uri())

    def test_evaluate(self, page):
        assert page.evaluate("({a: [1, 2.5, null, 'x']})") == {"a": [1, 2.5, None, "x"]}
        assert page.evaluate("Promise.resolve(7)") == 7
        with pytest.raises(ScriptError, match="no luck"):
            page.evaluate("(() => { throw new Error('no luck') })()")

    def test_size(self, page, written):
        page.resize(390, 844, mobile=True)
        page.open(written("<meta name=viewport content='width=device-width'><div style='width:500px'>wide</div>"))
        assert page.evaluate("[innerWidth > 390, document.documentElement.scrollWidth >= 500]") == [True, True]
        page.resize(1440, 900)
        assert page.evaluate("[innerWidth, innerHeight]") == [1440, 900]

    def test_colour_scheme_and_medium(self, page, written):
        page.open(written(""))
        asked = "['(prefers-color-scheme: dark)', 'print'].map(query => matchMedia(query).matches)"
        page.prefer("dark")
        assert page.evaluate(asked) == [True, False]
        page.medium("print")
        assert page.evaluate(asked) == [True, True]
        page.prefer("light")
        assert page.evaluate(asked) == [False, True]

    def test_click_and_press(self, page, written):
        page.open(written("<div style='height:3000px'></div><button onclick='this.textContent=`pressed`'>go</button>"))
        page.click("button")
        assert page.evaluate("document.querySelector('button').textContent") == "pressed"
        page.evaluate("addEventListener('keydown', event => { document.title += event.key })")
        page.press("ArrowLeft")
        page.press("+")
        assert page.wait_for("document.title.endsWith('+') && document.title") == "A pageArrowLeft+"
        with pytest.raises(ScriptError, match="nothing is #none"):
            page.click("#none")

    def test_what_is_covered_cannot_be_clicked(self, page, written):
        page.open(written("<button>go</button><div id=lid style='position:fixed;inset:0'></div>"))
        with pytest.raises(ScriptError, match="lid"):
            page.click("button")

    def test_screenshot(self, page, written, tmp_path):
        from PIL import Image

        page.resize(120, 80)
        page.open(written("<style>html { background: rgb(10, 200, 30) }</style>"))
        page.screenshot(tmp_path / "shot.png")
        with Image.open(tmp_path / "shot.png") as image:
            assert image.size == (120, 80)
            assert image.convert("RGB").getpixel((60, 70)) == (10, 200, 30)

    def test_webgl_is_there(self, page):
        assert page.evaluate("!!document.createElement('canvas').getContext('webgl')")
