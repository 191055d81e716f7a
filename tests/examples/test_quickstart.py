"""`examples/quickstart.ipynb` runs from its first cell to its last, and what it shows is right."""

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOK = ROOT / "examples" / "quickstart.ipynb"


def test_holds_no_outputs():
    """They would change with every run, and nobody could read the difference."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert not [cell for cell in cells if cell.outputs or cell.execution_count]


@pytest.mark.slow
def test_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()  # raises what a cell raises
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    (said,) = [output.text for output in outputs if "largest difference" in output.get("text", "")]
    assert float(said.split(": ")[1]) < 1e-5
    assert (tmp_path / "report" / "index.html").is_file()
    assert (tmp_path / "models" / "audio" / "1" / "manifest.json").is_file()
