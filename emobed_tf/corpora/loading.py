"""`load`: any data set by name, with tables of further modalities, as one checked `Corpus`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emobed_tf import datasets
from emobed_tf.console import Progress
from emobed_tf.corpora import tables as feature_tables
from emobed_tf.corpora.checks import (
    check_classes,
    check_missing,
    check_partitions,
    is_modality_name,
    like_modality_name,
)
from emobed_tf.corpora.corpus import CLASSIFICATION, EMOTION, REGRESSION, Corpus, Modality, Target
from emobed_tf.corpora.files import MARKER, listing, shorten
from emobed_tf.corpora.reader import read_modalities, reader_of
from emobed_tf.corpora.suspects import matches
from emobed_tf.corpora.targets import decide
from emobed_tf.datasets import DataSet
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import at_home
from emobed_tf.settings import Reading

if TYPE_CHECKING:
    import pandas as pd

TASKS = ("auto", REGRESSION, CLASSIFICATION)


def load(
    name: str,
    data_dir: str | Path | None = None,
    *,
    dimension: str = "arousal",
    task: str = "auto",
    tables: "Sequence[str | tuple[str, str | Path]] | Mapping[str, str | Path | pd.DataFrame]" = (),
    modalities: Sequence[str] | None = None,
    partitioned: bool = True,
    labels: "str | Path | pd.DataFrame | None" = None,
    reading: Reading | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Reads a data set and checks it.

    Args:
        name: `recola` (AVEC 2016's package), `omg` (OMG-Emotion), `tables` (one table per modality), or the
            `package.module:NAME` of a `DataSet`.
        data_dir: its folder. For `tables`, every CSV, Parquet and ARFF file in it is a modality named by its stem.
        dimension: what regression learns: `arousal`, `valence`, or of tables any column of numbers.
        task: `regression`, `classification`, or `auto`: a classification where the data set has classes (OMG-Emotion),
            a regression where it has none (RECOLA), and for tables what their label columns hold.
        tables: modalities to add to any data set, each `NAME=PATH` or (name, path), or a mapping of names to paths
            and data frames. A path is a file, or a folder with a file for each recording. A name is an ASCII letter,
            then ASCII letters, digits, `_` or `-`. A table in the folder of `tables` gets that name instead of its
            stem.
        modalities: names of those to read; None for all. Others' files are not opened.
        partitioned: False: for who splits the data anew. Tables are taken as a whole and need no partitions, and no
            check is made of any.
        labels: a table with labels for all tables, see `Reading.labels`; it counts before that one.
        reading: what the columns of tables are. Default: what their names and the tools that wrote them say.
        progress: called as progress(done, total, what) after each file.

    Returns:
        The data set. Its modalities may differ in recordings, lengths and frame rates, but share the label.

    Raises:
        MissingInputError: if a file or folder is not there.
        InputError: whatever else is wrong: one line with where, what was expected and what came.

    Warns:
        EmoBedWarning: of what is doubtful, such as a class that dev or test lacks.

    Example:
        >>> import pandas as pd
        >>> partitions, labels = ["train", "train", "dev", "dev", "test", "test"], ["calm", "joy"] * 3
        >>> frame = pd.DataFrame({"id": list("abcdef"), "partition": partitions, "label": labels, "pitch": range(6)})
        >>> corpus = load("tables", tables={"audio": frame})
        >>> corpus.task, corpus.classes, corpus.modality("audio").feature_names
        ('classification', ('calm', 'joy'), ('pitch',))
    """
    dataset, reading = datasets.get(name), reading or Reading()
    _check_choice("task", task, TASKS)
    target = _fixed_target(dataset, task, dimension)
    folder = None if data_dir is None else Path(data_dir)
    own, added = _find(dataset, folder, tables)
    where = str(folder) if folder is not None else f"data set '{dataset.name}'"
    chosen = _chosen([*own, *added], modalities, where)
    _check_names(chosen, own, added)
    found: list[Modality] = []
    fingerprints: dict[str, str] = {}
    from_folder = [modality for modality in chosen if modality in own]
    if from_folder and folder is not None and target is not None:  # whoever has a reader has both
        found, fingerprints = read_modalities(dataset, folder, from_folder, dimension, target, progress)
    if labels is None:
        labels = reading.labels
    new = feature_tables.read_tables(
        {modality: added[modality] for modality in chosen if modality in added},
        reading,
        dimension,
        labels=at_home(labels) if isinstance(labels, str | Path) else labels,
        partitioned=partitioned,
        progress=progress,
    )
    target = target or decide({name: read.table for name, read in new.tables.items()}, new.header, task, dimension)
    found += [feature_tables.to_modality(modality, new, target) for modality in new.tables]
    _check_reading(reading, found, bool(new.tables))
    if len(chosen) == len(own) + len(added):
        _check_columns(reading, new.header)
    if partitioned:
        check_partitions(found, target.classes, dataset)
    check_classes(found, target.classes)
    check_missing(found)
    fingerprints |= new.files
    homes = {read.table.path.parent for read in new.tables.values() if read.table.path}
    if from_folder and folder is not None:
        homes.add(folder)
    simulated = any((home / MARKER).is_file() for home in homes)
    by_name = {modality.name: modality for modality in found}
    return Corpus(dataset.name, target.task, target.label, target.classes, by_name, fingerprints, simulated)


