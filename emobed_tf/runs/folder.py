"""The run folder: the only module that knows its file names.

config.json          every setting, resolved
run.json             data, modalities, classes; versions, commit, seeds, fingerprint of every input file
best.npz, last.npz   weights of the best development score; of the last epoch, with all that --resume needs
teacher.npz          what a distilled run learns from beside labels: --resume trains no teacher again
history.csv          one row per epoch: what another training with the same settings has, too
times.csv            seconds of its steps and of its score
postprocessing.json  the chain learnt on development (regression)
scores.json          scores by partition; written at the end of training, test added by `evaluate --test`
test_reads.json      when it was evaluated on the test set, and with which settings
predictions/         CSV per partition and recording
logs/                TensorBoard
report/              a page of all of this
"""

import dataclasses
import hashlib
import io
import json
import sys
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emobed_tf._version import __version__
from emobed_tf.config import Config, read_config
from emobed_tf.corpora.corpus import PARTITIONS, REGRESSION, Corpus
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.evaluation.postprocessing import PostProcessing
from emobed_tf.files import parse_json, write_bytes, write_csv
from emobed_tf.runs import archive
from emobed_tf.runs.access import check_inside
from emobed_tf.runs.provenance import provenance
from emobed_tf.runs.records import CHECKS, read_facts, typed
from emobed_tf.settings import ENCODERS
from emobed_tf.trusted import own_names, trust, trust_flags

if TYPE_CHECKING:
    import pandas as pd


