"""The configuration of TensorFlow Serving, as far as it can be read without one."""

import re
from pathlib import PurePosixPath

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from serving.metrics import PATH
from tests.conftest import ROOT
from tests.serving.served import LABELS, MODELS

FOLDER = ROOT / "serving"


@pytest.fixture(scope="module")
def service():
    (service,) = yaml.safe_load((FOLDER / "docker-compose.yml").read_text())["services"].values()
    return service


def mounts(service):
    """Source by target, without the variables that can replace a source."""
    found = {}
    for volume in service["volumes"]:
        source, target = re.fullmatch(r"(?:\$\{\w+:-)?([^:}]+)\}?:([^:]+):ro", volume).groups()
        found[target] = source
    return found


def models(path):
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    return text_format.Parse(path.read_text(), ModelServerConfig()).model_config_list.config


def monitoring_config():
    """TensorFlow Serving's MonitoringConfig, which its Python package leaves out."""
    file = descriptor_pb2.FileDescriptorProto(name="monitoring_config.proto", package="test", syntax="proto3")
    inner = file.message_type.add(name="PrometheusConfig")
    inner.field.add(name="enable", number=1, type="TYPE_BOOL", label="LABEL_OPTIONAL")
    inner.field.add(name="path", number=2, type="TYPE_STRING", label="LABEL_OPTIONAL")
    outer = file.message_type.add(name="MonitoringConfig")
    outer.field.add(
        name="prometheus_config",
        number=1,
        type="TYPE_MESSAGE",
        type_name=".test.PrometheusConfig",
        label="LABEL_OPTIONAL",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.MonitoringConfig"))()


class TestCompose:
    def test_the_image_is_that_of_the_pinned_tensorflow(self, service):
        pinned = re.search(r"^tensorflow==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
        assert service["image"] == f"tensorflow/serving:{pinned[1]}"

    def test_only_this_machine_reaches_it(self, service):
        assert service["ports"] == ["127.0.0.1:8501:8501"]

    def test_nothing_is_written(self, service):
        assert all(volume.endswith(":ro") for volume in service["volumes"])

    def test_no_batching(self, service):
        assert not [flag for flag in service["command"] if "batching" in flag]

    def test_flags_name_files_that_are_mounted(self, service):
        mounted = mounts(service)
        flags = dict(re.fullmatch(r"--(\w+)=(\S+)", flag).groups() for flag in service["command"])
        config, monitoring = (PurePosixPath(flags[f"{what}_config_file"]) for what in ("model", "monitoring"))
        assert (FOLDER / mounted[str(config.parent)] / config.name).is_file()
        assert (FOLDER / mounted[str(monitoring)]).is_file()
        for model in models(FOLDER / "models.config"):
            assert str(PurePosixPath(model.base_path).parent) in mounted
        assert flags["rest_api_port"] == "8501"
        assert flags["allow_version_labels_for_unavailable_models"] == "true"

    def test_what_is_read_again_is_mounted_as_a_folder(self, service):
        """A file that an editor replaces would stay the old one in the container."""
        (flag,) = [flag for flag in service["command"] if flag.startswith("--model_config_file=")]
        folder = str(PurePosixPath(flag.partition("=")[2]).parent)
        assert (FOLDER / mounts(service)[folder]).resolve() == FOLDER
        assert any(flag.startswith("--model_config_file_poll_wait_seconds=") for flag in service["command"])

    def test_the_folder_of_the_tests_holds_a_configuration_of_that_name(self):
        line = re.search(r"EMOBED_CONFIG=(\S+)", (ROOT / "Makefile").read_text())
        assert (FOLDER / line[1] / "models.config").is_file()


class TestModels:
    def test_two_versions_side_by_side(self):
        (model,) = models(FOLDER / "models.config")
        assert PurePosixPath(model.base_path).name == model.name
        assert list(model.model_version_policy.specific.versions) == [1, 2]
        assert dict(model.version_labels) == {"stable": 1, "canary": 2}

    def test_those_of_the_tests_are_what_the_tests_ask_for(self):
        found = {model.name: model for model in models(FOLDER.parent / "tests" / "serving" / "models.config")}
        assert set(found) == set(MODELS)
        for name, model in found.items():
            assert model.base_path == f"/models/{name}"
            assert model.model_version_policy.HasField("all")
            assert dict(model.version_labels) == LABELS.get(name, {})


def test_metrics_are_where_ours_are():
    found = text_format.Parse((FOLDER / "monitoring.config").read_text(), monitoring_config()).prometheus_config
    assert (found.enable, found.path) == (True, PATH)
