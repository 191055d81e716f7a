"""The folder of a search: the only module that knows its file names. No TensorFlow.

search.json      what is searched, on what data, with which versions
config.json      the settings that every trial shares
trials/          KerasTuner's own state: a continued search reads it
trials.csv       a row per trial
logs/            TensorBoard's HParams
workers/         what workers of this machine wrote
best/            the run folder of the best trial
classic/         that of classic with the best trial's other settings; classic.json has its scores by seed
report/          a page of both
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from emobed_tf._version import __version__
from emobed_tf.config import Config, former_settings, preset, read_config
from emobed_tf.corpora.configured import fingerprints
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import parse_json, write_bytes, write_csv
from emobed_tf.runs.folder import Run
from emobed_tf.runs.provenance import provenance
from emobed_tf.settings import PLACES
from tuning.space import Space

FORMAT = 1  # of search.json
_FIRST_SETTINGS = """
    format dataset task dimension target auxiliary label_delay clip encoder_layers encoder_units head_layers
    head_units fused framework alpha beta l2 regression_loss triplet_preset margin normalise reduction mining
    bins hop negative_seconds disagreement epochs batch_size sequence_seconds learning_rate patience
    selection diagnostics seed threads xla
"""  # names of the settings that digests have counted from the beginning, whatever their values


@dataclass(frozen=True)
class SearchIdentity:
    """What a trial's result depends on; a search continues, and a worker helps, only with the same.

    Attributes:
        tuner: kind of the search.
        seeds: trainings of a trial.
        space: see `Space.texts`.
        settings: all settings but where the data lie.
        data: SHA-256 by input file.
        versions: of the packages that decide numbers and trials.
    """

    tuner: str
    seeds: int
    space: Mapping[str, str]
    settings: Mapping[str, Any]
    data: Mapping[str, str]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, config: Config, corpus: Corpus, space: Space, tuner: str, seeds: int) -> "SearchIdentity":
        """The identity of a search in this process.

        Args:
            config: resolved.
            corpus: its data.
            space: what is searched.
            tuner: kind of the search.
            seeds: trainings of a trial.

        Returns:
            The identity.
        """
        settings = {name: value for name, value in config.to_dict().items() if name not in PLACES}
        versions = {"emobed-tf": __version__} | {p: metadata.version(p) for p in ("keras-tuner", "tensorflow")}
        return cls(tuner, seeds, space.texts(), settings, fingerprints(config, corpus), versions)

    @property
    def digest(self) -> str:
        """The same in 64 characters.

        A setting that came later counts only where it isn't what it was before it could be set, so that searches that
        were begun before keep their digest.
        """
        first, defaults = _FIRST_SETTINGS.split(), self._defaults()
        settings = {n: v for n, v in self.settings.items() if n in first or v != defaults.get(n)}
        identity = dataclasses.replace(self, settings=settings)
        return hashlib.sha256(json.dumps(dataclasses.asdict(identity), sort_keys=True).encode()).hexdigest()

    def entries(self) -> tuple[str, ...]:
        """The space as `NAME=…`."""
        return tuple(f"{name}={text}" for name, text in self.space.items())

    def difference(self, before: "SearchIdentity") -> str | None:
        """What is not as it was before.

        Args:
            before: identity of the search that was begun.

        Returns:
            The differences in words; None where there is none.
        """
        for name, value in self.versions.items():
            if before.versions.get(name) != value:
                return f"was begun with {name} {before.versions.get(name)}, and this is {value}"
        for name, flag in (("tuner", "--tuner"), ("seeds", "--seeds")):
            if getattr(before, name) != getattr(self, name):
                return f"was begun with {flag} {getattr(before, name)}, not {getattr(self, name)}"
        defaults = self._defaults()
        for name in dict.fromkeys((*before.settings, *self.settings)):
            then, now = before.settings.get(name, defaults.get(name)), self.settings.get(name)
            if then != now:
                return f"was begun with --{name.replace('_', '-')} {_shown(then)}, not {_shown(now)}"
        for name in dict.fromkeys((*before.space, *self.space)):
            then, now = before.space.get(name), self.space.get(name)
            if then != now:
                return f"was begun with --space {name}={then}, not {name}={now}"
        changed = [name for name in {**before.data, **self.data} if before.data.get(name) != self.data.get(name)]
        return f"was begun on other data: {changed[0]} differs" if changed else None

    def _defaults(self) -> dict[str, Any]:
        """What a search has of a setting that came after it was begun."""
        return former_settings(preset(self.settings["dataset"]).check())


class SearchFolder:
    """A search on disk, begun or new.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path):
        self.path = Path(path)

    @property
    def trials(self) -> Path:
        """KerasTuner's folder."""
        return self.path / "trials"

    @property
    def table(self) -> Path:
        """`trials.csv`."""
        return self.path / "trials.csv"

    @property
    def logs(self) -> Path:
        """TensorBoard's folder."""
        return self.path / "logs"

    @property
    def best(self) -> Path:
        """The best trial's run folder."""
        return self.path / "best"

    @property
    def classic(self) -> Path:
        """The run folder of classic, with the best trial's other settings."""
        return self.path / "classic"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.path / "report"

    def read_classic(self, config: Config) -> tuple[float, ...] | None:
        """Scores of classic.

        Args:
            config: what classic was trained with, but for the seed.

        Returns:
            Development score of each seed; None if there are none for this configuration.
        """
        try:
            values = parse_json((self.path / "classic.json").read_bytes())
            same = {**former_settings(preset(config.data.dataset).check()), **values["settings"]} == config.to_dict()
            return tuple(map(float, values["scores"])) if same and Run(self.classic).finished else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_classic(self, config: Config, scores: Sequence[float]) -> None:
        """Keeps the scores of classic.

        Args:
            config: what it was trained with, but for the seed.
            scores: of each seed.
        """
        _write_json(self.path / "classic.json", {"settings": config.to_dict(), "scores": list(scores)})

    def worker_log(self, name: str) -> Path:
        """What a worker of this machine writes.

        Args:
            name: of the worker.

        Returns:
            Path of its log.
        """
        return self.path / "workers" / f"{name}.log"

    def create(self, identity: SearchIdentity, config: Config, max_trials: int | None) -> None:
        """Begins a search here.

        Args:
            identity: of the search.
            config: resolved.
            max_trials: as told; None: the default.

        Raises:
            InputError: if there is something already.
        """
        if self.path.exists() and (not self.path.is_dir() or self._begun()):
            raise InputError(f"{self.path}: not empty; continue a search with --resume, or choose another --output")
        self.path.mkdir(parents=True, exist_ok=True)
        _write_json(self.path / "config.json", config.to_dict())
        self._write(identity, config, max_trials)

    def read(self) -> tuple[SearchIdentity, Config, int | None]:
        """Reads what search was begun here.

        Returns:
            Its identity, its settings (resolved), and the number of trials that was asked for, None for the default.

        Raises:
            MissingInputError: if there is no search.
            InputError: if its files are damaged or of another version.
        """
        file = self.path / "search.json"
        try:
            values = parse_json(file.read_bytes())
            written = values.get("format")
            if written != FORMAT:
                raise InputError(f"{file}: written by another version (format {written}, this one reads {FORMAT})")
            identity = SearchIdentity(
                **{field.name: values[field.name] for field in dataclasses.fields(SearchIdentity)}
            )
            max_trials = values["max_trials"]
        except FileNotFoundError:
            raise MissingInputError(f"{self.path}: no search to continue: search.json is missing") from None
        except InputError:
            raise
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise InputError(f"{file}: damaged ({error})") from None
        return identity, read_config(self.path / "config.json"), max_trials

    def resume(self, identity: SearchIdentity, config: Config, max_trials: int | None) -> None:
        """Continues the search that was begun here.

        Args:
            identity: of the search in this process.
            config: resolved.
            max_trials: may be another one than before.

        Raises:
            InputError: if it was another search.
        """
        difference = identity.difference(self.read()[0])
        if difference:
            raise InputError(f"{self.path}: {difference}; a search continues only as it was begun")
        self._write(identity, config, max_trials)

    def check_present(self) -> None:
        """Makes sure that what is kept here is still there, so that no half of it comes back.

        Raises:
            InputError: if the folder has been removed.
        """
        if not (self.path / "search.json").exists():
            raise InputError(
                f"{self.path}: the search's folder has been removed, and what was done with it; start again"
            )

    def _begun(self) -> bool:
        names = {file.name for file in self.path.iterdir() if not file.name.endswith(".tmp")}
        return bool(names - {"config.json"})  # all that a start that was killed leaves

    def write_rows(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes `trials.csv`.

        Args:
            rows: one for each trial, see `files.write_csv`.
        """
        write_csv(self.table, rows)

    def _write(self, identity: SearchIdentity, config: Config, max_trials: int | None) -> None:
        values = {"format": FORMAT, **dataclasses.asdict(identity), "max_trials": max_trials}
        _write_json(self.path / "search.json", {**values, "provenance": provenance(config)})


def default_folder(config: Config, corpus: Corpus, tuner: str) -> Path:
    """A new name below `searches/`.

    Args:
        config: resolved.
        corpus: its data.
        tuner: kind of the search.

    Returns:
        A path where there is nothing yet.
    """
    name = "-".join((corpus.name, corpus.label, str(config.data.target), config.objective.framework, tuner))
    path, k = Path("searches") / name, 1
    while path.exists():
        k += 1
        path = Path("searches") / f"{name}-{k}"
    return path


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    write_bytes(path, (json.dumps(values, indent=2, allow_nan=False) + "\n").encode())


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
