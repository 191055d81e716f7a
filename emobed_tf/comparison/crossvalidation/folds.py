"""Speakers into outer folds, the same for all modalities, and a corpus regrouped by them. No TensorFlow.

The partitions of the data are ignored: all labelled recordings are pooled and split anew, speaker by speaker.
"""

import dataclasses
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS, Corpus, Modality, Recording
from emobed_tf.corpora.labels import has_label
from emobed_tf.corpora.speakers import speakerless
from emobed_tf.errors import EmoBedWarning, InputError


@dataclass(frozen=True)
class Fold:
    """One split of all speakers.

    Attributes:
        number: from 0.
        train: speakers to learn from.
        dev: inner development speakers: every choice and early stopping look at them.
        test: the outer fold's speakers, who are only predicted.
    """

    number: int
    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]


def speakers_of(corpora: Iterable[Corpus]) -> dict[str, frozenset[str]]:
    """Who has labelled recordings, and of which modalities. A speaker is a name, whatever the modality or corpus.

    Args:
        corpora: of one protocol; they may overlap.

    Returns:
        Names of modalities by speaker, in the order of the names.

    Raises:
        InputError: if a table doesn't tell its speakers: each recording is then a speaker of its own.
    """
    found: dict[str, set[str]] = {}
    for corpus in corpora:
        told = {r.speaker for modality in corpus if not speakerless(modality) for r in modality.recordings}
        for modality in corpus:
            if speakerless(modality) and not told & {r.speaker for r in modality.recordings}:
                raise InputError(
                    f"modality '{modality.name}': no speakers, or they are called like the recordings, but folds "
                    "are dealt by speaker: add a column 'speaker' (where every recording is of another person, "
                    "with other names than the ids)"
                )
            for recording in _labelled(modality, corpus.label):
                found.setdefault(recording.speaker, set()).add(modality.name)
    return {name: frozenset(found[name]) for name in sorted(found)}


