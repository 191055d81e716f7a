"""Code that a file names doesn't run unless its reader has named it, too: in every command that opens a run."""

import json
import os
import subprocess
import sys

import pytest

from emobed_tf.config import Config, preset, read_config
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from emobed_tf.trusted import NAMING, own_names, trust_flags
from tests.commands import assert_one_line
from tests.conftest import ROOT

RAN = "the hostile module ran"
HOSTILE = f"print({RAN!r}, flush=True)\ndef anything(*given): print({RAN!r}, flush=True); return []\n"


@pytest.fixture
def hostile(tmp_path):
    """A folder that a stranger made: a run folder, and beside it and in it the module that its configuration names."""

    def make(setting="encoder", name="stranger:anything"):
        run = tmp_path / "run"
        run.mkdir()
        values = {**preset().to_dict(), setting: name}
        (run / "config.json").write_text(json.dumps(values))
        (run / "run.json").write_text(json.dumps({"facts": {}, "provenance": {}}))
        for folder in (tmp_path, run):
            (folder / "stranger.py").write_text(HOSTILE)
        return run

    return make


def process(folder, *words, **variables):
    """A command in a process of its own, in the folder of the stranger's modules."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    line = [sys.executable, *map(str, words)]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


class TestHostileFolder:
    @pytest.mark.parametrize(
        "words",
        [
            ("emobed_tf.evaluate", "run"),
            ("emobed_tf.evaluate", "run", "--against", "run"),
            ("emobed_tf.predict", "run", "--features", "run/config.json"),
            ("emobed_tf.export", "run", "model"),
            ("emobed_tf.embed", "run"),
            ("emobed_tf.report", "run"),
            ("emobed_tf.train", "--resume", "--output", "run"),
            ("emobed_tf.train", "--config", "run/config.json", "--output", "other"),
            ("emobed_tf.compare", "--config", "run/config.json"),
            ("emobed_tf.reproduce", "1", "--config", "run/config.json"),
            ("emobed_tf.crossvalidate", "--config", "run/config.json"),
            ("emobed_tf.audit", "--config", "run/config.json"),
            ("emobed_tf.learning_curve", "--config", "run/config.json"),
            ("tuning.search", "--config", "run/config.json"),
            ("tuning.sweep", "beta", "0,1", "--config", "run/config.json"),
        ],
        ids=lambda words: " ".join(words[:2]),
    )
    def test_runs_nothing_in_any_command(self, hostile, tmp_path, words):
        hostile()
        result = process(tmp_path, "-m", *words)
        assert RAN not in result.stdout + result.stderr
        assert_one_line(
            result, "config.json: names code from outside this package", "--trust stranger:anything", "would run"
        )

    @pytest.mark.parametrize("setting", NAMING)
    @pytest.mark.parametrize("name", ["stranger:anything", "stranger", "stranger:", "run.stranger:anything"])
    def test_no_setting_imports_it(self, hostile, tmp_path, monkeypatch, setting, name):
        """A module without a name in it would be imported before anybody misses the name."""
        run = hostile(setting, name)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(InputError, match=f"config.json: (names code|{setting}: expected)"):
            Run.open(run, finished=False)
        assert name.partition(":")[0] not in sys.modules

    def test_a_shell_would_run_nothing_of_what_is_suggested(self, hostile):
        """The message ends in words to be copied to a command line."""
        with pytest.raises(InputError) as told:
            Run.open(hostile(name="stranger:x; echo $(echo)\n\x1b[2J"), finished=False)
        assert "--trust" not in str(told.value)
        assert str(told.value).isprintable()

    def test_another_name_of_the_module_is_not_meant(self, hostile, tmp_path):
        hostile()
        result = process(tmp_path, "-m", "emobed_tf.evaluate", "run", "--trust", "stranger:other")
        assert_one_line(result, "names code from outside this package")


class TestTrusted:
    """What is trusted gets as far as the next fault of the folder: its training has not finished."""

    def test_then_it_runs(self, hostile, tmp_path):
        """Or the tests above would show nothing."""
        hostile("dataset")
        line = ("-m", "emobed_tf.train", "--config", "run/config.json", "--trust", "stranger:anything")
        assert RAN in process(tmp_path, *line).stdout

    @pytest.mark.parametrize("how", [("--trust", "stranger:anything"), ("--trust=stranger",)])
    def test_by_a_flag(self, hostile, tmp_path, how):
        hostile()
        result = process(tmp_path, "-m", "emobed_tf.evaluate", "run", "--trust", "another:name", *how)
        assert_one_line(result, "training has not finished")

    @pytest.mark.parametrize("names", ["stranger:anything", "other, stranger"])
    def test_by_the_environment(self, hostile, tmp_path, names):
        hostile()
        result = process(tmp_path, "-m", "emobed_tf.evaluate", "run", EMOBED_TRUST=names)
        assert_one_line(result, "training has not finished")

    def test_by_python(self, hostile, tmp_path):
        hostile()
        code = "import emobed_tf\nfrom emobed_tf.runs.folder import Run\nemobed_tf.trust('stranger:anything')\n"
        result = process(tmp_path, "-c", f"{code}print(Run.open('run', finished=False).config().network.encoder)")
        assert (result.returncode, result.stdout) == (0, "stranger:anything\n"), result.stderr

    def test_by_naming_it_for_the_training(self, tmp_path):
        """Who trains with an encoder reads the run again in the same process without another word."""
        config = preset().replace(encoder="mine_alone:encoder")
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config.to_dict()))
        with pytest.raises(InputError, match="--trust mine_alone:encoder"):
            read_config(path)
        config.check()
        assert read_config(path) == config

    def test_a_package_and_all_that_is_in_it(self, hostile, tmp_path):
        run = hostile(name="ourlab.encoders.deep:lstm")
        code = "import sys\nfrom emobed_tf.trusted import trust\nfrom emobed_tf.runs.folder import Run\n"
        code += "trust(sys.argv[1])\nRun.open(sys.argv[2], finished=False)"
        for entry, enough in {"ourlab": True, "ourlab.encoders": True, "ourlab.enc": False, "our": False}.items():
            assert (process(tmp_path, "-c", code, entry, run).returncode == 0) is enough, entry


def test_the_packages_own_need_no_trust():
    assert own_names(Config().to_dict()) == {}
    assert trust_flags(Config().to_dict()) == []


def test_flags_name_each_once():
    settings = Config().replace(encoder="mine:a", front_end="mine:b", regression_loss="mine:a").to_dict()
    assert trust_flags(settings) == ["--trust", "mine:a", "--trust", "mine:b"]


def test_all_settings_that_can_name_code_are_known():
    """By what `--help` says of them."""
    texts = (ROOT / "emobed_tf" / "settings.py").read_text()
    named = [line.split(":")[0].strip() for line in texts.splitlines() if ", _one_of(" in line and "Annotated[" in line]
    assert sorted(named) == sorted(NAMING)