class Run:
    """A run folder, opened or new. Everything is written beside and renamed: what was complete stays complete."""

    def __init__(self, path: Path):
        self.path = Path(path)

    @property
    def config_file(self) -> Path:
        """`config.json`."""
        return self.path / "config.json"

    @property
    def logs(self) -> Path:
        """TensorBoard's folder."""
        return self.path / "logs"

    @property
    def history_file(self) -> Path:
        """`history.csv`."""
        return self.path / "history.csv"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.path / "report"

    def predictions_folder(self, partition: str) -> Path:
        """Folder of a partition's predictions.

        Args:
            partition: `dev` or `test`.

        Returns:
            Its path, whether it exists or not.
        """
        return self.path / "predictions" / partition

    @property
    def finished(self) -> bool:
        """Whether training came to its end."""
        return (self.path / "scores.json").exists()

    @property
    def is_there(self) -> bool:
        """Whether the folder holds what makes it one."""
        return self.config_file.is_file() and (self.path / "run.json").is_file()

    @property
    def test_scored(self) -> bool:
        """Whether `scores.json` holds scores on test."""
        return "test" in self.read_json("scores.json")

    @classmethod
    def create(cls, path: Path, config: Config, facts: Facts) -> "Run":
        """A new run folder with configuration, facts and provenance.

        Args:
            path: where it is made.
            config: the run's configuration, resolved.
            facts: what training found in the data.

        Returns:
            The run.

        Raises:
            InputError: if there is something already, but for what a start that was killed left.
        """
        run = cls(path)
        if run.path.exists() and (not run.path.is_dir() or run._begun()):
            raise InputError(f"{path}: not empty; continue it with --resume, or choose another --output")
        run.path.mkdir(parents=True, exist_ok=True)
        trust(*own_names(config.to_dict()).values())  # a worker was handed a configuration that its parent has checked
        run.write_json("run.json", {"facts": dataclasses.asdict(facts), "provenance": provenance(config)})
        run.write_json("config.json", config.to_dict())
        return run

    @classmethod
    def open(cls, path: Path, finished: bool = True) -> "Run":
        """An existing run folder.

        Args:
            path: the folder.
            finished: whether training must have come to its end.

        Returns:
            The run.

        Raises:
            MissingInputError: if there is no such folder.
            InputError: if it is no run folder, half written, of another version, or not of one piece.
        """
        run = cls(path)
        if not run.path.is_dir():
            raise MissingInputError(f"{path}: no such run folder")
        for name in ("config.json", "run.json"):
            if not (run.path / name).is_file():
                raise InputError(f"{path}: no run folder, or half written: {name} is missing{_runs_within(run.path)}")
        check_inside(run.path)
        run.config()
        if finished and not run.finished:
            raise InputError(f"{path}: training has not finished; continue it with --resume --output {path}")
        for name in ("best.npz", "last.npz") if finished else ():
            if not (run.path / name).is_file():
                raise InputError(f"{path}: half written: {name} is missing")
        if finished:
            run._check_sizes()
        return run

    def _check_sizes(self) -> None:
        """Checks that the weights can be those of the configuration, before a network of its size is built."""
        network = self.config().network
        if network.encoder not in ENCODERS:
            return
        shapes = archive.read_shapes(self.path / f"{BEST}.npz").values()
        largest = max((size for shape in shapes for size in shape), default=0)
        units = {"encoder_units": network.encoder_units, "head_units": network.head_units if network.head_layers else 0}
        layers = {"encoder_layers": network.encoder_layers, "head_layers": network.head_layers}
        lacking = [f"{name} {count}" for name, count in units.items() if count > largest]
        lacking += [f"{name} {count}" for name, count in layers.items() if count > len(shapes)]
        if lacking:
            raise InputError(
                f"{self.path / BEST}.npz: no weights for {' and '.join(lacking)}, which config.json states: the run "
                "was trained with another network"
            )

    def _begun(self) -> bool:
        names = {file.name for file in self.path.iterdir() if not file.name.endswith(".tmp")}
        return "config.json" in names or bool(names - {"run.json"})

    def begin_again(self) -> None:
        """Takes away what the end of training wrote: more epochs are to come."""
        for name in ("scores.json", "postprocessing.json"):
            (self.path / name).unlink(missing_ok=True)

    def config(self) -> Config:
        """The resolved configuration."""
        config = read_config(self.config_file)
        try:
            config.check_ranges()
        except InputError as error:
            raise InputError(f"{self.config_file}: {error}") from None
        return config

    @property
    def named(self) -> str:
        """How a command line names it to another command: its folder, and the code that it needs from outside."""
        return " ".join([str(self.path), *trust_flags(self.config().to_dict())])

    def facts(self) -> Facts:
        """What training found in the data."""
        return read_facts(self.read_json("run.json").get("facts"), self.path / "run.json")

    @property
    def selection(self) -> str:
        """Name of the development score that picked the weights, see `score_table.SCORES`."""
        return selection_of(self.config(), self.facts().task)

    def test_reads(self) -> list[dict[str, Any]]:
        """What is noted of every evaluation on the test set.

        Returns:
            The first time first, each with `when`, `command`, `emobed_tf` (the version), `best_epoch` and `settings`.

        Raises:
            InputError: if the file is damaged.
        """
        if not (self.path / _TEST_READS).is_file():
            return []
        reads: list[dict[str, Any]] = self.read_json(_TEST_READS)["reads"]
        return reads

    def note_test_read(self) -> None:
        """Notes that the run is evaluated on the test set now, and with which settings; earlier notes stay."""
        read = {
            "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "command": sys.argv,
            "emobed_tf": __version__,
            "best_epoch": self.read_json("scores.json").get("training", {}).get("best_epoch"),
            "settings": self.config().to_dict(),
        }
        self.write_json(_TEST_READS, {"reads": [*self.test_reads(), read]})

    def chain(self) -> PostProcessing | None:
        """The post-processing chain learnt on development; None for a classification."""
        if self.facts().task != REGRESSION:
            return None
        path = self.path / "postprocessing.json"
        chain = typed(dict[str, Any], self.read_json(path.name).get("chain", {}), f"{path}: damaged: chain")
        for name in {"centred", "scaled"} & set(chain):
            typed(bool, chain[name], f"{path}: damaged: {name}")
        try:
            return PostProcessing.from_dict(chain)
        except InputError as error:
            raise InputError(f"{path}: damaged ({error})") from None

    def write_chain(self, chain: PostProcessing, trace: Mapping[str, float]) -> None:
        """Keeps what was learnt on development.

        Args:
            chain: the post-processing chain.
            trace: development CCC after each of its steps, by the step's name.
        """
        self.write_json("postprocessing.json", {"chain": chain.to_dict(), "development_ccc": trace})

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder.

        Args:
            name: of the file, such as `scores.json`.

        Returns:
            What the file holds.

        Raises:
            MissingInputError: if there is no such file.
            InputError: if it is damaged.
        """
        try:
            values = parse_json((self.path / name).read_bytes())
        except FileNotFoundError:
            raise MissingInputError(f"{self.path / name}: missing; the run is half written") from None
        except ValueError as error:
            raise InputError(f"{self.path / name}: damaged ({error})") from None
        if not isinstance(values, dict):
            raise InputError(f"{self.path / name}: damaged (expected a JSON object)")
        if name in CHECKS:
            CHECKS[name](values, self.path / name)
        return values

    def write_json(self, name: str, values: Any) -> None:
        """Writes a JSON file of the folder.

        Args:
            name: of the file, such as `scores.json`.
            values: JSON values; numbers must be finite.
        """
        write_bytes(self.path / name, (json.dumps(values, indent=2, allow_nan=False) + "\n").encode())

    def write_predictions(self, partition: str, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes `predictions/<partition>/<name>.csv`.

        Args:
            partition: `dev` or `test`.
            name: of a recording; what a file name can't hold is percent-encoded.
            rows: cells by column, see `files.write_csv`.
        """
        safe = urllib.parse.quote(name, safe=" ()+,;=@")
        if len(safe) > 200:  # file systems take 255 bytes
            safe = f"{safe[:180]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        write_csv(self.predictions_folder(partition) / f"{safe}.csv", rows)

    def history(self) -> "pd.DataFrame":
        """`history.csv` as a data frame.

        Returns:
            A row per epoch, the index; NaN where a term was not computed.

        Raises:
            InputError: if it is missing or damaged.
        """
        frame = _frame([self.history_file])
        if "epoch" not in frame:
            raise InputError(f"{self.history_file}: damaged (expected a column 'epoch')")
        check_epochs(frame["epoch"].tolist(), self.history_file)
        return frame.set_index("epoch")

    def scores(self) -> "pd.DataFrame":
        """Scores as a data frame.

        Returns:
            A row for each partition that has been scored, a column for each score. Those before post-processing are
            `raw_ccc`, `raw_pcc` and so on.

        Raises:
            InputError: if the file is missing or damaged.
        """
        import pandas as pd

        rows = {part: values for part, values in self.read_json("scores.json").items() if part in PARTITIONS}
        flat = {
            part: {name: value for name, value in values.items() if isinstance(value, int | float)}
            | {f"raw_{name}": value for name, value in values.get("raw", {}).items()}
            for part, values in rows.items()
        }
        return pd.DataFrame.from_dict(flat, orient="index").rename_axis("partition")

    def predictions(self, partition: str) -> "pd.DataFrame":
        """Predictions of a partition as a data frame.

        Args:
            partition: `dev` or `test`.

        Returns:
            Recordings one after another; see `write_predictions`. Columns of a regression: `id`, `time` (of frames, in
            seconds), `gold_standard`, `raw` and `postprocessed`; of a classification: `id`, `label`, `prediction`, and
            `p_<class>` for each class.

        Raises:
            MissingInputError: if the partition has not been evaluated.
            InputError: if a file is damaged.
        """
        files = sorted(self.predictions_folder(partition).glob("*.csv"))
        if not files:
            raise MissingInputError(
                f"{self.path}: no predictions of '{partition}'; python -m emobed_tf.evaluate {self.path}"
                f"{' --test' if partition == 'test' else ''} writes them where there are labels"
            )
        return _frame(files)

    def write_history(self, rows: Sequence[Mapping[str, Any]], times: Sequence[Mapping[str, Any]] = ()) -> None:
        """Writes `history.csv` and `times.csv`.

        Args:
            rows: one for each epoch, see `files.write_csv`.
            times: the same.
        """
        write_csv(self.history_file, rows)
        if times:
            write_csv(self.path / "times.csv", times)

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes `<name>.npz`.

        Args:
            name: of the file, such as `best`.
            arrays: by name.
        """
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]  # no array is called allow_pickle
        write_bytes(self.path / f"{name}.npz", content.getbuffer())

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Reads `<name>.npz`.

        Args:
            name: of the file, such as `best`.

        Returns:
            Arrays by name.

        Raises:
            MissingInputError: if there is no such file.
            InputError: if it is damaged.
        """
        return archive.read_arrays(self.path / f"{name}.npz")


