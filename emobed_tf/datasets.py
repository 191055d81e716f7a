"""Data sets: one record for each says what it is called, where it lies, how it is read, and which settings suit it.

A data set in a form of its own takes one module with the functions of `emobed_tf.corpora.reader.Reader`, and one
`DataSet`. The package's own records stand here; `--dataset package.module:NAME` names one in any module that Python can
import. Readers and simulators are named, and imported when they are first used: a command's `--help` waits for none.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emobed_tf.errors import InputError
from emobed_tf.importing import import_named

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Option:
    """A flag of `python -m emobed_tf.simulate`, which is an argument of the simulator.

    Attributes:
        name: of the argument; `video_columns` is the flag `--video-columns`.
        default: what it is without the flag. Its type is the flag's: a number, a text, a tuple of texts (separated by
            commas) or a tuple of numbers (as many words).
        text: what `--help` says of it.
        places: what the numbers of a tuple are called in `--help`.
    """

    name: str
    default: Any
    text: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulator:
    """What writes a package in a data set's form on disk, to run and to test on.

    Attributes:
        function: `package.module:function`. It is called as function(directory, progress=…, **options), writes a folder
            with `simulated.json` in it and returns the number of files; see `emobed_tf.corpora.simulate`.
        text: what `--help` says of the data set.
        options: the arguments that are flags.
        stands_in: whether a package is written, and used, where no folder of the data set is named. False: `simulate`
            alone writes one.
    """

    function: str
    text: str
    options: tuple[Option, ...] = ()
    stands_in: bool = True

    def write(self, directory: Path, progress: Callable[[int, int], None] | None = None, **options: Any) -> int:
        """Writes a package.

        Args:
            directory: where; must not exist, or be an empty folder.
            progress: called as progress(done, total).
            **options: values of `options`; default: theirs.

        Returns:
            Number of files written.

        Raises:
            InputError: if an option is out of its range, or `directory` exists and isn't empty.
            OSError: if it can't be written.
        """
        return import_named(self.function)(directory, progress=progress, **options)


@dataclass(frozen=True)
class DataSet:
    """What the package has to know of a data set.

    Attributes:
        name: an ASCII letter, then letters, digits, `_` or `-`; run folders and tables of results are named by it.
        title: what messages call it.
        reader: module with the functions of `corpora.reader.Reader`; `__name__` where the record stands beside them.
            None: a folder of tables, one for each modality.
        layout: what its folder holds, in words, for messages.
        classes: names of the classes in the order of their indices; empty where there are none. With classes, `--task
            auto` is a classification. A folder of tables has what its label columns hold, whatever stands here.
        dimensions: that a regression can learn; empty where there are none.
        target: modality to recognise emotion from by default; the first one where there is none of that name.
        auxiliary: the one modality that helps the default target by default, as the default target helps all others.
            Only modalities that a run uses are read then. None: all others help, and all are read.
        settings: fields of `Config` in which its preset differs from the defaults, the paper's values for RECOLA.
        recommended: fields of `Config` that came out better than the paper's in `docs/results.md`, see `preset`.
        alpha: weight of the auxiliary loss by default.
        beta: weight of the triplet loss by default.
        classification_score: the score that picks a classifier's weights, a key of `CLASSIFICATION_SCORES`.
        variable: environment variable that names its folder.
        simulator: what writes a package, and by default stands in where no folder is named; None: there is none, and a
            folder must be named.
        shared_speakers: what its "speakers" really are, where they may be in several partitions of the distributed
            split: a warning then, and otherwise an error.
        suffixes: of files that the reader's `read_features` reads for `predict`, such as `.json`, besides ARFF files
            and tables.
    """

    name: str
    title: str
    reader: str | None = None
    layout: str = "one table per modality, such as audio.csv or face.parquet"
    classes: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ("arousal", "valence")
    target: str = "audio"
    auxiliary: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    recommended: Mapping[str, Any] = field(default_factory=dict)
    alpha: float = 0.5
    beta: float = 0.3
    classification_score: str = "f1_macro"
    variable: str | None = None
    simulator: Simulator | None = None
    shared_speakers: str | None = None
    suffixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(
                f"data set {self.name!r}: expected a name of an ASCII letter and then letters, digits, '_' or '-'"
            )


_TRANSFER = Option(
    "transfer",
    "helps",
    "what audio and video share: helps, none, hurts. For how much one could teach the other, as a number, see "
    "`simulate tables --strength`",
)
_SEED = Option("seed", 0, "another seed, other data")
_CONTRASTIVE = {"framework": "contrastive"}  # it gained more than EmoBed in docs/results.md
_UTTERANCES = {"encoder_layers": 1, "head_layers": 1, "batch_size": 64}  # section 4.2 of the paper, for OMG-Emotion

RECOLA = DataSet(
    name="recola",
    title="RECOLA (AVEC 2016 package)",
    reader="emobed_tf.corpora.recola",
    layout="the AVEC 2016 package (features_audio/arousal/train_1.arff, ratings_gold_standard/arousal/train_1.arff, …)",
    auxiliary="video_appearance",
    beta=1.0,  # chosen on development in the paper (section 5.4), as alpha is; the same for every modality here
    variable="EMOBED_RECOLA_DIR",
    simulator=Simulator(
        "emobed_tf.corpora.simulate:simulate_recola",
        "RECOLA, as the AVEC 2016 package lays it out",
        (
            Option("seconds", 60.0, "length of a recording"),
            Option("recordings", 9, "recordings in each partition"),
            Option("modalities", ("audio", "video_appearance"), "of audio, video_appearance, video_geometric"),
            Option("dimensions", ("arousal", "valence"), "of arousal, valence"),
            _TRANSFER,
            _SEED,
        ),
    ),
)

OMG = DataSet(
    name="omg",
    title="OMG-Emotion",
    reader="emobed_tf.corpora.omg",
    layout="omg_TrainVideos.csv, omg_ValidationVideos.csv and features_<modality>_<train|dev|test>.csv or .parquet",
    classes=("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    settings=_UTTERANCES,
    classification_score="f1_micro",  # the only reading of F1 that fits the paper's Table 3
    variable="EMOBED_OMG_DIR",
    simulator=Simulator(
        "emobed_tf.corpora.simulate:simulate_omg",
        "OMG-Emotion, with feature tables",
        (
            Option("utterances", (2442, 617, 2229), "utterances of the partitions", ("TRAIN", "DEV", "TEST")),
            Option("video_columns", 256, "features of video"),
            Option("modalities", ("audio", "video"), "of audio, video"),
            _TRANSFER,
            _SEED,
        ),
    ),
    shared_speakers="videos",
)

WAVEFORM = "emobed_tf.recordings.waveforms:Waveform"
"""What stands for the samples of a recording that a table names, as a reader is named: imported where it is needed."""

LABEL_TRACK = "emobed_tf.recordings.labelfiles:read_label_file"
"""What reads a recording's labels over time from a table of their own, imported where it is needed, too."""

