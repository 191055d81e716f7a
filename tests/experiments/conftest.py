import importlib
import sys

import pytest

from tests.conftest import ROOT

NAMES = ("plain_network", "audit_power", "programme")


@pytest.fixture
def experiment(monkeypatch):
    """Imports a module of `experiments/` by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)
