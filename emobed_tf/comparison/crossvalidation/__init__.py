"""Nested cross-validation grouped by speaker."""
