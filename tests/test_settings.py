"""The settings of a run, section by section."""

import ast
import dataclasses
import itertools
from collections import Counter

import pytest

from emobed_tf import settings
from tests.conftest import ROOT

SECTIONS = (settings.Data, settings.Reading, settings.Network, settings.Objective, settings.Training)


def explained(section):
    """Fields of a class that a docstring follows, which is what `--help` shows."""
    tree = ast.parse((ROOT / "emobed_tf" / "settings.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == section.__name__)
    pairs = itertools.pairwise(body)
    return [
        field.target.id
        for field, text in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    ]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_says_what_it_does(section):
    assert explained(section) == [field.name for field in dataclasses.fields(section)]


def test_a_name_is_a_setting_of_one_section_alone():
    """Flags have no prefix, and `Config.replace` finds a setting by its name."""
    names = Counter(field.name for section in SECTIONS for field in dataclasses.fields(section))
    assert [name for name, number in names.items() if number > 1] == []


def test_places_are_settings():
    assert set(settings.PLACES) <= {field.name for section in SECTIONS for field in dataclasses.fields(section)}
