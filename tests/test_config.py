"""Settings: the paper's values, frameworks' zeros, JSON there and back, errors that name flag or file."""

import json
import os
from pathlib import Path

import pytest

from emobed_tf.config import Config, former_settings, preset, read_config
from emobed_tf.errors import InputError

LOSSES = {"regression_loss": ("ccc", "mse"), "classification_loss": ("cross_entropy", "smoothed")}


class TestPresets:
    def test_section_4_2(self):
        recola, omg = preset("recola"), preset("omg")
        assert (recola.network.encoder_layers, recola.network.head_layers) == (2, 2)
        assert (omg.network.encoder_layers, omg.network.head_layers) == (1, 1)
        assert {c.network.encoder_units for c in (recola, omg)} == {120}
        assert (recola.training.batch_size, omg.training.batch_size) == (4, 64)
        for config in (recola, omg):
            assert config.training.learning_rate == 0.001
            assert config.objective.l2 == 1e-4
            assert config.data.label_delay == 2.4

    def test_score_that_picks_the_weights(self):
        assert preset("omg").classification_score == "f1_micro"
        assert preset("omg").replace(selection="uar").classification_score == "uar"


class TestFrameworks:
    @pytest.mark.parametrize(
        ("framework", "alpha", "beta"),
        [("classic", 0, 0), ("joint", 0.5, 0), ("triplet", 0, 1.0), ("emobed", 0.5, 1.0)],
    )
    def test_fixes_its_zeros(self, framework, alpha, beta):
        objective = preset().replace(framework=framework).check().objective
        assert (objective.alpha, objective.beta) == (alpha, beta)

    @pytest.mark.parametrize(
        ("framework", "weights", "named"),
        [
            ("classic", {"alpha": 0.1}, "alpha"),
            ("classic", {"beta": 0.1}, "beta"),
            ("joint", {"beta": 1.0}, "beta"),
            ("triplet", {"alpha": 1.0}, "alpha"),
        ],
    )
    def test_contradiction(self, framework, weights, named):
        with pytest.raises(InputError, match=f"--framework {framework} fixes {named} = 0"):
            preset().replace(framework=framework, **weights).check()

    def test_agreement_is_no_contradiction(self):
        assert preset().replace(framework="classic", alpha=0.0, beta=0.0).check().objective.alpha == 0

    def test_triplet_presets_give_way_to_flags(self):
        stable = preset().replace(triplet_preset="stable")
        assert (stable.check().objective.margin, stable.check().objective.normalise) == (0.2, True)
        assert stable.replace(margin="soft").check().objective.margin == "soft"
        assert stable.replace(normalise=False).check().objective.normalise is False
        paper = preset().check().objective
        assert (paper.margin, paper.normalise) == ("none", False)


class TestRanges:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("alpha", -0.1),
            ("beta", -1.0),
            ("epochs", 0),
            ("batch_size", 0),
            ("bins", 1),
            ("learning_rate", 0.0),
            ("sequence_seconds", 0.0),
            ("threads", 0),
            ("l2", float("nan")),
            ("alpha", float("inf")),
            ("margin", -0.5),
            ("seed", 2**31),
            ("clip", 0.0),
            ("speaker_prior", -1.0),
            ("kernel_size", 1),
            ("label_delay", 1e308),
            ("sequence_seconds", 86_401.0),
            ("hop", 86_401.0),
            ("negative_seconds", 86_401.0),
            ("resample", 86_401.0),
            *((name, 10**22) for name in ("epochs", "batch_size", "steps_per_epoch", "patience", "diagnostics")),
            *((name, 10**22) for name in ("beta_warmup", "kernel_size", "bins", "seed")),
            ("target", ""),
        ],
    )
    def test_names_the_flag(self, field, value):
        with pytest.raises(InputError, match=f"--{field.replace('_', '-')}: expected"):
            preset().replace(**{field: value}).check()


