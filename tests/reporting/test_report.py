"""`python -m emobed_tf.report`: what stands on the page and beside it, and what it never does."""

import base64
import csv
import html.parser
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from tests.conftest import ROOT
from tests.test_commands import assert_one_line, command
from tests.training.test_loop import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class Page(html.parser.HTMLParser):
    """A page taken apart: text by the element's name, attributes of every element."""

    def __init__(self, folder):
        super().__init__()
        self.elements, self.scripts, self.text, self._inside = [], {}, "", []
        self.source = (folder / "index.html").read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self._inside.append((tag, dict(attributes).get("id")))

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self._inside.pop()

    def handle_data(self, data):
        if not self._inside:
            self.text += f" {data}"
        elif self._inside[-1][0] == "script":
            self.scripts[self._inside[-1][1]] = data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def runs(recola, tables, tmp_path_factory):
    """Finished runs by name: two of a regression, two of a classification, one on the other modality."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("report")
    regression = preset("recola").replace(data_dir=recola, **TINY)
    classification = preset("tables").replace(data_dir=tables, **{**TINY, "epochs": 2, "batch_size": 8})
    plans = {
        "classic": regression.replace(framework="classic"),
        "emobed": regression,
        "classic-audio": classification.replace(framework="classic"),
        "classic-face": classification.replace(framework="classic", target="face"),
        "joint-audio": classification.replace(framework="joint"),
    }
    return {name: train_run(config, folder / name).path for name, config in plans.items()}


def report(output, *arguments):
    result = command("report", *arguments, "--output", output)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"report: {output / 'index.html'}\n"
    return Page(output)


@pytest.fixture(scope="module")
def pair(runs, tmp_path_factory):
    """The page of classic and EmoBed on RECOLA's stand-in, and its folder."""
    folder = tmp_path_factory.mktemp("pages") / "pair"
    return report(folder, runs["classic"], runs["emobed"]), folder


@pytest.fixture(scope="module")
def trio(runs, tmp_path_factory):
    """The page of three runs of a classification, one of them on another modality, and its folder."""
    folder = tmp_path_factory.mktemp("pages") / "trio"
    return report(folder, runs["classic-audio"], runs["classic-face"], runs["joint-audio"]), folder


def copied(run, tmp_path):
    return shutil.copytree(run, tmp_path / run.name)


