"""What a search tries: the parameters that are named, each with its values or range. No TensorFlow."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.errors import InputError
from emobed_tf.settings import USES_ALPHA, USES_BETA

if TYPE_CHECKING:
    import keras_tuner

DEFAULT = "default"
"""Names all parameters that framework and task use."""

GRID_POINTS = 4  # of a range in a grid, both ends among them
_FORMS = "VALUE, A,B,C, LOW:HIGH, LOW:HIGH:STEP or LOW:HIGH:log"


@dataclass(frozen=True)
class Parameter:
    """A setting that can be searched.

    Attributes:
        kind: int or float.
        default: where it is searched unless told otherwise.
        frameworks: that use it; empty: all.
        regression: whether only a regression uses it.
        frames: whether only sequences of frames use it.
    """

    kind: type
    default: str
    frameworks: tuple[str, ...] = ()
    regression: bool = False
    frames: bool = False


PARAMETERS = {
    "alpha": Parameter(float, "0:1.5", USES_ALPHA),
    "beta": Parameter(float, "0:1.5", USES_BETA),
    "encoder_layers": Parameter(int, "1,2"),
    "encoder_units": Parameter(int, "30,60,120"),
    "head_layers": Parameter(int, "1,2"),
    "head_units": Parameter(int, "30,60,120"),
    "learning_rate": Parameter(float, "0.0003:0.01:log"),
    "l2": Parameter(float, "1e-06:0.01:log"),
    "bins": Parameter(int, "2,3,4", USES_BETA, regression=True),
    "hop": Parameter(float, "0.4,1,2", USES_BETA, regression=True, frames=True),
}


@dataclass(frozen=True)
class Values:
    """A few values; a single one is fixed."""

    values: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest."""
        return min(self.values), max(self.values)

    def points(self) -> tuple[float, ...]:
        """What a grid tries."""
        return self.values

    def __contains__(self, value: float) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return ",".join(map(_text, self.values))


