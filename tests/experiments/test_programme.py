"""`experiments/programme.py`: every part is a command line that its command understands; a part that fails says so."""

import importlib
import lzma
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from emobed_tf.cli import arguments as cli
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.systems.registry import find_system
from tests.conftest import ROOT

TABLES = ["audio=audio.csv", "face=face.csv"]
PARTS = ("curves", "speaker", "losses", "missing", "pairs", "audit")


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


def test_a_part_that_fails(programme, tmp_path, capsys):
    arguments = Namespace(
        table=["a=gone.csv", "b=gone.csv"], output=tmp_path, only=["pairs"], workers=1, list=False, records=None
    )
    with pytest.raises(InputError, match=r"pairs ended with 2; see .*pairs\.txt; the same command continues"):
        programme.experiment(arguments)
    assert "gone.csv" in (tmp_path / "pairs.txt").read_text()


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
    arguments = Namespace(table=["a=a.csv"], output=tmp_path, only=None, workers=1, list=True, records=None)
    with pytest.raises(InputError, match="expected two modalities or more"):
        programme.experiment(arguments)
