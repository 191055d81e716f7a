"""The settings of a run by section: frozen dataclasses, whose fields are flags of the commands under their own names.

What a field's docstring says is its `--help`. `emobed_tf.config` puts the sections together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import tyro

from emobed_tf import datasets


def _optional(metavar: str) -> Any:
    """How `--help` shows a setting that may be left out; its text says what happens then."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="")


def _one_of(names: Sequence[str]) -> Any:
    """How `--help` shows a setting that takes one of some names, or one of one's own."""
    return tyro.conf.arg(metavar=f"{{{','.join(names)},MODULE:NAME}}")


OptionalPath = Annotated[Path | None, _optional("PATH")]
OptionalName = Annotated[str | None, _optional("NAME")]
OptionalNames = Annotated[tuple[str, ...] | None, _optional("NAME [NAME ...]")]
OptionalInt = Annotated[int | None, _optional("INT")]
OptionalFloat = Annotated[float | None, _optional("FLOAT")]
Names = Annotated[tuple[str, ...], _optional("NAME [NAME ...]")]
NamesOrUsual = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")]
RunPath = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
FilePaths = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="PATH [PATH ...]")]
Scenarios = Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="TARGET+AUX[+AUX]")]
TrustedNames = Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="MODULE:NAME")]
Preset = Annotated[
    Literal["recommended", "paper"],
    tyro.conf.arg(
        help=(
            "Default settings. recommended: what came out better than the paper's in docs/results.md, for tables and "
            "recordings --framework contrastive. paper: EmoBed as printed. RECOLA and OMG-Emotion have the paper's in "
            "both."
        )
    ),
]
TablePaths = Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME=PATH")]

Framework = Literal["classic", "joint", "triplet", "emobed", "contrastive", "distilled"]
FORMER: Mapping[str, Any] = MappingProxyType({"epoch": "target", "metric_loss": "batch_hard"})
"""What settings were before they could be set, where their default is something else now: what files that were written
before say by leaving them out. See `emobed_tf.config.former_settings`."""
CONTRASTIVE = "contrastive"  # a framework, and the loss on embeddings that it has
USES_ALPHA = ("joint", "emobed", CONTRASTIVE)
USES_BETA = ("triplet", "emobed", CONTRASTIVE)
CORPUS, SPEAKER = "corpus", "speaker"  # of `Data.standardise`
DISTILLED = "distilled"
ONE_BRANCH = ("classic", DISTILLED)
"""Frameworks whose network reads the target alone, in training, too."""
PLACES = ("data_dir", "table", "labels")
"""Settings that say where data lie, which may differ between computers; fingerprints say whether they are the same."""
ENCODERS = {
    "gru": "emobed_tf.models.encoders:gru",
    "dense": "emobed_tf.models.encoders:dense",
    "tcn": "emobed_tf.models.tcn:tcn",
}
"""Encoders by name, each as one of one's own is named, `module:function`; see `emobed_tf.models.encoders`."""
NO_FRONT_END = "none"
FRONT_ENDS = {
    "logmel": "emobed_tf.models.front_ends.logmel:logmel",
    "conv": "emobed_tf.models.front_ends.convolutions:conv",
    "emo18": "emobed_tf.models.front_ends.convolutions:emo18",
    "zhao19": "emobed_tf.models.front_ends.convolutions:zhao19",
}
"""Front ends by name, beside none; see `emobed_tf.models.front_ends.registry`."""
REGRESSION_LOSSES, CLASSIFICATION_LOSSES = ("ccc", "mse"), ("cross_entropy", "smoothed")
"""Names of the tables in `emobed_tf.models.label_losses`."""


@dataclass(frozen=True)
class Data:
    """Data: which corpus, which modality, which label."""

    dataset: Annotated[str, _one_of(tuple(datasets.REGISTERED))] = datasets.RECOLA.name
    """Data set: RECOLA (AVEC 2016 package), OMG-Emotion, any corpus as one table per modality, or a DataSet of your own
    as package.module:NAME."""
    data_dir: OptionalPath = None
    """Folder of the data set. Without it: its environment variable ($EMOBED_RECOLA_DIR, $EMOBED_OMG_DIR), else a
    simulated package."""
    table: TablePaths = ()
    """A modality from a table (CSV, Parquet, ARFF) or a folder of them, of this corpus or of another with the same
    labels. Without --dataset, the data set is these tables."""
    task: Literal["auto", "regression", "classification"] = "auto"
    """What to learn; `auto` decides by the labels (RECOLA: regression, OMG-Emotion: classification)."""
    dimension: Annotated[str, tyro.conf.arg(metavar="NAME")] = "arousal"
    """For a regression: the emotional dimension to learn, arousal, valence, or of tables any column of numbers."""
    target: OptionalName = None
    """Modality to recognise emotion from, kept after training (default: the first of the data set)."""
    auxiliary: OptionalNames = None
    """Modalities that only help in training (default: RECOLA video_appearance or audio; else all others). The classic
    framework uses none."""
    label_delay: float = 2.4
    """For a regression of frames: seconds by which annotations lag behind. Labels are moved back by them in training,
    predictions forward (section 4.2). 0 where labels don't lag."""
    clip: float = 10.0
    """Standardised features are clipped to this many training deviations."""
    standardise: Literal["corpus", "speaker"] = "corpus"
    """corpus: by mean and deviation of the training frames; speaker: by those of all of a speaker's frames, test's
    included, labels unread."""
    speaker_prior: float = 5.0
    """For --standardise speaker: utterances, or seconds of frames, that the corpus counts as in each speaker's
    statistics."""


