"""Classic beside the winner of a search: the same settings with alpha and beta 0, and no auxiliary."""

import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

from emobed_tf.console import Progress, table
from emobed_tf.corpora.budget import without_auxiliaries
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.reporting import write_report
from emobed_tf.runs.folder import Run
from emobed_tf.settings import DISTILLED, Objective
from emobed_tf.training.loop import train, train_run
from tuning.search_results import DEVIATION, trial_metrics
from tuning.tuners import Tuner


@dataclass(frozen=True)
class Classic:
    """Classic with the winner's other settings.

    Attributes:
        run: with the first seed.
        scores: development score of each seed of the search.
    """

    run: Run
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over seeds: what the winner's score is, too."""
        return statistics.fmean(self.scores)


def train_classic(search: Tuner, progress: Progress | None = None) -> Classic | None:
    """Trains classic with the winner's other settings and the search's seeds, or takes it from the search's folder.

    Args:
        search: with a winner, in its folder.
        progress: told how far a training is.

    Returns:
        Run and scores; None if the winner is classic already.

    Raises:
        InputError: if no trial has ended well, or a training diverges.
    """
    model, folder = search.hypermodel, search.own_folder
    won = model.settings(search.winner().hyperparameters)
    weights = won.objective
    if not (weights.alpha or weights.beta or weights.alignment != "none" or weights.framework == DISTILLED):
        return None
    config = without_auxiliaries(won, model.corpus).of_framework("classic").replace(alpha=0.0, beta=0.0)
    known = folder.read_classic(config)
    if known is not None and len(known) == len(search.seeds):
        return Classic(Run.open(folder.classic), known)
    shutil.rmtree(folder.classic, ignore_errors=True)  # of an earlier winner, or cut short
    first, *others = search.seeds
    run = train_run(config.replace(seed=first), folder.classic, corpus=model.corpus, progress=progress)
    scores = [float(run.history()[model.score].max())]
    for seed in others:
        scores.append(float(train(config.replace(seed=seed), model.corpus, session=model.session).score))
    folder.write_classic(config, scores)
    return Classic(run, tuple(scores))


def show_winner(search: Tuner, classic: Classic | None) -> None:
    """Prints the winner beside classic, and says whether classic is beaten.

    Args:
        search: with a winner.
        classic: from `train_classic`.
    """
    model, best = search.hypermodel, search.winner()
    name, won = short_name(model.score.removeprefix("val_")), model.settings(best.hyperparameters).objective
    measured, number = trial_metrics(best), len(search.ended())
    several = len(search.seeds) > 1
    if classic is None:
        itself = "" if model.config.objective.framework == "classic" else "; with alpha and beta 0 it is classic itself"
        print(f"best: trial {best.trial_id}, development {name} {best.score:.3f}{itself}")
        return
    rows = [_row(f"trial {best.trial_id}, the best", best.score, measured.get(DEVIATION), several, won)]
    deviation = statistics.stdev(classic.scores) if several else None
    none = model.config.replace(alpha=0.0, beta=0.0).objective
    rows.append(_row("classic, its other settings", classic.mean, deviation, several, none))
    columns = ["", "score", *(["deviation"] if several else []), "alpha", "beta"]
    table(f"development {name}{f', mean of {len(search.seeds)} seeds' if several else ''}", columns, rows)
    if best.score > classic.mean:
        print(
            f"the best is {best.score - classic.mean:.3f} above classic on the data that chose it among {number} "
            "trials: see with evaluate or crossvalidate whether that holds"
        )
    else:
        print(f"classic is not beaten: with alpha and beta 0 the same settings reach {classic.mean:.3f}")


def write_page(search: Tuner, best: Run, classic: Classic | None, progress: Progress | None = None) -> Path:
    """Writes the report of the winner, compared with classic, into the search's folder.

    Args:
        search: in its folder.
        best: run of the winner.
        classic: from `train_classic`.
        progress: told how far it is.

    Returns:
        Path of the page.
    """
    runs = [best] if classic is None else [classic.run, best]
    return write_report(runs, search.own_folder.report, embeddings=False, progress=progress)


def _row(name: str, score: float, deviation: float | None, several: bool, weights: Objective) -> list[str]:
    cells = ["" if deviation is None else f"{deviation:.3f}"] if several else []
    return [name, f"{score:.3f}", *cells, f"{weights.alpha:.3g}", f"{weights.beta:.3g}"]
