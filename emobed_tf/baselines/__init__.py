"""The systems of a comparison: the paper's frameworks and those that it is compared with, one small module each."""
