"""The page to try models that hear: a recording as it is played, a fake microphone, keyboard and screen reader."""

import base64
import json

import numpy as np
import pytest

from tests.browser.chromium import CONTRAST, Chromium, find
from tests.corpora.sounds import PITCHES, tone, write_clips, write_table, write_wav
from tests.saved_model.test_sound import small
from tests.serving.served import serving

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse"), pytest.mark.slow]

TEXT = "document.querySelector('{}').textContent"
ROWS = "[...document.querySelectorAll('#numbers tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"


@pytest.fixture(scope="module")
def folder(stack, tmp_path_factory):
    """Models `arousal` (a regression of frames) and `emotion` (calm is low, joy is high), and sounds for them."""
    from emobed_tf.saved_model.export import export_run
    from emobed_tf.training.loop import train_run

    folder, rng, rows = tmp_path_factory.mktemp("demo"), np.random.default_rng(0), []
    for name, partition in (("a", "train"), ("b", "train"), ("c", "dev")):
        write_wav(folder / f"{name}.wav", tone(2, 500, rng))
        for k, value in enumerate(np.cumsum(rng.normal(size=50))):
            place = {"file": f"{name}.wav", "time": f"{k / 25:.2f}", "partition": partition, "speaker": name}
            rows.append({**place, "arousal": f"{value:.3f}"})
    run = train_run(small(write_table(folder / "labels.csv", rows), "logmel", label_delay=0.2), folder / "run_a")
    export_run(run, folder / "arousal")
    (folder / "clips").mkdir()
    learns = {"epochs": 20, "batch_size": 6, "learning_rate": 0.03}
    run = train_run(small(write_clips(folder / "clips"), "logmel", **learns), folder / "run_e")
    export_run(run, folder / "emotion")
    write_wav(folder / "speaks.wav", tone(4, PITCHES["joy"], rng))
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with serving(model_dirs=[folder / "arousal", folder / "emotion"]) as running:
        yield running


@pytest.fixture(scope="module")
def browser(folder):
    """Its microphone hears a tone of joy, again and again, and it asks nobody for leave."""
    if find() is None:
        pytest.skip("no Chromium: install Debian's package `chromium`")
    heard = f"--use-file-for-fake-audio-capture={folder / 'speaks.wav'}"
    with Chromium("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", heard) as browser:
        yield browser


@pytest.fixture
def page(browser, server):
    """The page, ready."""
    with browser.page() as page:
        page.resize(1200, 900)
        page.open(f"{server.url}/demo")
        page.wait_for("!document.querySelector('#file').disabled")
        yield page


def choose_model(page, name):
    page.evaluate(
        f"""(() => {{
            const choice = document.querySelector("#model");
            choice.selectedIndex = [...choice.options].findIndex((one) => one.text === {json.dumps(name)});
            choice.dispatchEvent(new Event("change"));
        }})()"""
    )
    page.wait_for(f"document.querySelector('#card').textContent.includes({json.dumps(name + ', version 1')})")


def heard_whole(server, model, path):
    """What the model says of a file as a whole."""
    text = base64.b64encode(path.read_bytes()).decode()
    status, answer = server.predict(model, {"signature_name": "wav", "instances": [{"b64": text}]})
    assert status == 200, answer
    return answer["predictions"][0]