class TestPage:
    def test_files_have_their_names(self, pair):
        names = {path.name for path in pair[1].iterdir()}
        kinds = ["embeddings-dev", "scores"]
        kinds += [f"run{k}-{kind}" for k in (1, 2) for kind in ("learning", "predictions-dev", "scatter-dev")]
        assert names == {"index.html", *(f"{kind}.{suffix}" for kind in kinds for suffix in ("png", "svg"))}

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

    def test_pictures_are_those_beside_it_and_have_words(self, pair):
        page, folder = pair
        pictures = page.all("img")
        assert len(pictures) == 8
        found = {base64.b64decode(picture["src"].partition(",")[2]) for picture in pictures}
        assert found == {path.read_bytes() for path in folder.glob("*.png")}
        assert all(picture["alt"] for picture in pictures)

    def test_simulated_is_said_loudly(self, pair):
        page, _ = pair
        assert "SIMULATED data in classic, emobed: scores on them are no results." in page.text
        assert "SIMULATED: EmoBed report: recola, arousal from audio" in page.text, "the window's title"

    def test_sections(self, pair):
        page, _ = pair
        anchors = [found["href"][1:] for found in page.all("a") if found["href"].startswith("#")]
        expected = "summary comparison learning-curves predictions embeddings configuration provenance"
        assert anchors == expected.split()
        assert [found["id"] for found in page.all("section")] == anchors

    def test_scores_with_their_intervals(self, pair, runs):
        from emobed_tf.evaluation.speaker_statistics import statistics_of
        from emobed_tf.runs.scoring import score_run

        page, _ = pair
        found = score_run(Run(shutil.copytree(runs["emobed"], pair[1].parent / "scored")))["dev"]
        ends = statistics_of(found).summary("ccc")
        assert f"{found.scores['ccc']:.3f} [{ends.low:.3f}, {ends.high:.3f}]" in page.text
        assert f"{found.scores['raw']['ccc']:.3f}" in page.text
        assert f"{found.scores['rmse']:.3f}" in page.text

    def test_comparison_is_that_of_evaluate(self, pair, runs, tmp_path):
        page, _ = pair
        again, ground = copied(runs["emobed"], tmp_path), copied(runs["classic"], tmp_path)
        assert command("evaluate", again, "--against", ground).returncode == 0
        found = json.loads((again / "comparison.json").read_text())["dev"]
        assert "emobed better than classic?" in page.text
        assert f"PRIMARY: swap test by speaker, p one-tailed {found['swap']:.4f}" in page.text
        assert f"two-sided {found['swap_two_sided']:.4f}" in page.text
        assert f"95 % of the difference {found['low']:+.3f} to {found['high']:+.3f}" in page.text
        assert f"as published, p one-tailed {found['published']:.4f}" in page.text
        assert f"n = {found['published_n']:,}" in page.text

    def test_settings_that_differ_are_marked(self, pair):
        page, _ = pair
        assert "4 settings differ between the runs" in page.text, "framework, alpha, beta, auxiliary"
        assert len(page.all("mark")) == 8

    def test_provenance(self, pair, runs):
        page, _ = pair
        origin = json.loads((runs["emobed"] / "run.json").read_text())
        for text in (origin["provenance"]["commit"] or "", origin["provenance"]["python"], str(runs["emobed"])):
            assert text in page.text
        for name, value in origin["facts"]["fingerprints"].items():
            assert name in page.text
            assert value in page.text

    def test_series_are_the_predictions(self, pair, runs, tmp_path):
        """Decoded by hand: 16 bits of the range of all of them are the CSV's numbers."""
        folder = copied(runs["emobed"], tmp_path)
        assert command("evaluate", folder).returncode == 0
        data = json.loads(pair[0].scripts["series-2"])
        assert [found["id"] for found in data["recordings"]] == ["dev_1", "dev_2", "dev_3"]
        second = data["recordings"][1]
        assert (second["start"], second["step"], second["partition"]) == (0.0, pytest.approx(0.04), "dev")
        with open(folder / "predictions" / "dev" / "dev_2.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        for key in ("gold_standard", "raw", "postprocessed"):
            levels = np.frombuffer(base64.b64decode(second["values"][key]), "<u2") / 65535
            values = data["low"] + levels * (data["high"] - data["low"])
            np.testing.assert_allclose(values, [float(row[key]) for row in rows], atol=1e-4)

    def test_again_gives_the_same_page_and_nothing_in_the_run_changes(self, runs, tmp_path):
        folder = copied(runs["classic-audio"], tmp_path)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        first = report(tmp_path / "page", folder).source
        assert report(tmp_path / "page", folder).source == first
        assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def test_without_an_output_it_stands_in_the_run_folder(self, runs, tmp_path):
        folder = copied(runs["classic-audio"], tmp_path)
        result = command("report", folder)
        assert result.stdout == f"report: {folder / 'report' / 'index.html'}\n"
        assert (folder / "report" / "index.html").is_file()


class TestTest:
    @pytest.mark.slow
    def test_is_never_read_by_a_report(self, runs, tmp_path, monkeypatch):
        import emobed_tf.evaluation.scores

        asked, ours = [], emobed_tf.evaluation.scores.evaluate
        monkeypatch.setattr(
            emobed_tf.evaluation.scores, "evaluate", lambda part, *rest: asked.append(part) or ours(part, *rest)
        )
        folder = copied(runs["emobed"], tmp_path)
        page = report(tmp_path / "before", folder)
        assert asked == ["dev"]
        assert "a report never does that" in page.text
        assert command("evaluate", folder).returncode == 0
        asked.clear()
        page = report(tmp_path / "after", folder)
        assert asked == ["dev", "test"]
        score = json.loads((folder / "scores.json").read_text())["test"]["ccc"]
        assert f"emobed test {score:.3f} [" in page.text
        assert (tmp_path / "after" / "run1-scatter-test.svg").is_file()
        assert "never does that" not in page.text


class TestClassification:
    def test_confusion_and_scores(self, trio, runs):
        for k in (1, 2, 3):
            assert (trio[1] / f"run{k}-confusion-dev.png").is_file()
        scores = json.loads((runs["joint-audio"] / "scores.json").read_text())["dev"]
        for name in ("f1_micro", "f1_macro", "f1_harmonic", "uar"):
            assert f"{scores[name]:.3f}" in trio[0].text
        assert "SIMULATED" not in trio[0].text
        assert not trio[0].scripts.keys() - {None}, "utterances have no course in time"

    def test_classic_systems_of_two_modalities_share_a_panel(self, trio):
        rows = trio[0].text.partition("silhouette by modality")[2]
        assert rows.index("classic-audio + classic-face") < rows.index("joint-audio")

    def test_silhouettes_are_those_of_the_embeddings(self, trio, runs):
        """With scikit-learn, on what `embeddings.of_run` gives: few enough that none is left out."""
        from sklearn.metrics import silhouette_score

        from emobed_tf.embeddings.points import of_run

        found = of_run(Run(runs["joint-audio"]))
        by_class = silhouette_score(found.vectors, found.classes)
        by_modality = silhouette_score(found.vectors, found.modality)
        assert f"joint-audio {len(found)} {by_class:+.3f} {by_modality:+.3f}" in trio[0].text
        parts = [of_run(Run(runs[name])) for name in ("classic-audio", "classic-face")]
        vectors, classes, modality = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("vectors", "classes", "modality")
        )
        numbers = f"{silhouette_score(vectors, classes):+.3f} {silhouette_score(vectors, modality):+.3f}"
        assert f"classic-audio + classic-face {len(vectors)} {numbers}" in trio[0].text

    def test_what_cannot_be_compared_says_why(self, trio):
        assert (
            "classic-face against classic-audio, dev: no test, the two runs have different recordings" in trio[0].text
        )
        assert "joint-audio better than classic-audio?" in trio[0].text


