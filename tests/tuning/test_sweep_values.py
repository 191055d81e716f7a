"""What can be swept, over which values."""

import pytest

from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.errors import InputError
from tuning.sweep_values import NumericSetting, check_data, find_setting, numeric_settings, read_values

JOINT = preset("tables").replace(framework="joint").check()
EMOBED = preset("recola").check()
ALPHA = NumericSetting("alpha", float)
UNITS = NumericSetting("encoder_units", int)


class TestParameters:
    def test_all_numbers_of_a_configuration(self):
        # By hand, from the fields of `Config`: numbers, but for seed, threads and diagnostics.
        assert {name: parameter.kind for name, parameter in numeric_settings().items()} == {
            **dict.fromkeys(("label_delay", "clip", "alpha", "beta", "l2", "margin", "hop"), float),
            **dict.fromkeys(("negative_seconds", "sequence_seconds", "learning_rate"), float),
            **dict.fromkeys(("temperature", "alignment_weight"), float),
            **dict.fromkeys(("teacher_weight", "teacher_temperature", "teacher_embedding_weight"), float),
            **dict.fromkeys(
                ("encoder_layers", "encoder_units", "kernel_size", "head_layers", "head_units", "bins"), int
            ),
            **dict.fromkeys(("epochs", "steps_per_epoch", "batch_size", "patience", "beta_warmup"), int),
        }
        assert {name: p.words for name, p in numeric_settings().items() if p.words} == {"margin": ("soft", "none")}

    def test_dashes_are_taken(self):
        assert find_setting("learning-rate", JOINT) == NumericSetting("learning_rate", float)

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("alhpa", "unknown; those that can be swept: label_delay, clip,"),
            ("framework", "is no number; those that can be swept: label_delay,"),
            ("fused", "is no number"),
            ("seed", "--seeds"),
            ("threads", "one number of threads"),
            ("diagnostics", "changes no score"),
            ("beta", "changes nothing with --framework joint; choose --framework triplet or emobed"),
            ("hop", "changes nothing with --framework joint"),
            ("teacher_weight", "changes nothing with --framework joint; choose --framework distilled"),
        ],
    )
    def test_others_are_refused(self, name, told):
        with pytest.raises(InputError, match=f"^--parameter {name}: ") as error:
            find_setting(name, JOINT)
        assert told in str(error.value)

    def test_what_changes_nothing(self):
        for config, name in (
            (preset().replace(framework="classic").check(), "alpha"),
            (preset().replace(framework="triplet").check(), "alpha"),
            (EMOBED.replace(beta=0.0), "margin"),
            (EMOBED.replace(head_layers=0), "head_units"),
        ):
            with pytest.raises(InputError, match=f"--parameter {name}: changes nothing with --"):
                find_setting(name, config)
        assert find_setting("beta", EMOBED.replace(beta=0.0)).name == "beta"
        assert find_setting("margin", EMOBED).name == "margin"

    def test_what_changes_nothing_with_these_data(self, tables, recola):
        utterances = load_corpus(preset("tables").replace(data_dir=tables))
        frames = load_corpus(preset("recola").replace(data_dir=recola))
        for name in ("label_delay", "bins"):
            with pytest.raises(InputError, match="changes nothing in a classification"):
                check_data(numeric_settings()[name], *utterances)
        for name in ("sequence_seconds", "hop", "negative_seconds"):
            with pytest.raises(InputError, match="changes nothing where every recording is one utterance"):
                check_data(numeric_settings()[name], *utterances)
        with pytest.raises(InputError, match="teacher_temperature: changes nothing in a regression"):
            check_data(numeric_settings()["teacher_temperature"], *frames)
        check_data(numeric_settings()["teacher_temperature"], *utterances)
        for name in numeric_settings().keys() - {"teacher_temperature"}:
            check_data(numeric_settings()[name], *frames)


class TestValues:
    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("0:1.5:0.1", tuple(k / 10 for k in range(16))),  # the nearest numbers to 0, 0.1, … 1.5
            ("0:1:0.4", (0.0, 0.4, 0.8)),
            ("1:0:-0.5", (1.0, 0.5, 0.0)),
            ("0.3:0.3:1", (0.3,)),
            ("1e-3,1e-2, 0.5", (0.001, 0.01, 0.5)),
            ("2", (2.0,)),
            ("-0", (0.0,)),
        ],
    )
    def test_numbers(self, text, values):
        found = read_values(text, ALPHA, EMOBED)
        assert found == values
        assert all(type(value) is float for value in found)
        assert str(found[0]) != "-0.0"

    def test_whole_numbers(self):
        found = read_values("8:24:8", UNITS, EMOBED)
        assert found == (8, 16, 24)
        assert all(type(value) is int for value in found)
        assert read_values("1e2", UNITS, EMOBED) == (100,)

    def test_words(self):
        assert read_values("none,0.2,soft", NumericSetting("margin", float, ("soft", "none")), EMOBED) == (
            "none",
            0.2,
            "soft",
        )

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "expected a number for alpha, found ''"),
            ("0.1,,0.2", "found ''"),
            ("many", "expected a number for alpha, found 'many'"),
            ("nan", "expected a number"),
            ("1e999", "expected a number"),
            ("0:1", "expected START:STOP:STEP or A,B,C"),
            ("0:1:0.1:2", "expected START:STOP:STEP or A,B,C"),
            ("0:one:0.1", "expected three numbers"),
            ("0:inf:1", "expected three numbers"),
            ("1:0:0.1", "an empty range"),
            ("0:1:0", "an empty range"),
            ("0:1:1e-9", "more than 10,000 values"),
            ("0.1,0.2,0.10", "0.1 stands there twice"),
            ("0,-1", "--alpha: expected 0 or more, found -1.0"),
        ],
    )
    def test_others_are_refused(self, text, told):
        with pytest.raises(InputError, match="^--values") as error:
            read_values(text, ALPHA, EMOBED)
        assert told in str(error.value)
        assert "\n" not in str(error.value)

    def test_no_halves_of_units(self):
        with pytest.raises(InputError, match=r"a whole number for encoder_units, found '1\.5'"):
            read_values("1:2:0.5", UNITS, EMOBED)
