"""What commands print of data, scores and comparisons."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from emobed_tf.config import Config
from emobed_tf.console import table
from emobed_tf.corpora.corpus import PARTITIONS, REGRESSION, Corpus, Modality
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.locate import notice
from emobed_tf.corpora.summary import describe, features_in_words, rate_in_words
from emobed_tf.evaluation.evidence import Comparison
from emobed_tf.evaluation.score_table import SCORES, Score
from emobed_tf.evaluation.scores import Evaluated
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, statistics_of
from emobed_tf.runs.folder import Run


def announce(config: Config, corpus: Corpus, output: Path) -> None:
    """Says what is trained on what, and that simulated data is simulated.

    Args:
        config: resolved.
        corpus: read for it.
        output: the run folder.
    """
    if corpus.simulated:
        print(notice(config.data.dataset, config.data.data_dir))
    objective = config.objective
    auxiliary = f" (+{', '.join(config.data.auxiliary)})" if config.data.auxiliary else ""
    print(
        f"{corpus.name}, {corpus.label}: {objective.framework} on {config.data.target}{auxiliary}, "
        f"alpha {objective.alpha:g}, beta {objective.beta:g}, seed {config.training.seed}"
    )
    target, others = cast(str, config.data.target), cast(tuple[str, ...], config.data.auxiliary)  # resolved
    for name in (target, *others):
        modality = corpus.modality(name)
        counts = ", ".join(f"{len(modality.partition(part))} {part}" for part in PARTITIONS)
        kind = "recordings" if modality.frame_seconds else "utterances"
        print(f"  {name}: {features_in_words(modality)}, {rate_in_words(modality)}; {kind}: {counts}")
        for note in reading_notes(modality):
            print(f"    {note}")
    step = corpus.modality(target).frame_seconds
    if corpus.task == REGRESSION and step is not None and config.data.label_delay:
        lag = f"{config.data.label_delay:g} s"
        print(f"  labels are taken to lag behind by {lag}, and moved back; --label-delay 0 if they don't")
    print(f"  run folder: {output}", flush=True)


def reading_notes(modality: Modality) -> list[str]:
    """What was recognised, put in and left out where a modality was read.

    Args:
        modality: any.

    Returns:
        A line for each.
    """
    lines = [*modality.notes]
    if modality.left_out:
        reasons: dict[str, list[str]] = {}
        for column, reason in modality.left_out.items():
            reasons.setdefault(reason, []).append(column)
        lines += [f"no features: {listing(columns)} ({reason})" for reason, columns in reasons.items()]
    if modality.zeros_missing:
        lines.append("a row of zeros is a missing frame")
    return lines


def show_data(corpus: Corpus) -> None:
    """What a data set holds, by modality and partition.

    Args:
        corpus: any.
    """
    found = describe(corpus)
    learnt = f"{corpus.task} of {corpus.label}" if corpus.task == REGRESSION else ", ".join(corpus.classes)
    print(f"{'SIMULATED: ' if corpus.simulated else ''}{corpus.name}: {learnt}")
    for modality in corpus:
        print(f"\n{modality.name}: {features_in_words(modality)}, {rate_in_words(modality)}")
        summary = found["modalities"][modality.name]
        for note in reading_notes(modality):
            print(f"  {note}")
        print(f"  missing: {summary['missing_values']:.1%} of the values, {summary['missing_rows']:.1%} of the rows")
        table("", *_partition_table(corpus, summary["partitions"]))


def _partition_table(corpus: Corpus, partitions: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    rows = [
        ["recordings", *(f"{part['recordings']:,}" for part in partitions.values())],
        ["speakers", *(f"{part['speakers']:,}" for part in partitions.values())],
        ["rows", *(f"{part['rows']:,}" for part in partitions.values())],
        ["recordings with labels", *(f"{part['labelled']:,}" for part in partitions.values())],
    ]
    if corpus.task == REGRESSION:
        rows.append(["rows without label", *(str(part.get("rows_without_label", "")) for part in partitions.values())])
        names = ("mean", "deviation", "least", "greatest")
        found = [part.get("labels", {}) for part in partitions.values()]
        rows += [[f"label, {name}", *(f"{one[name]:.3g}" if one else "" for one in found)] for name in names]
    else:
        found = [part.get("labels", {}) for part in partitions.values()]
        rows += [[name, *(str(one.get(name, "")) for one in found)] for name in corpus.classes]
    return ["", *partitions], rows


def show_training(run: Run) -> None:
    """Development scores of a finished run, and what to do next.

    Args:
        run: finished.
    """
    scores, facts = run.read_json("scores.json"), run.facts()
    training = scores["training"]
    print(
        f"{training['epochs']} epochs in {training['seconds']:.0f} s, best after {training['best_epoch']}; "
        f"{training['parameters']['kept']:,} of {training['parameters']['training']:,} parameters are kept"
    )
    rows = [[s.long_name, f"{scores['dev'][s.name]:.3f}"] for s in SCORES.values() if s.name in scores["dev"]]
    if facts.task == REGRESSION:
        rows.insert(0, ["CCC, pooled, before post-processing", f"{scores['dev']['raw']['ccc']:.3f}"])
    table(f"{_simulated(facts)}{facts.label} from {facts.target}, development", ["score", "value"], rows)
    print(f"run folder: {run.path}")
    print(f"next: python -m emobed_tf.evaluate {run.path}; tensorboard --logdir {run.logs}")


def show_scores(facts: Facts, partitions: Sequence[Evaluated]) -> None:
    """Scores of one system with intervals, and the confusion matrix of a classification.

    Args:
        facts: of its run.
        partitions: its outputs on each partition, one at least.
    """
    columns = ["score"]
    for evaluated in partitions:
        columns += [evaluated.partition, "95 %"]
    rows = []
    sums = [statistics_of(evaluated) for evaluated in partitions]
    for score in SCORES.values():
        if score.name in partitions[0].scores:
            row = [score.long_name]
            for evaluated, statistics in zip(partitions, sums, strict=True):
                row += [f"{evaluated.scores[score.name]:.3f}", _interval(statistics, score)]
            rows.append(row)
    if facts.task == REGRESSION:
        raw = ["CCC, pooled, before post-processing"]
        for evaluated in partitions:
            raw += [f"{evaluated.scores['raw']['ccc']:.3f}", ""]
        rows.insert(0, raw)
    units = ", ".join(f"{len(set(evaluated.speakers))} {evaluated.partition}" for evaluated in partitions)
    table(f"{_simulated(facts)}{facts.label} from {facts.target} (intervals over speakers: {units})", columns, rows)
    for evaluated in partitions:
        if evaluated.confusion is not None:
            body = [[name, *map(str, row)] for name, row in zip(facts.classes, evaluated.confusion, strict=True)]
            table(f"confusion, {evaluated.partition} (rows: true)", ["", *facts.classes], body)


def show_comparison(facts: Facts, names: tuple[str, str], comparisons: dict[str, Comparison]) -> None:
    """Three kinds of evidence that the second run is better than the first, each labelled.

    Args:
        facts: of one of the runs.
        names: what the first and the second run are called.
        comparisons: of the two, by partition, one at least.
    """
    columns = ["", *comparisons]
    fisher = facts.task == REGRESSION
    published = "Fisher r-to-z over frames" if fisher else "z-test of the shares of right answers"
    lines = {
        f"first: {names[0]}": lambda c: f"{c.means[0]:.3f}",
        f"second: {names[1]}": lambda c: f"{c.means[1]:.3f}",
        "difference": lambda c: f"{c.difference:+.3f}",
        "PRIMARY: swap test by speaker, p one-tailed": lambda c: f"{c.exchange.p_value:.4f}",
        "  two-sided": lambda c: f"{c.exchange.p_two_sided:.4f}",
        "  exchanges": lambda c: f"{'all' if c.exchange.exact else 'drawn'}, {c.exchange.units} speakers",
        "bootstrap over speakers, 95 % of the difference": lambda c: (
            f"{c.interval.low:+.3f} to {c.interval.high:+.3f}" if c.interval else "-"
        ),
        f"as published: {published}, p one-tailed": lambda c: "-" if c.published is None else f"{c.published:.4f}",
        "  counts as independent": lambda c: f"n = {c.first.count:,}",
    }
    first = next(iter(comparisons.values()))
    title = f"{_simulated(facts)}is the second better than the first? ({first.score})"
    table(title, columns, [[text, *(show(c) for c in comparisons.values())] for text, show in lines.items()])
    print(
        "The published test takes frames or utterances for independent: equally good systems differ 'significantly' "
        "in about 4 of 10 cases that way."
    )


def _interval(statistics: SpeakerStatistics, score: Score) -> str:
    found = statistics.summary(score.name) if score.has_interval else None
    return "" if found is None or found.low is None else f"{found.low:.3f} to {found.high:.3f}"


def _simulated(facts: Facts) -> str:
    return "SIMULATED: " if facts.simulated else ""
