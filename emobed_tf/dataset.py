"""The data of a configuration, and the configuration that its data make definite. No TensorFlow."""

from pathlib import Path

from emobed_tf import corpora
from emobed_tf.config import USES_ALPHA, Config
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.corpora.locate import locate
from emobed_tf.errors import InputError
from emobed_tf.runs import free_path


def load_corpus(config: Config, progress: Progress | None = None) -> tuple[Config, Corpus]:
    """The data of a configuration, and the configuration with paths, target, auxiliaries and task made definite.

    Args:
        config: any configuration.
        progress: see `corpora.load`.

    Raises:
        InputError: if data or settings don't fit each other.
    """
    config = config.check()
    data = config.data
    directory = locate(data.dataset, data.data_dir, bool(data.table), progress)
    only = _wanted_on_recola(config) if data.dataset == "recola" else None
    corpus = corpora.load(
        data.dataset,
        directory,
        dimension=data.dimension,
        task=data.task,
        tables=data.table,
        modalities=only,
        progress=progress,
    )
    return _resolved(config, directory, corpus), corpus


def default_output(config: Config, corpus: Corpus) -> Path:
    """A new folder below `runs/`, named by data set, label, target, framework and seed.

    Args:
        config: resolved.
        corpus: its data.
    """
    system = (config.data.target, config.objective.framework, f"seed{config.training.seed}")
    return free_path(Path("runs") / "-".join((corpus.name, corpus.label, *system)))


def _wanted_on_recola(config: Config) -> tuple[str, ...]:
    """Modalities of RECOLA's folders that training needs: parsing 632 geometric columns for nothing takes long."""
    tables = [entry.partition("=")[0] for entry in config.data.table]
    target = config.data.target or "audio"
    auxiliary = config.data.auxiliary
    if auxiliary is None:
        auxiliary = () if config.objective.framework == "classic" else _default_auxiliary(target, tables)
    return tuple(dict.fromkeys((target, *auxiliary)))


def _default_auxiliary(target: str, tables: list[str]) -> tuple[str, ...]:
    of_the_paper = "video_appearance" if target == "audio" else "audio"
    return tuple(name for name in (of_the_paper, *tables) if name != target)


def _resolved(config: Config, directory: Path | None, corpus: Corpus) -> Config:
    names = list(corpus.modalities)
    tables = []
    for entry in config.data.table:
        name, _, path = entry.partition("=")
        tables.append(f"{name}={Path(path).absolute()}")
    target = config.data.target or names[0]
    corpus.modality(target)
    auxiliary = config.data.auxiliary
    if auxiliary is None:
        auxiliary = tuple(name for name in names if name != target)
    if config.objective.framework == "classic":
        auxiliary = ()
    for name in auxiliary:
        corpus.modality(name)
        if name == target:
            raise InputError(f"--auxiliary {name}: that is the target; name other modalities")
    if not auxiliary and config.objective.framework in USES_ALPHA:
        raise InputError(
            f"--framework {config.objective.framework} needs an auxiliary modality, but there is only {target}; "
            "add one with --table NAME=PATH, or choose --framework classic"
        )
    selection = config.training.selection
    if selection is not None and (selection == "ccc") != (corpus.task == REGRESSION):
        raise InputError(f"--selection {selection} is no score of a {corpus.task}")
    return config.replace(
        data_dir=directory.absolute() if directory else None,
        table=tuple(tables),
        task=corpus.task,
        target=target,
        auxiliary=auxiliary,
    )
