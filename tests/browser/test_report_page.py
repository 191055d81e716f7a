"""The report's page in a browser: on a phone, on a desk, in the dark, on paper, and without JavaScript."""

import base64
import json
import re
import shutil

import numpy as np
import pytest

from emobed_tf.config import preset
from tests.browser.chromium import CONTRAST
from tests.training.test_loop import TINY

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse"), pytest.mark.slow]

RANGE = "document.querySelector('.range').textContent"


@pytest.fixture(scope="module")
def written(recola, tmp_path_factory):
    """A page of two runs, with a sweep."""
    from emobed_tf.reporting import read_sweep, write_report
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("report")
    config = preset("recola").replace(data_dir=recola, **{**TINY, "epochs": 2})
    runs = [train_run(config.replace(framework=name), folder / name) for name in ("classic", "emobed")]
    (folder / "sweep.csv").write_text(
        "parameter,value,scenario,seed,score,score_name,simulated\nalpha,0,x,0,.1,ccc,True\nalpha,1,x,0,.2,ccc,True\n"
    )
    return write_report(runs, folder / "page", sweeps=[read_sweep(folder)])


@pytest.fixture
def opened(page, written):
    """The page, open on a desk."""
    page.resize(1440, 900)
    page.open(written.as_uri())
    return page


def seconds(page):
    """What the range label says: from and to."""
    return [float(found) for found in re.match(r"([\d.-]+) to ([\d.-]+) s of", page.evaluate(RANGE)).groups()]


class TestPage:
    @pytest.mark.parametrize("width", [390, 1440])
    def test_fits_and_loads(self, page, written, width):
        page.resize(width, 844, mobile=width < 500)
        page.open(written.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("innerWidth") == width
        loaded = page.evaluate("[...document.images].map(image => image.complete && image.naturalWidth > 0)")
        assert loaded == [True] * 7, "learning, scatter twice; scores, embeddings, sweep"
        assert page.errors == []
        assert page.requests == [written.as_uri()], "nothing but itself"

    def test_opens_from_anywhere(self, page, written, tmp_path):
        """The file alone, without its figures."""
        shutil.copy(written, tmp_path / "alone.html")
        page.open((tmp_path / "alone.html").as_uri())
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert page.errors == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast(self, page, written, scheme):
        """4.5 : 1 for every text, by WCAG's formula on computed colours."""
        page.prefer(scheme)
        page.open(written.as_uri())
        found = page.evaluate(
            f"(() => {{{CONTRAST}"
            """
                return [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() &&
                    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
                ).map((element) => {
                    const style = getComputedStyle(element);
                    const ink = parse(element.namespaceURI.includes("svg") ? style.fill : style.color);
                    return [element.tagName, ratio(ink, ground(element))];
                });
            })()"""
        )
        assert {"P", "A", "TD", "text", "BUTTON", "MARK", "FIGCAPTION"} <= {name for name, _ in found}
        assert [pair for pair in found if pair[1] < 4.5] == []
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground)[:3])) < 120) == (scheme == "dark")

    def test_paper(self, opened):
        opened.prefer("dark")
        opened.medium("print")
        assert opened.evaluate("getComputedStyle(document.querySelector('button')).display") == "none"
        assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert opened.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"

    def test_without_javascript_a_picture_stands_there(self, page, written):
        page.send("Emulation.setScriptExecutionDisabled", value=True)
        page.open(written.as_uri())
        pictures = "[...document.querySelectorAll('noscript img')].map(image => image.naturalWidth > 0)"
        assert page.evaluate(pictures) == [True, True]
        assert page.evaluate("document.querySelector('.viewer').checkVisibility()") is False


