"""Modules of the working folder, for whatever can be named: in installed scripts and in workers, too."""

import os
import re
import subprocess
import sys

import pytest

from emobed_tf.importing import import_named
from tests.conftest import ROOT

# What an installed script does: the first folder of sys.path is the script's own, not the working folder.
SCRIPT = "import sys; sys.path[0] = '/nowhere'\n"

MINE = """
from emobed_tf import DataSet
from emobed_tf.systems.base import System

CLIPS = DataSet(name="clips", title="clips", reader=__name__)

class Mine(System):
    title = "mine"
    def configurations(self, problem, number): return [{}]
    def fit(self, problem, settings, seed): pass
    def predict(self, recordings): return []

def encoder(network, modality, xla): return []
def loss(y_true, y_pred, mask): return 0.0
def find_modalities(folder): return {}
def read(folder, modalities, dimension, progress): return [], {}
"""

FINDERS = {
    "data set": "from emobed_tf.datasets import get; print(get('mine:CLIPS').title)",
    "reader": "from emobed_tf import DataSet; from emobed_tf.corpora.reader import reader_of\n"
    "print(reader_of(DataSet(name='c', title='c', reader='mine')).__name__)",
    "system": "from emobed_tf.systems.registry import find_system; print(find_system('mine:Mine').title)",
    "encoder": "from emobed_tf.models.encoders import find_encoder; print(find_encoder('mine:encoder').__name__)",
    "loss": "from emobed_tf.models.label_losses import regression_loss; print(regression_loss('mine:loss').function)",
    "worker": """
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.systems.registry import find_system
def title(name): return find_system(name).title
print([found for _, found in fan_out(title, ["mine:Mine"] * 2, Workers(2), threads=1)])
""",
}


def script(code, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", SCRIPT + code]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("what", FINDERS)
def test_a_script_finds_modules_of_the_working_folder(what, tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    done = script(FINDERS[what], tmp_path)
    assert done.returncode == 0, done.stderr
    assert any(word in done.stdout for word in ("mine", "clips", "encoder", "loss"))


def test_nothing_in_the_working_folder_hides_an_installed_module(tmp_path):
    (tmp_path / "colorsys.py").write_text("raise SystemExit('hidden')")
    done = script("from emobed_tf.importing import import_named; print(import_named('colorsys').__file__)", tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stdout


def test_a_module_and_a_name_in_it():
    import colorsys

    assert import_named("colorsys") is colorsys
    assert import_named("colorsys:rgb_to_hls") is colorsys.rgb_to_hls


def test_what_is_missing():
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"):
        import_named("no_such_module:X")
    with pytest.raises(ImportError, match="'colorsys' has no attribute 'X'"):
        import_named("colorsys:X")


@pytest.mark.parametrize("name", [".x:y", "../x:y", "a..b:c", ":y", "a b:c"])
def test_what_is_no_modules_name(name):
    with pytest.raises(ImportError, match=f"'{re.escape(name.partition(':')[0])}' is no module's name"):
        import_named(name)
