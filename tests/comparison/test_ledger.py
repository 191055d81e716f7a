"""The ledger: on disk when it says so, whole after a kill, its own only, one writer."""

import json
import os
import re
import resource
import signal
import subprocess
import sys

import pytest

from emobed_tf.comparison.ledger import Ledger
from emobed_tf.errors import InputError
from tests.conftest import ROOT

IDENTITY = {"settings": {"learning_rate": 0.001, "auxiliary": ("face",)}, "data": {"audio.csv": "3f" * 32}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "trials.jsonl"


@pytest.fixture
def filled(path):
    """Three records, and the ledger closed."""
    ledger = Ledger(path, IDENTITY)
    for seed in range(3):
        ledger.add({"value": 0.5, "seed": seed}, {"score": seed / 10})
    ledger.close()
    return path


class TestLedger:
    def test_holds_what_was_added(self, filled):
        ledger = Ledger(filled, IDENTITY)
        assert len(ledger) == 3
        assert {"seed": 1, "value": 0.5} in ledger  # the order of a key's parts is no part of it
        assert {"value": 0.5, "seed": 3} not in ledger
        assert ledger[{"value": 0.5, "seed": 2}] == {"score": 0.2}
        assert [(key["seed"], record["score"]) for key, record in ledger.items()] == [(0, 0.0), (1, 0.1), (2, 0.2)]

    def test_what_it_began_with_binds_nobody(self, path):
        ledger = Ledger(path, IDENTITY, began_with={"search": "shared"})
        ledger.add("a trial", {})
        ledger.close()
        assert json.loads(path.read_text().splitlines()[0])["began_with"] == {"search": "shared"}
        again = Ledger(path, IDENTITY, began_with={"search": "own"})
        assert "a trial" in again
        again.close()
        assert json.loads(path.read_text().splitlines()[0])["began_with"] == {"search": "shared"}

    def test_keys_are_json_values(self, path):
        ledger = Ledger(path, {})
        for key in ("a", 1, ("a", 1), {"a": [1, None]}):
            assert key not in ledger
            ledger.add(key, {"of": str(key)})
            assert ledger[key] == {"of": str(key)}
        assert ["a", 1] in ledger
        assert "1" not in ledger

    def test_one_line_each(self, filled):
        lines = [json.loads(line) for line in filled.read_text().splitlines()]
        assert lines[0]["identity"]["settings"]["auxiliary"] == ["face"]
        assert lines[1:] == [{"key": {"value": 0.5, "seed": k}, "record": {"score": k / 10}} for k in range(3)]

    @pytest.mark.parametrize("kept", [0, 1, 20])
    def test_a_half_written_line_is_dropped(self, filled, kept):
        lines = filled.read_bytes().splitlines(keepends=True)
        filled.write_bytes(b"".join(lines[:3]) + lines[3][:kept])
        ledger = Ledger(filled, IDENTITY)
        assert len(ledger) == 2
        ledger.add({"value": 0.5, "seed": 2}, {"score": 0.2})
        assert filled.read_bytes() == b"".join(lines)

    def test_a_line_without_its_end_was_never_promised(self, filled):
        filled.write_bytes(filled.read_bytes()[:-1])  # readable JSON, but not all of it was written
        assert len(Ledger(filled, IDENTITY)) == 2

    def test_a_killed_beginning_is_begun_again(self, path):
        Ledger(path, IDENTITY).close()
        whole = path.read_bytes()
        path.write_bytes(whole[:7])
        Ledger(path, IDENTITY).close()
        assert path.read_bytes() == whole

    def test_is_on_disk_after_a_kill(self, path):
        code = (
            "import os, signal\nfrom pathlib import Path\nfrom emobed_tf.comparison.ledger import Ledger\n"
            f"ledger = Ledger(Path({str(path)!r}), {{}})\nledger.add('a', {{'score': 1}})\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=120)
        assert done.returncode == -signal.SIGKILL
        assert Ledger(path, {})["a"] == {"score": 1}

    def test_reaches_the_disk_before_it_returns(self, path, monkeypatch):
        ledger, synced = Ledger(path, {}), []
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
        ledger.add("a", {})
        assert synced == [path.stat().st_size]

    def test_a_file_that_was_removed_takes_nothing_more(self, path):
        ledger = Ledger(path, {})
        ledger.add("a", {"score": 1})
        path.unlink()
        with pytest.raises(InputError, match=r"has been removed, and what was done with it; start again"):
            ledger.add("b", {"score": 2})
        assert not path.exists()
        assert "b" not in ledger

    def test_refuses_a_second_record(self, path):
        ledger = Ledger(path, {})
        ledger.add("a", {"score": 1})
        with pytest.raises(ValueError, match="a second record of 'a'"):
            ledger.add("a", {"score": 2})
        assert ledger["a"] == {"score": 1}

    def test_refuses_what_json_has_not(self, path):
        ledger = Ledger(path, {})
        with pytest.raises(ValueError, match="JSON"):
            ledger.add("a", {"score": float("nan")})
        assert len(path.read_text().splitlines()) == 1
        assert "a" not in ledger

    def test_a_full_disk_leaves_the_file_whole(self, filled):
        ledger, before = Ledger(filled, IDENTITY), filled.read_bytes()
        limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
        try:
            with pytest.raises(OSError, match=r"trials\.jsonl"):
                ledger.add("a", {"score": 1})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert filled.read_bytes() == before
        assert "a" not in ledger


class TestIdentity:
    @pytest.mark.parametrize(
        ("now", "told"),
        [
            (
                {**IDENTITY, "settings": {"learning_rate": 0.01, "auxiliary": ["face"]}},
                "settings learning_rate was 0.001, is 0.01;",
            ),
            ({**IDENTITY, "data": {"audio.csv": "8a" * 32}}, 'data audio.csv was "3f3f'),
            ({**IDENTITY, "data": {}}, "is null;"),
            ({**IDENTITY, "framework": "joint"}, 'framework was null, is "joint";'),
            (
                {**IDENTITY, **dict.fromkeys("abcde", 1)},
                "a was null, is 1, b was null, is 1, c was null, is 1, and 2 more",
            ),
        ],
    )
    def test_another_one_is_named(self, filled, now, told):
        before = filled.read_bytes()
        with pytest.raises(InputError, match=r"of other settings or data.*choose another folder$") as error:
            Ledger(filled, now)
        assert told in str(error.value)
        assert "\n" not in str(error.value)
        assert filled.read_bytes() == before

    def test_another_version(self, filled, monkeypatch):
        monkeypatch.setattr("emobed_tf.comparison.ledger.__version__", "99.0")
        with pytest.raises(InputError, match=r'emobed_tf was "\d.*, is "99.0";'):
            Ledger(filled, IDENTITY)

    @pytest.mark.parametrize("written", [0, 3])
    def test_another_format(self, filled, written):
        filled.write_text(filled.read_text().replace('{"format": 2,', f'{{"format": {written},'))
        with pytest.raises(InputError, match=rf"format {written}, this one reads up to 2"):
            Ledger(filled, IDENTITY)

    def test_without_records_it_binds_nobody(self, path):
        Ledger(path, IDENTITY).close()
        ledger = Ledger(path, {"of": "others"})
        ledger.add("a", {})
        ledger.close()
        with pytest.raises(InputError, match="of other settings"):
            Ledger(path, IDENTITY)

    def test_a_part_that_came_later(self, filled):
        ledger = Ledger(filled, IDENTITY)
        for _ in range(2):
            ledger.agree("audio", {"auxiliary": ("face",), "bins": 2})
        assert len(ledger) == 4
        with pytest.raises(InputError, match="bins was 2, is 3; choose another folder"):
            ledger.agree("audio", {"auxiliary": ("face",), "bins": 3})


class TestSettingsThatCameLater:
    """A file that was begun before a setting was there."""

    @staticmethod
    def now(**settings):
        return {**IDENTITY, "settings": {**IDENTITY["settings"], **settings}}

    def test_lacking_one_is_having_its_default(self, filled):
        ledger = Ledger(filled, self.now(encoder="gru"), defaults={"settings": {"encoder": "gru"}})
        assert len(ledger) == 3

    def test_another_value_is_another_setting(self, filled):
        with pytest.raises(InputError, match='settings encoder was "gru", is "tcn"; choose another folder'):
            Ledger(filled, self.now(encoder="tcn"), defaults={"settings": {"encoder": "gru"}})

    def test_what_has_no_default_is_missed(self, filled):
        with pytest.raises(InputError, match='settings encoder was null, is "gru"'):
            Ledger(filled, self.now(encoder="gru"), defaults={"settings": {"learning_rate": 0.001}})

    def test_a_default_changes_nothing_that_was_written(self, filled):
        with pytest.raises(InputError, match=r"settings learning_rate was 0\.001, is 0\.01"):
            Ledger(filled, self.now(learning_rate=0.01), defaults={"settings": {"learning_rate": 0.01}})


class TestFormat1:
    """Files whose keys were texts."""

    @pytest.fixture
    def old(self, filled):
        header, *_ = filled.read_text().splitlines()
        lines = [header.replace('{"format": 2,', '{"format": 1,')]
        lines += [json.dumps({"key": f"0.5 | {seed}", "record": {"score": seed / 10}}) for seed in range(3)]
        filled.write_text("\n".join(lines) + "\n")
        return filled

    @staticmethod
    def text(key):
        return f"{key['value']} | {key['seed']}"

    def test_records_are_found_by_their_fields(self, old):
        ledger = Ledger(old, IDENTITY, former_key=self.text)
        assert ledger[{"value": 0.5, "seed": 2}] == {"score": 0.2}
        assert {"value": 0.5, "seed": 3} not in ledger

    def test_goes_on_as_it_began(self, old):
        ledger, before = Ledger(old, IDENTITY, former_key=self.text), old.read_text()
        ledger.add({"value": 0.5, "seed": 3}, {"score": 0.3})
        assert old.read_text() == before + '{"key": "0.5 | 3", "record": {"score": 0.3}}\n'
        with pytest.raises(ValueError, match="a second record"):
            ledger.add({"value": 0.5, "seed": 3}, {"score": 0.3})

    def test_a_new_file_knows_no_former_keys(self, path):
        ledger = Ledger(path, IDENTITY, former_key=self.text)
        ledger.add({"value": 0.5, "seed": 0}, {})
        assert json.loads(path.read_text().splitlines()[1])["key"] == {"value": 0.5, "seed": 0}

    def test_without_former_keys_they_are_the_same(self, filled):
        filled.write_text(filled.read_text().replace('{"format": 2,', '{"format": 1,'))
        assert Ledger(filled, IDENTITY)[{"value": 0.5, "seed": 2}] == {"score": 0.2}


class TestOtherFiles:
    @pytest.mark.parametrize("content", ["parameter,value\n", "{}", "[]\n", '{"score": 1}\n'])
    def test_are_left_alone(self, tmp_path, content):
        file = tmp_path / "file"
        file.write_text(content)
        with pytest.raises(InputError, match="expected finished trials, found something else"):
            Ledger(file, {})
        assert file.read_text() == content

    @pytest.mark.parametrize("line", ["nonsense", "[1]", '{"key": 1}'])
    def test_damage_is_told_with_its_line(self, filled, line):
        lines = filled.read_text().splitlines()
        filled.write_text("\n".join([*lines[:2], line, *lines[2:]]) + "\n")
        with pytest.raises(InputError, match="line 3: damaged"):
            Ledger(filled, IDENTITY)

    def test_one_process_at_a_time(self, filled):
        code = (
            "from pathlib import Path\nfrom emobed_tf.comparison.ledger import Ledger\n"
            f"ledger = Ledger(Path({str(filled)!r}), {IDENTITY!r})\nprint('open', flush=True)\ninput()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout.readline() == "open\n"
            with pytest.raises(InputError, match="another process works in this folder"):
                Ledger(filled, IDENTITY)
            other.communicate("\n", timeout=60)
        assert len(Ledger(filled, IDENTITY)) == 3


class TestRecords:
    @pytest.mark.parametrize("record", ["5", "null", "[]", '"x"'])
    def test_are_objects(self, filled, record):
        lines = filled.read_text().splitlines(keepends=True)
        lines[2] = re.sub(r'"record": .*}', f'"record": {record}}}', lines[2])
        filled.write_text("".join(lines))
        with pytest.raises(InputError, match="line 3: damaged; remove that line"):
            Ledger(filled, IDENTITY)

    def test_each_that_is_read_is_checked(self, filled):
        seen = []
        Ledger(
            filled, IDENTITY, check=lambda key, record, where: seen.append((key["seed"], record["score"], where))
        ).close()
        assert seen == [(k, k / 10, f"{filled}, line {k + 2}: damaged") for k in range(3)]
