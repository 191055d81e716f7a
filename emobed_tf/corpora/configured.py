"""The data of a configuration, and the configuration that its data make definite. No TensorFlow."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emobed_tf import corpora, datasets
from emobed_tf.config import Config, preset
from emobed_tf.console import Progress
from emobed_tf.corpora import speakers
from emobed_tf.corpora.budget import without_auxiliaries
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.locate import locate
from emobed_tf.corpora.tables import LABELS_ENTRY, entry
from emobed_tf.corpora.waveforms import check_no_waveform
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError
from emobed_tf.files import at_home
from emobed_tf.settings import DISTILLED, FRONT_ENDS, NO_FRONT_END, USES_ALPHA, Data

_CORPORA_KEPT = 4
_OF_REGRESSION: tuple[str, ...] = ("regression_loss", "bins")
_OF_CLASSES: tuple[str, ...] = ("classification_loss",)
_OF_FRAMES: tuple[str, ...] = ("label_delay", "hop", "negative_seconds")
_FileStates = dict[str, tuple[int, int] | None]


def data_name(data: Data) -> str:
    """What the user calls the data: names of table files, or of the folder, or of the data set.

    Args:
        data: settings of the data.

    Returns:
        Such as `audio.csv and face.csv`.
    """
    names = [Path(entry.partition("=")[2]).name for entry in data.table]
    record = datasets.get(data.dataset)
    if data.data_dir is not None:
        names.insert(0, data.data_dir.absolute().name if record.reader is None else record.title)
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def load_corpus(
    config: Config, progress: Progress | None = None, *, target_only: bool = False
) -> tuple[Config, Corpus]:
    """The data of a configuration, and the configuration with paths, target, auxiliaries and task made definite.

    Args:
        config: any configuration.
        progress: see `corpora.load`.
        target_only: leave the auxiliaries' files alone; for a resolved configuration.

    Returns:
        The configuration with nothing left to decide by the data, and the data.

    Raises:
        InputError: if data or settings don't fit each other.
    """
    config, directory = _located(config, progress)
    corpus = corpora.load(**_what_to_read(config, directory, target_only), progress=progress)
    config = _resolved(config, directory, corpus, target_only)
    return config, speakers.as_configured(config.data, corpus)


class CorpusCache:
    """The last few data sets in memory: a process that trains many times reads them once.

    Args:
        most: data sets that are kept, the latest.
    """

    def __init__(self, most: int = _CORPORA_KEPT) -> None:
        self.most = most
        # By what was read, the longest unused first; and the files.
        self._kept: dict[str, tuple[Corpus, _FileStates]] = {}

    def load(
        self, config: Config, progress: Progress | None = None, *, partitioned: bool = True
    ) -> tuple[Config, Corpus]:
        """As `load_corpus`; a data set is read again when one of its files has changed.

        Args:
            config: any configuration.
            progress: see `corpora.load`.
            partitioned: see `corpora.load`.

        Returns:
            As `load_corpus`.

        Raises:
            InputError: if data or settings don't fit each other.
        """
        config, directory = _located(config, progress)
        what = _what_to_read(config, directory, target_only=False) | {"partitioned": partitioned}
        # Who splits the data anew standardises them afterwards: the corpus' part is that of the training recordings.
        standardised = (config.data.standardise, config.data.speaker_prior) if partitioned else None
        key = repr((what, standardised))
        corpus, states = self._kept.pop(key, (None, None))
        if corpus is None or states != _file_states(corpus):
            corpus = corpora.load(**what, progress=progress)
            if partitioned:
                corpus = speakers.as_configured(config.data, corpus)
        self._kept[key] = corpus, _file_states(corpus)
        if len(self._kept) > self.most:
            del self._kept[next(iter(self._kept))]
        return _resolved(config, directory, corpus, target_only=False), corpus

    def close(self) -> None:
        """Frees all data sets, and keeps none from now on."""
        self.most = 0
        self._kept.clear()


def resolved(config: Config, corpus: Corpus) -> Config:
    """The configuration with target, auxiliaries and task made definite by data in memory.

    Args:
        config: any configuration; a resolved one stays as it is.
        corpus: from `corpora.load`, of data frames, say.

    Returns:
        The configuration, checked, with nothing left to decide by the data.

    Raises:
        InputError: if data and settings don't fit each other.
    """
    return _with_modalities(config.check().replace(task=corpus.task), corpus)


def moved(config: Config, data_dir: Path | None, tables: Sequence[str], needed: Sequence[str]) -> Config:
    """A run's configuration with the places where its data are now.

    Args:
        config: resolved.
        data_dir: folder that they have moved to; None: they are where they were. Tables and labels are looked for in
            it by their names.
        tables: `NAME=PATH` of tables that have moved somewhere else.
        needed: modalities that will be read.

    Returns:
        The configuration with other paths.

    Raises:
        MissingInputError: if a table that is needed, or the table of labels, is not where it was.
    """
    places = dict(entry.partition("=")[::2] for entry in config.data.table)
    labels = config.reading.labels
    if data_dir is not None:
        data_dir = at_home(data_dir)
        places = {name: str(_within(Path(path), config.data.data_dir, data_dir)) for name, path in places.items()}
        labels = labels and _within(labels, config.data.data_dir, data_dir)
        if config.data.data_dir is not None:
            config = config.replace(data_dir=data_dir)
    places |= dict(entry.partition("=")[::2] for entry in tables)
    for name, path in places.items():
        if name in needed and not at_home(path).exists():
            raise MissingInputError(
                f"{path}: no such file; if the data have moved, say --data-dir FOLDER, or --table {name}=PATH"
            )
    if labels is not None and not labels.exists():
        raise MissingInputError(f"{labels}: no such file; if they have moved with the data: --data-dir FOLDER")
    return config.replace(table=tuple(f"{name}={path}" for name, path in places.items()), labels=labels)


def _within(path: Path, before: Path | None, now: Path) -> Path:
    """Where a file is after its folder has moved; the path as it was if it isn't there."""
    relative = path.relative_to(before) if before is not None and path.is_relative_to(before) else Path(path.name)
    return now / relative if (now / relative).exists() else path


