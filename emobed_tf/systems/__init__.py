"""What is compared: the interface of a system, the paper's frameworks, its baselines, and the audit's controls."""

from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.registry import SYSTEM_NAMES, find_system

__all__ = ["SYSTEM_NAMES", "Problem", "System", "find_system"]
