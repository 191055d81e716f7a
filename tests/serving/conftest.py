"""Models and servers that the tests of serving share.

With EMOBED_SERVER=URL the tests that use `server` ask that server instead of one of their own: a TensorFlow Serving
that serves the folder EMOBED_SERVER_MODELS as tests/serving/models.config says. The tests write their models there.
"""

import os
from pathlib import Path

import pytest

from tests.serving.served import LABELS, MODELS, Server, export_gru, export_gruseq, export_runs, serving, wait_until


@pytest.fixture(scope="session")
def contract_models(stack, tmp_path_factory):
    """A folder with the models of rest_contract.json: `gru` with the versions 1 and 2, `gruseq` with 1."""
    folder = tmp_path_factory.mktemp("contract")
    _export_contract(folder)
    return folder


@pytest.fixture(scope="session")
def exported(stack, recola, tables, tmp_path_factory):
    """A folder with the contract's models and with exported runs: `audio` with the versions 1 and 2, `speech` with 1.

    The runs are in its folder `runs`, called audio-0, audio-1 and speech-0.
    """
    if "EMOBED_SERVER" not in os.environ:
        folder = tmp_path_factory.mktemp("exported")
    else:
        folder = Path(os.environ["EMOBED_SERVER_MODELS"])
        if (folder / "speech").is_dir():
            return folder
    _export_contract(folder)
    export_runs(folder, recola, tables)
    return folder


@pytest.fixture(scope="session")
def server(exported):
    """A server of all models of `exported`."""
    folders = {name: exported / name for name in MODELS}
    if "EMOBED_SERVER" in os.environ:
        running = Server(os.environ["EMOBED_SERVER"].rstrip("/"), None, folders)
        wait_until(lambda: _serves_all(running), 300)
        yield running
        return
    labels = [f"--label={name}/{label}={k}" for name, by in LABELS.items() for label, k in by.items()]
    with serving(*labels, model_dirs=folders.values()) as running:
        yield running


def _export_contract(folder):
    for version in (1, 2):
        export_gru(folder / "gru" / str(version), seed=version)
    export_gruseq(folder / "gruseq" / "1")


def _serves_all(running):
    try:
        return all(running.get(f"/v1/models/{name}/metadata")[0] == 200 for name in MODELS)
    except OSError:
        return False
