"""What is given away: the wheel holds all that a user needs and nothing else, and works far from the checkout."""

import configparser
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
import yaml

from tests import licences
from tests.conftest import ROOT

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg")
PACKAGES = ("emobed_tf", "tuning", "serving")
SCRIPTS = dict(line.split(" = ") for line in SETUP["options.entry_points"]["console_scripts"].strip().splitlines())


class TestMetadata:
    def test_every_command_has_a_script(self):
        """A command is a module that ends by running `main`; the package's own only lists the others."""
        folders = (ROOT / "emobed_tf", ROOT / "tuning", ROOT / "serving", ROOT / "serving" / "client")
        modules = {
            ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for folder in folders
            for path in folder.glob("*.py")
            if 'if __name__ == "__main__":' in path.read_text()
        }
        assert {where.partition(":")[0] for where in SCRIPTS.values()} == modules - {"emobed_tf.__main__"}

    @pytest.mark.parametrize("where", SCRIPTS.values())
    def test_scripts_exist(self, where):
        module, _, name = where.partition(":")
        assert callable(getattr(importlib.import_module(module), name))

    def test_continuous_integration_runs_the_versions_that_are_claimed(self):
        prefix = "Programming Language :: Python :: 3."
        claimed = {
            "3." + line.removeprefix(prefix)
            for line in SETUP["metadata"]["classifiers"].splitlines()
            if line.startswith(prefix)
        }
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
        assert set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"]) == claimed


class TestLocks:
    @pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-samples"])
    def test_holds_every_pin_with_hashes_and_names_no_index(self, name):
        text = (ROOT / f"{name}.lock").read_text()
        entries = re.findall(r"^([\w.-]+==\S+)((?:.*\\\n)*.*)", text, re.MULTILINE)
        assert all("--hash=sha256:" in rest for _, rest in entries)
        pins = set(re.findall(r"^[\w.-]+==\S+", (ROOT / f"{name}.txt").read_text(), re.MULTILINE))
        assert pins <= {pin for pin, _ in entries}
        assert not re.search(r"://|^\s*--(?!hash)", text, re.MULTILINE)

    def test_development_has_the_same_versions(self):
        assert licences.locked("requirements.lock").items() <= licences.locked("requirements-dev.lock").items()


class TestLicences:
    RESTRICTIVE = re.compile(r"\bA?GPL|Affero|General Public|non-?commercial|proprietary|research", re.IGNORECASE)
    LESSER = re.compile(r"(GNU )?Lesser General Public[^;]*|LGPL[^;]*", re.IGNORECASE)

    def test_what_everybody_installs_restricts_nobody(self):
        """requirements.lock is what `pip install emobed-tf[serving]` brings; extras for recordings are not in it."""
        here = licences.installed()
        found = {name: here[name][1] for name in licences.locked("requirements.lock") if name in here}
        assert len(found) > 50
        said = {name: self.LESSER.sub("", licence) for name, licence in found.items()}
        assert not {name: licence for name, licence in said.items() if self.RESTRICTIVE.search(licence)}
        assert not {"opensmile", "av", "codespell"} & found.keys()

    def test_the_page_lists_every_package_that_is_locked_for_all(self):
        rows = re.findall(r"^\| ([\w.-]+) \| (\S+) \|", (ROOT / "docs" / "licences.md").read_text(), re.MULTILINE)
        here = licences.installed()
        locked = licences.locked("requirements.lock")
        assert {name: version for name, version in locked.items() if name in here}.items() <= dict(rows).items()


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The sdist, and the wheel that was built from it, as `make dist` makes them, of a copy of the checkout."""
    folder = tmp_path_factory.mktemp("packages")

    def made_here(where, names):  # whatever a checkout has beside its source; a package may be called runs as well
        results = {"build", "dist", "runs"} if Path(where) == ROOT else {"__pycache__"}
        return [name for name in names if name in results or name.startswith(".") or name.endswith(".egg-info")]

    shutil.copytree(ROOT, folder / "checkout", ignore=made_here)
    line = [sys.executable, "-m", "build", "--outdir", folder / "dist", folder / "checkout"]
    result = subprocess.run(line, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def elsewhere(packages, tmp_path_factory):
    """Runs a line in an environment that has the wheel, and the packages that it needs from the tests' environment."""
    folder = tmp_path_factory.mktemp("elsewhere")
    programs = folder / "environment" / "bin"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(program, *arguments):
        line = [programs / program, *map(str, arguments)]
        return subprocess.run(line, cwd=folder, env=variables, capture_output=True, text=True, timeout=300)

    subprocess.run([sys.executable, "-m", "venv", "--without-pip", programs.parent], check=True)
    pip = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, packages[1]], cwd=folder, env=variables, check=True, capture_output=True)
    place = run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    # A path alone: .pth files in there, such as that of an editable installation, are not followed.
    Path(place, "of_the_tests.pth").write_text(sysconfig.get_path("purelib") + "\n")

    return run


@pytest.mark.slow
class TestWheel:
    def test_holds_what_is_needed_and_no_more(self, packages):
        with zipfile.ZipFile(packages[1]) as wheel:
            names = set(wheel.namelist())
        for name in (
            "emobed_tf/py.typed",
            "tuning/py.typed",
            "serving/py.typed",
            "emobed_tf/reporting/report.css",
            "emobed_tf/reporting/report.js",
            "serving/demo_page/index.html",
            "serving/demo_page/demo.js",
            "serving/docker-compose.yml",
            "serving/models.config",
            "serving/monitoring.config",
        ):
            assert name in names
        assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(PACKAGES)
        modules = {
            str(path.relative_to(ROOT))
            for top in ("emobed_tf", "tuning", "serving")
            for path in (ROOT / top).rglob("*.py")
        }
        assert {name for name in names if name.endswith(".py")} == modules

    @pytest.mark.parametrize("script", SCRIPTS)
    def test_every_script_explains_itself(self, elsewhere, script):
        result = elsewhere(script, "--help")
        assert result.returncode == 0, result.stderr
        assert "usage" in result.stdout.lower()

    def test_trains_without_the_checkout(self, elsewhere):
        where = elsewhere("python", "-c", "import emobed_tf; print(emobed_tf.__file__)").stdout
        assert "elsewhere" in where
        result = elsewhere("python", "-m", "emobed_tf.simulate", "recola", "data", "--seconds", 12, "--recordings", 3)
        assert result.returncode == 0, result.stderr
        small = "--encoder-layers 1 --encoder-units 6 --head-layers 1 --head-units 5 --batch-size 2 --epochs 1 --no-xla"
        result = elsewhere("emobed-train", "--data-dir", "data", *small.split(), "--output", "run")
        assert result.returncode == 0, result.stderr
        result = elsewhere("emobed-report", "run", "--output", "page")
        assert result.returncode == 0, result.stderr
        result = elsewhere("python", "-c", "print(open('page/index.html').read())")
        assert "<style>" in result.stdout


@pytest.mark.slow
def test_a_release_lists_every_package_that_it_runs_on(tmp_path):
    """By the line of `make dist`, in a folder that has the lock file alone."""
    recipe = re.search(r"\$\(BIN\)/(cyclonedx-py .*\\\n.*)", (ROOT / "Makefile").read_text())[1]
    (tmp_path / "dist").mkdir()
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    line = f"{sysconfig.get_path('scripts')}/{recipe}"
    subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    listed = json.loads((tmp_path / "dist" / "sbom.cdx.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    found = {licences.canonical(part["name"]): part["version"] for part in listed["components"]}
    assert found == licences.locked("requirements.lock")
