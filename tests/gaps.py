"""Corpora in which raters paused."""

import dataclasses

import numpy as np


def with_gaps(corpus, where, label="arousal"):
    """The corpus without labels in some frames.

    Args:
        corpus: a regression.
        where: of a recording, bool `[frames]`: True where a frame loses its label.
        label: which one.
    """

    def changed(recording):
        if label not in recording.labels:
            return recording
        values = np.where(where(recording), np.float32(np.nan), recording.labels[label])
        return dataclasses.replace(recording, labels={**recording.labels, label: values})

    modalities = {
        name: dataclasses.replace(modality, recordings=tuple(map(changed, modality.recordings)))
        for name, modality in corpus.modalities.items()
    }
    return dataclasses.replace(corpus, modalities=modalities)


def paused(recording):
    """Frames 20 to 69, and every seventh one."""
    frames = np.arange(recording.frames)
    return ((frames >= 20) & (frames < 70)) | (frames % 7 == 3)
