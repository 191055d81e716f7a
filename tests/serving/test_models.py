"""Versions in folders: which are loaded, when, and what becomes of those that can't be. No TensorFlow."""

import gc
import threading
import weakref

import pytest

from serving.models import Model, Models
from serving.rest import RestError, Route
from tests.serving.served import wait_until


class FakeServable:
    def __init__(self, text):
        self.text = text
        self.metadata = {"said": text}
        self.itself = self  # like a graph of TensorFlow


class Loader:
    """Loads a version's folder by reading `text`; an empty one is damaged.

    Attributes:
        paths: that it was asked for.
        until: it waits for this event.
    """

    def __init__(self):
        self.paths = []
        self.until = threading.Event()
        self.until.set()

    def __call__(self, path):
        self.paths.append(path.name)
        assert self.until.wait(60)
        text = (path / "text").read_text()
        if not text:
            raise ValueError("two\nlines")
        return FakeServable(text)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audio"


@pytest.fixture
def load():
    return Loader()


@pytest.fixture
def model(folder, load):
    return Model("audio", folder, {"stable": 1}, load)


def add(folder, version, text):
    beside = folder / f".{version}"
    beside.mkdir(parents=True)
    (beside / "text").write_text(text)
    beside.rename(folder / str(version))


def remove(folder, version):
    (folder / str(version) / "text").unlink()
    (folder / str(version)).rmdir()


def states(model):
    return {int(row["version"]): row["state"] for row in model.status(None)["model_version_status"]}


class TestVersions:
    def test_the_highest_answers_where_none_is_named(self, model, folder):
        for version in (2, 10, 9):
            add(folder, version, f"v{version}")
        model.refresh()
        assert model.available() == [2, 9, 10]
        number, servable = model.find(None)
        assert (number, servable.text) == (10, "v10")
        assert model.find(2)[1].text == "v2"

    def test_what_is_no_version_is_ignored(self, model, folder, load):
        add(folder, 1, "v1")
        for name in ("-1", "1.5", "²", "latest", ".2", "2.tmp", str(2**63), "001"):
            (folder / name).mkdir()
        (folder / "3").write_text("a file")
        model.refresh()
        assert load.paths == ["1"]

    def test_each_is_loaded_once(self, model, folder, load):
        add(folder, 1, "v1")
        for _ in range(3):
            model.refresh()
        (folder / "1" / "text").write_text("changed")
        model.refresh()
        assert load.paths == ["1"]
        assert model.find(1)[1].text == "v1"

    def test_a_new_one_answers_only_when_it_is_loaded(self, model, folder, load):
        add(folder, 1, "v1")
        model.refresh()
        load.until.clear()
        add(folder, 2, "v2")
        thread = threading.Thread(target=model.refresh)
        thread.start()
        try:
            wait_until(lambda: "2" in load.paths)
            assert states(model) == {1: "AVAILABLE", 2: "LOADING"}
            assert model.find(None)[0] == 1
            with pytest.raises(RestError, match=r"Servable not found for request: Specific\(audio, 2\)"):
                model.find(2)
        finally:
            load.until.set()
            thread.join()
        assert model.find(None)[0] == 2

    def test_one_that_is_gone_answers_no_more(self, model, folder):
        for version in (1, 2):
            add(folder, version, f"v{version}")
        model.refresh()
        _, held = model.find(None)
        gone = weakref.ref(held)
        remove(folder, 2)
        model.refresh()
        assert model.find(None)[0] == 1
        assert states(model) == {1: "AVAILABLE", 2: "END"}
        assert held.text == "v2", "who holds it can finish"
        del held
        gc.collect()
        assert gone() is None
        add(folder, 2, "another")
        model.refresh()
        assert model.find(None)[1].text == "another"

    def test_memory_of_one_that_is_gone_is_free_at_once(self, model, folder):
        add(folder, 1, "v1")
        model.refresh()
        gone = weakref.ref(model.find(1)[1])
        remove(folder, 1)
        gc.disable()
        try:
            model.refresh()
            assert gone() is None
        finally:
            gc.enable()

    def test_a_new_one_is_there_before_the_old_one_goes(self, model, folder, load):
        add(folder, 1, "v1")
        model.refresh()
        load.until.clear()
        remove(folder, 1)
        add(folder, 2, "v2")
        thread = threading.Thread(target=model.refresh)
        thread.start()
        wait_until(lambda: "2" in load.paths)
        found, _ = model.find(None)
        load.until.set()
        thread.join()
        assert found == 1
        assert model.available() == [2]

    def test_none_left(self, model, folder):
        add(folder, 1, "v1")
        model.refresh()
        remove(folder, 1)
        model.refresh()
        with pytest.raises(RestError, match=r"Servable not found for request: Latest\(audio\)") as caught:
            model.find(None)
        assert caught.value.status == 404

    def test_a_folder_that_can_not_be_read_drops_nothing(self, model, folder, caplog):
        add(folder, 1, "v1")
        model.refresh()
        folder.rename(folder.with_name("away"))
        for _ in range(3):
            model.refresh()
        assert model.available() == [1]
        assert len([record for record in caplog.records if "served on" in record.getMessage()]) == 1
        folder.with_name("away").rename(folder)
        remove(folder, 1)
        model.refresh()
        assert model.available() == []


