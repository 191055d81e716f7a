"""Rows of zeros as missing frames."""

import numpy as np

from emobed_tf.corpora.missing import missing_rows


def test_only_rows_of_nothing_but_zeros():
    features = np.float32([[0, 0], [0, 1], [-0.0, 0], [np.nan, 0]])
    found = missing_rows(features)
    np.testing.assert_array_equal(found, np.float32([[np.nan, np.nan], [0, 1], [np.nan, np.nan], [np.nan, 0]]))
    assert features[0, 0] == 0  # left as it was


def test_no_copy_without_need():
    features = np.float32([[1, 0]])
    assert missing_rows(features) is features
