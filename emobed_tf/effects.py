"""Which settings of the terms on embeddings have an effect: others are refused, and left out for another framework."""

from emobed_tf.errors import InputError
from emobed_tf.settings import USES_BETA, Objective

OF_BETA = ("metric_loss", "temperature", "beta_warmup")
"""Settings of the loss that beta weighs."""
OF_ALIGNMENT = ("alignment", "alignment_weight")
"""Settings of the alignment term, for which there has to be an auxiliary modality."""


def without_effect(framework: str) -> tuple[str, ...]:
    """Settings that a framework has no use for.

    Args:
        framework: one of `settings.Framework`.

    Returns:
        Fields of `settings.Objective`.
    """
    return (*(OF_BETA if framework not in USES_BETA else ()), *(OF_ALIGNMENT if framework == "classic" else ()))


def check_effects(objective: Objective) -> None:
    """Refuses settings of the loss on embeddings and of the alignment that change nothing where they are given.

    Args:
        objective: as it was given.

    Raises:
        InputError: naming the first of them, and why.
    """
    contrastive = objective.metric_loss == "contrastive"
    for name in without_effect(objective.framework):
        missing = "no other modality to align with" if name in OF_ALIGNMENT else "no loss that beta weighs"
        _refuse_changed(objective, name, f"--framework {objective.framework} has {missing}")
    if not contrastive:
        _refuse_changed(objective, "temperature", f"--metric-loss {objective.metric_loss} has no temperature")
    if contrastive and objective.margin != "none":
        _refuse_changed(objective, "margin", "--metric-loss contrastive has no margin")
    if contrastive:
        _refuse_changed(objective, "triplet_preset", "--metric-loss contrastive is no triplet loss")
    if objective.alignment == "none":
        _refuse_changed(objective, "alignment_weight", "there is no such term without --alignment coral or cmd")


def _refuse_changed(objective: Objective, name: str, reason: str) -> None:
    value = getattr(objective, name)
    if value != getattr(Objective, name):
        flag = "--" + name.replace("_", "-")
        raise InputError(f"{flag} {value}: {reason}; leave {flag} out")
