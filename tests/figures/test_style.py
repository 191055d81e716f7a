"""Files that can be read and repeat; columns of anything; colours."""

import threading
import xml.etree.ElementTree

import matplotlib
import matplotlib.pyplot
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from emobed_tf import figures
from emobed_tf.figures.style import COLOUR_NAMES, MARKER_NAMES, MARKERS, OKABE_ITO, wrapped
from tests.figures.drawn import point


class TestSave:
    def figure(self):
        return figures.sweep([point(0.0, 0.2), point(0.5, 0.4)])

    def test_files_can_be_read_and_repeat(self, tmp_path):
        first, second = (
            figures.save(self.figure(), tmp_path / "new" / "a.b"),
            figures.save(self.figure(), tmp_path / "c"),
        )
        assert [path.name for path in first] == ["a.b.png", "a.b.svg"]
        for ours, theirs in zip(first, second, strict=True):
            assert ours.read_bytes() == theirs.read_bytes()
        with Image.open(first[0]) as image:
            assert image.size == (1008, 633), "7.0 x 4.4 inches at 144 dots"
        assert xml.etree.ElementTree.parse(first[1]).getroot().tag.endswith("svg")

    def test_no_global_state(self, tmp_path):
        """No figure is known to pyplot, no setting has changed, and a thread may draw."""
        before = dict(matplotlib.rcParams)
        thread = threading.Thread(target=lambda: figures.save(self.figure(), tmp_path / "thread"))
        thread.start()
        thread.join(60)
        assert (tmp_path / "thread.svg").exists()
        assert dict(matplotlib.rcParams) == before
        assert matplotlib.pyplot.get_fignums() == []
        assert isinstance(self.figure(), Figure)


class TestColumns:
    def test_all_three_forms(self):
        rows = [{"a": 1, "b": "x"}, {"a": 2}]
        for form in (
            rows,
            {"a": [1, 2], "b": ["x", None]},
            pd.DataFrame({"a": [1, 2], "b": ["x", None]}, dtype=object),
        ):
            found = figures.columns_of(form)
            assert list(found) == ["a", "b"]
            assert list(found["a"]) == [1, 2]
            assert found["b"][0] == "x"
            assert found["b"][1] is None

    def test_colours_are_told_apart(self):
        for number in (1, 7, 8, 20):
            assert len({matplotlib.colors.to_hex(colour) for colour in figures.colours(number)}) == number


class TestWrapped:
    def test_no_line_is_longer(self):
        text = wrapped("a_very-long name " * 5 + "x" * 50, 20)
        assert max(map(len, text.split("\n"))) <= 20
        assert "".join(text.split()) == "".join(("a_very-long name " * 5 + "x" * 50).split())

    def test_is_plain(self):
        assert wrapped("cost in $", 20) == r"cost in \$"
        assert wrapped("", 20) == ""


def test_every_colour_and_marker_has_a_name():
    assert len(COLOUR_NAMES) == len(OKABE_ITO) and len(MARKER_NAMES) == len(MARKERS)
