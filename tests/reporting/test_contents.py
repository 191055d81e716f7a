"""What a report reads, what it never reads, and what it does without data."""

import json
import shutil

import pytest

from tests.commands import assert_one_line, command
from tests.reporting.pages import copied, report

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.mark.slow
def test_the_test_partition_is_never_read_by_a_report(runs, tmp_path, monkeypatch):
    from emobed_tf.reporting import contents

    asked, ours = [], contents.evaluate
    monkeypatch.setattr(contents, "evaluate", lambda part, *rest: asked.append(part) or ours(part, *rest))
    folder = copied(runs["emobed"], tmp_path)
    page = report(tmp_path / "before", folder)
    assert asked == ["dev"]
    assert "a report never computes them" in page.text
    assert command("evaluate", folder, "--test").returncode == 0
    asked.clear()
    page = report(tmp_path / "after", folder)
    assert asked == ["dev", "test"]
    score = json.loads((folder / "scores.json").read_text())["test"]["ccc"]
    assert f"emobed test {score:.3f} [" in page.text
    assert (tmp_path / "after" / "run1-scatter-test.svg").is_file()
    assert "a report never computes them" not in page.text


class TestMissingData:
    @pytest.mark.slow
    def test_the_page_is_made_from_the_folder(self, runs, recola, tmp_path):
        folder = copied(runs["emobed"], tmp_path)
        assert command("evaluate", folder, "--test").returncode == 0
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "data_dir": str(tmp_path / "gone")}))
        page = report(tmp_path / "page", folder)
        assert "The data are not where they were" in page.text
        assert str(tmp_path / "gone") in page.text
        scores = json.loads((folder / "scores.json").read_text())
        for part in ("dev", "test"):
            assert f"emobed {part} {scores[part]['ccc']:.3f} " in page.text, "without an interval"
            assert (tmp_path / "page" / f"run1-predictions-{part}.png").is_file()
        assert "embeddings" not in {found["id"] for found in page.all("section")}
        assert len(json.loads(page.scripts["series-1"])["recordings"]) == 6
        moved = report(tmp_path / "moved", folder, "--data-dir", recola)
        assert "not where they were" not in moved.text
        assert (tmp_path / "moved" / "embeddings-dev.png").is_file()

    @pytest.mark.slow
    def test_nothing_but_scores(self, runs, tmp_path):
        folder = copied(runs["joint-audio"], tmp_path)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "data_dir": str(tmp_path / "gone")}))
        page = report(tmp_path / "page", folder, copied(runs["classic-audio"], tmp_path))
        assert (tmp_path / "page" / "run1-confusion-dev.png").is_file()
        assert "no test, needs the data of both runs" in page.text
        folder = copied(runs["emobed"], tmp_path)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "data_dir": str(tmp_path / "gone")}))
        page = report(tmp_path / "few", folder)
        assert "No predictions of partition 'dev' are in the run folder" in page.text
        assert {path.stem for path in (tmp_path / "few").glob("*.png")} == {"run1-learning"}

    def test_an_auxiliary_that_is_gone(self, runs, tables, tmp_path):
        folder = copied(runs["joint-audio"], tmp_path)
        data = tmp_path / "data"
        data.mkdir()
        shutil.copy(tables / "audio.csv", data)
        config = json.loads((folder / "config.json").read_text())
        named = [f"audio={data / 'audio.csv'}", f"face={data / 'face.csv'}"]
        (folder / "config.json").write_text(json.dumps({**config, "data_dir": None, "table": named}))
        facts = json.loads((folder / "run.json").read_text())
        prints = facts["facts"]["fingerprints"]
        facts["facts"]["fingerprints"] = {f"--table {name.removesuffix('.csv')}": v for name, v in prints.items()}
        (folder / "run.json").write_text(json.dumps(facts))
        page = report(tmp_path / "page", folder)
        assert "No embeddings:" in page.text
        assert "face.csv" in page.text
        assert "[" in page.text, "intervals are there"


def test_data_that_changed(runs, recola, tmp_path):
    data = shutil.copytree(recola, tmp_path / "data")
    with open(data / "ratings_gold_standard" / "arousal" / "dev_1.arff", "a") as file:
        file.write("\n")
    result = command("report", runs["emobed"], "--data-dir", data, "--output", tmp_path / "page")
    assert_one_line(result, "dev_1.arff", "changed since training")
    assert not (tmp_path / "page").exists()


def test_a_folder_that_was_named_must_be_there(runs, tmp_path):
    result = command("report", runs["emobed"], "--data-dir", tmp_path / "none", "--output", tmp_path / "page")
    assert_one_line(result, str(tmp_path / "none"))


@pytest.mark.parametrize("content", ["{}", '{"dev": 3}', "["])
def test_damaged_scores(runs, tmp_path, content):
    folder = copied(runs["emobed"], tmp_path)
    (folder / "scores.json").write_text(content)
    assert_one_line(command("report", folder, "--output", tmp_path / "page"), "scores.json", "damaged")
