"""A headless Chromium that tests drive through the DevTools protocol: open a page, look at it, press its buttons.

    with Chromium() as browser, browser.page() as page:
        page.resize(390, 844)
        page.open("file:///tmp/index.html")
        page.click("#zoom-in")
        assert page.evaluate("document.title") == "…"
        assert page.errors == []

In tests: the fixtures `chromium` and `page` of tests/browser/conftest.py. Protocol:
https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import websocket

PATIENCE = 120.0  # seconds for whatever should come at once: test machines are busy
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # it can't run as root, nor in most containers; the pages are our own
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # WebGL without a GPU
    "--disable-dev-shm-usage",  # 64 MB in a container are too few
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)

CONTRAST = """
    const parse = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => {
        const c = rgb[k] / 255;
        return sum + weight * (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    }, 0);
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const colour = parse(getComputedStyle(element).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
"""
"""JavaScript: `ratio` of two computed colours by WCAG's formula; `parse` reads one, `ground` is what is behind."""


class ScriptError(Exception):
    """JavaScript that `Page.evaluate` ran has thrown; or the browser refused a command."""


def find() -> str | None:
    """Path of Chromium; None where it isn't installed (Debian: `apt-get install chromium`)."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Chromium:
    """A browser of its own, with an empty profile; ended with the `with` block.

    Args:
        *flags: of its command line, beside those that every test needs.
    """

    def __init__(self, *flags: str) -> None:
        executable = find()
        if executable is None:
            raise FileNotFoundError(f"no Chromium: none of {', '.join(_NAMES)} is there")
        self._profile = Path(tempfile.mkdtemp(prefix="chromium-"))
        self._complaints = self._profile / "stderr"
        with self._complaints.open("wb") as complaints:
            self._process = subprocess.Popen(
                [executable, *_FLAGS, *flags, f"--user-data-dir={self._profile}", "about:blank"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        try:
            self._port = self._wait_for_port()
        except BaseException:
            self.close()
            raise

    def page(self) -> "Page":
        """A new page, blank."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("PUT", "/json/new?about:blank")
            return Page(json.load(connection.getresponse())["webSocketDebuggerUrl"])

    def close(self) -> None:
        """Ends the browser and removes its profile."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_for_port(self) -> int:
        announced = self._profile / "DevToolsActivePort"  # port and path, a line each
        for _ in _until(time.monotonic() + PATIENCE):
            said = announced.read_text() if announced.exists() else ""
            if "\n" in said:  # for a moment the file is there and empty
                return int(said.split("\n")[0])
            if self._process.poll() is not None:
                break
        raise RuntimeError(f"Chromium doesn't start: {self._complaints.read_text(errors='replace')[-2000:]}")


class Page:
    """One page of the browser.

    Attributes:
        requests: addresses that the page asked for since `open`, `data:` and `blob:` left out.
    """

    def __init__(self, address: str) -> None:
        # Without an origin: Chromium takes one for a web page's attempt to reach its port.
        self._socket = websocket.create_connection(
            address, timeout=PATIENCE, suppress_origin=True, http_no_proxy=["127.0.0.1"]
        )
        self._target = address.rpartition("/")[2]
        self._number = 0
        self._loaded = False
        self._errors: list[str] = []
        self._addresses: dict[str, str] = {}
        self.requests: list[str] = []
        self._media: dict[str, Any] = {"media": "", "features": []}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol, such as `send("Page.navigate", url=…)`, and its answer.

        Raises:
            ScriptError: if the browser refuses it.
        """
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while (message := json.loads(self._socket.recv())).get("id") != self._number:
            self._heed(message)
        if "error" in message:
            raise ScriptError(f"{method}: {message['error']['message']}")
        return message["result"]

    def open(self, url: str) -> None:
        """Goes to an address (http: or file:) and waits until all that it names is loaded; forgets earlier errors.

        Raises:
            ScriptError: if there is no such page.
        """
        self._loaded = False
        self._errors.clear()
        self.requests.clear()
        answer = self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise ScriptError(f"{url}: {answer['errorText']}")
        if "loaderId" in answer:  # else another place in the same document: nothing to load
            self.wait(lambda: self._loaded, f"{url} to load")

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """Sets the size of the window in CSS pixels; `mobile`: as a phone lays a page out, with touch."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.send("Emulation.setTouchEmulationEnabled", enabled=mobile)

    def prefer(self, scheme: str) -> None:
        """The reader's `prefers-color-scheme`: `light` or `dark`."""
        self._media["features"] = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", **self._media)

    def medium(self, name: str) -> None:
        """The medium of style sheets: `screen` or `print`."""
        self._media["media"] = name
        self.send("Emulation.setEmulatedMedia", **self._media)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON gives it; a promise is awaited.

        Raises:
            ScriptError: if it throws.
        """
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise ScriptError(_thrown(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> Any:
        """Waits until a JavaScript expression is true, and returns its value.

        Raises:
            TimeoutError: if it doesn't become true.
        """
        found = None

        def holds() -> bool:
            nonlocal found
            found = self.evaluate(expression)
            return bool(found)

        self.wait(holds, expression)
        return found

    def click(self, selector: str) -> None:
        """Presses and releases the mouse in the middle of the first element that a CSS selector names.

        Raises:
            ScriptError: if there is none, or if something else lies over it.
        """
        x, y = self.evaluate(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                if (!element) throw new Error("nothing is " + {json.dumps(selector)});
                element.scrollIntoView({{block: "center", behavior: "instant"}});
                const box = element.getBoundingClientRect();
                const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
                const hit = document.elementFromPoint(x, y);
                if (!element.contains(hit)) throw new Error((hit?.outerHTML ?? "nothing") + " is hit");
                return [x, y];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def choose_file(self, selector: str, path: Path) -> None:
        """Chooses a file in the first `<input type="file">` that a CSS selector names."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def press(self, key: str) -> None:
        """Presses and releases a key, such as `ArrowLeft` or `+`, where the focus is."""
        text = {"text": key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def screenshot(self, path: Path) -> None:
        """Writes what the window shows as PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    @property
    def errors(self) -> list[str]:
        """Since `open`: errors on the console, exceptions that nobody caught, and what could not be loaded."""
        self.evaluate("0")  # what happened before comes before this answer
        return list(self._errors)

    def close(self) -> None:
        """Closes the page."""
        with contextlib.suppress(websocket.WebSocketConnectionClosedException):  # it may go before it answers
            self.send("Target.closeTarget", targetId=self._target)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until a function of the test gives true.

        Args:
            holds: called again and again.
            what: is waited for; the error's words.

        Raises:
            TimeoutError: if it doesn't become true.
        """
        for _ in _until(time.monotonic() + PATIENCE):
            if holds():
                return
            self.evaluate("0")  # takes in what has happened
        raise TimeoutError(f"waited {PATIENCE:.0f} s in vain for {what}; errors: {self._errors}")

    def _heed(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "assert"):
                self._errors.append(" ".join(map(_shown, parameters["args"])))
            case "Runtime.exceptionThrown":
                self._errors.append(_thrown(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["level"] == "error":
                if parameters["entry"]["source"] != "network":  # those come with their address below
                    self._errors.append(parameters["entry"]["text"])
            case "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                self._addresses[parameters["requestId"]] = url
                if not url.startswith(("data:", "blob:")):
                    self.requests.append(url)
            case "Network.responseReceived" if parameters["response"]["status"] >= 400:
                self._errors.append(f"{parameters['response']['url']}: status {parameters['response']['status']}")
            case "Network.loadingFailed" if not parameters.get("canceled"):
                url = self._addresses.get(parameters["requestId"], "?")
                self._errors.append(f"{url[:200]}: {parameters['errorText']}")


def _until(end: float) -> Iterator[None]:
    while time.monotonic() < end:
        yield
        time.sleep(0.05)


def _shown(value: dict[str, Any]) -> str:
    return str(value.get("value", value.get("description", value["type"])))


def _thrown(details: dict[str, Any]) -> str:
    return details.get("exception", {}).get("description") or details["text"]
