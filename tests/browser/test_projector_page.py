"""TensorBoard's Projector tab, as a reader sees it."""

import numpy as np
import pytest
from PIL import Image

from tests.browser.tensorboard import serving
from tests.embeddings.test_projector import points

pytestmark = [pytest.mark.usefixtures("stack"), pytest.mark.slow]

# The tab is a frame, and its parts are in shadow trees.
FIND = """
    const find = (wanted, root = document) => {
        for (const element of root.querySelectorAll("*")) {
            if (element.matches(wanted)) return element;
            for (const inner of [element.shadowRoot, element.tagName === "IFRAME" && element.contentDocument]) {
                const found = inner && find(wanted, inner);
                if (found) return found;
            }
        }
    };
"""
COLUMNS = ["id", "time", "modality", "class", "gold standard", "prediction", "speaker"]
BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)  # the markers of `high` and `low`


def look(expression):
    return f"(() => {{ {FIND} const panel = find('vz-projector-data-panel'); return {expression}; }})()"


def test_the_points_are_seen(page, tmp_path):
    from emobed_tf.embeddings import projector

    def pixels(colour):
        """Number of pixels of the scatter plot that have a colour."""
        page.screenshot(tmp_path / "screen.png")
        with Image.open(tmp_path / "screen.png") as image:
            plot = np.array(image.convert("RGB"))[130:, 320:1130].astype(int)
        return int((np.abs(plot - colour).max(axis=-1) < 4).sum())

    shown = {"emobed": points(), "classic": points().take(np.array([0, 2]))}  # of those two, both are high
    projector.write(tmp_path / "logs" / "embeddings-dev", shown)
    with serving(tmp_path / "logs") as address:
        page.resize(1440, 900)
        page.open(f"{address}#projector")
        page.wait_for(look("find('.numDataPoints')?.textContent === '6'"))
        page.wait_for(look("panel.labelOptions?.length"))
        assert page.evaluate(look("panel.labelOptions")) == COLUMNS
        colours = page.evaluate(look("panel.colorOptions.map(option => option.name)"))
        assert set(COLUMNS[1:]) <= set(colours)
        assert page.evaluate(look("panel.tensorNames.map(tensor => tensor.name)")) == list(shown)
        page.wait(lambda: pixels(BLUE) > 20 and pixels(ORANGE) > 20, "both classes")

        page.evaluate(look("panel.selectedTensor = 'classic'"))
        page.wait_for(look("find('.numDataPoints').textContent === '2'"))
        page.wait(lambda: pixels(BLUE) > 20 and pixels(ORANGE) == 0, "one class")
        pictures = [url.partition("name=")[2] for url in page.requests if "sprite_image" in url]
        assert pictures == list(shown)
        assert page.errors == []
