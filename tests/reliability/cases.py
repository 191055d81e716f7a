"""Commands that are killed: how each begins, how it goes on, and what it leaves. One more is one more `Case`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands import flags
from tests.reliability.results import contents, raw
from tests.tiny import TINY
from tests.tuning.searches import on_tables


@dataclass(frozen=True)
class Places:
    """Where a command reads and writes.

    Attributes:
        tables: utterances, see the fixture of that name.
        recola: recordings.
        clips: table of sounds.
        run: a finished run.
        folder: that the command may write to, everywhere below it.
    """

    tables: Path
    recola: Path
    clips: Path
    run: Path
    folder: Path

    @property
    def out(self):
        """What the command is told to write."""
        return self.folder / "out"

    @property
    def cache(self):
        """A cache that only this command has."""
        return self.folder / "cache"


def left_out(places):
    """What the command has left."""
    return contents(places.out)


@dataclass(frozen=True)
class Case:
    """A command.

    Attributes:
        name: of the command.
        line: its words.
        resume: words with which it continues what it has begun; None: the same.
        begun: file in `out` from which on it is continued with `resume`.
        left: what is compared.
        once: whether the command refuses to write what is there: then a kill right before its end has left it whole.
        own_cache: whether what it keeps in the cache is killed, too.
        kills: in `make soak`.
        short: in `make test`.
    """

    name: str
    line: Callable[[Places], list[Any]]
    resume: Callable[[Places], list[Any]] | None = None
    begun: str = ""
    left: Callable[[Places], Any] = left_out
    once: bool = False
    own_cache: bool = False
    kills: int = 10
    short: int = 0

    def next_line(self, places):
        """What a user types after a kill; None if all is there."""
        if self.once and places.out.exists():
            return None
        goes_on = self.resume and (places.out / self.begun).exists()
        return ["-m", *(self.resume if goes_on else self.line)(places)]


def train(places):
    settings = flags(**{**TINY, "epochs": 4})
    return ["emobed_tf.train", "--data-dir", places.recola, *settings, "--output", places.out]


def train_on(places):
    return ["emobed_tf.train", "--resume", "--output", places.out]


def search(places):
    space = ("--space", "encoder_layers=1", "encoder_units=6", "head_layers=1", "head_units=5,6", "--space", "alpha")
    settings = on_tables(places.tables, epochs=2)
    for name in ("--encoder-layers", "--encoder-units", "--head-layers", "--head-units"):
        at = settings.index(name)
        del settings[at : at + 2]
    more = ("--tuner", "random", "--max-trials", 4, "--output", places.out)
    return ["tuning.search", *settings, *space, *more]


def search_on(places):
    return ["tuning.search", "--resume", "--output", places.out]


def sweep(places):
    what = ("--parameter", "alpha", "--values", "0,0.5,1", "--seeds", 2)
    return ["tuning.sweep", *what, *on_tables(places.tables), "--framework", "joint", "--output", places.out]


def compared(command, *what, systems, folds=()):
    def line(places):
        budget = ("--configurations", 2, "--seeds", 2, "--threads", 1, *folds)
        data = ("--dataset", "tables", "--data-dir", places.tables)
        return [f"emobed_tf.{command}", *what, *data, *budget, *systems, "--output", places.out]

    return line


def extract(places):
    return ["emobed_tf.extract", places.clips, "--output", places.out / "audio.parquet"]


def export(places):
    return ["emobed_tf.export", places.run, places.out]


def versions(places):
    """All versions of a model: each says the same, whichever export was killed after it had its name."""
    found = contents(places.out)
    by_version = {}
    for name, content in found.items():
        version, _, file = name.partition("/")
        if not file.endswith(".pb"):  # it has the manifest in it, with the time of day
            by_version.setdefault(version, {})[file] = content
    first = next(iter(by_version.values()), {})
    assert all(other == first for other in by_version.values())
    return first


def simulate(places):
    return ["emobed_tf.simulate", "recola", places.out, "--seconds", 12, "--recordings", 3]


def check(places):
    return ["emobed_tf.check", "--dataset", "recola", "--data-dir", places.recola]


def parsed(places):
    """What the cache has kept."""
    return raw(places.cache)


CASES = [
    Case("train", train, train_on, "config.json", kills=8, short=1),
    Case("search", search, search_on, "search.json", kills=6),
    Case("sweep", sweep, kills=7),
    Case("reproduce", compared("reproduce", "3", systems=("--rows", "svm", "forest")), kills=8, short=1),
    Case("compare", compared("compare", systems=("--systems", "svm", "forest")), kills=6),
    Case(
        "crossvalidate",
        compared("crossvalidate", systems=("--systems", "svm", "forest"), folds=("--folds", 2)),
        kills=6,
    ),
    Case(
        "learning_curve",
        compared("learning_curve", systems=("--systems", "svm", "forest"), folds=("--folds", 2, "--draws", 1)),
        kills=6,
    ),
    Case("extract", extract, own_cache=True, kills=18, short=2),
    Case("export", export, left=versions, kills=7),
    Case("simulate", simulate, left=lambda places: raw(places.out), once=True, kills=18, short=3),
    Case("cache", check, left=parsed, own_cache=True, kills=18, short=3),
]