def key(page, name, number, **more):
    """Presses and releases a key that does something by itself."""
    for kind in ("keyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=number, **more)


class TestRecording:
    def test_is_followed_as_it_is_played(self, page, server, folder):
        """Pieces of a sound that plays for 2 s, at the end, are the sound as a whole."""
        page.choose_file("#file", folder / "c.wav")
        page.wait_for("!document.querySelector('#player').hidden")
        page.click("#numbers summary")
        page.evaluate("document.querySelector('#player').play()")
        page.wait_for(TEXT.format("#said") + ".startsWith('The end')")
        expected = heard_whole(server, "arousal", folder / "c.wav")["prediction"]
        assert len(expected) == 50
        # Of each half second the last of 12 or 13 frames: 0.48, 0.96, 1.48, 1.96 s.
        found = page.evaluate(ROWS)
        assert [time for time, _ in found] == ["0.5", "1.0", "1.5", "2.0"]
        values = [float(value.replace("\N{MINUS SIGN}", "-")) for _, value in found]
        np.testing.assert_allclose(values, [expected[k] for k in (12, 24, 37, 49)], atol=0.006)
        assert int(page.evaluate(TEXT.format("#requests"))) >= 3, "it moved along"
        assert page.evaluate(TEXT.format("#median")).endswith(" ms")
        assert "arousal" in page.evaluate(TEXT.format("#now"))
        assert page.errors == []

    def test_classes_over_time(self, page, server, folder):
        choose_model(page, "emotion")
        page.choose_file("#file", folder / "clips" / "dev_1.wav")
        page.wait_for("!document.querySelector('#player').hidden")
        page.evaluate("document.querySelector('#player').play()")
        page.wait_for(TEXT.format("#said") + ".startsWith('The end')")
        expected = heard_whole(server, "emotion", folder / "clips" / "dev_1.wav")["probabilities"]
        assert page.evaluate("[...document.querySelectorAll('meter')].map(one => one.ariaLabel)") == ["calm", "joy"]
        found = page.evaluate("[...document.querySelectorAll('meter')].map(one => one.value)")
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_what_is_no_sound(self, page, folder):
        """What was said of the sound before is no longer true."""
        page.choose_file("#file", folder / "c.wav")
        page.wait_for(TEXT.format("#said") + ".endsWith('Play it.')")
        page.choose_file("#file", folder / "labels.csv")
        page.wait_for(TEXT.format("#problem") + " === 'labels.csv: this browser finds no sound in it.'")
        assert page.evaluate(TEXT.format("#said")) == ""


class TestMicrophone:
    def test_what_is_said_is_heard(self, page):
        """A tone of joy, by the keyboard alone."""
        choose_model(page, "emotion")
        page.evaluate("document.querySelector('#microphone').focus()")
        key(page, "Enter", 13, text="\r")
        page.wait_for(TEXT.format("#microphone") + " === 'Stop the microphone'")
        page.wait_for("+" + TEXT.format("#requests") + " >= 5")
        assert "joy" in page.evaluate(TEXT.format("#now"))
        page.click("#microphone")
        page.wait_for(TEXT.format("#said") + ".startsWith('The end, at ')")
        assert page.evaluate(TEXT.format("#microphone")) == "Start the microphone"
        assert page.errors == []

    def test_a_server_that_is_gone_is_said(self, page):
        page.click("#microphone")
        page.wait_for("+" + TEXT.format("#requests") + " >= 1")
        page.send("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        page.wait_for(TEXT.format("#problem") + ' === "The server can\'t be reached."')
        assert page.evaluate(TEXT.format("#microphone")) == "Start the microphone"


class TestPage:
    def test_asks_nobody_else(self, page, server):
        assert {url.split("/")[2] for url in page.requests} == {server.url.split("/")[2]}
        assert page.errors == [], "nothing that the content security policy would refuse"

    def test_model_card(self, page):
        card = page.evaluate(TEXT.format("#card"))
        for words in ("arousal, version 1", "16000 Hz, by the front end logmel", "a number each 40 ms", "classic"):
            assert words in card
        assert page.evaluate("document.querySelector('#simulated').hidden")

    def test_fits_a_phone(self, page):
        page.resize(390, 844, mobile=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def test_by_keyboard(self, page):
        found = []
        for _ in range(4):
            key(page, "Tab", 9)
            found.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert found == ["model", "file", "microphone", "SUMMARY"]

    def test_every_control_has_a_name(self, page, folder):
        page.choose_file("#file", folder / "c.wav")
        page.wait_for("!document.querySelector('#player').hidden")
        nodes = page.send("Accessibility.getFullAXTree")["nodes"]
        named = {
            (node["role"]["value"], node.get("name", {}).get("value"))
            for node in nodes
            if not node["ignored"] and node["role"]["value"] in ("combobox", "button", "Audio", "image", "heading")
        }
        roles = {role for role, _ in named}
        assert {"combobox", "button", "heading"} <= roles
        assert ("combobox", "Model") in named
        assert ("button", "Start the microphone") in named
        assert all(name for _, name in named), named

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast(self, page, scheme):
        """4.5 : 1 for every text, and 3 : 1 for every line, by WCAG's formula on computed colours."""
        page.prefer(scheme)
        found = page.evaluate(
            f"(() => {{{CONTRAST}"
            """
                const texts = [...document.querySelectorAll("h1, h2, p, label, dt, dd, button, select, summary")]
                    .filter((one) => one.textContent.trim() && !one.hidden && !one.disabled)
                    .map((one) => ratio(parse(getComputedStyle(one).color), ground(one)) / 4.5);
                const chart = document.querySelector("#chart");
                const lines = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => {
                    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
                    line.setAttribute("class", `series s${k}`);
                    chart.append(line);
                    return ratio(parse(getComputedStyle(line).stroke), ground(chart)) / 3;
                });
                return [Math.min(...texts), Math.min(...lines)];
            })()"""
        )
        assert min(found) >= 1, found
