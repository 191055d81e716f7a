"""Embeddings of a run: points, TensorBoard's projector, how far classes are apart."""