def deal(
    speakers: Mapping[str, frozenset[str]], folds: int, dev_speakers: int | None = None, seed: int = 0
) -> tuple[Fold, ...]:
    """Deals speakers into outer folds: each is tested once, and each fold has about as many of every modality.

    Args:
        speakers: modalities by speaker, from `speakers_of`. Those of equal modalities are dealt one after another.
        folds: number of outer folds, 2 or more.
        dev_speakers: inner development speakers of a fold, from the next folds: as large a share of every modality's
            speakers as can be, and those with most modalities first. Default: as many as the smallest fold has, but at
            most a third of those who are not tested.
        seed: of the order of dealing.

    Returns:
        One for each number, in their order; none of them shares a speaker between its partitions.

    Raises:
        InputError: if there are too few speakers for so many folds and development speakers.
    """
    if folds < 2:
        raise InputError(f"--folds: expected 2 or more, got {folds}")
    left = len(speakers) - -(-len(speakers) // folds)  # outside of the largest fold
    if len(speakers) < folds or left < 2:
        raise InputError(
            f"{len(speakers)} speakers for {folds} folds; expected one or more to test in each, and beside them two, "
            "for development and to learn from: choose other --folds, or add speakers"
        )
    dev_speakers = min(len(speakers) // folds, max(1, left // 3)) if dev_speakers is None else dev_speakers
    if not 1 <= dev_speakers < left:
        raise InputError(
            f"--dev-speakers: expected 1 to {left - 1} of the {left} speakers that are not tested, got {dev_speakers}"
        )
    dealt = [_order(speakers, seed)[k::folds] for k in range(folds)]
    found = []
    for k, test in enumerate(dealt):
        others = [name for step in range(1, folds) for name in dealt[(k + step) % folds]]
        dev = _spread(others, speakers, dev_speakers)
        found.append(Fold(k, tuple(name for name in others if name not in dev), tuple(dev), tuple(test)))
    return tuple(found)


def inner_splits(fold: Fold, speakers: Mapping[str, frozenset[str]], number: int, seed: int = 0) -> tuple[Fold, ...]:
    """Splits of a fold's speakers who are not tested: each of them is once for development.

    Args:
        fold: from `deal`.
        speakers: modalities by speaker, of all folds.
        number: of splits, 2 or more.
        seed: of the order of dealing.

    Returns:
        As many folds with the number of `fold`, without test speakers.

    Raises:
        InputError: if there are fewer speakers than splits.
    """
    others = {name: speakers[name] for name in (*fold.train, *fold.dev)}
    if not 2 <= number <= len(others):
        raise InputError(
            f"--inner-folds: expected 2 to {len(others)} (fold {fold.number + 1} has so many speakers who are not "
            f"tested), or 1 for its development speakers, got {number}"
        )
    order = _order(others, seed)
    dealt = [tuple(order[k::number]) for k in range(number)]
    return tuple(Fold(fold.number, tuple(n for n in order if n not in dev), dev, ()) for dev in dealt)


def regrouped(corpus: Corpus, fold: Fold) -> Corpus:
    """The labelled recordings of a corpus in the partitions of a fold.

    Args:
        corpus: with any partitions; they are replaced.
        fold: from `deal`.

    Returns:
        A new corpus; recordings of speakers who are in no partition of the fold are left out, and unlabelled ones of
        the others are in no partition, see `Modality.unlabelled`.
    """
    partition = {name: part for part in PARTITIONS for name in getattr(fold, part)}
    modalities = {}
    for name, modality in corpus.modalities.items():
        recordings = (r for r in _labelled(modality, corpus.label) if r.speaker in partition)
        regrouped = tuple(dataclasses.replace(r, partition=partition[r.speaker]) for r in recordings)
        others = (r for r in modality.recordings if not has_label(r, corpus.label) and r.speaker in partition)
        modalities[name] = dataclasses.replace(modality, recordings=regrouped, unlabelled=tuple(others))
    return dataclasses.replace(corpus, modalities=modalities)


def check_folds(
    corpus: Corpus, folds: Sequence[Fold], target: str, auxiliaries: Sequence[str], flags: str = ""
) -> None:
    """Checks that every fold can be trained, chosen on and tested.

    Args:
        corpus: with any partitions; they are ignored.
        folds: from `deal`.
        target: modality to recognise emotion from.
        auxiliaries: modalities that help in training.
        flags: that may help beside those of the outer folds, such as `--inner-folds`.

    Raises:
        InputError: if somewhere a modality that is needed has no labelled recording.

    Warns:
        EmoBedWarning: if a class that the target has is missing in the training of a fold.
    """
    for fold in folds:
        needed = [(target, "training", fold.train), (target, "development", fold.dev)]
        needed += [(target, "test", fold.test)] if fold.test else []  # an inner split tests nobody
        needed += [(name, "training", fold.train) for name in auxiliaries]
        for name, use, members in needed:
            if not any(r.speaker in members for r in _labelled(corpus.modality(name), corpus.label)):
                where = f"fold {fold.number + 1}" + ("" if flags else f" of {len(folds)}")
                raise InputError(
                    f"{where}: no labelled recording of '{name}' for {use} (speakers "
                    f"{', '.join(members)}); choose other --folds, --dev-speakers{flags} or --fold-seed"
                )
    if corpus.classes:
        _warn_of_missing_classes(corpus, folds, target)


def _labelled(modality: Modality, label: str) -> tuple[Recording, ...]:
    return tuple(recording for recording in modality.recordings if has_label(recording, label))


def _order(speakers: Mapping[str, frozenset[str]], seed: int) -> list[str]:
    """By the set of modalities, the largest first; drawn within it."""
    alike: dict[tuple[int | str, ...], list[str]] = {}
    for name in sorted(speakers):
        alike.setdefault((-len(speakers[name]), *sorted(speakers[name])), []).append(name)
    rng = np.random.default_rng(seed)
    return [name for key in sorted(alike) for name in rng.permutation(alike[key]).tolist()]


def _spread(names: Sequence[str], speakers: Mapping[str, frozenset[str]], number: int) -> list[str]:
    """The first names, but so that each modality has about the same share of its speakers among them."""
    whole = Counter(modality for name in names for modality in speakers[name])
    found: list[str] = []
    for _ in range(number):
        taken = Counter(modality for name in found for modality in speakers[name])
        left = [name for name in names if name not in found]
        shares = {modality: taken[modality] / whole[modality] for name in left for modality in speakers[name]}
        fewest = {modality for modality, share in shares.items() if share == min(shares.values())}
        found.append(next(name for name in left if speakers[name] & fewest))
    return found


def _warn_of_missing_classes(corpus: Corpus, folds: Sequence[Fold], target: str) -> None:
    recordings = _labelled(corpus.modality(target), corpus.label)
    present = {int(r.labels[corpus.label]) for r in recordings}
    for fold in folds:
        trained = {int(r.labels[corpus.label]) for r in recordings if r.speaker in fold.train}
        if present - trained:
            names = ", ".join(corpus.classes[k] for k in sorted(present - trained))
            warnings.warn(
                f"fold {fold.number + 1} of {len(folds)}: no training recording of '{target}' shows {names}; "
                "it can't be learnt there",
                EmoBedWarning,
                stacklevel=2,
            )
            return
