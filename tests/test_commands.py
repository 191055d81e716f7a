"""Every command: `--help` explains it, and nothing slow is imported for that."""

import subprocess
import sys
from importlib import import_module

import pytest

from emobed_tf.comparison.contrasts import primary_system
from emobed_tf.config import preset
from emobed_tf.systems.registry import find_system
from tests.conftest import ROOT
from tests.source import commands
from tests.test_architecture import LATE


@pytest.mark.parametrize("command", commands())
def test_help_explains_and_imports_nothing_slow(command):
    module = command.removesuffix(".__main__")
    shown = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert shown.returncode == 0
    assert "usage" in shown.stdout.lower()
    for inside in (
        "{None}",
        "(default: None)",
        "(default: )",
        "settings.data",
        "STR [",
    ):  # how a program says it, not a person
        assert inside not in shown.stdout, f"{command} --help says {inside}"
    loaded = {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()}
    assert not loaded & set(LATE)


@pytest.mark.parametrize("command", ["compare", "crossvalidate", "learning_curve"])
def test_what_train_trains_is_compared(command):
    """With EmoBed as the primary contrast, and only systems that learn values as well as classes."""
    arguments = import_module(f"emobed_tf.{command}").Arguments(preset("tables"))
    assert preset("tables", "recommended").objective.framework in arguments.systems
    assert primary_system(arguments.systems, "classic", arguments.primary) == "emobed"
    assert {find_system(name).tasks for name in arguments.systems} == {("regression", "classification")}


def test_importing_the_package_does_not_import_tensorflow():
    code = "import sys, emobed_tf; emobed_tf.preset('recola'); print('tensorflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