class TestChart:
    def test_shows_a_whole_recording_first(self, opened):
        assert opened.evaluate(RANGE) == "0.0 to 12.0 s of 0.0 to 12.0 s"
        assert opened.evaluate("document.querySelectorAll('.viewer')[0].querySelectorAll('path').length") == 3
        assert opened.evaluate("document.querySelectorAll('.viewer').length") == 2

    def test_buttons(self, opened):
        before = opened.evaluate("document.querySelector('.viewer path').getAttribute('d')")
        opened.click("button[data-do=in]")
        assert seconds(opened) == [3, 9]
        assert opened.evaluate("document.querySelector('.viewer path').getAttribute('d')") != before
        for button, expected in (("right", [6, 12]), ("left", [3, 9]), ("in", [4.5, 7.5]), ("out", [3, 9])):
            opened.click(f"button[data-do={button}]")
            assert seconds(opened) == expected, button
        opened.click("button[data-do=all]")
        assert seconds(opened) == [0, 12]
        opened.click("button[data-do=out]")
        assert seconds(opened) == [0, 12], "there is no more"

    def test_no_closer_than_ten_frames(self, opened):
        for _ in range(12):
            opened.click("button[data-do=in]")
        low, high = seconds(opened)
        assert high - low == pytest.approx(0.4, abs=0.11), "to a tenth of a second"

    def test_keys(self, opened):
        opened.evaluate("document.querySelector('.viewer svg').focus()")
        for key, expected in (
            ("+", [3, 9]),
            ("ArrowRight", [6, 12]),
            ("ArrowLeft", [3, 9]),
            ("-", [0, 12]),
            ("+", [3, 9]),
        ):
            opened.press(key)
            assert seconds(opened) == expected, key
        opened.press("0")
        assert seconds(opened) == [0, 12]

    def middle(self, page):
        return page.evaluate(
            """(() => { const svg = document.querySelector(".viewer svg"); svg.scrollIntoView({block: "center"});
                const box = svg.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"""
        )

    def test_drag_moves(self, opened):
        opened.click("button[data-do=in]")
        x, y = self.middle(opened)
        opened.send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, button="left", clickCount=1)
        opened.send("Input.dispatchMouseEvent", type="mouseMoved", x=x - 100, y=y, button="left", buttons=1)
        opened.send("Input.dispatchMouseEvent", type="mouseReleased", x=x - 100, y=y, button="left", clickCount=1)
        low, high = seconds(opened)
        width = opened.evaluate("document.querySelector('.viewer svg').getBoundingClientRect().width - 58")
        assert low == pytest.approx(3 + 6 * 100 / width, abs=0.06)
        assert high - low == pytest.approx(6, abs=0.11)

    def test_wheel_zooms_only_after_a_click(self, opened):
        x, y = self.middle(opened)
        turn = {"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": -100}
        opened.send("Input.dispatchMouseEvent", **turn)
        assert seconds(opened) == [0, 12], "the page scrolls"
        x, y = self.middle(opened)
        opened.click(".viewer svg")
        opened.send("Input.dispatchMouseEvent", **{**turn, "x": x, "y": y})
        opened.wait_for(f"{RANGE} !== '0.0 to 12.0 s of 0.0 to 12.0 s'")
        low, high = seconds(opened)
        assert high - low == pytest.approx(0.8 * 12, abs=0.11)

    def test_two_fingers_zoom(self, page, written):
        page.resize(390, 844, mobile=True)
        page.open(written.as_uri())
        x, y = self.middle(page)

        def fingers(kind, apart):
            points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
            page.send("Input.dispatchTouchEvent", type=kind, touchPoints=points if apart else [])

        fingers("touchStart", 40)
        for apart in (50, 60, 80):
            fingers("touchMove", apart)
        fingers("touchEnd", 0)
        low, high = seconds(page)
        assert high - low == pytest.approx(6, abs=1.5), "fingers twice as far apart: half of the time"

    def test_picker(self, opened):
        before = opened.evaluate("document.querySelector('.viewer path').getAttribute('d')")
        opened.evaluate(
            """(() => { const picker = document.querySelector(".viewer select");
                picker.value = "2"; picker.dispatchEvent(new Event("change")); })()"""
        )
        assert opened.evaluate("document.querySelector('.viewer path').getAttribute('d')") != before
        names = "[...document.querySelectorAll('.viewer')[0].querySelectorAll('option')].map(option => option.text)"
        assert opened.evaluate(names) == ["dev_1", "dev_2", "dev_3"]
        assert opened.evaluate("document.querySelector('.viewer optgroup').label") == "dev"

    def test_series_can_be_hidden(self, opened):
        opened.click(".viewer input[value=raw]")
        shown = "[...document.querySelector('.viewer').querySelectorAll('path')].map(path => path.dataset.key)"
        assert opened.evaluate(shown) == ["gold_standard", "postprocessed"]

    def test_values_under_the_pointer(self, opened):
        x, y = self.middle(opened)
        opened.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        text = opened.wait_for("document.querySelector('.values').textContent")
        assert re.fullmatch(
            r"\d+\.\d\d s: gold standard N, raw prediction N, post-processed prediction N".replace("N", r"-?\d\.\d{3}"),
            text,
        )

    @pytest.mark.parametrize("frames", [300, 30_000], ids=["all of them", "several a pixel"])
    def test_gaps(self, page, written, tmp_path, frames):
        """The second third has no value, but for one frame in its middle: two lines and a dot."""
        third, middle = frames // 3, frames // 2
        packed = base64.b64encode(np.full(frames, 20_000, "<u2").tobytes()).decode()
        recording = {"id": "a", "partition": "dev", "start": 0, "step": 0.04, "values": {"raw": packed}}
        recording["gaps"] = {"raw": [[third, middle], [middle + 1, 2 * third]]}
        page.resize(1440, 900)
        page.open(self.page_of(recording, written, tmp_path).as_uri())
        path = page.evaluate("document.querySelector('.viewer path').getAttribute('d')")
        lines = path.split("M")[1:]
        assert len(lines) == 3 and "NaN" not in path
        assert [line.endswith("h0") for line in lines] == [False, True, False]
        ends = [[float(point.split()[0]) for point in line.split("L")] for line in lines]
        width = ends[-1][-1] - ends[0][0]
        assert [(x[0] - ends[0][0]) / width for x in ends] == pytest.approx([0, 1 / 2, 2 / 3], abs=0.01)
        assert (ends[0][-1] - ends[0][0]) / width == pytest.approx(1 / 3, abs=0.01)
        assert page.errors == []

    def page_of(self, recording, written, tmp_path):
        """The page with another first chart, of one series."""
        series = [{"key": "raw", "legend": "raw prediction"}]
        data = json.dumps({"low": -1, "high": 1, "label": "arousal", "series": series, "recordings": [recording]})
        source = re.sub(r'(id="series-1">).*?(</script>)', rf"\g<1>{data}\g<2>", written.read_text(), flags=re.DOTALL)
        (tmp_path / "changed.html").write_text(source)
        return tmp_path / "changed.html"

    def test_a_spike_of_one_frame_is_seen_among_many(self, page, written, tmp_path):
        """20,000 frames on some 1,000 pixels: averages would hide it, every n-th frame would miss it."""
        levels = np.full(20_000, 20_000, "<u2")
        levels[12_345], levels[5_432] = 65_535, 0
        packed = base64.b64encode(levels.tobytes()).decode()
        recording = {"id": "a", "partition": "dev", "start": 0, "step": 0.04, "values": {"raw": packed}, "gaps": {}}
        page.resize(1440, 900)
        page.open(self.page_of(recording, written, tmp_path).as_uri())
        path = page.evaluate("document.querySelector('.viewer path').getAttribute('d')")
        points = [tuple(map(float, point.split())) for point in path[1:].split("L")]
        heights = [y for _, y in points]
        assert len(points) < 3000
        # 250 pixels for the range from low to high and 4 % of it on both sides, 10 above it.
        assert min(heights) == pytest.approx(10 + 250 * 0.04 / 1.08, abs=0.1)
        assert max(heights) == pytest.approx(10 + 250 * 1.04 / 1.08, abs=0.1)
        assert heights.index(max(heights)) < heights.index(min(heights)), "in the order of time"
        assert page.errors == []
