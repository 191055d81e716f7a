"""Recordings of sound: their table, decoding, waveforms kept on disk, and extractors of features. No TensorFlow."""
