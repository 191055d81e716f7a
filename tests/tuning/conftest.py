"""What tests of searches share."""

import math

import pytest

from tests.tuning.searches import TWO, config, results


@pytest.fixture
def landscape(monkeypatch):
    """Trainings that take no time: the score is a function of the settings, highest at alpha 1 and a rate of 1e-3."""
    from tuning.hypermodel import EmoBedHyperModel

    trained = []

    def fit(self, hp, model=None, *, seed=None):
        settings = self.settings(hp)
        trained.append((settings, seed))
        alpha, rate = settings.objective.alpha, settings.training.learning_rate
        score = 1 - (alpha - 1) ** 2 - 0.1 * math.log10(rate / 1e-3) ** 2 + 0.01 * seed
        score -= 1 / settings.training.epochs + (settings.network.head_units == 6) / 100
        measured = {"epochs": settings.training.epochs, "best_epoch": 1, "seconds": 0.5, "parameters": 10}
        return {self.score: score, **measured}

    monkeypatch.setattr(EmoBedHyperModel, "fit", fit)
    monkeypatch.setattr("tuning.folder.provenance", lambda config: {})  # it asks for the commit, which takes a while
    return trained


@pytest.fixture(scope="session")
def alone(tables, tmp_path_factory):
    """Results of a search in this process."""
    from tuning.tuners import tuner

    folder = tmp_path_factory.mktemp("alone") / "search"
    search = tuner(config(tables, xla=False), folder, kind="random", parameters=TWO, max_trials=8)
    search.search()
    return results(search)
