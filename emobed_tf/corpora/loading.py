"""`load`: any data set by name, with tables of further modalities, as one checked `Corpus`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from emobed_tf.corpora import omg, recola
from emobed_tf.corpora.checks import check_partitions, is_modality_name, like_modality_name
from emobed_tf.corpora.corpus import CLASSIFICATION, DIMENSIONS, EMOTION, REGRESSION, Corpus, Modality
from emobed_tf.corpora.files import MARKER, Progress, choose, shorten
from emobed_tf.corpora.tables import Target, decide, find, parse_pairs, read_tables, to_modality
from emobed_tf.errors import InputError, MissingInputError

NAMES = (recola.NAME, omg.NAME, "tables")
TASKS = ("auto", REGRESSION, CLASSIFICATION)
_LAYOUTS = {recola.NAME: recola.LAYOUT, omg.NAME: omg.LAYOUT}


def load(
    name: str,
    data_dir: str | Path | None = None,
    *,
    dimension: str = "arousal",
    task: str = "auto",
    tables: Sequence[str | tuple[str, str | Path]] = (),
    modalities: Sequence[str] | None = None,
    partitioned: bool = True,
    progress: Progress | None = None,
) -> Corpus:
    """Reads a data set and checks it.

    Args:
        name: `recola` (AVEC 2016's package), `omg` (OMG-Emotion) or `tables` (one table per modality).
        data_dir: its folder. For `tables`, every CSV and Parquet file in it is a modality named by its stem.
        dimension: `arousal` or `valence`: what regression learns.
        task: `regression`, `classification`, or `auto`: regression for RECOLA, classification for OMG-Emotion, and
            for tables what their label columns hold.
        tables: modalities to add to any data set, each `NAME=PATH` or (name, path); a name is an ASCII letter, then
            ASCII letters, digits, `_` or `-`. A table in the folder of `tables` gets that name instead of its stem.
        modalities: names of those to read; None for all. Others' files are not opened.
        partitioned: False: for who splits the data anew. Tables are taken as a whole and need no partitions, and no
            check is made of any.
        progress: called as progress(done, total, what) after each file of RECOLA and OMG-Emotion.

    Returns:
        The data set. Its modalities may differ in recordings, lengths and frame rates, but share the label.

    Raises:
        MissingInputError: if a file or folder is not there.
        InputError: whatever else is wrong: one line with where, what was expected and what came.

    Warns:
        EmoBedWarning: of what is doubtful, such as a class that dev or test lacks.
    """
    _check_choice("data set", name, NAMES)
    _check_choice("dimension", dimension, DIMENSIONS)
    _check_choice("task", task, TASKS)
    target = _fixed_target(name, task, dimension)
    folder = None if data_dir is None else Path(data_dir)
    own, added = _find(name, folder, tables)
    where = str(folder) if folder is not None else f"data set '{name}'"
    chosen = choose([*own, *added], modalities, where)
    if not chosen:
        raise InputError("no modality chosen; expected at least one")
    _check_names(chosen, own, added)
    read_modalities: list[Modality] = []
    fingerprints: dict[str, str] = {}
    from_folder = [modality for modality in chosen if modality in own]
    if from_folder and name == recola.NAME:
        read_modalities, fingerprints = recola.read(folder, dimension, from_folder, progress)
    elif from_folder:
        read_modalities, fingerprints = omg.read(folder, from_folder, progress)
    new = read_tables({modality: added[modality] for modality in chosen if modality in added}, progress, partitioned)
    target = target or decide(new, task, dimension)
    read_modalities += [to_modality(modality, table, target, partitioned) for modality, table in new.items()]
    if partitioned:
        check_partitions(read_modalities, target.classes)
    fingerprints |= {str(table.path): table.sha256 for table in new.values()}
    homes = {table.path.parent for table in new.values()} | ({folder} if from_folder else set())
    simulated = any((home / MARKER).is_file() for home in homes)
    by_name = {modality.name: modality for modality in read_modalities}
    return Corpus(name, target.task, target.label, target.classes, by_name, fingerprints, simulated)


def _find(
    name: str, folder: Path | None, tables: Sequence[str | tuple[str, str | Path]]
) -> tuple[Mapping[str, Path], dict[str, Path]]:
    """Modalities that the data set's own files hold, each with one of them, and the tables of all others."""
    named = parse_pairs(tables)
    if name in _LAYOUTS:
        if folder is None:
            raise MissingInputError(f"data set '{name}': no data folder given; expected one with {_LAYOUTS[name]}")
        own, added = _find_own(name, folder), {}
    else:
        own, added = {}, {} if folder is None else find(folder)
        # A table of the folder that is named is that modality alone.
        renamed = {path.absolute() for path in named.values()}
        added = {modality: path for modality, path in added.items() if path.absolute() not in renamed}
    for modality, path in named.items():
        if modality in own or modality in added:
            raise InputError(
                f"{path}: the data set has a modality '{modality}' already; give the table another name, "
                f"such as {modality}2={path}"
            )
        added[modality] = path
    if not own and not added:
        raise MissingInputError("data set 'tables': neither a folder nor a table given; expected NAME=PATH")
    return own, added


def _find_own(name: str, folder: Path) -> dict[str, Path]:
    if name == recola.NAME:
        return recola.find(folder)
    return {modality: next(iter(tables.values())) for modality, tables in omg.find(folder).items()}


def _check_names(chosen: Sequence[str], own: Mapping[str, Path], added: Mapping[str, Path]) -> None:
    for modality in chosen:
        if is_modality_name(modality):
            continue
        good = like_modality_name(modality)
        if modality in added:
            path = added[modality]
            remedy = f"name it by --table NAME=PATH, such as --table {good}={path}"
        else:
            path = own[modality]
            ending = path.name[len("features_") + len(modality) :]
            remedy = f"rename it, such as features_{good}{ending}"
        raise InputError(
            f"{path}: modality {shorten(modality)}: expected a name of ASCII letters, digits, '_' and '-' that begins "
            f"with a letter; {remedy}"
        )


def _check_choice(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise InputError(f"unknown {what} '{value}'; expected {', '.join(known)}")


def _fixed_target(name: str, task: str, dimension: str) -> Target | None:
    """What RECOLA and OMG-Emotion teach, whatever tables are added; None where the tables decide."""
    if name not in _LAYOUTS:
        return None
    if name == omg.NAME and task != REGRESSION:
        return Target(CLASSIFICATION, EMOTION, omg.CLASSES)
    if name == recola.NAME and task == CLASSIFICATION:
        raise InputError("data set 'recola' has no classes; expected the task regression (or auto)")
    return Target(REGRESSION, dimension)