class TestMissingData:
    @pytest.mark.slow
    def test_the_page_is_made_from_the_folder(self, runs, recola, tmp_path):
        folder = copied(runs["emobed"], tmp_path)
        assert command("evaluate", folder).returncode == 0
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


class TestMistakes:
    def test_data_that_changed(self, runs, recola, tmp_path):
        data = shutil.copytree(recola, tmp_path / "data")
        with open(data / "ratings_gold_standard" / "arousal" / "dev_1.arff", "a") as file:
            file.write("\n")
        result = command("report", runs["emobed"], "--data-dir", data, "--output", tmp_path / "page")
        assert_one_line(result, "dev_1.arff", "changed since training")
        assert not (tmp_path / "page").exists()

    def test_a_folder_that_was_named_must_be_there(self, runs, tmp_path):
        result = command("report", runs["emobed"], "--data-dir", tmp_path / "none", "--output", tmp_path / "page")
        assert_one_line(result, str(tmp_path / "none"))

    def test_no_run(self, tmp_path):
        assert_one_line(command("report"), "run")
        assert_one_line(command("report", tmp_path / "none"), "no such run folder")

    def test_unfinished(self, runs, tmp_path):
        folder = copied(runs["emobed"], tmp_path)
        (folder / "scores.json").unlink()
        assert_one_line(command("report", folder), "training has not finished")

    @pytest.mark.parametrize(
        "content", [None, "", "epoch,loss\n1,much\n", "loss\n1\n", "epoch,loss\n1,2,3\n"], ids=lambda text: repr(text)
    )
    def test_damaged_history(self, runs, tmp_path, content):
        folder = copied(runs["emobed"], tmp_path)
        (folder / "history.csv").unlink()
        if content is not None:
            (folder / "history.csv").write_text(content)
        assert_one_line(command("report", folder, "--output", tmp_path / "page"), "history.csv")

    @pytest.mark.parametrize("content", ["{}", '{"dev": 3}', "["])
    def test_damaged_scores(self, runs, tmp_path, content):
        folder = copied(runs["emobed"], tmp_path)
        (folder / "scores.json").write_text(content)
        assert_one_line(command("report", folder, "--output", tmp_path / "page"), "scores.json", "damaged")

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "id,time,gold_standard,raw,postprocessed\n",
            "id,time,gold_standard,raw\ndev_1,0,1,2\n",
            "id,time,gold_standard,raw,postprocessed\ndev_1,0,1,x,2\n",
            "id,time,gold_standard,raw,postprocessed\ndev_1,0,1\n",
        ],
    )
    def test_damaged_predictions(self, runs, tmp_path, content):
        folder = copied(runs["emobed"], tmp_path)
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "data_dir": str(tmp_path / "gone")}))
        (folder / "predictions" / "dev").mkdir(parents=True)
        (folder / "predictions" / "dev" / "dev_1.csv").write_text(content)
        assert_one_line(command("report", folder, "--output", tmp_path / "page"), "dev_1.csv", "damaged")

    def test_output_is_a_file(self, runs, tmp_path):
        (tmp_path / "file").write_text("x")
        assert_one_line(command("report", runs["classic-audio"], "--output", tmp_path / "file"), str(tmp_path / "file"))

    def test_help_imports_nothing_heavy(self):
        result = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "emobed_tf.report", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0
        assert "--sweep" in result.stdout
        for heavy in ("tensorflow", "keras", "pandas", "sklearn", "scipy.stats", "matplotlib"):
            assert f" {heavy}\n" not in result.stderr


class TestHostileNames:
    NAME = "<script>alert('x')</script>&\"$_"

    @pytest.mark.slow
    def test_ids_and_classes_are_text(self, tmp_path):
        """In the text, in attributes, in the JSON inside a script, in the figures."""
        from emobed_tf.training.loop import train_run

        lines = ["id,time,partition,arousal,f,g"]
        for k, (name, partition) in enumerate([(self.NAME, "dev"), ("b", "dev"), ("t1", "train"), ("t2", "train")]):
            quoted = '"' + name.replace('"', '""') + '"'
            lines += [f"{quoted},{t / 10},{partition},{np.sin(t + k):.3f},{np.cos(t + k):.3f},{t}" for t in range(40)]
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


