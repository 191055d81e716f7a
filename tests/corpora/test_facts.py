"""What training found in the data."""

import pytest

from emobed_tf.corpora.facts import Facts


@pytest.mark.parametrize(("classes", "outputs"), [((), 1), (("u", "v"), 2), (("u", "v", "w"), 3)])
def test_width_of_the_head(classes, outputs):
    task = "classification" if classes else "regression"
    facts = Facts("tables", False, task, "x", classes, "audio", {}, {}, 0, 1.0, (), {})
    assert facts.outputs == outputs
