"""The identity of a search: what it is told by, and settings that came after a search was begun."""

import dataclasses
import hashlib
import json

import pytest

from emobed_tf.config import preset
from tuning import folder
from tuning.folder import SearchIdentity


def identity(**settings):
    values = preset("tables").check().to_dict()
    values = {name: value for name, value in values.items() if name not in ("data_dir", "table")}
    return SearchIdentity(
        tuner="grid",
        seeds=1,
        space={"alpha": "0:1.5"},
        settings=values | settings,
        data={"--table audio": "3f" * 32},
        versions={"tensorflow": "2.21.0"},
    )


class TestDifference:
    def test_none(self):
        assert identity().difference(identity()) is None

    @pytest.mark.parametrize(
        ("changes", "told"),
        [
            ({"versions": {"tensorflow": "2.20.0"}}, "was begun with tensorflow 2.20.0, and this is 2.21.0"),
            ({"tuner": "random"}, "was begun with --tuner random, not grid"),
            ({"settings": identity(bins=3).settings}, "was begun with --bins 3, not 2"),
            ({"space": {"alpha": "0:1"}}, "was begun with --space alpha=0:1, not alpha=0:1.5"),
            ({"data": {"--table audio": "8a" * 32}}, "was begun on other data: --table audio differs"),
        ],
    )
    def test_is_named(self, changes, told):
        assert identity().difference(dataclasses.replace(identity(), **changes)) == told


class TestSettingsThatCameLater:
    """A search that was begun before the package had a setting `encoder`."""

    @pytest.fixture(autouse=True)
    def later(self, monkeypatch):
        class WithEncoder:
            def __init__(self, config):
                self.config = config

            def check(self):
                return self

            def to_dict(self):
                return self.config.check().to_dict() | {"encoder": "gru"}

        monkeypatch.setattr(folder, "preset", lambda dataset: WithEncoder(preset(dataset)))

    def test_lacking_one_is_having_its_default(self):
        before, now = identity(), identity(encoder="gru")
        assert now.difference(before) is None
        assert now.digest == before.digest

    def test_another_value_is_another_search(self):
        before, now = identity(), identity(encoder="tcn")
        assert now.difference(before) == "was begun with --encoder gru, not tcn"
        assert now.digest != before.digest


def test_before_epochs_could_be_the_largest_modality_s():
    before = identity(epoch="target")
    del before.settings["epoch"]
    assert identity(epoch="target").difference(before) is None
    assert identity().difference(before) == "was begun with --epoch target, not largest"
    assert identity().digest != before.digest == identity(epoch="target").digest


def test_digest_is_that_of_the_first_version():
    """The SHA-256 of all fields as JSON, keys in order: what trials of searches begun before carry with them."""
    found = identity(beta=0.7, epoch="target")  # as all were before there was another
    fields = dataclasses.asdict(found)
    came_later = ["encoder", "kernel_size", "classification_loss", "labels", "ignore", "keep", "column", "class_name"]
    came_later += ["time_unit", "resample", "zeros_missing", "confidence", "unknown_speaker"]
    came_later += ["epoch", "steps_per_epoch", "batches"]
    came_later += ["standardise", "speaker_prior", "sharing", "metric_loss", "temperature", "beta_warmup", "alignment"]
    came_later += ["alignment_weight", "teacher", "teacher_weight", "teacher_temperature", "teacher_embedding_weight"]
    came_later += ["front_end", "strict"]
    assert [fields["settings"].pop(name) for name in came_later][:3] == ["gru", 3, "cross_entropy"]
    assert found.digest == hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    assert found.digest != identity().digest
