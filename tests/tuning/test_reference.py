"""Classic beside a search's winner: what is trained, what is kept, and what is said."""

from types import SimpleNamespace

import pytest

from tests.tuning.searches import config

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")

ONE = ("alpha=0.5,1", "beta=0.3", "learning_rate=0.001")


@pytest.fixture(scope="module")
def search(tables, tmp_path_factory):
    from tuning.tuners import tuner

    folder = tmp_path_factory.mktemp("reference") / "search"
    found = tuner(config(tables), folder, kind="grid", parameters=ONE, seeds=2)
    found.search()
    return found


class TestTrainClassic:
    def test_has_the_winners_other_settings_and_every_seed(self, search):
        from tuning.reference import train_classic

        found = train_classic(search)
        settings = found.run.config()
        assert (settings.objective.framework, settings.objective.alpha, settings.objective.beta) == ("classic", 0, 0)
        best = search.best().config()
        same = ("encoder_units", "head_units", "learning_rate", "l2", "epochs", "batch_size", "seed", "selection")
        assert {n: settings.to_dict()[n] for n in same} == {n: best.to_dict()[n] for n in same}
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import train

        for seed, score in enumerate(found.scores):
            resolved, corpus = load_corpus(settings.replace(seed=seed))
            assert train(resolved, corpus).score == pytest.approx(score, abs=1e-6)
        assert found.mean == pytest.approx(sum(found.scores) / 2)

    def test_is_trained_once(self, search):
        from tuning.reference import train_classic

        first = train_classic(search)
        written = (first.run.path / "best.npz").stat().st_mtime_ns
        again = train_classic(search)
        assert again.scores == first.scores
        assert (first.run.path / "best.npz").stat().st_mtime_ns == written

    def test_there_is_none_beside_classic_itself(self, tables, tmp_path, landscape):
        from tuning.reference import train_classic
        from tuning.tuners import tuner

        found = tuner(config(tables), tmp_path / "search", kind="grid", parameters=("alpha=0", "beta=0", "l2=0,0.1"))
        found.search()
        assert train_classic(found) is None


class TestShowWinner:
    @pytest.mark.parametrize(
        ("scores", "said"),
        [
            ((-9.0, -9.0), "above classic on the data that chose it among 2 trials"),
            ((9.0, 7.0), "classic is not beaten: with alpha and beta 0 the same settings reach 8.000"),
        ],
    )
    def test_says_whether_classic_is_beaten(self, search, capsys, scores, said):
        from tuning.reference import Classic, show_winner

        show_winner(search, Classic(SimpleNamespace(), scores))
        text = capsys.readouterr().out
        assert said in text
        assert "classic, its other settings" in text and f"{sum(scores) / 2:.3f}" in text

    def test_classic_itself(self, search, capsys):
        from tuning.reference import show_winner

        show_winner(search, None)
        assert capsys.readouterr().out.endswith("; with alpha and beta 0 it is classic itself\n")


def test_page(search):
    from tuning.reference import train_classic, write_page

    page = write_page(search, search.best(), train_classic(search))
    assert page == search.own_folder.report / "index.html"
    assert "best better than classic?" in page.read_text()