BEST, LAST, TEACHER = "best", "last", "teacher"
_TEST_READS = "test_reads.json"


def check_epochs(epochs: Sequence[Any], path: Path) -> None:
    """Checks the column `epoch` of a history.

    Args:
        epochs: its cells, as numbers.
        path: of the file, for messages.

    Raises:
        InputError: if they don't count from 1.
    """
    for expected, found in enumerate(epochs, 1):
        if found != expected:
            raise InputError(f"{path}: damaged (expected epoch {expected} in row {expected}, found {found})")


def selection_of(config: Config, task: str) -> str:
    """The development score that picks the weights of a training.

    Args:
        config: of the training; without a `selection` the data set's own score counts.
        task: `regression` or `classification`.

    Returns:
        Its name, see `score_table.SCORES`.
    """
    return "ccc" if task == REGRESSION else config.classification_score


def names_of(runs: Sequence[Run]) -> list[str]:
    """What runs are called: by their folders' names, or by their whole paths where names are the same.

    Args:
        runs: all that are shown together.

    Returns:
        Names in the same order.
    """
    short = [run.path.absolute().name for run in runs]
    return short if len(set(short)) == len(short) else [str(run.path) for run in runs]


def _runs_within(path: Path) -> str:
    """Run folders in a folder that is none itself, such as the best run of a search, for the end of a message."""
    found = sorted(str(folder.parent) for folder in path.glob("*/run.json"))
    return f"; run folders in it: {listing(found, 4)}" if found else ""


def _frame(files: Sequence[Path]) -> "pd.DataFrame":
    import pandas as pd

    texts = dict.fromkeys(("id", "label", "prediction"), str)
    frames = []
    for path in files:
        try:
            # Exactly the numbers that were written; a class or an id that is called NA is a text.
            frames.append(
                pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=[""], float_precision="round_trip")
            )
        except FileNotFoundError:
            raise MissingInputError(f"{path}: missing; the run is half written") from None
        except ValueError as error:
            raise InputError(f"{path}: damaged ({' '.join(str(error).split())})") from None
    return pd.concat(frames, ignore_index=True)


def default_output(config: Config, corpus: Corpus) -> Path:
    """Makes an empty folder below `runs/`, named by data set, label, target, framework and seed; -2, -3, … if taken.

    Args:
        config: the run's configuration, resolved.
        corpus: its data.

    Returns:
        The folder, which is new and empty.
    """
    system = (str(config.data.target), config.objective.framework, f"seed{config.training.seed}")
    name = "-".join((corpus.name, corpus.label, *system))
    path, k = Path("runs") / name, 1
    while True:
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            k += 1
            path = Path("runs") / f"{name}-{k}"
