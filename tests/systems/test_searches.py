"""Searches: all networks have the same learning rates and L2 weights, and nothing of their own goes along with them."""

import json

import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.systems.base import Problem
from emobed_tf.systems.controls import ProblemWithEmoBed
from emobed_tf.systems.frameworks import EmoBedSystem
from emobed_tf.systems.registry import CONTROL_NAMES, SYSTEM_NAMES, find_system
from emobed_tf.systems.searches import SEARCHES, configurations
from emobed_tf.systems.spread import NETWORK
from emobed_tf.training.session import Session

WITHOUT_NETWORK = {"svr", "svm", "forest"}
NETWORKS = [name for name in (*SYSTEM_NAMES, *CONTROL_NAMES) if name not in WITHOUT_NETWORK]


@pytest.fixture(scope="module")
def problem(tables):
    config, corpus = load_corpus(preset("tables").replace(data_dir=tables, target="audio"))
    return ProblemWithEmoBed(config, corpus, {"alpha": 0.2, "beta": 0.1})


def shared(settings):
    return [settings[name] for name in NETWORK]


class TestShared:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_all_networks_have_classics_draws(self, problem, name):
        classic = configurations(find_system("classic")(), problem, 16, "shared")
        found = configurations(find_system(name)(), problem, 16, "shared")
        assert [shared(each) for each in found] == [shared(each) for each in classic]
        assert shared(found[0]) == [1e-3, 1e-4]  # the preset's

    @pytest.mark.parametrize("name", NETWORKS)
    def test_the_first_is_the_default_and_fewer_are_the_first_ones(self, problem, name):
        system = find_system(name)()
        found = configurations(system, problem, 16, "shared")
        own = system.configurations(problem, 1)[0]
        assert found[0] == {**dict(zip(NETWORK, [1e-3, 1e-4], strict=True)), **own}
        assert configurations(system, problem, 5, "shared") == found[:5]
        assert len({json.dumps(each) for each in found}) == 16

    def test_classic_tries_what_it_tried_before(self, problem):
        system = find_system("classic")()
        assert configurations(system, problem, 16, "shared") == system.configurations(problem, 16)

    @pytest.mark.parametrize("number", [16, 32])
    def test_weights_are_spread_and_go_along_with_nothing(self, problem, number):
        """More even than chance in all four dimensions, and no rank correlation of any two of them."""
        points = configurations(EmoBedSystem(), problem, number, "shared")[1:]
        values = np.array([[each["learning_rate"], each["l2"], each["alpha"], each["beta"]] for each in points])
        values[:, :2] = np.log(values[:, :2])
        low = [np.log(3e-4), np.log(1e-6), 0, 0]
        unit = (values - low) / (np.array([np.log(3e-3), np.log(1e-2), 1.5, 1.5]) - low)
        rng = np.random.default_rng(0)
        by_chance = np.mean([qmc.discrepancy(rng.random(unit.shape)) for _ in range(200)])
        assert qmc.discrepancy(np.clip(unit, 0, 1)) < 0.7 * by_chance
        correlations = stats.spearmanr(unit).statistic
        assert np.abs(correlations - np.eye(4)).max() < 0.35

    def test_a_system_without_network_has_its_own(self, problem):
        system = find_system("svm")()
        assert configurations(system, problem, 8, "shared") == system.configurations(problem, 8)


def test_own_is_the_papers_letter(problem):
    assert [set(each) for each in configurations(EmoBedSystem(), problem, 3, "own")] == [{"alpha", "beta"}] * 3


@pytest.mark.parametrize("name", ["classic", "emobed", "svm"])
def test_none_is_the_default_alone(problem, name):
    system = find_system(name)()
    assert configurations(system, problem, 16, "none") == system.configurations(problem, 1)


def test_names():
    assert SEARCHES == ("shared", "own", "none")


@pytest.mark.usefixtures("stack", "quiet_collapse")
class TestFit:
    @pytest.mark.parametrize("name", ["strength", "mtl_re", "ddat_re"])
    def test_networks_take_them(self, problem, name, monkeypatch):
        """Every training of a system has the drawn learning rate and L2 weight."""
        from emobed_tf.training import loop

        seen, train = [], loop.train

        def watched(config, corpus, **more):
            seen.append((config.training.learning_rate, config.objective.l2))
            return train(config, corpus, **more)

        monkeypatch.setattr(loop, "train", watched)
        small = problem.config.replace(encoder_units=3, head_units=3, epochs=1, batch_size=16, threads=1, xla=False)
        given = Problem(small, problem.corpus, session=Session())  # that remembers no training
        system = find_system(name)()
        settings = configurations(system, given, 3, "shared")[2]
        system.fit(given.without_test(), settings, 0)
        assert seen and set(seen) == {tuple(shared(settings))}
