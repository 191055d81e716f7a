"""Which runs share a panel, and its silhouettes."""

import numpy as np
import pytest

from emobed_tf.runs.folder import Run

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_classic_systems_of_two_modalities_share_a_panel(trio):
    rows = trio[0].text.partition("silhouette by modality")[2]
    assert rows.index("classic-audio + classic-face") < rows.index("joint-audio")


def test_silhouettes_are_those_of_the_embeddings(trio, runs):
    """With scikit-learn, on what `embeddings.of_run` gives: few enough that none is left out."""
    from sklearn.metrics import silhouette_score

    from emobed_tf.embeddings.points import of_run

    found = of_run(Run(runs["joint-audio"]))
    by_class = silhouette_score(found.vectors, found.classes)
    by_modality = silhouette_score(found.vectors, found.modality)
    assert f"joint-audio {len(found)} {by_class:+.3f} {by_modality:+.3f}" in trio[0].text
    parts = [of_run(Run(runs[name])) for name in ("classic-audio", "classic-face")]
    vectors, classes, modality = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("vectors", "classes", "modality")
    )
    numbers = f"{silhouette_score(vectors, classes):+.3f} {silhouette_score(vectors, modality):+.3f}"
    assert f"classic-audio + classic-face {len(vectors)} {numbers}" in trio[0].text
