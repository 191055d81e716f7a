"""What commands print of data, scores and comparisons."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from emobed_tf.config import Config
from emobed_tf.console import say, table
from emobed_tf.corpora.budget import epoch_in_words
from emobed_tf.corpora.corpus import PARTITIONS, REGRESSION, Corpus
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.locate import notice
from emobed_tf.corpora.summary import describe, features_in_words, rate_in_words, reading_notes
from emobed_tf.corpora.tables import NO_SPEAKERS
from emobed_tf.datasets import TABLES
from emobed_tf.evaluation.caveats import disagreement, least_p, least_p_note, published_note
from emobed_tf.evaluation.evidence import Comparison
from emobed_tf.evaluation.score_table import SCORES, Score, short_name
from emobed_tf.evaluation.scores import Evaluated
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, statistics_of
from emobed_tf.runs.folder import Run
from emobed_tf.settings import DISTILLED


def announce(config: Config, corpus: Corpus, searched: Collection[str] = ()) -> None:
    """Says what is trained on what, and that simulated data is simulated.

    Args:
        config: resolved.
        corpus: read for it.
        searched: settings that have no value yet, because a search looks for it.
    """
    if corpus.simulated:
        say(notice(config.data.dataset, config.data.data_dir))
    objective = config.objective
    auxiliary = f" (+{', '.join(config.data.auxiliary)})" if config.data.auxiliary else ""
    weights = {"alpha": f"alpha {objective.alpha:g}", "beta": f"beta {objective.beta:g}"}
    if objective.framework == DISTILLED:
        weights = {"teacher": f"teacher {objective.teacher}", "teacher_weight": f"weight {objective.teacher_weight:g}"}
    said = "".join(f"{text}, " for name, text in weights.items() if name not in searched)
    say(
        f"{corpus.name}, {corpus.label}: {objective.framework} on {config.data.target}{auxiliary}, {said}"
        f"seed {config.training.seed}"
    )
    target, others = cast(str, config.data.target), cast(tuple[str, ...], config.data.auxiliary)  # resolved
    for name in (target, *others):
        modality = corpus.modality(name)
        counts = ", ".join(f"{len(modality.partition(part))} {part}" for part in PARTITIONS)
        kind = "recordings" if modality.frame_seconds else "utterances"
        say(f"  {name}: {features_in_words(modality)}, {rate_in_words(modality)}; {kind}: {counts}")
        for note in reading_notes(modality):
            say(f"    {note}")
    delay = _delay(config, corpus)
    if delay:
        say(f"  {delay}")
    say(f"  an epoch: {epoch_in_words(config, corpus)}", flush=True)


def show_data(config: Config, corpus: Corpus) -> None:
    """What a data set holds, by modality and partition, and by how much its labels would be moved.

    Args:
        config: resolved.
        corpus: read for it.
    """
    found = describe(corpus)
    learnt = f"{corpus.task} of {corpus.label}" if corpus.task == REGRESSION else ", ".join(corpus.classes)
    say(f"{'SIMULATED: ' if corpus.simulated else ''}{corpus.name}: {learnt}")
    for modality in corpus:
        say(f"\n{modality.name}: {features_in_words(modality)}, {rate_in_words(modality)}")
        if len(modality.feature_names) > 2:  # else the line above names them all
            say(f"  features: {listing(modality.feature_names, _FEATURES_NAMED)}")
        summary = found["modalities"][modality.name]
        for note in reading_notes(modality):
            say(f"  {note}")
        say(f"  missing: {summary['missing_values']:.1%} of the values, {summary['missing_rows']:.1%} of the rows")
        table("", *_partition_table(corpus, summary["partitions"]))
    delay = _delay(config, corpus)
    if delay:
        say(f"\n{delay}")


def _partition_table(corpus: Corpus, partitions: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    parts = partitions.values()
    single = all(part["rows"] == part["recordings"] for part in parts)
    unit = "utterances" if single else "recordings"
    rows = [
        [unit, *(f"{part['recordings']:,}" for part in parts)],
        ["speakers", *(f"{p['speakers']:,}" for p in parts)],
    ]
    if not single:
        rows.append(["rows", *(f"{part['rows']:,}" for part in parts)])
    if not single or any(part["labelled"] != part["recordings"] for part in parts):
        rows.append([f"{unit} with labels", *(f"{part['labelled']:,}" for part in parts)])
    if corpus.task == REGRESSION:
        rows.append(["rows without label", *(str(part.get("rows_without_label", "")) for part in partitions.values())])
        names = ("mean", "deviation", "minimum", "maximum")
        found = [part.get("labels", {}) for part in partitions.values()]
        rows += [[f"label, {name}", *(_rounded(one, name) if one else "" for one in found)] for name in names]
    else:
        found = [part.get("labels", {}) for part in partitions.values()]
        rows += [[name, *(str(one.get(name, "")) for one in found)] for name in corpus.classes]
    return ["", *partitions], rows


def _rounded(labels: Mapping[str, float], name: str) -> str:
    """A statistic of labels: 0, not -0 or 1e-06, where it is next to nothing beside the largest of them."""
    size = max(abs(labels["minimum"]), abs(labels["maximum"]))
    return "0" if abs(labels[name]) < size / 1000 else f"{labels[name]:.3g}"


def _delay(config: Config, corpus: Corpus) -> str:
    """What happens to labels of frames that lag behind; "" where nothing does."""
    framewise = corpus.modality(cast(str, config.data.target)).frame_seconds is not None
    if corpus.task != REGRESSION or not framewise or not config.data.label_delay:
        return ""
    lag = f"{config.data.label_delay:g} s"
    return f"labels are taken to lag behind by {lag}, and moved back; --label-delay 0 if they don't"


def show_training(run: Run, epochs_before: int = 0) -> None:
    """Development scores of a finished run, that which picked the weights first, and what to do next.

    Args:
        run: finished.
        epochs_before: that the run had already; as many as it has now: nothing was trained.
    """
    scores, facts = run.read_json("scores.json"), run.facts()
    training, picked = scores["training"], run.selection
    epochs = f"{training['epochs']} epoch{'' if training['epochs'] == 1 else 's'}"
    if epochs_before == training["epochs"]:
        say(f"nothing to train: {run.path} already has {epochs}{_without_a_better_one(run, epochs_before)}")
    else:
        parameters = training["parameters"]
        kept = f"{parameters['kept']:,} of {parameters['training']:,} parameters are kept for inference"
        early = _without_a_better_one(run, training["epochs"])
        say(f"{epochs} in {training['seconds']:.0f} s{early}; {kept}")
    say(f"the weights are those of epoch {training['best_epoch']}, {_how_picked(facts, picked)}")
    names = [name for name in _in_order(picked) if name in scores["dev"]]
    rows = [[SCORES[name].long_name, f"{scores['dev'][name]:.3f}"] for name in names]
    if facts.task == REGRESSION:
        rows.insert(0, [_RAW, f"{scores['dev']['raw']['ccc']:.3f}"])
    rows[0][0] += _PICKED
    table(f"{_simulated(facts)}{facts.label} from {facts.target}, development", ["score", "value"], rows)
    say(f"run folder: {run.path}")
    say(f"next: python -m emobed_tf.evaluate {run.named}; tensorboard --logdir {run.logs}")


def _without_a_better_one(run: Run, epochs: int) -> str:
    """Why a run that was to have more epochs ended; "" where it has as many as it was to have."""
    wanted = run.config().training
    return f", and stopped there: no better score in {wanted.patience} (--patience)" if epochs < wanted.epochs else ""


def announce_test(run: Run) -> None:
    """Says that a run is about to be evaluated on the test set, and how often it has been before.

    Args:
        run: finished.
    """
    before = len(run.test_reads())
    so_far = f"has been evaluated on it {_times(before)} before" if before else "has not been evaluated on it before"
    say(
        f"evaluating on the test set: {run.path} {so_far}; a test score counts only if nothing is chosen by it",
        flush=True,
    )


def show_test_reads(run: Run) -> None:
    """Says how often a run has been evaluated on the test set by now.

    Args:
        run: finished.
    """
    say(f"{run.path}: evaluated on the test set {_times(len(run.test_reads()))}; test_reads.json says when")


def show_scores(runs: Mapping[str, Run], outputs: Mapping[str, Mapping[str, Evaluated]]) -> None:
    """Scores with intervals, a table for each partition and the runs side by side, and confusions of a classification.

    Args:
        runs: by the names that they are called; all learnt the same label.
        outputs: of each run by partition, one at least.
    """
    first = next(iter(runs.values()))
    facts, picked = first.facts(), first.selection
    simulated = "SIMULATED: " if any(run.facts().simulated for run in runs.values()) else ""
    targets = " and ".join(dict.fromkeys(run.facts().target for run in runs.values()))
    for part in dict.fromkeys(part for by_part in outputs.values() for part in by_part):
        found = {name: by_part[part] for name, by_part in outputs.items() if part in by_part}
        columns = ["score", *(column for name in found for column in (name, "95 %"))]
        sums = {name: statistics_of(evaluated) for name, evaluated in found.items()}
        rows = []
        for name in _in_order(picked):
            if all(name in evaluated.scores for evaluated in found.values()):
                score, row = SCORES[name], [SCORES[name].long_name]
                for run, evaluated in found.items():
                    row += [f"{evaluated.scores[name]:.3f}", _interval(sums[run], score)]
                rows.append(row)
        if facts.task == REGRESSION:
            raw = [[f"{evaluated.scores['raw']['ccc']:.3f}", ""] for evaluated in found.values()]
            rows.insert(0, [_RAW, *(cell for cells in raw for cell in cells)])
        rows[0][0] += _PICKED
        speakers = len(next(iter(sums.values())).speakers)
        title = f"{simulated}{facts.label} from {targets}, {part} (intervals over {_speakers(speakers)})"
        table(title, columns, rows)
        for name, evaluated in found.items():
            if evaluated.confusion is not None:
                body = [[label, *map(str, row)] for label, row in zip(facts.classes, evaluated.confusion, strict=True)]
                table(f"confusion, {part}", [f"{name}: true class", *facts.classes], body)
    if any(_lacks_speakers(runs[name], list(by_part.values())) for name, by_part in outputs.items()):
        say(NO_SPEAKERS)


def show_comparison(facts: Facts, names: tuple[str, str], comparisons: dict[str, Comparison]) -> None:
    """Three kinds of evidence that the second run is better than the first, each labelled, and how to read them.

    Args:
        facts: of one of the runs.
        names: what the first and the second run are called.
        comparisons: of the two, by partition, one at least.
    """
    columns = ["", *comparisons]
    regression = facts.task == REGRESSION
    published = "Fisher's r-to-z over frames" if regression else "z-test of the shares of right answers"
    lines = {
        names[0]: lambda c: f"{c.means[0]:.3f}",
        names[1]: lambda c: f"{c.means[1]:.3f}",
        "difference": lambda c: f"{c.difference:+.3f}",
        "95 % interval of it: bootstrap over speakers": lambda c: (
            f"{c.interval.low:+.3f} to {c.interval.high:+.3f}" if c.interval else "-"
        ),
        "p of the exchange test over speakers, one-sided": lambda c: f"{c.exchange.p_value:.4f}",
        "  the least that so many speakers allow": lambda c: f"{least_p(c.exchange.units, c.exchange.exact):.4f}",
        "  two-sided (a difference either way)": lambda c: f"{c.exchange.p_two_sided:.4f}",
        "  exchanges tried": lambda c: (
            f"{'all ' if c.exchange.exact else ''}{c.exchange.assignments:,} of {_speakers(c.exchange.units)}"
        ),
        f"p of the paper's test ({published}), one-sided": lambda c: (
            "-" if c.published is None else f"{c.published:.4f}"
        ),
        f"  {'frames' if regression else 'utterances'} that it treats as independent": lambda c: f"{c.first.count:,}",
    }
    first = next(iter(comparisons.values()))
    title = f"{_simulated(facts)}{names[1]} better than {names[0]}? ({short_name(first.score)})"
    table(title, columns, [[text, *(show(c) for c in comparisons.values())] for text, show in lines.items()])
    said: dict[str, list[str]] = {}
    for part, c in comparisons.items():
        ends = (c.interval.low, c.interval.high) if c.interval else (None, None)
        for note in (least_p_note(c.exchange.units, c.exchange.exact), disagreement(c.exchange.p_value, *ends)):
            said.setdefault(note or "", []).append(part)
    for note, parts in said.items():
        if note:
            say(f"{', '.join(parts)}: {note}")
    say(published_note(regression))


_FEATURES_NAMED = 30  # by check; the rest is counted
_RAW = "CCC, pooled, before post-processing"
_PICKED = " (picked the weights)"


def _lacks_speakers(run: Run, outputs: Sequence[Evaluated]) -> bool:
    """Whether the target's table doesn't say who speaks. Its recordings are then called like their speakers."""
    data = run.config().data
    is_table = data.dataset == TABLES.name or data.target in [entry.partition("=")[0] for entry in data.table]
    return is_table and all(recording.speaker == recording.id for part in outputs for recording in part.recordings)


def _in_order(picked: str) -> list[str]:
    """Names of all scores, that which picked the weights first."""
    return [picked, *(name for name in SCORES if name != picked)]


def _how_picked(facts: Facts, picked: str) -> str:
    if facts.task == REGRESSION:
        return "with the best development CCC before post-processing"
    return f"with the best development {SCORES[picked].long_name} (--selection {picked})"


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def _speakers(number: int) -> str:
    return f"{number} speaker" if number == 1 else f"{number} speakers"


def _interval(statistics: SpeakerStatistics, score: Score) -> str:
    found = statistics.summary(score.name) if score.has_interval else None
    return "" if found is None or found.low is None else f"{found.low:.3f} to {found.high:.3f}"


def _simulated(facts: Facts) -> str:
    return "SIMULATED: " if facts.simulated else ""
