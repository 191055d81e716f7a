"""The run folder, and a run scored."""