@dataclass(frozen=True)
class ValueRange:
    """All values from `low` to `high`, both included; with `log` every order of magnitude is as likely as another."""

    low: float
    high: float
    log: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest."""
        return self.low, self.high

    def points(self) -> tuple[float, ...]:
        """What a grid tries: `GRID_POINTS` of them at equal distances (with `log`: at equal ratios)."""
        shares = [k / (GRID_POINTS - 1) for k in range(GRID_POINTS)]
        if self.log:
            found = [self.low * (self.high / self.low) ** share for share in shares]
        else:
            found = [self.low + share * (self.high - self.low) for share in shares]
        whole = isinstance(self.low, int)
        return tuple(dict.fromkeys(round(value) if whole else significant(value) for value in found))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{_text(self.low)}:{_text(self.high)}{':log' if self.log else ''}"


Domain = Values | ValueRange


@dataclass(frozen=True)
class Space:
    """What a search tries, and what it leaves fixed.

    Attributes:
        domains: by name, in the order of `PARAMETERS`.
    """

    domains: Mapping[str, Domain]

    @property
    def searched(self) -> dict[str, Domain]:
        """What has more than one value."""
        return {name: domain for name, domain in self.domains.items() if not _fixed(domain)}

    @property
    def fixed(self) -> dict[str, float]:
        """What has a single value, with it."""
        return {name: domain.values[0] for name, domain in self.domains.items() if _fixed(domain)}

    def texts(self) -> dict[str, str]:
        """By name what would have to stand after `NAME=` for this space."""
        return {name: str(domain) for name, domain in self.domains.items()}

    def said(self) -> str:
        """What is searched and where, and what is fixed, in one line."""
        searched = ", ".join(f"{name} {domain}" for name, domain in self.searched.items())
        fixed = ", ".join(f"{name} {_text(value)}" for name, value in self.fixed.items())
        return f"searched: {searched}{f'; fixed: {fixed}' if fixed else ''}"

    def grid(self) -> "Space":
        """The same with ranges as a few points."""
        return Space({name: Values(domain.points()) for name, domain in self.domains.items()})

    def combinations(self) -> Iterable[dict[str, float]]:
        """All combinations of a grid's values, the last parameter first; units of a head without layers are left out.

        Yields:
            Values by name.
        """
        names, seen = list(self.searched), set()
        for values in itertools.product(*(domain.points() for domain in self.searched.values())):
            found = dict(zip(names, values, strict=True))
            if found.get("head_layers", self.fixed.get("head_layers")) == 0:
                found.pop("head_units", None)
            key = tuple(found.items())
            if key not in seen:
                seen.add(key)
                yield found

    def size(self) -> int:
        """How many combinations a grid has at most."""
        return math.prod(len(domain.points()) for domain in self.domains.values())

    def start(self, config: Config) -> dict[str, float]:
        """The settings as they stand.

        Args:
            config: the ground of the search.

        Returns:
            Values by name of what is searched; the space's first value where the configuration's is outside of it.
        """
        values = {name: _value(config, name) for name in self.searched}
        return {n: v if v in self.domains[n] else self.domains[n].points()[0] for n, v in values.items()}

    def settings(self, config: Config, values: Mapping[str, Any]) -> Config:
        """A configuration with the values of a trial.

        Args:
            config: the ground of the search.
            values: by name; others than parameters are left alone.

        Returns:
            The configuration with those values.
        """
        known = {name: PARAMETERS[name].kind(value) for name, value in values.items() if name in PARAMETERS}
        return config.replace(**known)

    def declare(self, parameters: "keras_tuner.HyperParameters", config: Config) -> None:
        """Declares what is searched; the defaults are the settings as they stand.

        Args:
            parameters: where to declare.
            config: the ground.
        """
        start = self.start(config)
        for name, domain in self.searched.items():
            more = {"name": name, "default": start[name]}
            if name == "head_units" and 0 in self.searched.get("head_layers", ()):
                low, high = self.domains["head_layers"].ends
                layers = [k for k in range(max(1, int(low)), int(high) + 1) if k in self.domains["head_layers"]]
                more |= {"parent_name": "head_layers", "parent_values": layers}
            if isinstance(domain, Values):
                parameters.Choice(values=list(domain.values), ordered=True, **more)
                continue
            declare = parameters.Int if PARAMETERS[name].kind is int else parameters.Float
            sampling = "log" if domain.log else "linear"
            declare(min_value=domain.low, max_value=domain.high, sampling=sampling, **more)


def check(config: Config, entries: Sequence[str]) -> dict[str, Domain]:
    """What entries say, as far as it can be checked without data.

    Args:
        config: the ground of the search.
        entries: `NAME` (searched where it is by default), `NAME=VALUE`, `NAME=A,B,C`, `NAME=LOW:HIGH`,
            `NAME=LOW:HIGH:STEP`, `NAME=LOW:HIGH:log`; the last one of a name counts. `default` says nothing here.

    Returns:
        Values or ranges by name, of the parameters that entries name.

    Raises:
        InputError: for an unknown parameter, one that the framework doesn't use, or values that aren't any.
    """
    found = {}
    framework = config.objective.framework
    for entry in entries:
        name, equals, text = entry.partition("=")
        name = name.replace("-", "_")
        if entry == DEFAULT:
            continue
        if name not in PARAMETERS:
            raise InputError(
                f"--space {entry}: expected {DEFAULT}, NAME or NAME=… with a NAME among {', '.join(PARAMETERS)}"
            )
        text = text if equals else PARAMETERS[name].default
        users = PARAMETERS[name].frameworks
        if users and framework not in users:
            raise InputError(f"--space {entry}: --framework {framework} doesn't use {name}; only {', '.join(users)} do")
        domain = _parsed(entry, text, PARAMETERS[name].kind)
        for value in domain.ends:
            try:
                config.replace(**{name: value}).check()
            except InputError as error:
                raise InputError(f"--space {entry}: {error}") from None
        found[name] = domain
    return found


def space(config: Config, corpus: Corpus, entries: Sequence[str]) -> Space:
    """The space of a search: what entries name, and nothing else.

    Args:
        config: resolved, from `load_corpus`.
        corpus: from `load_corpus`.
        entries: see `check`. With `default` among them, or without any, all parameters that framework and task use
            are searched, and entries narrow or fix some of them.

    Returns:
        The space, with something left to search.

    Raises:
        InputError: see `check`; also for a parameter that the task doesn't use, and if nothing is left to search.
    """
    told = check(config, entries)
    everything = DEFAULT in entries or not entries
    framewise = corpus.modality(cast(str, config.data.target)).frame_seconds is not None
    domains = {}
    for name, parameter in PARAMETERS.items():
        if parameter.regression and corpus.task != REGRESSION:
            unused = f"a {corpus.task} has no use for it"
        elif parameter.frames and not framewise:
            unused = "utterances have no frames"
        elif parameter.frameworks and config.objective.framework not in parameter.frameworks:
            continue
        else:
            if everything or name in told:
                domains[name] = told.get(name) or _parsed(name, parameter.default, parameter.kind)
            continue
        if name in told:
            raise InputError(f"--space {name}={told[name]}: {unused}; leave it out")
    found = Space(domains)
    if found.fixed.get("head_layers") == 0:
        if "head_units" in told:
            raise InputError(f"--space head_units={told['head_units']}: a head of 0 layers has no units; leave it out")
        found = Space({name: domain for name, domain in domains.items() if name != "head_units"})
    if not found.searched:
        raise InputError(
            "--space fixes all that it names: nothing to search; name what is to be searched, such as --space alpha "
            f"beta, or --space {DEFAULT}, or train it with python -m emobed_tf.train"
        )
    return found


def significant(value: float) -> float:
    """A value with six digits: what a table shows is what was trained.

    Args:
        value: any number.

    Returns:
        The nearest number with six significant digits.
    """
    return float(f"{value:.6g}")


def _parsed(entry: str, text: str, kind: type) -> Domain:
    parts = text.split(":")
    if len(parts) > 3:
        raise InputError(f"--space {entry}: expected {_FORMS}")
    if len(parts) == 1:
        values = tuple(_number(entry, part, kind) for part in text.split(","))
        if len(set(values)) < len(values):
            raise InputError(f"--space {entry}: the same value twice")
        return Values(values)
    low, high = (_number(entry, part, kind) for part in parts[:2])
    if low >= high:
        raise InputError(f"--space {entry}: empty range; expected LOW below HIGH")
    if len(parts) == 2:
        return ValueRange(low, high)
    if parts[2] == "log":
        if low <= 0:
            raise InputError(f"--space {entry}: a logarithmic range begins above 0")
        return ValueRange(low, high, log=True)
    step = _number(entry, parts[2], kind)
    if step <= 0 or step > high - low:
        raise InputError(f"--space {entry}: expected a STEP above 0, and no longer than the range")
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > 10_000:
        raise InputError(f"--space {entry}: {count:,} values; expected 10,000 at most, or LOW:HIGH without a STEP")
    return Values(tuple(low + k * step if kind is int else significant(low + k * step) for k in range(count)))


def _number(entry: str, text: str, kind: type) -> float:
    try:
        value = kind(text)
        if math.isfinite(value):
            return value
    except ValueError:
        pass
    number = "a whole number" if kind is int else "a number"
    raise InputError(f"--space {entry}: expected {number}, found '{text}'; the forms are {_FORMS}") from None


def _fixed(domain: Domain) -> TypeGuard[Values]:
    return isinstance(domain, Values) and len(domain.values) == 1


def _value(config: Config, name: str) -> float:
    return config.to_dict()[name]


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.12g}"
