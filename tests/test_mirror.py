"""Whoever reads `a/b/c.py` finds its tests in `tests/a/b/test_c.py`; and every helper of the tests is used."""

import ast
import re
from collections import Counter

from tests.conftest import ROOT
from tests.source import modules, tree

TESTS = ROOT / "tests"
WITHOUT_TESTS = {"emobed_tf._version": "a number"}
WITHOUT_MODULE = {
    "test_architecture.py": "the source as a whole",
    "test_benchmarks.py": "tests/benchmarks",
    "test_commands.py": "all commands",
    "test_docstrings.py": "the source as a whole",
    "test_mirror.py": "the tests themselves",
    "test_packaging.py": "the sdist and the wheel",
    "test_private_apis.py": "what other libraries don't call public",
    "browser": "pages in a browser",
    "docs": "the documentation",
    "examples": "the examples",
    "experiments": "the experiments",
    "corpora/test_cases.py": "example files of the tools of the field",
    "corpora/test_same_corpus.py": "the same recordings in every form of table",
    "reliability": "kills, full disks and two at a time, of all commands; strangers' files, of all readers",
    "recordings/test_whole_path.py": "from a film to a served answer",
    "runs/test_former_runs.py": "run folders of an earlier version",
    "saved_model/test_streams.py": "streams of an exported model, however long",
    "training/test_loop_designs.py": "trainings of every design",
    "training/test_loop_encoders.py": "trainings with every encoder",
    "training/test_loop_waveforms.py": "trainings from waveforms",
    "training/test_repeatability.py": "the same bits in new and used processes",
    "serving/test_client_served.py": "the client beside a server, TensorFlow Serving's own too: see make serve-test",
    "serving/test_configuration.py": "serving/*.config and docker-compose.yml",
    "serving/test_load.py": "the server under load",
    "serving/test_local_contract.py": "the server beside TensorFlow Serving's recorded answers: see make serve-test",
}


def home(module):
    """Where the tests of a module stand."""
    package, *inner, name = module.split(".")
    folder = TESTS.joinpath(*([] if package == "emobed_tf" else [package]), *inner)
    return folder / f"test_{name.strip('_')}.py"


def homes():
    """Where tests should stand: one place for each module but packages' `__init__`."""
    tested = [m for m, file in modules().items() if file.name != "__init__.py" and m not in WITHOUT_TESTS]
    return {home(module).relative_to(TESTS).as_posix() for module in tested}


def known(path, places):
    return any(path == place or path.startswith(f"{place}/") for place in places)


def test_every_module_has_its_tests():
    assert not [path for path in homes() if not (TESTS / path).exists()]


def test_every_test_module_has_a_module():
    found = {file.relative_to(TESTS).as_posix() for file in TESTS.rglob("test_*.py")}
    assert not [path for path in found - homes() if not known(path, WITHOUT_MODULE)]


def test_every_helper_is_used():
    """Functions, classes and fixtures of the tests that no test runs by itself, by their names."""
    files = sorted(TESTS.rglob("*.py"))
    uses = Counter(name for file in files for name in used(tree(file)))
    idle = [
        f"{file.relative_to(ROOT)}: {node.name}"
        for file in files
        for node in tree(file).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and is_helper(node) and not uses[node.name] - own(node)
    ]
    assert not idle


def is_helper(node):
    runs_by_itself = node.name.startswith(("test_", "Test", "pytest_")) or "autouse=True" in ast.unparse(node)
    return not runs_by_itself


def used(node):
    """Names that are read, asked for as a fixture, or named in a text that is no docstring."""
    docstrings = {id(child.value) for child in ast.walk(node) if isinstance(child, ast.Expr)}
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.arg):
            yield child.arg
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and id(child) not in docstrings:
            yield from re.findall(r"\w+", child.value)


def own(node):
    """How often a helper names itself."""
    return sum(name == node.name for name in used(node))
