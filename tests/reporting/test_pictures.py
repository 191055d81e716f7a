"""The figures on disk."""

import base64

import pytest

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_files_have_their_names(pair):
    names = {path.name for path in pair[1].iterdir()}
    kinds = ["embeddings-dev", "scores"]
    kinds += [f"run{k}-{kind}" for k in (1, 2) for kind in ("learning", "predictions-dev", "scatter-dev")]
    assert names == {"index.html", *(f"{kind}.{suffix}" for kind in kinds for suffix in ("png", "svg"))}


def test_pictures_are_those_beside_it_and_have_words(pair):
    page, folder = pair
    pictures = page.all("img")
    assert len(pictures) == 8
    found = {base64.b64decode(picture["src"].partition(",")[2]) for picture in pictures}
    assert found == {path.read_bytes() for path in folder.glob("*.png")}
    assert all(picture["alt"] for picture in pictures)