class TestEncoders:
    @pytest.mark.parametrize("name", ["gru", "dense", "tcn", "my.module:encoder"])
    def test_a_name(self, name):
        assert preset().replace(encoder=name).check().network.encoder == name

    @pytest.mark.parametrize("name", ["none", "logmel", "conv", "emo18", "zhao19", "my.module:front_end"])
    def test_front_ends(self, name):
        assert preset().replace(front_end=name).check().network.front_end == name

    @pytest.mark.parametrize("name", ["mel", "Conv", "my.module", "my.module:", ":front_end", ""])
    def test_wrong_front_ends(self, name):
        with pytest.raises(InputError, match=f"--front-end {name}: expected none, logmel, conv, emo18, zhao19, or"):
            preset().replace(front_end=name).check()

    @pytest.mark.parametrize("name", ["gruu", "GRU", "my.module", "my.module:", ":encoder", ""])
    def test_no_such_name(self, name):
        with pytest.raises(InputError, match=f"--encoder {name}: expected gru, dense, tcn, or package.module:NAME"):
            preset().replace(encoder=name).check()

    @pytest.mark.parametrize("name", ["gru", "dense"])
    def test_a_kernel_of_what_has_none(self, name):
        with pytest.raises(InputError, match=f"--kernel-size 5: --encoder {name} has no convolutions; leave"):
            preset().replace(encoder=name, kernel_size=5).check()

    @pytest.mark.parametrize("name", ["tcn", "my.module:encoder"])
    def test_a_kernel(self, name):
        assert preset().replace(encoder=name, kernel_size=5).check().network.kernel_size == 5

    def test_another_one_than_that_of_a_file(self, tmp_path):
        """A kernel that only the file's encoder has is left out."""
        from emobed_tf.cli.arguments import starting_config

        path = tmp_path / "config.json"
        path.write_text(json.dumps(preset().replace(encoder="tcn", kernel_size=5).to_dict()))
        for flags, size in (((), 5), (("--encoder", "tcn"), 5), (("--encoder", "gru"), 3)):
            assert starting_config(["--config", str(path), *flags]).network.kernel_size == size


class TestStandardise:
    def test_a_prior_of_speakers_that_nobody_asks_for(self):
        with pytest.raises(InputError, match="--speaker-prior 3: --standardise corpus knows no speakers; leave"):
            preset().replace(speaker_prior=3.0).check()

    @pytest.mark.parametrize("prior", [0.0, 3.0])
    def test_a_prior(self, prior):
        assert preset().replace(standardise="speaker", speaker_prior=prior).check().data.speaker_prior == prior

    def test_another_one_than_that_of_a_file(self, tmp_path):
        """A prior that only the file's standardisation has is left out."""
        from emobed_tf.cli.arguments import starting_config

        path = tmp_path / "config.json"
        path.write_text(json.dumps(preset().replace(standardise="speaker", speaker_prior=3.0).to_dict()))
        for flags, prior in (((), 3.0), (("--standardise", "speaker"), 3.0), (("--standardise", "corpus"), 5.0)):
            assert starting_config(["--config", str(path), *flags]).data.speaker_prior == prior


class TestLosses:
    @pytest.mark.parametrize("setting", LOSSES)
    def test_names(self, setting):
        for name in (*LOSSES[setting], "my.module:loss"):
            assert getattr(preset().replace(**{setting: name}).check().objective, setting) == name
        flag, expected = "--" + setting.replace("_", "-"), ", ".join(LOSSES[setting])
        for name in ("huber", "my.module", "my.module:", ":loss", ""):
            with pytest.raises(InputError, match=f"{flag} {name}: expected {expected}, or package.module:NAME"):
                preset().replace(**{setting: name}).check()


class TestTeacher:
    def test_of_distilled(self):
        changes = {"teacher_weight": 2.0, "teacher_temperature": 4.0, "teacher_embedding_weight": 0.0}
        found = preset().replace(framework="distilled", **changes).check().objective
        assert (found.alpha, found.beta, found.teacher_temperature) == (0.0, 0.0, 4.0)

    @pytest.mark.parametrize(("name", "value"), [("teacher", "model_level"), ("teacher_weight", 0.5)])
    def test_of_a_framework_without_one(self, name, value):
        flag = "--" + name.replace("_", "-")
        with pytest.raises(InputError, match=f"{flag} {value}: --framework emobed has no teacher; leave {flag} out"):
            preset().replace(**{name: value}).check()

    def test_embeddings_of_other_dimensions(self):
        config = preset().replace(framework="distilled", teacher="model_level")
        assert config.check().objective.teacher == "model_level"
        with pytest.raises(InputError, match="--teacher-embedding-weight 0.5: the embeddings of --teacher model_level"):
            config.replace(teacher_embedding_weight=0.5).check()

    def test_temperatures_above_zero(self):
        with pytest.raises(InputError, match="--teacher-temperature: expected more than 0, found 0"):
            preset().replace(framework="distilled", teacher_temperature=0.0).check()

    def test_another_framework_than_that_of_a_file(self, tmp_path):
        from emobed_tf.cli.arguments import starting_config

        path = tmp_path / "config.json"
        path.write_text(json.dumps(preset().replace(framework="distilled", teacher_weight=0.5).check().to_dict()))
        found = starting_config(["--config", str(path), "--framework", "emobed"]).replace(framework="emobed").check()
        assert found.objective.teacher_weight == 1.0


