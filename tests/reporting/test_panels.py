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


def embedded(classes):
    """A run's embeddings, one on each place of a line."""
    from emobed_tf.embeddings.points import Embedded

    n = len(classes)
    texts = np.full(n, "x")
    vectors = np.column_stack([np.arange(n), np.zeros(n)]).astype(np.float32)
    return Embedded(
        vectors, texts, np.zeros(n), np.full(n, "audio"), np.array(classes), texts, texts, texts, "dev", None, "emobed"
    )


class TestClasses:
    def contents(self):
        from emobed_tf.reporting.contents import Contents

        of_one = [embedded(["calm", "joy", "", "calm", "anger", "joy"]), None]
        return [Contents(None, f"run{k}", None, None, [], {}, {}, {}, some, ()) for k, some in enumerate(of_one)]

    def test_those_that_are_chosen(self):
        from emobed_tf.reporting.panels import groups

        (group,) = groups(self.contents(), ("calm", "joy"))
        (member,) = group.members
        assert member.embedded.classes.tolist() == ["calm", "joy", "calm", "joy"]
        assert member.embedded.vectors[:, 0].tolist() == [0, 1, 3, 5]

    def test_one_that_there_is_not(self):
        from emobed_tf.errors import InputError
        from emobed_tf.reporting.panels import groups

        with pytest.raises(InputError, match="--classes fear: no embedding is of that class; found anger, calm, joy"):
            groups(self.contents(), ("calm", "fear"))
