"""What a run is: the sections of settings as one configuration, presets per data set, JSON in and out."""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from emobed_tf import datasets
from emobed_tf.effects import OF_ALIGNMENT, OF_BETA, OF_THE_TEACHER, check_effects, without_effect
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import check_is_file, parse_json
from emobed_tf.settings import (
    CLASSIFICATION_LOSSES,
    CONTRASTIVE,
    ENCODERS,
    FORMER,
    FRONT_ENDS,
    NO_FRONT_END,
    REGRESSION_LOSSES,
    SPEAKER,
    USES_ALPHA,
    USES_BETA,
    Data,
    Network,
    Objective,
    Reading,
    Training,
)
from emobed_tf.trusted import check_trusted, own_names, trust

_OPENED = ("/dev/fd/", "/dev/stdin")  # pipes of the process itself, such as a shell's <(…): somebody writes there
FORMAT = 1  # of config.json; raised when a run folder of an older version can't be read any more


@dataclass(frozen=True)
class Config:
    """A run: what `config.json` in its folder holds."""

    data: Data = Data()
    reading: Reading = Reading()
    network: Network = Network()
    objective: Objective = Objective()
    training: Training = Training()

    def replace(self, **fields: Any) -> "Config":
        """A copy with some fields changed, by their own names whatever their section.

        Args:
            **fields: new values by the name of the field, such as `epochs`.

        Returns:
            The copy; whether the values are in range is not checked, see `check`.

        Raises:
            InputError: for a name that is no setting.
        """
        owner = {field.name: section for section in _sections() for field in dataclasses.fields(_sections()[section])}
        changes: dict[str, dict[str, Any]] = {}
        for name, value in fields.items():
            if name not in owner:
                raise InputError(f"unknown setting '{name}'; known: {', '.join(owner)}")
            changes.setdefault(owner[name], {})[name] = value
        return dataclasses.replace(
            self, **{section: dataclasses.replace(getattr(self, section), **part) for section, part in changes.items()}
        )

    def of_framework(self, framework: str) -> "Config":
        """The same for another framework: what that has no use for is as if it had not been given.

        Args:
            framework: one of `settings.Framework`.

        Returns:
            The copy.
        """
        unused = [name for name, users in (("alpha", USES_ALPHA), ("beta", USES_BETA)) if framework not in users]
        unused += without_effect(framework)
        if (self.objective.framework == CONTRASTIVE) != (framework == CONTRASTIVE):
            unused += (*OF_BETA, "triplet_preset", "margin", "normalise")
        return self.replace(framework=framework, **{name: getattr(Objective, name) for name in unused})

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, flat, as JSON values."""
        values: dict[str, Any] = {"format": FORMAT}
        for section in _sections():
            for name, value in dataclasses.asdict(getattr(self, section)).items():
                values[name] = (
                    list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
                )
        return values

    @property
    def classification_score(self) -> str:
        """The score that picks the weights of a classifier."""
        return self.training.selection or datasets.get(self.data.dataset).classification_score

    def check_ranges(self) -> None:
        """Checks each value for itself.

        Raises:
            InputError: for a value out of its range.
        """
        _check_ranges(self)

    def check(self) -> "Config":
        """The configuration with the framework's zeros and the presets of the triplet term filled in.

        Code that it names is trusted from now on, see `trusted`: what comes from a file was checked when it was read.

        Returns:
            A copy in which alpha, beta, the loss that beta weighs, margin and normalise are definite.

        Raises:
            InputError: for a value out of its range, an unknown data set, an encoder, a front end or a loss that can't
                be one, an alpha or beta that contradicts the framework, or a setting that has no effect with it.
        """
        self.check_ranges()
        trust(*own_names(self.to_dict()).values())
        _check_standardise(self.data)
        _check_pairs(self.reading)
        _check_encoder(self.network)
        _check_front_end(self.network)
        _check_losses(self.objective)
        check_effects(self.objective)
        objective = self.objective
        dataset = datasets.get(self.data.dataset)
        weights = {"alpha": dataset.alpha, "beta": dataset.beta}
        for name, users in (("alpha", USES_ALPHA), ("beta", USES_BETA)):
            value = getattr(objective, name)
            if objective.framework in users:
                weights[name] = weights[name] if value is None else value
            elif value:
                raise InputError(
                    f"--framework {objective.framework} fixes {name} = 0, but --{name} is {value:g}; "
                    f"leave --{name} out or choose --framework {' or '.join(users)}"
                )
            else:
                weights[name] = 0.0
        margin, normalise = {"paper": ("none", False), "stable": (0.2, True)}[objective.triplet_preset]
        normalise = normalise or objective.embedding_loss == CONTRASTIVE
        return self.replace(
            **weights,
            metric_loss=objective.embedding_loss,
            margin=margin if objective.margin is None else objective.margin,
            normalise=normalise if objective.normalise is None else objective.normalise,
        )


Settings = Annotated[Config, tyro.conf.arg(name="")]
"""A configuration among a command's arguments: its sections stand in `--help` under their own names."""


