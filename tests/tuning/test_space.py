"""The space of a search: what stands in it by default, what narrows it, and one line for what makes no sense."""

from types import SimpleNamespace

import pytest

from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tuning.space import Space, ValueRange, Values, check, space


def corpus(task="classification", frame_seconds=None):
    return SimpleNamespace(task=task, modality=lambda name: SimpleNamespace(frame_seconds=frame_seconds))


def config(**changes):
    return preset("tables").replace(target="audio", **changes).check()


NETWORK = {"encoder_layers", "encoder_units", "head_layers", "head_units", "learning_rate", "l2"}


class TestDefaults:
    @pytest.mark.parametrize(
        ("framework", "task", "frame_seconds", "more"),
        [
            ("classic", "classification", None, set()),
            ("joint", "classification", None, {"alpha"}),
            ("triplet", "classification", None, {"beta"}),
            ("emobed", "classification", None, {"alpha", "beta"}),
            ("classic", "regression", 0.04, set()),
            ("joint", "regression", 0.04, {"alpha"}),
            ("emobed", "regression", None, {"alpha", "beta", "bins"}),
            ("emobed", "regression", 0.04, {"alpha", "beta", "bins", "hop"}),
        ],
    )
    def test_by_framework_and_task(self, framework, task, frame_seconds, more):
        found = space(config(framework=framework), corpus(task, frame_seconds), ())
        assert set(found.searched) == NETWORK | more
        assert found.fixed == {}

    def test_the_weights_of_eq_8_go_from_0_to_1_and_a_half(self):
        found = space(config(), corpus(), ())
        assert found.domains["alpha"] == found.domains["beta"] == ValueRange(0.0, 1.5)


class TestEntries:
    @pytest.mark.parametrize(
        ("entry", "domain"),
        [
            ("alpha=0.3", Values((0.3,))),
            ("alpha=0:0.4:0.1", Values((0.0, 0.1, 0.2, 0.3, 0.4))),  # not 0.30000000000000004
            ("alpha=0:1.5:0.1", Values(tuple(k / 10 for k in range(16)))),  # 1.5 is there: 1.5 // 0.1 is 14
            ("alpha=0.2:0.8", ValueRange(0.2, 0.8)),
            ("encoder-units=60,120", Values((60, 120))),
            ("encoder_units=20:60:20", Values((20, 40, 60))),
            ("encoder_units=20:60", ValueRange(20, 60)),
            ("learning_rate=1e-4:1e-2:log", ValueRange(1e-4, 1e-2, log=True)),
        ],
    )
    def test_forms(self, entry, domain):
        (found,) = check(config(), [entry]).values()
        assert found == domain
        assert [type(end) for end in found.ends] == [type(end) for end in domain.ends]

    @pytest.mark.parametrize(
        "entry", ["alpha=0:1.5:0.1", "l2=1e-06:0.01:log", "head_units=30,60", "beta=0.3", "hop=1:2"]
    )
    def test_what_is_kept_reads_back(self, entry):
        name = entry.partition("=")[0]
        domain = check(config(), [entry])[name]
        assert check(config(), [f"{name}={domain}"])[name] == domain

    def test_the_last_of_a_name_counts(self):
        assert check(config(), ["alpha=0:1", "alpha=0.5"])["alpha"] == Values((0.5,))

    def test_a_name_alone_is_searched_where_it_is_by_default(self):
        assert check(config(), ["alpha", "encoder-units"]) == {
            "alpha": ValueRange(0.0, 1.5),
            "encoder_units": Values((30, 60, 120)),
        }

    def test_what_is_named_and_nothing_else(self):
        found = space(config(), corpus(), ["alpha", "beta=0.1:0.5", "head_layers=1"])
        assert (set(found.searched), found.fixed) == ({"alpha", "beta"}, {"head_layers": 1})
        assert found.said() == "searched: alpha 0:1.5, beta 0.1:0.5; fixed: head_layers 1"

    def test_default_is_everything(self):
        assert space(config(), corpus(), ["default"]) == space(config(), corpus(), ())
        narrowed = space(config(), corpus(), ["alpha=0:1", "default"])
        assert set(narrowed.searched) == NETWORK | {"alpha", "beta"}
        assert narrowed.domains["alpha"] == ValueRange(0.0, 1.0)

    def test_what_a_search_keeps_names_all_that_it_searches(self):
        for entries in ((), ("alpha", "l2=0.1")):
            found = space(config(), corpus(), entries)
            kept = [f"{name}={text}" for name, text in found.texts().items()]
            assert space(config(), corpus(), kept) == found

    def test_fixed_ones_are_not_searched(self):
        found = space(config(), corpus(), ["default", "beta=0.3", "head_layers=1"])
        assert found.fixed == {"beta": 0.3, "head_layers": 1}
        assert "beta" not in found.searched

    @pytest.mark.parametrize(
        ("entry", "words"),
        [
            ("gamma=1", "expected default, NAME or NAME=… with a NAME among alpha, beta,"),
            ("gamma", "expected default, NAME or NAME=…"),
            ("alpha=1:0", "empty range"),
            ("alpha=0.5:0.5", "empty range"),
            ("alpha=0:1:0", "STEP above 0"),
            ("alpha=0:1:2", "no longer than the range"),
            ("alpha=0:1:log", "begins above 0"),
            ("alpha=0:1:0.5:2", "expected VALUE, A,B,C"),
            ("alpha=high", "expected a number, found 'high'"),
            ("alpha=nan", "expected a number, found 'nan'"),
            ("alpha=", "expected a number, found ''"),
            ("alpha=0,1,0", "the same value twice"),
            ("alpha=-1:1", "--alpha: expected 0 or more, found -1"),
            ("learning_rate=0:1", "--learning-rate: expected more than 0"),
            ("encoder_units=60.5", "expected a whole number, found '60.5'"),
            ("bins=1,2", "--bins: expected 2 or more, found 1"),
            ("alpha=0:1:1e-9", "10,000 at most"),
        ],
    )
    def test_mistakes(self, entry, words):
        with pytest.raises(InputError) as caught:
            check(config(), [entry])
        assert words in str(caught.value)
        assert f"--space {entry}" in str(caught.value)

    def test_what_the_framework_does_not_use(self):
        with pytest.raises(
            InputError, match=r"--framework classic doesn't use alpha; only joint, emobed, contrastive do"
        ):
            check(config(framework="classic"), ["alpha=0:1"])

    @pytest.mark.parametrize("entry", ["bins=2,3", "hop=1,2"])
    def test_what_the_task_does_not_use(self, entry):
        with pytest.raises(InputError, match="a classification has no use for it"):
            space(config(), corpus(), [entry])
        if entry.startswith("hop"):
            with pytest.raises(InputError, match="utterances have no frames"):
                space(config(), corpus("regression"), [entry])

    def test_nothing_left(self):
        with pytest.raises(InputError, match="nothing to search"):
            space(config(framework="classic"), corpus(), [f"{name}=1" for name in NETWORK])

    def test_a_head_without_layers_has_no_units(self):
        assert "head_units" not in space(config(), corpus(), ["default", "head_layers=0"]).domains
        with pytest.raises(InputError, match="a head of 0 layers has no units"):
            space(config(), corpus(), ["alpha", "head_layers=0", "head_units=30"])


