"""What is drawn, named and explained: data, labels, units, legends; never pixels."""

import numpy as np
import pytest

from emobed_tf import figures
from emobed_tf.errors import InputError
from tests.figures.drawn import texts, title


class TestEmbeddings:
    PANELS = (
        figures.Panel("classic", np.eye(2), ["audio", "audio"], ["joy", "calm"], 0.25),
        figures.Panel(
            "emobed", np.arange(6.0).reshape(3, 2), ["audio", "face", "face"], ["joy", "joy", "calm"], 0.5, -0.1
        ),
    )

    def test_modality_is_the_marker_and_class_the_colour(self):
        classic, emobed = figures.embeddings(self.PANELS).axes
        assert [found.get_label() for found in classic.collections] == ["audio"]
        audio, face = emobed.collections
        np.testing.assert_array_equal(audio.get_offsets(), [[0, 1]])
        np.testing.assert_array_equal(face.get_offsets(), [[2, 3], [4, 5]])
        assert len(audio.get_paths()[0].vertices) != len(face.get_paths()[0].vertices), "circle and triangle"
        joy, calm = face.get_facecolors()
        np.testing.assert_array_equal(audio.get_facecolors(), [joy])
        np.testing.assert_array_equal(classic.collections[0].get_facecolors(), [joy, calm])
        assert not np.array_equal(joy, calm)

    def test_as_the_paper_prints_it(self):
        """Fig. 3: the colour is the modality, the marker the class."""
        figure = figures.embeddings(self.PANELS, colour="modality")
        calm, joy = figure.axes[1].collections
        assert [calm.get_label(), joy.get_label()] == ["calm", "joy"]
        np.testing.assert_array_equal(calm.get_offsets(), [[4, 5]])
        np.testing.assert_array_equal(joy.get_offsets(), [[0, 1], [2, 3]])
        audio, face = joy.get_facecolors()
        np.testing.assert_array_equal(calm.get_facecolors(), [face])
        assert not np.array_equal(audio, face)
        assert texts(figure.legends[0]) == ["colour: modality", "audio", "face", " ", "shape: class", "calm", "joy"]

    def test_silhouettes_in_the_titles(self):
        classic, emobed = figures.embeddings(self.PANELS).axes
        assert classic.get_title() == "classic\nsilhouette by class 0.250, by modality not defined"
        assert emobed.get_title() == "emobed\nsilhouette by class 0.500, by modality -0.100"

    def test_legend(self):
        figure = figures.embeddings(self.PANELS, title="dev")
        assert texts(figure.legends[0]) == ["colour: class", "calm", "joy", " ", "shape: modality", "audio", "face"]
        assert title(figure) == "dev"

    def test_more_classes_than_colours(self):
        names = [f"class {k}" for k in range(12)]
        panel = figures.Panel("x", np.zeros((12, 2)), ["audio"] * 12, names)
        colours = figures.embeddings([panel]).axes[0].collections[0].get_facecolors()
        assert len(np.unique(colours, axis=0)) == 12

    def test_refuses_nothing(self):
        with pytest.raises(InputError):
            figures.embeddings([])
