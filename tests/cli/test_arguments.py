"""Command lines become dataclasses, and mistakes become one line."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
import tyro

from emobed_tf.cli import arguments as cli
from emobed_tf.config import Config, preset
from emobed_tf.errors import InputError, MissingInputError
from tests.conftest import ROOT
from tests.test_console import run


@dataclasses.dataclass(frozen=True)
class Shelf:
    """A shelf."""

    place: tyro.conf.Positional[Path]
    """Where it stands."""
    books: int = 3
    """How many there are."""
    label: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """What is written on it, a word for each of the books that stand there, and whatever else can be read from the door
    without glasses.

    Letters are large."""
    mix: tuple[int | Literal["all"], ...] = ()
    """Numbers, or all."""


@dataclasses.dataclass(frozen=True)
class Room:
    """A room."""

    settings: Config
    shelf: Shelf


def parse(kind, *argv, **more):
    return cli.parse(kind, argv, prog="room", description="A room.", **more)


@dataclasses.dataclass(frozen=True)
class Drawer:
    """Something that is written."""

    output: Path | None = None
    """Where."""


class TestParse:
    def test_flags_and_positionals(self):
        found = parse(Shelf, "wall", "--books", "7", "--label", "a=b", "--label", "c")
        assert found == Shelf(Path("wall"), 7, ("a=b", "c"))

    def test_fields_of_nested_dataclasses_are_flags_without_a_prefix(self):
        found = parse(Room, "wall", "--alpha", "0.25", "--encoder-units", "8", "--books", "1")
        assert found.settings == Config().replace(alpha=0.25, encoder_units=8)
        assert found.shelf == Shelf(Path("wall"), 1)

    def test_a_hidden_setting_is_read_but_not_in_the_help(self, capsys):
        for hidden in (("alpha", "seed"), ()):
            with pytest.raises(SystemExit):
                parse(Room, "--help", hidden=hidden)
            said = capsys.readouterr().out
            assert [flag in said for flag in ("--alpha ", "--seed ", "--beta ")] == [not hidden, not hidden, True]
        assert parse(Room, "wall", "--alpha", "0.25", hidden=("alpha",)).settings.objective.alpha == 0.25

    def test_a_hidden_setting_of_the_commands_own(self, capsys):
        with pytest.raises(SystemExit):
            parse(Room, "--help", hidden=("books",))
        said = capsys.readouterr().out
        assert "--books " not in said and "--label " in said
        assert parse(Room, "wall", "--books", "7", hidden=("books",)).shelf.books == 7

    def test_help_says_whose_defaults_it_shows(self, capsys):
        with pytest.raises(SystemExit):
            parse(Room, "--help", default=Room(preset("omg"), Shelf(Path("wall"))))
        assert "Defaults shown below are those of --dataset omg;" in " ".join(capsys.readouterr().out.split())

    def test_flags_change_the_default(self):
        default = Room(preset("omg"), Shelf(Path("wall"), 9))
        found = parse(Room, "floor", "--beta", "2", default=default)
        assert found.settings == preset("omg").replace(beta=2.0)
        assert found.shelf == Shelf(Path("floor"), 9)

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            ((), ["Where it stands.", "see python -m room --help"]),
            (("wall", "--books", "many"), ["--books: expected a whole number, found 'many'; see python -m"]),
            (("wall", "--bocks", "7"), ["--bocks", "perhaps --books?"]),
            (("wall", "floor"), ["floor"]),
        ],
    )
    def test_a_mistake_is_one_line(self, argv, words):
        with pytest.raises(InputError) as caught:
            parse(Shelf, *argv)
        said = str(caught.value)
        assert "\n" not in said
        assert "│" not in said, "of the box that tyro draws"
        for word in words:
            assert word in said

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (("--beta", "x"), "--beta: expected FLOAT, found 'x'; see"),
            (("--epochs", "1.5"), "--epochs: expected a whole number, found '1.5'; see"),
            (("--learning-rate", "x"), "--learning-rate: expected a number, found 'x'; see"),
            (("--mix", "2", "lots"), "--mix: doesn't take '2', 'lots'; see"),
            (("--epoch", "x"), "invalid choice 'x' for argument '--epoch'. Expected one of ('largest', 'target'); see"),
        ],
    )
    def test_a_value_that_cannot_be(self, argv, words):
        with pytest.raises(InputError) as caught:
            parse(Room, "wall", *argv)
        assert str(caught.value).startswith(words)

    def test_a_terminal_with_colours_gets_the_same_line(self):
        seen, code = run("from emobed_tf import train\nsys.exit(train.main(['--framwork', 'joint']))")
        assert code == 2
        assert "Unrecognized options: --framwork (perhaps --framework?); see python -m" in seen

    def test_a_long_word_is_not_broken(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "40")
        word = "x" * 100
        with pytest.raises(InputError, match=word):
            parse(Shelf, "wall", "--books", word)
        assert os.environ["COLUMNS"] == "40", "as it was before"

    def test_help_wraps_texts_to_the_terminal(self, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit):
            parse(Shelf, "--help")
        text = " ".join(capsys.readouterr().out.split())
        # At 200 columns all of it but the last paragraph stands on one line, wherever the source breaks it.
        assert "a word for each of the books that stand there, and whatever else can be read from the door" in text
        assert "from the door without glasses" in text

    @pytest.mark.parametrize("width", ["1", "0", "-3"])
    def test_help_needs_no_width(self, width):
        """Without a least width it would never end, in a table in which no word has room."""
        line = [sys.executable, "-m", "emobed_tf.check", "--help"]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, env={**os.environ, "COLUMNS": width}, timeout=40)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_an_output_that_is_no_text(self):
        """A name of bytes that are no UTF-8, as Python has it."""
        with pytest.raises(InputError, match=r"--output 'out.udcff': expected a name in UTF-8; choose another"):
            parse(Drawer, "--output", os.fsdecode(b"out\xff"))
        assert parse(Drawer, "--output", "jöy ☃").output == Path("jöy ☃")

    def test_help_leaves(self, capsys):
        with pytest.raises(SystemExit) as leaving:
            parse(Shelf, "--help")
        assert not leaving.value.code
        assert "How many there are." in capsys.readouterr().out


class TestStartingConfig:
    @pytest.fixture
    def kept(self, tmp_path):
        """The file of a run: EmoBed's weights, and the margin of its preset, are in it."""
        path = tmp_path / "config.json"
        path.write_text(json.dumps(preset("omg").replace(encoder_units=8).check().to_dict()))
        return path

    def test_preset_of_the_data_set(self):
        assert cli.starting_config([]) == preset("recola")
        assert cli.starting_config(["--dataset", "omg", "--alpha", "2"]) == preset("omg"), "flags come later"

    def test_tables_alone_are_the_data_set(self):
        assert cli.starting_config(["--table", "a=a.csv"]) == preset("tables")
        assert cli.starting_config(["--table=a=a.csv", "--dataset", "recola"]) == preset("recola")
        assert cli.starting_config([], tables_by_default=True) == preset("tables")

    def test_the_recommended_settings_or_the_papers(self):
        """Where the command has such a flag, that is."""
        tables = ["--table", "a=a.csv"]
        found = cli.starting_config(tables, recommends=True)
        assert found == preset("tables", "recommended") == preset("tables").replace(framework="contrastive")
        assert cli.starting_config([*tables, "--preset", "paper"], recommends=True) == preset("tables")
        assert preset("omg", "recommended") == preset("omg") and preset("recola", "recommended") == preset("recola")

    @pytest.mark.parametrize("other", [["--resume", "--output", "x"], ["--config", "x"]])
    def test_a_preset_beside_other_settings(self, other):
        with pytest.raises(InputError, match="--preset: the settings are those of"):
            cli.starting_config(["--preset", "paper", *other], recommends=True)

    def test_another_task_frees_the_score_that_picks_the_weights(self, tmp_path):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(preset("recola").replace(selection="ccc").to_dict()))
        for flag, value, expected in (("--task", "classification", None), ("--task", "auto", "ccc")):
            found = cli.starting_config(["--config", str(path), flag, value])
            assert found.training.selection == expected
        assert cli.starting_config(["--config", str(path), "--dataset", "omg"]).training.selection is None

    def test_what_cannot_be_parsed_is_for_the_parser(self):
        assert cli.starting_config(["--dataset"]) == preset("recola")
        with pytest.raises(
            InputError, match="unknown data set 'iemocap'; expected recola, omg, tables, recordings, or"
        ):
            cli.starting_config(["--dataset", "iemocap"])

    def test_a_file(self, kept):
        assert cli.starting_config(["--config", str(kept)]) == preset("omg").replace(encoder_units=8).check()

    def test_another_framework_or_preset_frees_what_the_files_fixed(self, kept):
        found = cli.starting_config(["--config", str(kept), "--framework", "classic"])
        assert (found.objective.alpha, found.objective.beta) == (None, None)
        found = cli.starting_config(["--config", str(kept), "--triplet-preset", "stable"])
        assert (found.objective.margin, found.objective.normalise) == (None, None)
        found = cli.starting_config(["--config", str(kept), "--framework", "contrastive"])
        assert (found.objective.metric_loss, found.objective.normalise) == (None, None)
        found = cli.starting_config(["--config", str(kept), "--framework", "emobed"])
        assert (found.objective.alpha, found.objective.beta) == (0.5, 0.3), "the file's own framework"

    @pytest.mark.parametrize("framework", ["classic", "emobed", "contrastive", "distilled"])
    def test_a_run_as_the_ground_of_a_comparison(self, framework, tmp_path):
        """Its other settings count: framework, weights and seed are the systems'."""
        run = preset("tables").replace(framework=framework, encoder_units=8, seed=4).check()
        path = tmp_path / "config.json"
        path.write_text(json.dumps(run.to_dict()))
        found = cli.starting_config(["--config", str(path)], compares=True)
        assert found.check() == preset("tables").replace(encoder_units=8).check()

    def test_a_run_that_is_continued(self, kept, tmp_path):
        (tmp_path / "run.json").write_text("{}")
        found = cli.starting_config(["--resume", "--output", str(tmp_path)])
        assert found == preset("omg").replace(encoder_units=8).check()

    @pytest.mark.parametrize(
        ("argv", "message"),
        [
            (["--resume"], "name that folder"),
            (["--resume", "--output", "x", "--config", "y"], "leave --config out"),
        ],
    )
    def test_resume_needs_a_folder_alone(self, argv, message):
        with pytest.raises(InputError, match=message):
            cli.starting_config(argv)

    def test_nothing_there(self, tmp_path):
        with pytest.raises(MissingInputError, match="no such run folder"):
            cli.starting_config(["--resume", "--output", str(tmp_path / "none")])
        with pytest.raises(MissingInputError, match="no such file"):
            cli.starting_config(["--config", str(tmp_path / "none.json")])
