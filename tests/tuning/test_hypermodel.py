"""Trainings as a model of KerasTuner's: for any tuner, and with one compiled step for all of a shape."""

import pytest

from tests.tuning.searches import TWO, config

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestTrainings:
    @pytest.mark.slow
    def test_one_compiled_step_for_all_of_a_shape(self, tables, tmp_path, monkeypatch):
        from emobed_tf.models.emobed import EmoBed
        from emobed_tf.training.session import Session
        from tuning.tuners import tuner

        traced, step = [], EmoBed.train_step
        monkeypatch.setattr(EmoBed, "train_step", lambda self, batch: (traced.append(1), step(self, batch))[1])
        entries = (*TWO, "head_units=5")
        asked = {"kind": "random", "parameters": entries, "max_trials": 5}
        with Session() as session:
            search = tuner(config(tables), tmp_path / "search", session=session, **asked)
            search.search()
        assert len(search.ended()) == 5
        assert len(traced) == 1

    def test_hypermodel_serves_keras_tuners_own_tuners(self, tables, tmp_path):
        import keras_tuner

        from emobed_tf.corpora.configured import load_corpus
        from tuning.hypermodel import EmoBedHyperModel
        from tuning.space import space

        settings, corpus = load_corpus(config(tables))
        hypermodel = EmoBedHyperModel(settings, corpus, space(settings, corpus, (*TWO, "head_units=5")))
        search = keras_tuner.RandomSearch(
            hypermodel, objective=hypermodel.objective, max_trials=2, directory=tmp_path, project_name="own", seed=1
        )
        search.search(verbose=0)
        trials = search.oracle.get_best_trials(2)
        assert [trial.status for trial in trials] == ["COMPLETED"] * 2
        assert all(0 < trial.score < 1 for trial in trials)
