"""Every command line in README and guides, in blocks or within sentences, is one that the command understands."""

import argparse
import contextlib
import importlib
import io
import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from emobed_tf.cli import arguments as cli
from emobed_tf.config import preset
from tests.conftest import ROOT
from tests.docs.markdown import PAGES, Block, blocks, calls
from tests.source import commands

LANGUAGES = ("bash", "python", "text", "json")
OTHERS = ("pip", "venv", "pytest")  # modules of other people
OTHER_PROGRAMS = ("pip", "docker", "dask", "pytest", "git", "ruff", "mypy")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SHELL = [block for page in PAGES for block in blocks(page) if block.language == "bash"]


class Parsed(BaseException):
    """The arguments were read; what the command would do is of no interest here."""


@pytest.fixture
def parsers(monkeypatch):
    """Parsers of the commands, all of which end a command when they have read its line."""
    parse, parse_args = cli.parse, argparse.ArgumentParser.parse_args

    def read(*arguments, **more):
        parse(*arguments, **more)
        raise Parsed

    def read_args(self, *arguments, **more):
        parse_args(self, *arguments, **more)
        raise Parsed

    def settings(argv, **more):  # without a look into files and folders, which the guides only imagine
        named = [value for flag, value in pairwise(argv) if flag == "--dataset"]
        return preset(*named)

    monkeypatch.setattr(cli, "parse", read)
    monkeypatch.setattr(cli, "starting_config", settings)
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", read_args)


def test_every_block_says_its_language():
    unknown = [str(block) for page in PAGES for block in blocks(page) if block.language not in LANGUAGES]
    assert not unknown


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_command_lines(block, parsers, tmp_path, capsys):
    for program, *words in calls(block, tmp_path):
        if program == "make":
            assert {word for word in words if "=" not in word} <= TARGETS
        elif words[0] != "-m":
            assert (ROOT / words[0]).is_file(), f"{block}: there is no {words[0]}"
        elif words[1] not in OTHERS:
            check_arguments(block, words[1], words[2:], capsys)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_command_lines_within_sentences(page, parsers, tmp_path, capsys):
    for block in inline(page):
        for program, *words in calls(block, tmp_path):
            if program == "make":
                assert {word for word in words if "=" not in word} <= TARGETS, f"{block}: {words}"
            elif words[:1] == ["-m"] and len(words) > 1 and words[1] not in OTHERS:
                check_arguments(block, words[1], words[2:], capsys)


def test_flags_within_sentences_are_there():
    """A flag that a guide names is one of some command of ours, or stands in a line of another program."""
    known = {flag for name in commands() for flag in flags_of(name)} | {"--help", "--logdir"}
    known |= {flag for dataset in ("recola", "omg") for flag in flags_of("emobed_tf.simulate", dataset)}
    for page in PAGES:
        if page.name in ("CONTRIBUTING.md", "dependencies.md", "benchmarks.md"):
            continue  # they speak of other programs
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        spans = [span for span in re.findall(r"`([^`\n]+)`", text) if not span.startswith(OTHER_PROGRAMS)]
        named = {flag for span in spans for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span)}
        assert named <= known, f"{page.name}: {sorted(named - known)}"


def flags_of(name, *words):
    """Flags of a command, as its help has them."""
    module = importlib.import_module("serving.client.__main__" if name == "serving.client" else name)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        module.main([*words, "--help"])
    return set(re.findall(r"--[a-z][a-z-]*", said.getvalue()))


def inline(page):
    """Command lines in the text of a page, each as a block: what stands for something else is left as it is."""
    text = page.read_text(encoding="utf-8")
    blanked = re.sub(r"^```.*?^```$", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.MULTILINE | re.DOTALL)
    for found in re.finditer(r"`((?:python|make) [^`]+)`", blanked):
        line = re.sub(r"\s+", " ", found[1])
        if "…" not in line and not line.endswith("--help"):
            yield Block(page, text.count("\n", 0, found.start()) + 1, "bash", line)


def check_arguments(block, name, argv, capsys):
    if name == "tuning.search":
        argv = [word for word in argv if word != "--resume"]  # it reads the folder before the line
    module = importlib.import_module("serving.client.__main__" if name == "serving.client" else name)
    try:
        module.main(argv)
    except Parsed:
        return
    pytest.fail(f"{block}: python -m {name} {' '.join(argv)}\n{capsys.readouterr().err}")


def test_git_ignores_what_they_write(tmp_path):
    """In a clone where somebody follows the guides, `git status` stays clean."""
    lines = [words for block in SHELL for _, *words in calls(block, tmp_path)]
    written = [value for words in lines for flag, value in pairwise(words) if flag == "--output"]
    written += [words[3] for words in lines if words[:2] == ["-m", "emobed_tf.simulate"] and len(words) > 3]
    written += [words[3] for words in lines if words[:2] == ["-m", "emobed_tf.export"] and len(words) > 3]
    assert {"predictions.csv", "report", "runs/both", "data/four", "models/audio"} <= set(written)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    line = ["git", "check-ignore", "--no-index", *(f"{name}/x" for name in written if "." not in name), *written]
    ignored = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert set(written) - {name.removesuffix("/x") for name in ignored.stdout.split()} == set()


def test_shells_are_read_as_shells_do(tmp_path):
    """Variables, quotes, comments, continued lines and other programs."""
    text = (
        'T="--table a=b --x"  # twice\nexport Y=1\npython -m one $T \\\n    "two words"\n'
        "nothing --here\nZ=2 .venv/bin/python -m two\nmake all\n"
    )
    one = ["python", "-m", "one", "--table", "a=b", "--x", "two words"]
    assert calls(Block(ROOT / "README.md", 1, "bash", text), tmp_path) == [
        one,
        ["python", "-m", "two"],
        ["make", "all"],
    ]
