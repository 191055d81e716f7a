"""Scores, post-processing, significance, and the one comparison. No TensorFlow."""
