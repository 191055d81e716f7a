"""`experiments/programme.py`: every part is a command line that its command understands; a part that fails says so."""

import importlib
import lzma
import re
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.cli import arguments as cli
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.systems.registry import find_system
from tests.conftest import ROOT

TABLES = ["audio=audio.csv", "face=face.csv"]
PARTS = ("curves", "speaker", "losses", "missing", "pairs", "audit", "selection")


@pytest.fixture
def programme(experiment):
    return experiment("programme")


def test_all_parts(programme):
    assert tuple(programme.PARTS) == PARTS
    assert all(f"\n{part} " in programme.__doc__ for part in PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_commands_are_understood(programme, part):
    flag, module, *words = programme.command(part, TABLES, ["audio", "face"], Path("out"), 2)
    command = importlib.import_module(module)
    default = command.Arguments(preset("tables"))
    found = cli.parse(command.Arguments, words, prog=command.PROG, description="", default=default)
    assert flag == "-m" and found.settings.data.table == tuple(TABLES)
    assert found.protocol.targets == ("audio", "face")
    assert (found.budget.configurations, found.budget.seeds, found.workers.workers) == (4, 2, 2)
    found.settings.check()
    for system in found.systems:
        find_system(system)


def test_parts_with_other_settings_share_no_folder(programme):
    def read(part):
        words = programme.command(part, TABLES, ["audio", "face"], Path("out"), 2)
        command = importlib.import_module(words[1])
        found = cli.parse(
            command.Arguments, words[2:], prog="p", description="", default=command.Arguments(preset("tables"))
        )
        return found.output, found.settings

    folders = {}
    for part in PARTS:
        output, settings = read(part)
        assert folders.setdefault(output, settings) == settings


def write_numbers(folder):
    """Two modalities of six speakers with four recordings each, whose labels are fractions."""
    rng = np.random.default_rng(0)
    tables = []
    for name in ("audio", "face"):
        lines = ["id,partition,speaker,arousal,one,two"]
        for k in range(24):
            one, two, label = rng.normal(size=3).round(3)
            lines.append(f"r{k},train,s{k % 6},{label + one},{one},{two}")
        (folder / f"{name}.csv").write_text("\n".join(lines))
        tables.append(f"{name}={folder / name}.csv")
    return tables


def arguments(tables, output, *only, flags=()):
    return Namespace(
        table=tables, output=output, only=list(only), workers=1, list=False, records=None, flags=list(flags)
    )


@pytest.mark.slow
def test_numbers_of_few_speakers(programme, tmp_path, monkeypatch, capsys):
    """A regression has neither the machine of classes nor withheld classes, and "all" are as many as there are."""
    monkeypatch.setattr(programme, "BUDGET", "--configurations 1 --seeds 1 --threads 1")
    part = ("learning_curve", "--amounts all --systems classic svm joint", "corpus")
    monkeypatch.setitem(programme.PARTS, "curves", part)
    flags = ["--folds", "2", "--dev-speakers", "1", "--draws", "1"]
    flags += ["--epochs", "1", "--encoder", "dense", "--encoder-units", "4"]
    programme.experiment(arguments(write_numbers(tmp_path), tmp_path / "out", "curves", "missing", flags=flags))
    said = capsys.readouterr().out
    assert "svm" not in said
    assert "missing: left out, because numbers are learnt here" in said
    assert re.search(rf"^curves: \d+ min, in {tmp_path / 'out' / 'curves.txt'}$", said, re.MULTILINE)
    # six speakers, three of them tested and one for development: two are left
    table = (tmp_path / "out" / "corpus" / "curve.md").read_text()
    assert "CCC" in table and "| 2 speakers (8) |" in table


def test_a_part_that_fails(programme, tmp_path, monkeypatch, capsys):
    """The others are run all the same."""
    monkeypatch.setitem(programme.PARTS, "pairs", ("crossvalidate", "--systems classic nothing", "corpus"))
    monkeypatch.setitem(programme.PARTS, "audit", ("check", "--json", "corpus"))
    with pytest.raises(InputError, match=r"pairs ended with 2; see .*pairs\.txt; audit ended with 2; .*continues"):
        programme.experiment(arguments(write_numbers(tmp_path), tmp_path, "pairs", "audit"))
    assert "nothing" in (tmp_path / "pairs.txt").read_text()
    assert "pairs ended with 2" in capsys.readouterr().out


def test_data_that_are_not_there(programme, tmp_path):
    with pytest.raises(InputError, match=r"gone\.csv"):
        programme.experiment(arguments(["a=gone.csv", "b=gone.csv"], tmp_path, "pairs"))


def test_flags_go_to_every_command(programme):
    flags = ["--labels", "labels.csv", "--dimension", "arousal"]
    for part in PARTS:
        words = programme.command(part, TABLES, ["audio", "face"], Path("out"), 2, flags)
        command = importlib.import_module(words[1])
        default = command.Arguments(preset("tables"))
        found = cli.parse(command.Arguments, words[2:], prog="p", description="", default=default)
        assert found.settings.reading.labels == Path("labels.csv") and found.settings.data.dimension == "arousal"


def test_what_a_command_says_of_the_time(programme, tmp_path, capsys):
    """The line stands in the log, and on the screen at once."""
    log = (tmp_path / "log.txt").open("w+")
    said = "print('begun'); print('about 5 min (classic 5 min) to go'); print('to go or not')"
    assert programme.run([sys.executable, "-c", said], log) == 0
    log.seek(0)
    assert log.read() == "begun\nabout 5 min (classic 5 min) to go\nto go or not\n"
    assert capsys.readouterr().out == "  about 5 min (classic 5 min) to go\n"


def test_the_command_ends_with_the_programme():
    """Told to end, it ends the command, whose exit code is the signal's."""
    slow = "import time; print('begun', flush=True); time.sleep(60)"
    body = f"import sys, programme; sys.exit(-programme.run([sys.executable, '-c', {slow!r}], sys.stdout))"
    words = [sys.executable, "-c", body]
    with subprocess.Popen(words, cwd=ROOT / "experiments", stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        assert process.wait(timeout=30) == signal.SIGTERM


def test_records_are_unpacked_once(programme, tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "my-data-corpus.jsonl.xz").write_bytes(lzma.compress(b"whole\n"))
    programme.unpack(tmp_path / "records", tmp_path / "output")
    ledger = tmp_path / "output" / "corpus" / "trials.jsonl"
    assert ledger.read_bytes() == b"whole\n"
    ledger.write_bytes(b"whole\nand more\n")
    programme.unpack(tmp_path / "records", tmp_path / "output")
    assert ledger.read_bytes() == b"whole\nand more\n"


def test_one_modality(programme, tmp_path):
    with pytest.raises(InputError, match="expected two modalities or more"):
        programme.experiment(arguments(["a=a.csv"], tmp_path))
