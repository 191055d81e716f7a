"""Strangers' files: whatever is in one, it is read, or there is one line that says what is wrong with it."""

import importlib.util
import random
import resource
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.reliability import fuzz
from tests.reliability.mutations import mutated
from tests.reliability.readers import READERS, outcome, strict_about_warnings

FEW, MANY = 40, 3000
SECONDS = 60

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("stack")]


@pytest.fixture(scope="module", params=READERS)
def source(request, stack, tmp_path_factory):
    reader = READERS[request.param]
    if reader.needs:
        pytest.importorskip(reader.needs)
    return reader.prepare(tmp_path_factory.mktemp(request.param))


def survive(source, number):
    """Reads so many nearly valid files, the same ones each time."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with strict_about_warnings():
        for seed in range(number):
            draw = random.Random(seed)
            content = mutated(draw.choice(source.seeds), draw)
            start = time.process_time()
            try:
                outcome(source, content)
            except Exception as error:
                raise AssertionError(f"mutation {seed}: {content[:3000]!r}") from error
            assert time.process_time() - start < fuzz.SLOWEST, content[:3000]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < fuzz.MEMORY * 1024


def test_valid_files_are_read(source):
    with strict_about_warnings():
        assert [outcome(source, seed) for seed in source.seeds] == [""] * len(source.seeds)


def test_some_mutations(source):
    survive(source, FEW)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_many_mutations(source):
    survive(source, MANY)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason=fuzz.INSTALL)
@pytest.mark.parametrize("name", READERS)
def test_guided_by_coverage(name):
    if READERS[name].needs:
        pytest.importorskip(READERS[name].needs)
    line = [sys.executable, "-m", "tests.reliability.fuzz", name, "--seconds", str(SECONDS)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.endswith(" 0 findings\n")


def test_without_atheris(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert fuzz.main(["config"]) == 2
    assert capsys.readouterr().err == "atheris is not installed: pip install atheris\n"


def test_a_mutation_is_the_same_for_the_same_seed():
    content = b"id,time,a\nu,0,1.5\nu,1,2.5\n"
    first = [mutated(content, random.Random(seed)) for seed in range(50)]
    assert first == [mutated(content, random.Random(seed)) for seed in range(50)]
    assert len(set(first)) > 40
