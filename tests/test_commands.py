"""Every command: `--help` explains it, and nothing slow is imported for that."""

import subprocess
import sys

import pytest

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


def test_importing_the_package_does_not_import_tensorflow():
    code = "import sys, emobed_tf; emobed_tf.preset('recola'); print('tensorflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