class TestFiles:
    @pytest.mark.parametrize("later", ["classification_loss", "resample", "standardise", "speaker_prior", "sharing"])
    def test_of_a_run_from_before_a_setting_came(self, tmp_path, monkeypatch, later):
        """It is read without its data set, whose module is nowhere, and the setting is what the run did."""
        monkeypatch.setenv("EMOBED_TRUST", "no_such_module")
        values = preset().replace(epochs=3, dataset="no_such_module:DATA").to_dict()
        expected = values.pop(later)
        path = tmp_path / "config.json"
        path.write_text(json.dumps(values))
        found = read_config(path)
        assert found.to_dict()[later] == expected
        assert (found.training.epochs, found.data.dataset) == (3, "no_such_module:DATA")

    def test_of_a_run_from_before_epochs_could_be_the_largest_modality_s(self, tmp_path):
        """They were the target's. A file of one's own, which has no format, leaves a setting at its default."""
        values = preset("tables").to_dict()
        assert values.pop("epoch") == "largest"
        path = tmp_path / "config.json"
        path.write_text(json.dumps(values))
        assert read_config(path) == preset("tables").replace(epoch="target")
        del values["format"]
        path.write_text(json.dumps(values))
        assert read_config(path) == preset("tables")

    def test_the_framework_s_loss_on_embeddings(self):
        """EmoBed with a loss and the framework that is named by it are the same; a definite configuration says it."""
        named = preset("tables").replace(framework="contrastive").check()
        given = preset("tables").replace(framework="emobed", metric_loss="contrastive").check()
        assert named == given.replace(framework="contrastive") == named.check()
        assert (named.objective.metric_loss, named.objective.normalise) == ("contrastive", True)
        assert preset("tables").replace(framework="classic").check().objective.metric_loss == "batch_hard"
        there_and_back = named.of_framework("emobed").replace(alpha=None, beta=None)
        assert there_and_back.check() == preset("tables").check()

    def test_what_settings_were_before(self):
        found = former_settings(preset("omg"))
        assert found == {**preset("omg").to_dict(), "epoch": "target", "metric_loss": "batch_hard"}

    def test_round_trip(self, tmp_path):
        config = (
            preset("tables").replace(table=("a=b.csv",), auxiliary=("x", "y"), margin=0.3, data_dir=tmp_path).check()
        )
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config.to_dict()))
        assert read_config(path) == config

    def test_a_pipe_is_read_where_a_shell_has_opened_it(self, tmp_path):
        os.mkfifo(tmp_path / "c.json")
        with pytest.raises(InputError, match=r"c\.json: expected a file, got a pipe"):
            read_config(tmp_path / "c.json")
        out, into = os.pipe()
        os.write(into, b'{"dataset": "omg", "alpha": 1}')
        os.close(into)
        assert read_config(Path(f"/dev/fd/{out}")) == preset("omg").replace(alpha=1.0)
        os.close(out)

    def test_part_of_the_settings_changes_the_preset_of_its_data_set(self, tmp_path):
        path = tmp_path / "mine.json"
        path.write_text('{"dataset": "omg", "alpha": 1}')
        assert read_config(path) == preset("omg").replace(alpha=1.0)
        path.write_text('{"alpha": 1}')
        assert read_config(path, "omg") == preset("omg").replace(alpha=1.0)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{", "expected a JSON object"),
            ("[1]", "found a list"),
            ('{"alhpa": 1}', "unknown setting 'alhpa'"),
            ('{"alpha": "much"}', "alpha: expected .*found 'much'"),
            ('{"epochs": 2.5}', "epochs: expected int, found 2.5"),
            ('{"xla": 1}', "xla: expected bool"),
            ('{"dataset": "recolla"}', "dataset: expected one of recola, omg, tables"),
            ('{"format": 99}', "written by another version"),
            ("\xff\xfe", "expected a JSON object"),
        ],
    )
    def test_what_is_wrong_with_a_file(self, tmp_path, text, message):
        path = tmp_path / "config.json"
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(InputError, match=message) as caught:
            read_config(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="no such file"):
            read_config(tmp_path / "config.json")

    def test_unknown_setting(self):
        with pytest.raises(InputError, match="unknown setting 'gamma'"):
            Config().replace(gamma=1)