class TestGrid:
    def test_ranges_become_points_with_both_ends(self):
        assert ValueRange(0.0, 1.5).points() == (0.0, 0.5, 1.0, 1.5)
        assert ValueRange(1e-4, 1e-1, log=True).points() == (1e-4, 1e-3, 1e-2, 1e-1)
        assert ValueRange(1, 3).points() == (1, 2, 3)

    def test_combinations(self):
        found = Space({"alpha": Values((0.0, 1.0)), "beta": Values((0.3,)), "encoder_units": Values((3, 4))})
        # 2 x 2; the last one goes first, and what is fixed is not among them.
        expected = [(0.0, 3), (0.0, 4), (1.0, 3), (1.0, 4)]
        assert [tuple(values.values()) for values in found.combinations()] == expected

    def test_units_without_layers_are_one_combination(self):
        found = Space({"head_layers": Values((0, 1)), "head_units": Values((3, 4))})
        assert list(found.combinations()) == [
            {"head_layers": 0},
            {"head_layers": 1, "head_units": 3},
            {"head_layers": 1, "head_units": 4},
        ]


class TestSettings:
    def test_values_go_into_the_configuration_with_their_types(self):
        found = Space({}).settings(config(), {"alpha": 1, "encoder_units": 30.0, "tuner/search": "x"})
        assert (found.objective.alpha, found.network.encoder_units) == (1.0, 30)
        assert type(found.network.encoder_units) is int

    def test_start_is_what_stands_unless_it_is_outside(self):
        found = Space({"alpha": ValueRange(0.0, 1.5), "encoder_units": Values((30, 60)), "beta": ValueRange(0.4, 1.0)})
        # The preset: alpha 0.5, beta 0.3, 120 units.
        assert found.start(config()) == {"alpha": 0.5, "encoder_units": 30, "beta": 0.4}

    def test_declared_for_keras_tuner(self, stack):
        import keras_tuner

        entries = ["default", "head_layers=0:2", "encoder_units=20:60", "learning_rate=1e-4:1e-2:log", "l2=1e-4"]
        found = space(config(), corpus(), entries)
        hp = keras_tuner.HyperParameters()
        found.declare(hp, config())
        by_name = {parameter.name: parameter for parameter in hp.space}
        assert set(by_name) == set(found.searched)
        assert (by_name["learning_rate"].sampling, by_name["learning_rate"].default) == ("log", 1e-3)
        assert (by_name["encoder_units"].min_value, by_name["encoder_units"].max_value) == (20, 60)
        for layers, active in ((0, False), (1, True), (2, True)):
            hp.values["head_layers"] = layers
            assert hp.is_active("head_units") == active