def preset(dataset: str = datasets.RECOLA.name, name: Literal["paper", "recommended"] = "paper") -> Config:
    """The settings that suit a data set: the paper's for RECOLA and OMG-Emotion (section 4.2), or what came out best.

    Args:
        dataset: `recola`, `omg`, `tables` (whose preset follows OMG-Emotion's), or `package.module:NAME`.
        name: paper, EmoBed as printed; recommended, with which commands train: what `docs/results.md` recommends where
            it has results, see `DataSet.recommended`.

    Returns:
        The defaults, with the data set's own settings in their place.

    Raises:
        InputError: if there is no such data set.

    Example:
        >>> config = preset("omg").replace(framework="joint", alpha=0.7)
        >>> config.network.encoder_layers, config.training.batch_size, config.objective.alpha
        (1, 64, 0.7)
    """
    found = datasets.get(dataset)
    settings = {**found.settings, **(found.recommended if name == "recommended" else {})}
    return Config().replace(**settings, dataset=dataset)


def former_settings(config: Config) -> dict[str, Any]:
    """What settings that came later were before they could be set: for files of results that lack them.

    Args:
        config: the default of all settings for such a file, see `preset`.

    Returns:
        All fields by name, flat, as JSON values: the configuration's, but for those of `settings.FORMER`.
    """
    return {**config.to_dict(), **FORMER}


def read_config(path: Path, dataset: str | None = None) -> Config:
    """A configuration from a JSON file: the preset of its data set, with the file's fields changed.

    What a run's `config.json` lacks came later, and is what it was before it could be set, see `former_settings`.

    Args:
        path: a run's `config.json`, or any JSON object with some of its fields.
        dataset: the data set whose preset is the ground, where the file doesn't name one.

    Returns:
        The configuration; types are checked, ranges are not, see `Config.check`.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it is no file, no JSON object, of another format, holds an unknown setting or a wrong type, or
            names code that isn't the package's own, and that nobody here has named or allowed; see `trusted`.
    """
    if not str(path).startswith(_OPENED):
        check_is_file(path)
    try:
        values = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no such file") from None
    except ValueError as error:
        raise InputError(f"{path}: expected a JSON object of settings, found something else ({error})") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected a JSON object of settings, found a {type(values).__name__}")
    of_a_run = "format" in values
    written = values.pop("format", FORMAT)
    if written != FORMAT:
        raise InputError(f"{path}: written by another version (format {repr(written)[:80]}, this one reads {FORMAT})")
    dataset = values.get("dataset", dataset or datasets.RECOLA.name)
    if not isinstance(dataset, str) or not datasets.is_name(dataset):
        raise InputError(f"{path}: dataset: expected one of {datasets.EXPECTED}, found {repr(dataset)[:80]}")
    kinds = _kinds()
    converted = _converted(path, kinds, values)
    check_trusted(converted, path)
    # A run's file has all settings: it is read without its data set, whose module may not be there any more. Runs from
    # before a setting came lack it, and did what its default or `FORMER` says.
    needed = kinds.keys() - {*_names(Reading), *_CAME_LATER}
    ground = Config() if needed <= converted.keys() else preset(dataset)
    return ground.replace(**{**(FORMER if of_a_run else {}), **converted})


