"""The projector's files: what TensorBoard serves of them is what was embedded, and they are replaced as a whole."""

import io
import json
import urllib.parse
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tests.browser.tensorboard import serving

pytestmark = pytest.mark.usefixtures("stack")

IDS = ["a\tb", "c\nd\r", "e\\f", "<script>", "ü", "x"]
NAN = float("nan")


def points(**changes):
    """Six points of four dimensions: two modalities, two classes and an unknown one."""
    from emobed_tf.corpora.facts import Facts
    from emobed_tf.embeddings.points import Embedded

    facts = Facts("tables", False, "regression", "arousal", (), "audio", {}, {}, 0, 1.0, (), {})
    values = {
        "vectors": np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32),
        "ids": np.array(IDS),
        "times": np.array([0.0, 0.04, 1 / 3, 7500.0, NAN, NAN]),
        "modality": np.array(["audio", "audio", "face", "face", "audio", "face"]),
        "classes": np.array(["high", "low", "high", "low", "", ""]),
        "gold": np.array([0.5, NAN, -1.0, 0.1, NAN, 2.0]),
        "prediction": np.array([0.25, 0.1, 1e-9, -0.5, 1.0, 1 / 3]),
        "speaker": np.array(["s1", "s1", "s2", "s 2", "s3", "s3"]),
        "partition": "dev",
        "facts": facts,
        "framework": "emobed",
    }
    return Embedded(**{**values, **changes})