def merged_tables(entries: Sequence[str]) -> tuple[str, ...]:
    """`NAME=PATH` entries with one for each name: the last, which came after it on the command line.

    Args:
        entries: each `NAME=PATH`.

    Returns:
        Those that count, in the order in which their names came first.
    """
    by_name = {entry.partition("=")[0]: entry for entry in entries}
    return tuple(by_name.values())


def fingerprints(config: Config, corpus: Corpus) -> dict[str, str]:
    """SHA-256 of every file that was read, by a name that stays when the data move.

    Args:
        config: resolved.
        corpus: its data.

    Returns:
        Files of the data folder by their path within it, tables by `--table NAME`.
    """
    tables = {path: entry(name) for name, _, path in (table.partition("=") for table in config.data.table)}
    if config.reading.labels is not None:
        tables[str(config.reading.labels)] = LABELS_ENTRY
    frames = {entry(name) for name in corpus.modalities}

    def name(path: str) -> str:
        if path in frames or path == LABELS_ENTRY:
            return path
        absolute = str(Path(path).absolute())
        for source, known in tables.items():
            if absolute == source:
                return known
            if Path(absolute).is_relative_to(source):  # a folder of tables
                return f"{known}/{Path(absolute).relative_to(source).as_posix()}"
        folder = config.data.data_dir
        if folder is not None and Path(absolute).is_relative_to(folder):
            return Path(absolute).relative_to(folder).as_posix()
        for source, known in tables.items():
            if Path(absolute).is_relative_to(Path(source).parent):  # a recording that a table names
                return f"{known}: {Path(absolute).relative_to(Path(source).parent).as_posix()}"
        return absolute

    return {name(path): value for path, value in corpus.fingerprints.items()}


def _located(config: Config, progress: Progress | None) -> tuple[Config, Path | None]:
    """The configuration checked, and the folder of its data."""
    config = config.check()
    config = config.replace(table=merged_tables(config.data.table))
    return config, locate(config.data.dataset, config.data.data_dir, bool(config.data.table), progress)


def _what_to_read(config: Config, directory: Path | None, target_only: bool) -> dict[str, Any]:
    """Arguments of `corpora.load`."""
    data = config.data
    return {
        "name": data.dataset,
        "data_dir": directory,
        "dimension": data.dimension,
        "task": data.task,
        "tables": data.table,
        "modalities": (data.target,) if target_only else _wanted(config),
        "reading": config.reading,
    }


def _file_states(corpus: Corpus) -> _FileStates:
    """Size and time of change of every file that was read, and of their folders; None where one is gone."""
    states: _FileStates = {}
    for path in {*corpus.fingerprints, *(os.path.dirname(path) for path in corpus.fingerprints)}:
        try:
            found = os.stat(path)
        except OSError:
            states[path] = None
        else:
            states[path] = found.st_size, found.st_mtime_ns
    return states


def _wanted(config: Config) -> tuple[str, ...] | None:
    """Modalities to read; None: all. Where it is known, only what is used: parsing RECOLA's 632 columns takes long."""
    dataset = datasets.get(config.data.dataset)
    if dataset.auxiliary is None:
        return None
    target = config.data.target or dataset.target
    if config.objective.framework == "classic":
        return (target,)
    auxiliary = config.data.auxiliary
    if auxiliary is None:
        own = dataset.auxiliary if target == dataset.target else dataset.target
        auxiliary = (own, *(entry.partition("=")[0] for entry in config.data.table))
    return tuple(dict.fromkeys((target, *auxiliary)))