class TestBroken:
    def test_reported_and_left_alone_until_its_files_change(self, model, folder, load, caplog):
        add(folder, 1, "v1")
        add(folder, 2, "")
        for _ in range(3):
            model.refresh()
        assert load.paths == ["2", "1"]
        assert model.find(None)[0] == 1
        (row,) = model.status(2)["model_version_status"]
        assert row == {
            "version": "2",
            "state": "END",
            "status": {"error_code": "UNKNOWN", "error_message": "two lines"},
        }
        messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert messages == ["audio: version 2 can't be served: two lines"]
        (folder / "2" / "text").write_text("mended")
        model.refresh()
        assert model.find(None)[1].text == "mended"
        assert load.paths == ["2", "1", "2"]

    def test_says_what_tensorflow_calls_it(self, folder):
        def load(path):
            raise RestError("DATA_LOSS", "bad checksum")

        add(folder, 1, "v1")
        model = Model("audio", folder, {}, load)
        model.refresh()
        (row,) = model.status(1)["model_version_status"]
        assert row["status"] == {"error_code": "DATA_LOSS", "error_message": "bad checksum"}


class TestModels:
    @pytest.fixture
    def models(self, model, folder, load):
        for version in (1, 2):
            add(folder, version, f"audio {version}")
        add(folder.with_name("face"), 7, "face 7")
        models = Models([model, Model("face", folder.with_name("face"), {}, load)])
        models.refresh()
        return models

    def test_by_name_version_and_label(self, models):
        for route, expected in (
            (Route("predict", "audio"), "audio 2"),
            (Route("predict", "audio", version=1), "audio 1"),
            (Route("predict", "audio", label="stable"), "audio 1"),
            (Route("predict", "face"), "face 7"),
        ):
            assert models.find(route)[1].text == expected

    @pytest.mark.parametrize(
        ("route", "words", "status"),
        [
            (Route("predict", "gait"), "Servable not found for request: Latest(gait)", 404),
            (Route("predict", "gait", version=3), "Servable not found for request: Specific(gait, 3)", 404),
            (Route("predict", "gait", label="stable"), "Unrecognized servable version label: stable", 400),
            (Route("predict", "face", label="stable"), "Unrecognized servable version label: stable", 400),
        ],
    )
    def test_not_there(self, models, route, words, status):
        with pytest.raises(RestError) as caught:
            models.find(route)
        assert (str(caught.value), caught.value.status) == (words, status)

    def test_a_label_of_a_version_that_is_gone(self, models, folder):
        remove(folder, 1)
        models.refresh()
        with pytest.raises(RestError, match=r"Specific\(audio, 1\)"):
            models.find(Route("predict", "audio", label="stable"))

    def test_metadata(self, models):
        assert models.metadata(Route("metadata", "audio", label="stable")) == {
            "model_spec": {"name": "audio", "version": "1", "signature_name": ""},
            "metadata": {"signature_def": {"signature_def": {"said": "audio 1"}}},
        }

    def test_without_version(self, models, folder):
        assert models.without_version() == []
        remove(folder.with_name("face"), 7)
        models.refresh()
        assert models.without_version() == ["face"]

    def test_watched(self, models, folder):
        before = threading.active_count()
        with models.watched(0.02):
            add(folder, 3, "audio 3")
            wait_until(lambda: models.find(Route("predict", "audio"))[0] == 3)
        assert threading.active_count() == before