class TestSweeps:
    COLUMNS = ("parameter", "value", "scenario", "target", "label", "seed", "score_name", "score", "simulated")

    def written(self, folder, *rows):
        folder.mkdir(exist_ok=True)
        with open(folder / "sweep.csv", "w", newline="") as file:
            csv.writer(file).writerows([self.COLUMNS, *rows])
        return folder

    def test_points(self, tmp_path):
        from emobed_tf.reporting import read_sweep

        row = ("margin", "0.2", "emotion from face", "face", "emotion", "3", "uar", "0.5", "True")
        folder = self.written(tmp_path / "a", row, (*row[:1], "none", *row[2:7], "", "False"))
        first, second = read_sweep(folder).points
        assert (first["value"], first["score"], first["simulated"], first["seed"]) == (0.2, 0.5, True, "3")
        assert (second["value"], second["score"], second["simulated"]) == ("none", None, False)

    def test_on_the_page(self, runs, tmp_path):
        rows = [("alpha", v, "x from y", "y", "x", 0, "ccc", v / 2, True) for v in (0, 0.5)]
        folders = [self.written(tmp_path / name, *rows) for name in "ab"]
        page = report(tmp_path / "page", runs["classic-audio"], "--sweep", *folders)
        assert "sweeps" in {found["id"] for found in page.all("section")}
        assert (tmp_path / "page" / "sweep2.svg").is_file()
        assert f"SIMULATED data in {folders[0]}, {folders[1]}:" in page.text

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (None, ["no such file", "tuning.sweep"]),
            ("a,b\n1,2\n", ["parameter", "missing"]),
            ("parameter,value,scenario,seed,score,score_name,simulated\n", ["missing"]),
            ("parameter,value,scenario,seed,score,score_name,simulated\na,1,s,0,x,ccc,True\n", ["line 2", "'x'"]),
            ("parameter,value,scenario,seed,score,score_name,simulated\na,1,s\n", ["line 2", "cut off"]),
        ],
    )
    def test_mistakes(self, runs, tmp_path, text, words):
        if text is not None:
            (tmp_path / "sweep.csv").write_text(text)
        result = command("report", runs["classic-audio"], "--sweep", tmp_path, "--output", tmp_path / "page")
        assert_one_line(result, "sweep.csv", *words)


class TestSeries:
    def test_thinned_keeps_extremes_in_their_order(self):
        from emobed_tf.reporting.series import thinned

        values = np.array([3.0, 9, 1, 4, 7, 7, 0, 8, 5])
        np.testing.assert_array_equal(thinned(values, 2), [9, 1, 0, 8, 5, 5])
        np.testing.assert_array_equal(thinned(values, 1), values)

    def test_a_page_holds_so_many_values(self, monkeypatch):
        from types import SimpleNamespace

        from emobed_tf.reporting import series

        part = SimpleNamespace(partition="dev", recordings=({"time": np.zeros(100)}, {"time": np.zeros(50)}))
        content = SimpleNamespace(parts={"dev": part})
        for values, expected in ((450, 1), (449, 2), (150, 3)):
            monkeypatch.setattr(series, "VALUES", values)
            assert series.factor([content]) == expected


class TestMarkup:
    def test_everything_is_escaped_but_markup(self):
        from emobed_tf.reporting.html import table, tag

        inner = tag("b", "<i> & \"'")
        assert inner == "<b>&lt;i&gt; &amp; &quot;&#x27;</b>"
        assert tag("p", inner, None, ["x", 3], class_="a", data_x='"', hidden=True, open=False) == (
            f'<p class="a" data-x="&quot;" hidden>{inner}x3</p>'
        )
        assert "&lt;td&gt;" in table(["a", "b"], [["<td>", "x"]])
        assert tag("br") == "<br>"


def test_names_of_runs_with_the_same_folder_name():
    from pathlib import Path

    from emobed_tf.reporting.contents import names_of

    assert names_of([Run(Path("x/a")), Run(Path("y/b"))]) == ["a", "b"]
    assert names_of([Run(Path("x/0")), Run(Path("y/0"))]) == ["x/0", "y/0"]


def test_without_embeddings_says_how_to_get_them(runs, tmp_path):
    from emobed_tf.reporting import write_report

    path = write_report([Run(runs["emobed"])], tmp_path, embeddings=False)
    assert f"python -m emobed_tf.report {runs['emobed']} draws them" in path.read_text()
    assert not (tmp_path / "embeddings-dev.png").exists()
    with pytest.raises(InputError):
        write_report([Run(tmp_path)], tmp_path)