def _resolved(config: Config, directory: Path | None, corpus: Corpus, target_only: bool) -> Config:
    pairs = (entry.partition("=") for entry in config.data.table)
    tables = tuple(f"{name}={at_home(path).absolute()}" for name, _, path in pairs)
    labels = config.reading.labels
    config = config.replace(
        data_dir=directory.absolute() if directory else None,
        table=tables,
        labels=at_home(labels).absolute() if labels else None,
        task=corpus.task,
    )
    if target_only:
        return config
    config = _with_modalities(config, corpus)
    _check_delay(config, corpus)
    _check_idle(config, corpus)
    return config


def idle_settings(task: str, framewise: bool) -> tuple[tuple[str, ...], str]:
    """Settings that do nothing for what is learnt.

    Args:
        task: `regression` or `classification`.
        framewise: whether the target has frames.

    Returns:
        Their names, and what they do nothing for, such as `a classification`.
    """
    if task != REGRESSION:
        return _OF_FRAMES + _OF_REGRESSION, "a classification"
    if framewise:
        return _OF_CLASSES, "a regression"
    return _OF_FRAMES + _OF_CLASSES, "a regression of utterances"


def _check_idle(config: Config, corpus: Corpus) -> None:
    """Warns of settings that somebody has changed and that do nothing here."""
    framewise = corpus.modality(str(config.data.target)).frame_seconds is not None
    idle, what = idle_settings(corpus.task, framewise)
    values, usual = config.to_dict(), preset(config.data.dataset).to_dict()
    changed = ["--" + name.replace("_", "-") for name in idle if values[name] != usual[name]]
    if changed:
        warnings.warn(f"{', '.join(changed)}: no effect on {what}", EmoBedWarning, stacklevel=3)


def _check_delay(config: Config, corpus: Corpus) -> None:
    """Warns of a label delay that vanishes in the target's frames."""
    step, delay = corpus.modality(str(config.data.target)).frame_seconds, config.data.label_delay
    if corpus.task == REGRESSION and step is not None and 0 < delay < step / 2:
        warnings.warn(
            f"--label-delay {delay:g} s is less than half of the {step:g} s between two rows of "
            f"'{config.data.target}', so labels are not moved at all; are the times in seconds?",
            EmoBedWarning,
            stacklevel=3,
        )


def _check_waveforms(config: Config, corpus: Corpus) -> None:
    """Refuses waveforms without a front end, a front end without waveforms, and what has no use for samples."""
    waveforms = [modality.name for modality in corpus if modality.sample_rate is not None]
    front_end = config.network.front_end
    if waveforms and front_end == NO_FRONT_END:
        raise InputError(
            f"--front-end {front_end}: {listing(waveforms)} is a waveform, of which something has to make channels; "
            f"choose {' or '.join(FRONT_ENDS)} (logmel is the usual one), or make features with python -m "
            "emobed_tf.extract"
        )
    if front_end != NO_FRONT_END and not waveforms:
        raise InputError(
            f"--front-end {front_end}: no modality is a waveform, so it does nothing; leave it out, or name recordings "
            "with --table NAME=PATH"
        )
    if config.reading.strict and not waveforms:
        raise InputError("--strict: no modality is read from recordings, so it does nothing; leave it out")
    if waveforms and config.objective.framework == DISTILLED:
        check_no_waveform(list(corpus), f"--framework {DISTILLED}")


def _with_modalities(config: Config, corpus: Corpus) -> Config:
    names, framework = list(corpus.modalities), config.objective.framework
    _check_waveforms(config, corpus)
    usual = datasets.get(config.data.dataset).target
    target = config.data.target or (usual if usual in names else names[0])
    corpus.modality(target)
    auxiliary = config.data.auxiliary
    if auxiliary is None:
        auxiliary = tuple(name for name in names if name != target)
    if framework == "classic":
        counted = config.replace(target=target, auxiliary=tuple(name for name in auxiliary if name in names))
        config, auxiliary = without_auxiliaries(counted, corpus), ()
    for name in auxiliary:
        corpus.modality(name)
        if name == target:
            raise InputError(f"--auxiliary {name}: that is the target; name other modalities")
    beside = {"--mining inter": config.objective.mining == "inter", "--alignment": config.objective.alignment != "none"}
    needing = [flag for flag, given in beside.items() if given and framework == "triplet"]
    if not auxiliary and (framework in (*USES_ALPHA, DISTILLED) or needing):
        raise InputError(
            f"--framework {framework}{f' with {needing[0]}' if needing else ''} needs an auxiliary "
            f"modality, but there is only {target}; add one with --table NAME=PATH, or choose --framework classic"
        )
    selection = config.training.selection
    if selection is not None and (selection == "ccc") != (corpus.task == REGRESSION):
        raise InputError(f"--selection {selection} is no score of a {corpus.task}")
    return config.replace(target=target, auxiliary=auxiliary)
