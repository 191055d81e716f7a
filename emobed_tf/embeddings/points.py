"""Embeddings of a run: what every encoder makes of a partition, and what is known of each point."""

import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import PARTITIONS, REGRESSION, Corpus, Modality, Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.labels import known
from emobed_tf.corpora.time import frames_of, shift
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.evaluation.scores import predict
from emobed_tf.models.build import build_model
from emobed_tf.models.weights import set_weight_arrays
from emobed_tf.runs.folder import BEST, Run
from emobed_tf.runs.scoring import load_data
from emobed_tf.training.streams import class_edges, training_labels


@dataclass(frozen=True)
class Embedded:
    """Points in the embedding space. All arrays have one row per point, modality by modality, target first.

    Attributes:
        vectors: float32 `[points, units]`.
        ids: text, id of the recording or utterance.
        times: float64, seconds of the frame; NaN for an utterance.
        modality: text.
        classes: text: the class, or the bin of the number that training gives this frame, which is the label a label
            delay later: `low` and `high`, with more bins `1 of 3` and so on. Empty where it isn't known.
        gold: gold standard at that time: float64, NaN where it isn't known; for a classification text, or empty.
        prediction: of the shared head, in the gold standard's time as in an evaluation, before post-processing:
            float64; for a classification text.
        speaker: text.
        partition: `train`, `dev` or `test`.
        facts: of the run.
        framework: of the run, such as `classic` or `emobed`.
    """

    vectors: np.ndarray
    ids: np.ndarray
    times: np.ndarray
    modality: np.ndarray
    classes: np.ndarray
    gold: np.ndarray
    prediction: np.ndarray
    speaker: np.ndarray
    partition: str
    facts: Facts
    framework: str

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, chosen: np.ndarray) -> "Embedded":
        """Some of the points.

        Args:
            chosen: their numbers, or bool `[points]`.

        Returns:
            The chosen points, in the order of `chosen`.
        """
        rows = {name: values[chosen] for name, values in vars(self).items() if isinstance(values, np.ndarray)}
        return dataclasses.replace(self, **rows)

    def drawn(self, points: int, seed: int = 0) -> "Embedded":
        """So many points at most, the same number of every modality and class as far as there are enough.

        Args:
            points: how many are wanted.
            seed: seed of the draw.

        Returns:
            The points that were drawn, in their old order; all of them where there are no more than `points`.
        """
        if len(self) <= points:
            return self
        groups = np.unique(np.char.add(np.char.add(self.modality, "\t"), self.classes), return_inverse=True)[1]
        rng = np.random.default_rng(seed)
        # The n-th of every group comes before the (n + 1)-th of any.
        position, tie = np.empty(len(self)), rng.random(len(self))
        for group in range(groups.max() + 1):
            members = rng.permutation(np.flatnonzero(groups == group))
            position[members] = np.arange(len(members))
        return self.take(np.sort(np.lexsort((tie, position))[:points]))


def of_run(
    run: Run,
    partition: str = "dev",
    *,
    data_dir: Path | None = None,
    tables: Sequence[str] = (),
    progress: Progress | None = None,
) -> Embedded:
    """Embeddings of every modality that a run was trained on: of a classic run that is the target alone.

    Of utterances the last frame's embedding, the one that is classified; of recordings one embedding each `hop`
    seconds, the frames that the triplet term mines. Frames and utterances without any feature (no face, say) are left
    out, as in mining; padding there is none.

    Args:
        run: a finished run.
        partition: `train`, `dev` or `test`; it need not have labels.
        data_dir: folder of the data set, where it has moved.
        tables: `NAME=PATH` of tables that have moved.
        progress: told how far it is.

    Returns:
        The points, modality by modality, the target's first.

    Raises:
        InputError: if the data are not those that the run was trained on, or the partition is empty.
    """
    if partition not in PARTITIONS:
        raise InputError(f"partition '{partition}': expected one of {', '.join(PARTITIONS)}")
    facts = run.facts()
    config, corpus = load_data(run, data_dir, progress, tables=tables)
    model = build_model(config, facts)
    set_weight_arrays(model, run.read_arrays(BEST))
    edges = _edges(config, facts, corpus)
    parts = []
    for done, name in enumerate(facts.features):
        if progress is not None:
            progress(done, len(facts.features), f"embedding {name}")
        modality = corpus.modality(name)
        recordings = [r for r in modality.partition(partition) if not r.missing.all()]
        found = predict(model.embedding_and_outputs(name), recordings)
        for recording, values in zip(recordings, found, strict=True):
            parts.append(
                _utterance(recording, name, values, facts, corpus)
                if facts.task != REGRESSION
                else _frames(recording, modality, values, facts, config, edges)
            )
    if not parts:
        raise InputError(f"{run.path}: no recording in partition '{partition}'")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Embedded(**columns, partition=partition, facts=facts, framework=config.objective.framework)


def _edges(config: Config, facts: Facts, corpus: Corpus) -> np.ndarray | None:
    """Between the classes of a continuous label; a run without triplets has not kept any."""
    if facts.task != REGRESSION or facts.edges:
        return np.array(facts.edges)
    labels = training_labels(corpus.modality(facts.target), facts.label, config.data.label_delay)
    try:
        return class_edges(labels, config.objective.bins)
    except InputError as error:
        warnings.warn(f"points get no class: {error}", EmoBedWarning, stacklevel=2)
        return None


def _utterance(
    recording: Recording, modality: str, values: np.ndarray, facts: Facts, corpus: Corpus
) -> dict[str, np.ndarray]:
    logits = values[-len(facts.classes) :]
    label = recording.labels.get(facts.label)
    gold = np.array(["" if label is None else corpus.classes[int(label)]])
    return {
        "vectors": values[None, : -len(facts.classes)],
        "ids": np.array([recording.id]),
        "times": np.array([np.nan]),
        "modality": np.array([modality]),
        "classes": gold,
        "gold": gold,
        "prediction": np.array([facts.classes[int(np.argmax(logits))]]),
        "speaker": np.array([recording.speaker]),
    }


def _frames(
    recording: Recording, modality: Modality, values: np.ndarray, facts: Facts, config: Config, edges: np.ndarray | None
) -> dict[str, np.ndarray]:
    step = modality.frame_seconds
    stride = 1 if step is None else max(1, frames_of(config.objective.hop, step))
    delay = 0 if step is None else frames_of(config.data.label_delay, step)
    chosen = np.arange(0, recording.frames, stride)
    chosen = chosen[~recording.missing[chosen]]
    label = recording.labels.get(facts.label)
    classes = np.full(len(chosen), "")
    if label is not None and edges is not None:
        delayed = shift(label, -delay)[chosen]
        bins = np.searchsorted(edges, delayed, side="right")
        classes = np.where(known(delayed), np.array(_bin_names(len(edges) + 1))[bins], "")
    return {
        "vectors": values[chosen, :-1],
        "ids": np.full(len(chosen), recording.id),
        "times": np.full(len(chosen), np.nan) if step is None else recording.start + chosen * step,
        "modality": np.full(len(chosen), modality.name),
        "classes": classes,
        "gold": np.full(len(chosen), np.nan) if label is None else label[chosen].astype(np.float64),
        "prediction": shift(values[:, -1], delay)[chosen].astype(np.float64),
        "speaker": np.full(len(chosen), recording.speaker),
    }


def _bin_names(bins: int) -> tuple[str, ...]:
    return ("low", "high") if bins == 2 else tuple(f"{k + 1} of {bins}" for k in range(bins))
