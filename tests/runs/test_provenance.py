"""What a run folder keeps of the process that made it."""

import json
import subprocess
import sys
import time
from importlib import metadata

import emobed_tf
from emobed_tf.config import preset
from emobed_tf.runs import provenance as module
from emobed_tf.runs.provenance import provenance
from tests.conftest import ROOT


def test_names_versions_machine_and_command(monkeypatch):
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    monkeypatch.setattr(sys, "argv", ["train.py", "--seed", "7"])
    before = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    found = provenance(preset().replace(seed=7, threads=3))
    assert (found["seed"], found["threads"]) == (7, 3)
    assert found["emobed_tf"] == emobed_tf.__version__
    assert found["packages"]["numpy"] == metadata.version("numpy")
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["command"] == ["train.py", "--seed", "7"]
    assert found["started"] >= before
    assert found["environment"]["TF_DETERMINISTIC_OPS"] == "1"
    assert "hidden" not in json.dumps(found), "of the environment only what decides numbers"


def test_commit_is_that_of_the_checkout():
    git = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    head = subprocess.run(git, capture_output=True, text=True)
    commit = provenance(preset())["commit"]
    if head.returncode:
        assert commit is None
    else:
        assert commit.removesuffix("+") == head.stdout.strip()


def test_no_checkout_has_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "__file__", str(tmp_path / "provenance.py"))
    assert provenance(preset())["commit"] is None


def test_no_git_is_no_commit_either(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance(preset())["commit"] is None
