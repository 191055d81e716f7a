"""The page: what stands on it, and that it needs nothing else."""

import json

import numpy as np
import pytest

from emobed_tf.config import preset
from tests.reporting.pages import report
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestPage:
    def test_needs_nothing_else(self, pair):
        """Everything that a browser would fetch is in the file; links lead to files beside it."""
        page, folder = pair
        for tag, attributes in page.elements:
            for name in ("src", "data", "srcset", "poster", "action"):
                assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
            if tag == "link":
                assert attributes["href"] == "data:,"
            elif "href" in attributes:
                target = attributes["href"]
                assert target.startswith("#") or (folder / target).is_file(), target
        assert "@import" not in page.source
        assert "url(" not in page.source
        assert "default-src 'none'" in next(
            found["content"] for found in page.all("meta") if found.get("http-equiv") == "Content-Security-Policy"
        )

    def test_simulated_is_said_loudly(self, pair):
        page, _ = pair
        assert "SIMULATED data in classic, emobed: their scores say nothing about real people." in page.text
        assert "SIMULATED: EmoBed report: recola, arousal from audio" in page.text, "the window's title"

    def test_sections(self, pair):
        page, _ = pair
        anchors = [found["href"][1:] for found in page.all("a") if found["href"].startswith("#")]
        expected = "summary comparison learning-curves predictions embeddings configuration provenance"
        assert anchors == expected.split()
        assert [found["id"] for found in page.all("section")] == anchors


class TestHostileNames:
    NAME = "<script>alert('x')</script>&\"$_"

    @pytest.mark.slow
    def test_ids_and_classes_are_text(self, tmp_path):
        """In the text, in attributes, in the JSON inside a script, in the figures."""
        from emobed_tf.training.loop import train_run

        lines = ["id,time,partition,arousal,f,g"]
        for k, (name, partition) in enumerate([(self.NAME, "dev"), ("b", "dev"), ("t1", "train"), ("t2", "train")]):
            quoted = '"' + name.replace('"', '""') + '"'
            lines += [
                f"{quoted},{t / 10},{partition},{np.sin(t + k):.3f},{np.cos(t + k):.3f},{np.cos(t):.3f}"
                for t in range(40)
            ]
        path = tmp_path / "<img src=x onerror=alert(1)>.csv"
        path.write_text("\n".join(lines) + "\n")
        settings = {**TINY, "epochs": 1, "framework": "classic", "label_delay": 0.2, "hop": 0.5}
        config = preset("tables").replace(table=(f"gait={path}",), **settings)
        run = train_run(config, tmp_path / "run <b>1")
        page = report(tmp_path / "page", run.path)
        assert {tag for tag, _ in page.elements}.isdisjoint({"b", "object", "iframe"})
        assert all("onerror" not in attributes for _, attributes in page.elements)
        assert len(page.all("script")) == 2, "one with data, one with the page's own code"
        ids = [found["id"] for found in json.loads(page.scripts["series-1"])["recordings"]]
        assert ids == [self.NAME, "b"]
        assert "run <b>1" in page.text
        assert "<img src=x onerror=alert(1)>.csv" in page.text
