"""The setting that a sweep varies, and its values: what can be swept, and what would change nothing. No TensorFlow."""

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, cast

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.effects import OF_THE_TEACHER
from emobed_tf.errors import InputError
from emobed_tf.settings import DISTILLED, USES_ALPHA, USES_BETA

Value = int | float | str

_MOST = 10_000
_FORMS = "START:STOP:STEP or A,B,C"
_NOT_SWEPT = {
    "seed": "every value is trained with --seeds N of them",
    "threads": "a process has one number of threads; make a sweep for each",
    "diagnostics": "it changes no score",
    "resample": "it changes the data; make a sweep for each",
    "confidence": "it changes the data; make a sweep for each",
    "speaker_prior": "it changes the data; make a sweep for each",
}
_USERS = {
    "alpha": USES_ALPHA,
    **dict.fromkeys(("beta", "margin", "temperature", "beta_warmup", "bins", "hop", "negative_seconds"), USES_BETA),
    **dict.fromkeys(OF_THE_TEACHER, (DISTILLED,)),
}
_OF_REGRESSION = ("label_delay", "bins")
_OF_CLASSIFICATION = ("teacher_temperature",)
_OF_FRAMES = ("label_delay", "sequence_seconds", "hop", "negative_seconds")


@dataclass(frozen=True)
class NumericSetting:
    """A numeric setting.

    Attributes:
        name: of the setting.
        kind: int or float.
        words: values that are no numbers, such as margin's `soft`.
    """

    name: str
    kind: type
    words: tuple[str, ...] = ()


def numeric_settings() -> dict[str, NumericSetting]:
    """All that can be swept, by name."""
    sections = typing.get_type_hints(Config).values()
    found = (_parameter(field.name, field.type) for section in sections for field in dataclasses.fields(section))
    return {parameter.name: parameter for parameter in found if parameter and parameter.name not in _NOT_SWEPT}


def find_setting(name: str, config: Config) -> NumericSetting:
    """The parameter of that name.

    Args:
        name: with dashes or underscores.
        config: the settings of the sweep, checked.

    Returns:
        What can be swept.

    Raises:
        InputError: if there is none, it isn't numeric, or nothing in this configuration depends on it.
    """
    name, known = name.replace("-", "_"), numeric_settings()
    if name in _NOT_SWEPT:
        raise InputError(f"--parameter {name}: is not swept: {_NOT_SWEPT[name]}")
    if name not in known:
        problem = "is no number" if name in config.to_dict() else "unknown"
        raise InputError(f"--parameter {name}: {problem}; those that can be swept: {', '.join(known)}")
    framework, users = config.objective.framework, _USERS.get(name)
    if name == "bins" and config.training.batches == "balanced":
        users = None  # every framework draws by them
    if users and framework not in users:
        raise InputError(
            f"--parameter {name}: changes nothing with --framework {framework}; choose --framework {' or '.join(users)}"
        )
    if name == "head_units" and config.network.head_layers == 0:
        raise InputError("--parameter head_units: changes nothing with --head-layers 0")
    if users is USES_BETA and name != "beta" and config.objective.beta == 0:
        raise InputError(f"--parameter {name}: changes nothing with --beta 0")
    return known[name]


def check_data(parameter: NumericSetting, config: Config, corpus: Corpus) -> None:
    """Makes sure that something depends on the parameter with these data.

    Args:
        parameter: from `find_setting`.
        config: resolved.
        corpus: its data.

    Raises:
        InputError: if nothing does.
    """
    if parameter.name in _OF_REGRESSION and corpus.task != REGRESSION:
        raise InputError(f"--parameter {parameter.name}: changes nothing in a {corpus.task}")
    if parameter.name in _OF_CLASSIFICATION and corpus.task == REGRESSION:
        raise InputError(f"--parameter {parameter.name}: changes nothing in a {corpus.task}")
    branches = (cast(str, config.data.target), *cast(tuple[str, ...], config.data.auxiliary))  # it is resolved
    if parameter.name in _OF_FRAMES and all(corpus.modality(name).frame_seconds is None for name in branches):
        raise InputError(f"--parameter {parameter.name}: changes nothing where every recording is one utterance")


def read_values(text: str, parameter: NumericSetting, config: Config) -> tuple[Value, ...]:
    """The values of a sweep, in the order in which they were asked for.

    Args:
        text: `START:STOP:STEP`, STOP included where a step ends there, or values with commas between them.
        parameter: from `find_setting`.
        config: that they are tried in.

    Returns:
        Numbers of the parameter's kind, or its words.

    Raises:
        InputError: for anything else, an empty range, a value twice, or one out of the setting's range.

    Example:
        >>> from emobed_tf import preset
        >>> settings = preset("recola").check()
        >>> read_values("0:1.5:0.5", find_setting("alpha", settings), settings)
        (0.0, 0.5, 1.0, 1.5)
    """
    values = _range(text, parameter) if ":" in text else [_value(part.strip(), parameter) for part in text.split(",")]
    for k, value in enumerate(values):
        if value in values[:k]:
            raise InputError(f"--values {text}: {value} stands there twice")
        try:
            config.replace(**{parameter.name: value}).check()
        except InputError as error:
            raise InputError(f"--values {text}: {error}") from None
    return tuple(values)


def _range(text: str, parameter: NumericSetting) -> list[Value]:
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(f"--values {text}: expected {_FORMS}")
    try:
        start, stop, step = (Decimal(part.strip()) for part in parts)  # so that 0:1.5:0.1 holds 0.3
        finite = all(number.is_finite() for number in (start, stop, step))
    except InvalidOperation:
        finite = False
    if not finite:
        raise InputError(f"--values {text}: expected three numbers as START:STOP:STEP")
    if step == 0 or (stop - start) / step < 0:
        raise InputError(f"--values {text}: an empty range; expected START:STOP:STEP with a STEP that leads to STOP")
    if (stop - start) / step > _MOST:
        raise InputError(f"--values {text}: more than {_MOST:,} values")
    return [_value(str(start + k * step), parameter) for k in range(int((stop - start) / step) + 1)]


def _value(text: str, parameter: NumericSetting) -> Value:
    if text in parameter.words:
        return text
    try:
        number = Decimal(text)
        if parameter.kind is int and number == number.to_integral_value():
            return int(number)
        if parameter.kind is float and math.isfinite(number):
            return float(number) or 0.0  # no -0
    except (InvalidOperation, OverflowError):
        pass
    expected = " or ".join(("a whole number" if parameter.kind is int else "a number", *parameter.words))
    raise InputError(f"--values: expected {expected} for {parameter.name}, found '{text}'")


def _parameter(name: str, annotation: Any) -> NumericSetting | None:
    """The setting as a parameter; None if it is no number."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    options: tuple[Any, ...] = (annotation,)
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        options = typing.get_args(annotation)
    kind = next((option for option in options if option in (int, float)), None)
    words = [word for option in options if typing.get_origin(option) is Literal for word in typing.get_args(option)]
    return NumericSetting(name, kind, tuple(words)) if kind else None
