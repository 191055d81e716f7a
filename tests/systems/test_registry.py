"""Systems by name: the package's own, controls under both of their names, and those of one's own."""

import pytest

from emobed_tf.errors import InputError
from emobed_tf.systems.base import System
from emobed_tf.systems.registry import CONTROL_NAMES, SYSTEM_NAMES, control_name, controlled_system, find_system


class TestFindSystem:
    @pytest.mark.parametrize("name", [*SYSTEM_NAMES, *CONTROL_NAMES])
    def test_every_name_is_a_system_with_a_title(self, name):
        system = find_system(name)
        assert issubclass(system, System)
        assert system.title and not system.__abstractmethods__

    def test_titles_differ(self):
        names = {*SYSTEM_NAMES, *CONTROL_NAMES}
        assert len({find_system(name).title for name in names}) == len(names)

    def test_one_of_ones_own(self):
        assert find_system("tests.systems.test_registry:Own") is Own

    @pytest.mark.parametrize("control", CONTROL_NAMES)
    def test_a_control_of_another_system(self, control):
        found = find_system(control_name(control, "emobed_stable"))
        assert issubclass(found, find_system(control)) and found is find_system(f"{control}@emobed_stable")
        assert find_system(control_name(control, "emobed")) is find_system(control)
        assert controlled_system(control_name(control, "emobed_stable")) == "emobed_stable"
        assert controlled_system(control) == controlled_system(f"{control}@emobed") == "emobed"

    @pytest.mark.parametrize(
        ("control", "title"),
        [
            ("triplet_alone", "loss on embeddings in the target alone (EmoBed, supervised contrastive)"),
            ("permuted_labels", "auxiliary labels permuted (EmoBed, supervised contrastive)"),
            ("itself_as_auxiliary", "the target as its own auxiliary (EmoBed, supervised contrastive)"),
            ("as_many_steps", "classic, as many steps as EmoBed, supervised contrastive"),
        ],
    )
    def test_its_title_says_of_which(self, control, title):
        assert find_system(f"{control}@contrastive").title == title

    @pytest.mark.parametrize("system", ["classic", "svm", "early", "as_many_steps"])
    def test_no_controls_of_systems_of_another_kind(self, system):
        with pytest.raises(InputError, match="there are no controls of others"):
            find_system(f"permuted_labels@{system}")

    @pytest.mark.parametrize(
        ("former", "name"),
        [
            ("emobed_tf.controls:TripletAlone", "triplet_alone"),
            ("emobed_tf.controls:PermutedLabels", "permuted_labels"),
            ("emobed_tf.controls:ItselfAsAuxiliary", "itself_as_auxiliary"),
            ("emobed_tf.controls:AsManySteps", "as_many_steps"),
        ],
    )
    def test_what_controls_were_called_before(self, former, name):
        """Names that stand in ledgers and on command lines of version 0.1.0 before its modules moved."""
        assert find_system(former) is find_system(name)

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("emobet", "unknown system 'emobet'; expected classic, joint"),
            ("no_such_module:X", "No module named 'no_such_module'"),
            ("tests.systems.test_registry:Nothing", "no attribute 'Nothing'"),
            ("tests.systems.test_registry:TestFindSystem", "expected a subclass"),
            (
                "tests.systems.test_registry:Half",
                "expected a subclass of emobed_tf.systems.System with all of its methods",
            ),
        ],
    )
    def test_errors(self, name, complaint):
        with pytest.raises(InputError, match=complaint):
            find_system(name)


class Half(System):
    """Without its methods."""


class Own(System):
    """With all of them."""

    title = "own"

    def configurations(self, problem, number):
        return [{}]

    def fit(self, problem, settings, seed):
        pass

    def predict(self, recordings):
        return []