def find_modalities(dataset: DataSet, folder: Path) -> Mapping[str, Path]:
    """The modalities that a data set's folder holds, each with one of its files or folders.

    Args:
        dataset: any.
        folder: where it lies.

    Returns:
        A file or folder by the modality's name.

    Raises:
        MissingInputError: if there is none.
        InputError: if the folder has another form.
    """
    return (reader_of(dataset) if dataset.reader else feature_tables).find_modalities(folder)


def _check_reading(reading: Reading, found: Sequence[Modality], tables: bool) -> None:
    """Refuses settings that nothing has used."""
    if reading != Reading() and not tables:
        names = [name for name, value in vars(reading).items() if value != getattr(Reading(), name)]
        flags = ", ".join("--" + name.replace("_", "-") for name in names)
        raise InputError(f"{flags}: for feature tables only, and none is read; add one with --table NAME=PATH")
    if reading.resample is not None and all(modality.frame_seconds is None for modality in found):
        raise InputError(f"--resample {reading.resample:g}: rows are utterances, not frames; leave it out")
    names = [modality.name for modality in found]
    for name in reading.zeros_missing:
        if name not in names:
            raise InputError(f"--zeros-missing {name}: no modality of that name; found {', '.join(names)}")


def _check_columns(reading: Reading, header: Collection[str]) -> None:
    """Refuses names of columns that no table has: with a letter wrong, they would do nothing."""
    flags = [("ignore", pattern, pattern) for pattern in reading.ignore]
    flags += [("keep", pattern, pattern) for pattern in reading.keep]
    flags += [("column", entry, entry.rpartition("=")[0]) for entry in reading.column]
    for flag, entry, name in flags:
        if name not in header and (flag == "column" or not any(matches(column, [name]) for column in header)):
            raise InputError(f"--{flag} {entry}: no table has such a column; found {listing(sorted(header))}")


def _find(
    dataset: DataSet,
    folder: Path | None,
    tables: "Sequence[str | tuple[str, str | Path]] | Mapping[str, str | Path | pd.DataFrame]",
) -> "tuple[Mapping[str, Path], dict[str, Path | pd.DataFrame]]":
    """Modalities that the data set's own files hold, each with one of them, and the tables of all others."""
    named = feature_tables.named_tables(tables)
    own: Mapping[str, Path] = {}
    added: dict[str, Path | pd.DataFrame] = {}
    if dataset.reader is not None:
        if folder is None:
            raise MissingInputError(
                f"data set '{dataset.name}': no data folder given; expected one with {dataset.layout}"
            )
        own = find_modalities(dataset, folder)
    elif folder is not None:
        # A table of the folder that is named is that modality alone.
        renamed = {path.absolute() for path in named.values() if isinstance(path, Path)}
        in_folder = find_modalities(dataset, folder)
        added = {modality: path for modality, path in in_folder.items() if path.absolute() not in renamed}
    for modality, table in named.items():
        if modality in own or modality in added:
            where, example = (table, f"={table}") if isinstance(table, Path) else (f"data frame '{modality}'", "")
            raise InputError(
                f"{where}: the data set has a modality '{modality}' already; give the table another name, "
                f"such as {modality}2{example}"
            )
        added[modality] = table
    if not own and not added:
        raise MissingInputError(f"data set '{dataset.name}': neither a folder nor a table given; expected NAME=PATH")
    return own, added


def _chosen(found: Iterable[str], wanted: Sequence[str] | None, where: str) -> list[str]:
    """The modalities to read: those `wanted`, or all `found` if that is None."""
    found = list(found)
    for name in wanted or ():
        if name not in found:
            raise InputError(f"{where}: no modality '{name}'; found {', '.join(found) or 'none'}")
    chosen = found if wanted is None else [name for name in found if name in wanted]
    if not chosen:
        raise InputError("no modality chosen; expected at least one")
    return chosen


def _check_names(chosen: Sequence[str], own: Mapping[str, Path], added: "Mapping[str, Path | pd.DataFrame]") -> None:
    for modality in chosen:
        if is_modality_name(modality):
            continue
        good = like_modality_name(modality)
        if modality in added and not isinstance(added[modality], Path):
            where, remedy = "data frame", f"name it {good}, say"
        elif modality in added:
            where = str(added[modality])
            remedy = f"name it by --table NAME=PATH, such as --table {good}={where}"
        else:
            path = own[modality]
            where = str(path)
            start = path.name.lower().find(modality.lower())
            remedy = f"rename it, such as {path.name[:start]}{good}{path.name[start + len(modality) :]}"
            remedy = remedy if start >= 0 else f"rename it, such as {good}"
        raise InputError(
            f"{where}: modality {shorten(modality)}: expected a name of ASCII letters, digits, '_' and '-' that begins "
            f"with a letter; {remedy}"
        )


def _check_choice(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"unknown {what} '{value}'; expected {', '.join(known)}")


def _fixed_target(dataset: DataSet, task: str, dimension: str) -> Target | None:
    """What the data set teaches, whatever tables are added; None where tables decide."""
    if dataset.reader is None:
        return None
    if task == CLASSIFICATION and not dataset.classes:
        raise InputError(f"data set '{dataset.name}' has no classes; expected the task {REGRESSION} (or auto)")
    if dataset.classes and task != REGRESSION:
        return Target(CLASSIFICATION, EMOTION, dataset.classes)
    if dimension not in dataset.dimensions:
        raise InputError(
            f"data set '{dataset.name}' has no {dimension}; expected "
            f"{' or '.join(dataset.dimensions) or f'the task {CLASSIFICATION} (or auto)'}"
        )
    return Target(REGRESSION, dimension)