def read_reading(values: Mapping[str, Any], where: str) -> Reading:
    """What is known of columns, from JSON.

    Args:
        values: settings of `Reading` by name; those that are left out have their defaults.
        where: what holds them, for messages.

    Returns:
        The settings.

    Raises:
        InputError: for an unknown setting, a wrong type, or a value out of its range.
    """
    kinds = {field.name: field.type for field in dataclasses.fields(Reading)}
    reading = Reading(**_converted(where, kinds, values))
    try:
        Config(reading=reading).check_ranges()
        _check_pairs(reading)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return reading


_CAME_LATER = (  # settings that the first runs lack
    *OF_BETA,
    *OF_ALIGNMENT,
    *OF_THE_TEACHER,
    "sharing",
    "classification_loss",
    "epoch",
    "steps_per_epoch",
    "batches",
    "standardise",
    "speaker_prior",
    "front_end",
)
_WITHOUT_KERNEL = ("gru", "dense")  # one of one's own may use the setting

_AT_LEAST = {
    "label_delay": 0,
    "speaker_prior": 0,
    "confidence": 0,
    "encoder_layers": 1,
    "encoder_units": 1,
    "kernel_size": 2,
    "head_layers": 0,
    "head_units": 1,
    "alpha": 0,
    "beta": 0,
    "l2": 0,
    "beta_warmup": 0,
    "alignment_weight": 0,
    "teacher_weight": 0,
    "teacher_embedding_weight": 0,
    "bins": 2,
    "hop": 0,
    "negative_seconds": 0,
    "epochs": 1,
    "steps_per_epoch": 1,
    "batch_size": 1,
    "patience": 0,
    "diagnostics": 0,
    "seed": 0,
    "threads": 1,
}
_DAY = 86_400
_AT_MOST = {
    "confidence": 1,
    # Seconds, which become numbers of frames: no recording is longer than a day.
    "label_delay": _DAY,
    "hop": _DAY,
    "negative_seconds": _DAY,
    "sequence_seconds": _DAY,
    "resample": _DAY,
    # More than any machine has memory for: a damaged file must not ask for it.
    "encoder_layers": 1000,
    "encoder_units": 65536,
    "head_layers": 1000,
    "head_units": 65536,
    "kernel_size": 65536,
    "bins": 65536,
    "threads": 1024,
    # More than any training comes to, and less than what files and TensorFlow's counters hold.
    **dict.fromkeys(
        ("epochs", "steps_per_epoch", "batch_size", "patience", "diagnostics", "beta_warmup"), 1_000_000_000
    ),
}
_EXAMPLES = {"column": "subject=speaker", "class-name": "hap=happiness"}
_ABOVE_ZERO = ("clip", "sequence_seconds", "learning_rate", "resample", "temperature", "teacher_temperature")


def _sections() -> dict[str, Any]:
    return {field.name: field.type for field in dataclasses.fields(Config)}


def _kinds() -> dict[str, Any]:
    return {field.name: field.type for section in _sections().values() for field in dataclasses.fields(section)}