TABLE = """\
id	time	modality	class	gold standard	prediction	speaker
a\\tb	0	audio	high	0.5	0.25	s1
c\\nd\\r	0.04	audio	low		0.1	s1
e\\\\f	0.3333333	face	high	-1	1e-09	s2
<script>	7500	face	low	0.1	-0.5	s 2
ü		audio			1	s3
x		face		2	0.3333333	s3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from emobed_tf.embeddings import projector

    folder = tmp_path_factory.mktemp("projector") / "logs" / "embeddings-dev"
    projector.write(folder, {"emobed": points(), "classic": points().take(np.array([1, 0, 4]))})
    return folder


def pictures(content, number):
    """The first so many pictures of a sheet, in reading order."""
    sheet = np.array(Image.open(io.BytesIO(content)).convert("RGBA"))
    rows = [row for part in np.split(sheet, len(sheet) // 32) for row in np.split(part, part.shape[1] // 32, axis=1)]
    return rows[:number]


class TestFiles:
    def test_metadata(self, folder):
        assert (folder / "emobed-metadata.tsv").read_text() == TABLE
        lines = TABLE.splitlines(keepends=True)
        assert (folder / "classic-metadata.tsv").read_text() == lines[0] + lines[2] + lines[1] + lines[5]

    def test_classes_as_text(self):
        from emobed_tf.embeddings import projector

        classified = points(gold=np.array(["joy", "", "a\tb", "", "", ""]), prediction=np.array(["calm"] * 6))
        rows = projector.metadata(classified)
        assert [row[4:6] for row in rows[:4]] == [
            ["gold standard", "prediction"],
            ["joy", "calm"],
            ["", "calm"],
            ["a\\tb", "calm"],
        ]

    def test_vectors_keep_every_bit(self, folder):
        read = np.array([line.split("\t") for line in (folder / "emobed-vectors.tsv").read_text().splitlines()])
        assert read.astype(np.float32).tobytes() == points().vectors.tobytes()

    def test_markers(self, folder):
        """The colour of a picture is the class, its outline the modality, in both sheets."""
        drawn = pictures((folder / "emobed-markers.png").read_bytes(), 6)

        def colour(picture):
            opaque = picture[picture[..., 3] == 255][:, :3]
            seen = opaque[(opaque < 250).any(axis=1)]
            return tuple(int(c) for c in np.median(seen, axis=0))

        colours = [colour(picture) for picture in drawn]
        # Okabe and Ito's first two in the order of the alphabet, grey for what has no class.
        high, low, unknown = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x6B, 0x6B, 0x6B)
        assert colours == [high, low, high, low, unknown, unknown]
        outlines = [picture[..., 3] > 0 for picture in drawn]
        for k, modality in enumerate(points().modality):
            same = [np.array_equal(outlines[k], other) for other in outlines]
            assert same == (points().modality == modality).tolist()
        for picture in drawn:
            assert picture[0, 0, 3] == 0, "transparent around"
            assert picture[16, 16].tolist() == [255, 255, 255, 255], "white within: takes the colour of the projector"
        others = pictures((folder / "classic-markers.png").read_bytes(), 3)
        for picture, k in zip(others, (1, 0, 4), strict=True):
            np.testing.assert_array_equal(picture, drawn[k])

    def test_the_largest_number_fits_the_largest_picture(self):
        from emobed_tf.embeddings import projector

        assert projector.LARGEST == (8192 // 32) ** 2


class TestReplacing:
    def names(self, folder):
        return sorted(file.name for file in folder.iterdir())

    def test_twice(self, tmp_path):
        from emobed_tf.embeddings import projector

        folder = tmp_path / "logs" / "embeddings-dev"
        projector.write(folder, {"emobed": points(), "classic": points()})
        projector.write(folder, {"emobed": points()})
        first = {file.name: file.read_bytes() for file in folder.iterdir() if "tfevents" not in file.name}
        assert set(first) == {f"emobed-{kind}" for kind in ("vectors.tsv", "metadata.tsv", "markers.png")} | {
            "projector_config.pbtxt",
            "legend.png",
        }
        projector.write(folder, {"emobed": points()})
        assert {name: (folder / name).read_bytes() for name in first} == first
        assert self.names(folder.parent) == ["embeddings-dev"]

    @pytest.mark.parametrize("writable", range(7))
    def test_a_full_disk_leaves_what_was_there(self, tmp_path, monkeypatch, writable):
        from emobed_tf.embeddings import projector

        folder = tmp_path / "logs" / "embeddings-dev"
        projector.write(folder, {"old": points()})
        before = self.names(folder)
        written, write_bytes = [], projector.write_bytes

        def failing(path, content):
            if len(written) == writable:
                raise OSError(28, "No space left on device", str(path))
            written.append(path)
            write_bytes(path, content)

        monkeypatch.setattr(projector, "write_bytes", failing)
        if writable == 6:  # vectors, metadata, markers, legend, configuration, events: all of them
            projector.write(folder, {"emobed": points()})
            assert "emobed-vectors.tsv" in self.names(folder)
            return
        with pytest.raises(OSError, match="No space left"):
            projector.write(folder, {"emobed": points()})
        assert self.names(folder) == before
        assert self.names(folder.parent) == ["embeddings-dev"]

    def test_what_a_killed_process_left(self, tmp_path):
        from emobed_tf.embeddings import projector

        for name in (".embeddings-dev.new", ".embeddings-dev.old"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "file").touch()
        projector.write(tmp_path / "embeddings-dev", {"emobed": points()})
        assert self.names(tmp_path) == ["embeddings-dev"]
        assert "file" not in self.names(tmp_path / "embeddings-dev")


@pytest.mark.slow
def test_tensorboard_serves_what_was_embedded(folder):
    with serving(folder.parent) as address:

        def get(route, **query):
            url = f"{address}data/plugin/projector/{route}?{urllib.parse.urlencode(query)}"
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.headers["Content-Type"], answer.read()

        assert json.loads(get("runs")[1]) == ["embeddings-dev"]
        info = json.loads(get("info", run="embeddings-dev")[1])["embeddings"]
        assert [(entry["tensorName"], entry["tensorShape"]) for entry in info] == [
            ("emobed", [6, 4]),
            ("classic", [3, 4]),
        ]
        chosen = {"run": "embeddings-dev", "name": "classic"}
        np.testing.assert_array_equal(
            np.frombuffer(get("tensor", **chosen)[1], np.float32).reshape(3, 4), points().vectors[[1, 0, 4]]
        )
        assert get("metadata", run="embeddings-dev", name="emobed")[1].decode() == TABLE
        kind, content = get("sprite_image", **chosen)
        assert kind == "image/png"
        assert len(pictures(content, 9)) == 4, "a sheet of 2 x 2 for three points"


class TestLegend:
    def test_says_what_colour_and_shape_mean(self):
        from emobed_tf.embeddings.projector import legend

        assert legend({"emobed": points()}) == [
            "shape: modality (circle audio, triangle face)",
            "colour: class (blue high, vermilion low, grey unknown)",
        ]

    def test_with_more_classes_than_colours_have_names(self):
        from emobed_tf.embeddings.projector import legend

        many = points(classes=np.array([f"c{k}" for k in range(6)]))
        more = points(classes=np.array([f"d{k}" for k in range(6)]))
        assert legend({"a": many, "b": more})[1].startswith("colour: class (12, from dark to light: c0, c1,")

    def test_picture_has_every_colour(self, folder):
        picture = np.asarray(Image.open(folder / "legend.png").convert("RGB")).reshape(-1, 3)
        found = {tuple(colour) for colour in picture.tolist()}
        assert {(0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x6B, 0x6B, 0x6B)} <= found