RECORDINGS = DataSet(
    name="recordings",
    title="recordings, named by tables",
    layout="one table per modality, such as audio.csv, with a column file and without features",
    settings={"batch_size": 16},
    recommended=_CONTRASTIVE,
)

_PARTITIONS, _MODALITIES = ("TRAIN", "DEV", "TEST"), ("AUDIO", "VIDEO")

TABLES = DataSet(
    name="tables",
    title="tables, one for each modality",
    settings=_UTTERANCES,
    recommended=_CONTRASTIVE,
    simulator=Simulator(
        "emobed_tf.corpora.simulate:simulate_tables",
        "two tables, audio.csv and video.csv, in which what video can teach audio has a size that is set",
        (
            Option("strength", 1.0, "how far video's classes are audio's: 0 not at all, 1 they are the same"),
            Option("target_labels", (48, 48, 1000), "utterances of audio", _PARTITIONS),
            Option("auxiliary_labels", (3000, 300, 300), "utterances of video", _PARTITIONS),
            Option("classes", 8, "number of classes"),
            Option("latent", 2, "dimensions of the latent that both modalities show"),
            Option("slope", 2.0, "how steep the classes' planes are: what makes a modality's map easy to find"),
            Option("fineness", 2.5, "how fast the classes' waves change: what makes the classes hard"),
            Option("features", (6, 6), "columns of each table", _MODALITIES),
            Option("nuisance", 0.0, "deviation of what features show besides the latent, whose own is 1"),
            Option("noise", (0.05, 0.05), "deviation of the noise in each feature", _MODALITIES),
            Option("speaker_utterances", (4, 20), "utterances of each speaker", _MODALITIES),
            Option("speaker_offset", 0.05, "deviation of the speakers' offsets in a feature"),
            _SEED,
        ),
        stands_in=False,
    ),
)

REGISTERED = {dataset.name: dataset for dataset in (RECOLA, OMG, TABLES, RECORDINGS)}
"""The package's own data sets, by name."""

EXPECTED = f"{', '.join(REGISTERED)}, or package.module:NAME"
"""What `--dataset` takes, in words."""


def is_name(name: str) -> bool:
    """Whether a data set can have that name: one of `REGISTERED`, or `package.module:NAME`. Nothing is imported.

    Args:
        name: any text.

    Returns:
        True if it has the form; whether there is such a module and such a name, only `get` knows.
    """
    module, _, attribute = name.partition(":")
    return name in REGISTERED or bool(module and attribute)


def get(name: str) -> DataSet:
    """A data set by the name that `--dataset` takes.

    Args:
        name: one of `REGISTERED`, or `package.module:NAME`.

    Returns:
        Its record.

    Raises:
        InputError: if there is none of that name.
    """
    if name in REGISTERED:
        return REGISTERED[name]
    if not is_name(name):
        raise InputError(f"unknown data set '{name}'; expected {EXPECTED}")
    try:
        found = import_named(name)
    except ImportError as error:
        raise InputError(f"data set {name}: {error}; expected a DataSet in a module that Python can import") from None
    if not isinstance(found, DataSet):
        raise InputError(f"data set {name}: expected an emobed_tf.datasets.DataSet, found a {type(found).__name__}")
    return found