def _check_ranges(config: Config) -> None:
    values = {name: getattr(getattr(config, s), name) for s, c in _sections().items() for name in _names(c)}
    for name, value in values.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{flag}: expected a finite number, found {value}")
        if value is not None and name in _AT_LEAST and value < _AT_LEAST[name]:
            raise InputError(f"{flag}: expected {_AT_LEAST[name]} or more, found {value}")
        if value is not None and name in _AT_MOST and value > _AT_MOST[name]:
            raise InputError(f"{flag}: expected {_AT_MOST[name]} or less, found {value}")
        if value is not None and name in _ABOVE_ZERO and value <= 0:
            raise InputError(f"{flag}: expected more than 0, found {value}")
    if config.data.target == "":
        raise InputError("--target: expected the name of a modality, found ''; leave it out for the data set's first")
    if isinstance(config.objective.margin, float) and config.objective.margin < 0:
        raise InputError(f"--margin: expected 0 or more, soft or none, found {config.objective.margin}")
    if config.training.steps_per_epoch is not None and config.training.epoch == "target":
        raise InputError("--epoch target and --steps-per-epoch say the same thing; leave one of them out")
    if config.training.seed >= 2**31:
        raise InputError(f"--seed: expected less than 2147483648, found {config.training.seed}")


def _check_standardise(data: Data) -> None:
    if data.standardise != SPEAKER and data.speaker_prior != Data.speaker_prior:
        raise InputError(
            f"--speaker-prior {data.speaker_prior:g}: --standardise {data.standardise} knows no speakers; leave "
            f"--speaker-prior out, or choose --standardise {SPEAKER}"
        )


def _check_pairs(reading: Reading) -> None:
    for flag, entries in (("column", reading.column), ("class-name", reading.class_name)):
        for entry in entries:
            name, _, meaning = entry.rpartition("=")
            if not name or not meaning:
                raise InputError(f"--{flag} {entry}: expected NAME=MEANING, such as {_EXAMPLES[flag]}")


def _check_encoder(network: Network) -> None:
    module, _, function = network.encoder.partition(":")
    if network.encoder not in ENCODERS and not (module and function):
        raise InputError(
            f"--encoder {network.encoder}: expected {', '.join(ENCODERS)}, or package.module:NAME of your own encoder"
        )
    if network.encoder in _WITHOUT_KERNEL and network.kernel_size != Network.kernel_size:
        raise InputError(
            f"--kernel-size {network.kernel_size}: --encoder {network.encoder} has no convolutions; leave "
            "--kernel-size out, or choose --encoder tcn"
        )


def _check_front_end(network: Network) -> None:
    module, _, function = network.front_end.partition(":")
    if network.front_end not in (NO_FRONT_END, *FRONT_ENDS) and not (module and function):
        raise InputError(
            f"--front-end {network.front_end}: expected {NO_FRONT_END}, {', '.join(FRONT_ENDS)}, or "
            "package.module:NAME of your own front end"
        )


def _check_losses(objective: Objective) -> None:
    named = (
        ("regression", objective.regression_loss, REGRESSION_LOSSES),
        ("classification", objective.classification_loss, CLASSIFICATION_LOSSES),
    )
    for task, name, known in named:
        module, _, function = name.partition(":")
        if name not in known and not (module and function):
            raise InputError(
                f"--{task}-loss {name}: expected {', '.join(known)}, or package.module:NAME of your own loss"
            )


def _names(section: type) -> list[str]:
    return [field.name for field in dataclasses.fields(section)]


def _converted(where: Path | str, kinds: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values as the types of the settings that they are given to."""
    for name in values:
        if name not in kinds:
            raise InputError(f"{where}: unknown setting '{name[:80]}'; known: {', '.join(kinds)}")
    return {name: _convert(where, name, kinds[name], value) for name, value in values.items()}


def _convert(where: Path | str, name: str, kind: Any, value: Any) -> Any:
    """A JSON value as the field's type, which its annotation states."""
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    options = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
    for option in options:
        if typing.get_origin(option) is Literal and value in typing.get_args(option):
            return value
        if typing.get_origin(option) is tuple and isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        if option is Path and isinstance(value, str):
            return Path(value)
        if option is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if option in (int, str, bool, type(None)) and type(value) is option:
            return value
    raise InputError(f"{where}: {name}: expected {_readable(kind)}, found {repr(value)[:80]}")


def _readable(kind: Any) -> str:
    return str(kind).replace("typing.", "").replace("<class '", "").replace("'>", "").replace("pathlib._local.", "")
