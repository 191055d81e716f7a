"""`python -m emobed_tf.embed`: what it writes and says, and one line for every mistake."""

import csv
import shutil
import subprocess
import sys

import pytest

from tests.commands import assert_one_line, command, flags, process
from tests.conftest import ROOT
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack")

SHORT = {**TINY, "epochs": 1}


def train(folder, *arguments, **settings):
    result = command("train", "--no-report", *arguments, *flags(**{**SHORT, **settings}), "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def run(recola, tmp_path_factory):
    return train(tmp_path_factory.mktemp("embed") / "run", "--data-dir", recola)


@pytest.fixture(scope="module")
def classic(recola, tmp_path_factory):
    return train(tmp_path_factory.mktemp("embed") / "classic", "--data-dir", recola, framework="classic")


class TestEmbed:
    def test_two_runs_side_by_side(self, run, classic):
        result = command("embed", run, "--against", classic)
        assert (result.returncode, result.stderr) == (0, "")
        folder = run / "logs" / "embeddings-dev"
        found = {name: table(folder / f"{name}-simulated-metadata.tsv") for name in ("emobed", "classic")}
        modalities = {name: {row["modality"] for row in rows} for name, rows in found.items()}
        assert modalities == {"emobed": {"audio", "video_appearance"}, "classic": {"audio"}}
        rows = {name: [row for row in found[name] if row["modality"] == "audio"] for name in found}
        assert len(rows["classic"]) == 3 * 13, "3 recordings of 301 frames, one point in 25"
        for row, other in zip(rows["emobed"], rows["classic"], strict=True):
            same = ("id", "time", "class", "gold standard", "speaker")
            assert [row[name] for name in same] == [other[name] for name in same]
        video = len(found["emobed"]) - 39
        assert f"emobed-simulated ({run}): 39 of audio, {video} of video_appearance" in result.stdout
        assert f"classic-simulated ({classic}): 39 of audio\n" in result.stdout
        assert "classic was trained on audio alone" in result.stdout
        assert f"embeddings: {folder} (legend.png says what the markers mean)\n" in result.stdout
        assert "shape: modality (circle audio, triangle video_appearance)\n" in result.stdout
        assert "colour: class (blue high, vermilion low, grey unknown)\n" in result.stdout
        assert f"tensorboard --logdir {run / 'logs'}" in result.stdout

    def test_twice_and_another_partition(self, run, classic):
        assert command("embed", run, "--against", classic, "--partition", "test").returncode == 0
        folder = run / "logs" / "embeddings-test"
        assert {row["id"] for row in table(folder / "emobed-simulated-metadata.tsv")} == {"test_1", "test_2", "test_3"}
        assert command("embed", run, "--partition", "test").returncode == 0
        first = {file.name: file.read_bytes() for file in folder.iterdir() if "tfevents" not in file.name}
        assert not [name for name in first if "classic" in name], "replaced, not added to"
        assert command("embed", run, "--partition", "test").returncode == 0
        assert {name: (folder / name).read_bytes() for name in first} == first

    def test_fewer_points(self, run):
        result = command("embed", run, "--points", 12, "--partition", "train")
        assert result.returncode == 0, result.stderr
        rows = table(run / "logs" / "embeddings-train" / "emobed-simulated-metadata.tsv")
        groups = [(row["modality"], row["class"]) for row in rows]
        assert {group: groups.count(group) for group in groups} == {
            (modality, name): 3 for modality in ("audio", "video_appearance") for name in ("high", "low")
        }
        assert "12 of " in result.stdout
        assert "points are drawn" in result.stdout

    def test_the_same_framework_twice(self, tables, tmp_path):
        data = ("--dataset", "tables", "--data-dir", tables)
        first, second = (train(tmp_path / str(seed), *data, batch_size=8, seed=seed) for seed in (1, 2))
        assert command("embed", first, "--against", second).returncode == 0
        folder = first / "logs" / "embeddings-dev"
        assert {file.name for file in folder.glob("*-vectors.tsv")} == {f"contrastive-{k}-vectors.tsv" for k in (1, 2)}
        vectors = [(folder / f"contrastive-{k}-vectors.tsv").read_text() for k in (1, 2)]
        assert vectors[0] != vectors[1]

    @pytest.mark.slow
    def test_own_process_is_quiet(self, run):
        result = process("embed", run)
        assert (result.returncode, result.stderr) == (0, "")


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--points", "0"], ["--points", "1 to 65536", "0"]),
            (["--points", "65537"], ["--points", "65537"]),
            (["--partition", "valid"], ["--partition", "valid"]),
            (["--against", "nowhere"], ["nowhere", "no such run folder"]),
            (["--data-dir", "nowhere"], ["nowhere"]),
        ],
    )
    def test_arguments(self, run, arguments, words):
        assert_one_line(command("embed", run, *arguments), *words)

    def test_another_label(self, run, recola, tmp_path):
        other = train(tmp_path / "run", "--data-dir", recola, framework="classic", dimension="valence")
        assert_one_line(
            command("embed", run, "--against", other), "learnt arousal", "valence; name two runs that learnt the same"
        )
        assert not list(run.glob("logs/.*"))

    @pytest.mark.parametrize("missing", ["scores.json", "best.npz", "run.json"])
    def test_half_a_run(self, run, tmp_path, missing):
        shutil.copytree(run, tmp_path / "run")
        (tmp_path / "run" / missing).unlink()
        assert_one_line(command("embed", tmp_path / "run"), str(tmp_path / "run"))

    def test_found_before_tensorflow_is_imported(self, run):
        code = "import sys; from emobed_tf import embed; embed.main(sys.argv[1:]); print('tensorflow' in sys.modules)"
        for arguments in (["nowhere"], [run, "--points", "0"], [run, "--against", "nowhere"]):
            line = [sys.executable, "-c", code, *map(str, arguments)]
            result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
            assert result.stdout == "False\n", result.stderr
