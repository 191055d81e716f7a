"""What is compared: the interface of a system, the paper's frameworks, its baselines, and the audit's controls."""

from emobed_tf.systems.base import NAMES, Problem, System, find

__all__ = ["NAMES", "Problem", "System", "find"]
