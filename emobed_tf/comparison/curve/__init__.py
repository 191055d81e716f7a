"""Learning curves: scores by how many labels of the target there are, beside auxiliaries that keep all of theirs."""