@dataclass(frozen=True)
class Reading:
    """Reading: what the columns of feature tables are (--table, --dataset tables); predict and clients keep to it."""

    labels: OptionalPath = None
    """Table with labels for all feature tables: id or file (with start and end, or time), then partition, speaker, and
    what is learnt, such as label or arousal. The feature tables themselves then need none of it."""
    ignore: Names = ()
    """Columns that are not features, by name or pattern, such as 'pose_*'."""
    keep: Names = ()
    """Columns that are features although they look like something else, by name or pattern."""
    column: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME=ROLE")] = ()
    """What a column is. Roles are id, file, time, start, end, partition, speaker, label, and dimensions."""
    class_name: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME=CLASS")] = ()
    """Another spelling of a class, such as hap=happiness."""
    time_unit: Literal["auto", "s", "ms"] = "auto"
    """Unit of the times in a table. auto: what the tool that wrote it uses, else seconds."""
    resample: OptionalFloat = None
    """Resample all tables to a row every this many seconds: means over each step, or the nearest row where there are
    fewer."""
    zeros_missing: Names = ()
    """Modalities in which a row of nothing but zeros is a missing frame, as it is in RECOLA's video."""
    confidence: float = 0.0
    """Minimum confidence of a frame of OpenFace; frames below it, and those without success, are missing."""
    unknown_speaker: Literal["error", "own"] = "error"
    """own: a recording whose speaker is empty or unknown counts as a speaker of its own."""
    strict: bool = False
    """For tables of recordings: stop at the first that can't be read, instead of leaving it out with a warning."""


@dataclass(frozen=True)
class Network:
    """Network: an encoder per modality, and a shared head of GRU layers."""

    encoder_layers: int = 2
    """Layers of each modality's encoder; of tcn, residual blocks of two convolutions."""
    encoder_units: int = 120
    """Units of an encoder layer; the last one's are the embedding's dimensions."""
    head_layers: int = 2
    """GRU layers of the shared head. 0 leaves its linear output alone; with dense encoders the whole network then sees
    each frame by itself."""
    head_units: int = 120
    """Units of a head layer."""
    fused: bool = True
    """Use the fused GRU (same numbers, faster on a CPU) instead of Keras' own layer."""
    encoder: Annotated[str, _one_of(tuple(ENCODERS))] = "gru"
    """Kind of the encoders: gru (the paper's), dense (sees each frame by itself), tcn (causal dilated convolutions), or
    package.module:NAME for one of your own, see emobed_tf.models.encoders."""
    kernel_size: int = 3
    """Frames that one convolution of tcn sees, spaced by its dilation: 1 in the first block, doubled in each further
    one. The encoder sees 1 + 2 (kernel size - 1) (2^layers - 1) frames, the present one the last."""
    sharing: Literal["head", "trunk"] = "head"
    """What modalities share. head: the head alone (the paper); trunk: all layers of the encoder, too, behind one linear
    projection for each modality."""
    front_end: Annotated[str, _one_of((NO_FRONT_END, *FRONT_ENDS))] = NO_FRONT_END
    """For waveforms: what makes channels of samples before the encoder. logmel (fixed), conv (fast convolutions), emo18
    and zhao19 (references of the field), or package.module:NAME for one of your own."""


