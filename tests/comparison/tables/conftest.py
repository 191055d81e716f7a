"""A table's plan on the simulated package."""

import pytest

from emobed_tf.comparison.reproduction.plan import plan_table
from emobed_tf.config import preset


@pytest.fixture(scope="package")
def plan(recola):
    return plan_table(1, preset().replace(data_dir=recola))
