"""Which settings of the objective have an effect: others are refused, and left out for another framework."""

from emobed_tf.errors import InputError
from emobed_tf.settings import DISTILLED, ONE_BRANCH, USES_BETA, Objective

OF_BETA = ("metric_loss", "temperature", "beta_warmup")
"""Settings of the loss that beta weighs."""
OF_ALIGNMENT = ("alignment", "alignment_weight")
"""Settings of the alignment term, for which there has to be an auxiliary modality."""
OF_THE_TEACHER = ("teacher", "teacher_weight", "teacher_temperature", "teacher_embedding_weight")
"""Settings that the framework `distilled` alone has."""

_MISSING = {
    **dict.fromkeys(OF_BETA, "no loss that beta weighs"),
    **dict.fromkeys(OF_ALIGNMENT, "no other modality to align with"),
    **dict.fromkeys(OF_THE_TEACHER, "no teacher"),
}


def without_effect(framework: str) -> tuple[str, ...]:
    """Settings that a framework has no use for.

    Args:
        framework: one of `settings.Framework`.

    Returns:
        Fields of `settings.Objective`.
    """
    return (
        *(OF_BETA if framework not in USES_BETA else ()),
        *(OF_ALIGNMENT if framework in ONE_BRANCH else ()),
        *(OF_THE_TEACHER if framework != DISTILLED else ()),
    )


def check_effects(objective: Objective) -> None:
    """Refuses settings of the loss on embeddings, the alignment and the teacher that change nothing as given.

    Args:
        objective: as it was given.

    Raises:
        InputError: naming the first of them, and why.
    """
    contrastive = objective.metric_loss == "contrastive"
    for name in without_effect(objective.framework):
        _refuse_changed(objective, name, f"--framework {objective.framework} has {_MISSING[name]}")
    if not contrastive:
        _refuse_changed(objective, "temperature", f"--metric-loss {objective.metric_loss} has no temperature")
    if contrastive and objective.margin != "none":
        _refuse_changed(objective, "margin", "--metric-loss contrastive has no margin")
    if contrastive:
        _refuse_changed(objective, "triplet_preset", "--metric-loss contrastive is no triplet loss")
    if objective.alignment == "none":
        _refuse_changed(objective, "alignment_weight", "there is no such term without --alignment coral or cmd")
    if objective.framework == DISTILLED and objective.teacher != "early":
        larger = f"the embeddings of --teacher {objective.teacher} have more dimensions than the student's"
        _refuse_changed(objective, "teacher_embedding_weight", larger)


def _refuse_changed(objective: Objective, name: str, reason: str) -> None:
    value = getattr(objective, name)
    if value != getattr(Objective, name):
        flag = "--" + name.replace("_", "-")
        raise InputError(f"{flag} {value}: {reason}; leave {flag} out")