@dataclass(frozen=True)
class Objective:
    """Objective (Eq. 8): L_target + alpha * sum L_auxiliary + beta * L_triplet + lambda * R."""

    framework: Framework = "emobed"
    """classic: alpha = beta = 0; joint: beta = 0; triplet: alpha = 0; emobed: both. Not the paper's: contrastive, which
    is emobed with the supervised contrastive loss; distilled, a network of the target alone that learns from one of
    all modalities, too, where training recordings are paired."""
    alpha: OptionalFloat = None
    """Weight of the auxiliary modalities' loss (default: 0.5; 0 where the framework fixes it)."""
    beta: OptionalFloat = None
    """Weight of the triplet loss (default: 0.3, RECOLA 1; 0 where the framework fixes it)."""
    l2: float = 1e-4
    """lambda: weight of R, the sum of squares of all kernels in use."""
    regression_loss: Annotated[str, _one_of(REGRESSION_LOSSES)] = "ccc"
    """For a regression: ccc, 1 - CCC of a batch; mse, the mean squared error of labels scaled by their training
    deviation; or package.module:NAME for one of your own, see emobed_tf.models.label_losses."""
    classification_loss: Annotated[str, _one_of(CLASSIFICATION_LOSSES)] = "cross_entropy"
    """For a classification: cross_entropy; smoothed, the same with a tenth of each label spread over all classes; or
    package.module:NAME for one of your own."""
    triplet_preset: Literal["paper", "stable"] = "paper"
    """paper: Eq. 6 as printed; stable: L2-normalised embeddings and margin 0.2, where the next two aren't given."""
    margin: Annotated[float | Literal["soft", "none"] | None, _optional("FLOAT|soft|none")] = None
    """For the triplet term: none is Eq. 6 as printed, a number the hinge, soft the softplus (default: the
    --triplet-preset's)."""
    normalise: Annotated[bool | None, _optional("True|False")] = None
    """L2-normalise embeddings in the triplet term (default: the --triplet-preset's)."""
    reduction: Literal["mean", "sum"] = "mean"
    """Over valid anchors: mean, so that beta doesn't depend on the batch, or the sum of Eq. 6."""
    mining: Literal["all", "inter", "intra"] = "all"
    """Where hardest pairs are looked for: all embeddings (the paper), other modalities only, the same one only."""
    metric_loss: Annotated[
        Literal["batch_hard", "semi_hard", "contrastive"] | None, _optional("{batch_hard,semi_hard,contrastive}")
    ] = None
    """Loss that beta weighs: batch_hard, Eq. 5 and 6; semi_hard, a triplet for every positive, with the nearest
    negative beyond it; contrastive, the supervised contrastive loss, normalised unless --normalise says otherwise
    (default: batch_hard; of --framework contrastive, contrastive)."""
    temperature: float = 0.1
    """For --metric-loss contrastive: what similarities are divided by."""
    beta_warmup: int = 0
    """Epochs over which beta grows from 0 to its value, a little with every step; 0: at once."""
    alignment: Literal["none", "coral", "cmd"] = "none"
    """A further term: how far modalities lie apart within each class, by means and covariances (coral) or by five
    central moments (cmd)."""
    alignment_weight: float = 1.0
    """Weight of the alignment term."""
    bins: int = 2
    """For a regression: classes of its label in the triplet term and in balanced batches, bins at quantiles of the
    target's training labels."""
    hop: float = 1.0
    """For a regression of frames: seconds between two mined frames; 0 mines every frame."""
    negative_seconds: float = 0.0
    """For a regression of frames: least seconds from an anchor to its negative within the same recording."""
    disagreement: Literal["ignored", "weighed"] = "ignored"
    """weighed: in the triplet term, embeddings count less where the raters disagree (needs every rater's ratings)."""
    teacher: Literal["early", "model_level"] = "early"
    """For distilled: which fusion of all modalities teaches. early: of features; model_level: of embeddings, whose
    outputs alone are learnt from, because they have more dimensions than the student's."""
    teacher_weight: float = 1.0
    """For distilled: weight of the distance to the teacher's outputs."""
    teacher_temperature: float = 2.0
    """For distilled, with a classification: temperature at which classes are compared with the teacher's."""
    teacher_embedding_weight: float = 1.0
    """For distilled with --teacher early: weight of the squared distance to the teacher's embeddings."""

    @property
    def embedding_loss(self) -> str:
        """`metric_loss`, or where none is given the framework's."""
        return self.metric_loss or (CONTRASTIVE if self.framework == CONTRASTIVE else "batch_hard")


@dataclass(frozen=True)
class Training:
    """Training."""

    epochs: int = 60
    """Maximum number of epochs. A development score is taken after each."""
    epoch: Literal["largest", "target"] = "largest"
    """What an epoch passes over once: the largest of target and auxiliaries, or the target. classic counts the
    auxiliaries that it is compared with, too."""
    steps_per_epoch: OptionalInt = None
    """Optimiser steps of an epoch (default: as many batches as --epoch takes)."""
    batch_size: int = 4
    """Sequences of each modality in a batch."""
    batches: Literal["random", "balanced"] = "random"
    """random: sequences as they come. balanced: each batch has as many of one class as of another (of a regression:
    of one bin of a sequence's mean label, see --bins)."""
    sequence_seconds: OptionalFloat = None
    """Cut training recordings into pieces of this length (default: whole recordings)."""
    learning_rate: float = 1e-3
    """Adam's learning rate."""
    patience: int = 15
    """Stop after this many epochs without a better development score; 0 never stops early. See --epoch."""
    selection: Annotated[
        Literal["ccc", "f1_micro", "f1_macro", "f1_harmonic", "uar"] | None,
        _optional("{ccc,f1_micro,f1_macro,f1_harmonic,uar}"),
    ] = None
    """Development score that picks the weights (default: ccc; of classes f1_macro, OMG-Emotion f1_micro).
    Cross-validation takes uar of classes by default."""
    diagnostics: int = 20
    """Log the gradient norm of every term once in this many epochs; 0: never."""
    seed: int = 0
    """Seed of initial weights and batch order."""
    threads: int = 2
    """Threads of one operation; bit-identical results need the same number."""
    xla: bool = True
    """Compile training with XLA, which is faster but for very short trainings. Without it, results have other last
    digits."""
