"""Which settings of the objective have an effect: others are refused, and left out for another framework."""

from emobed_tf.errors import InputError
from emobed_tf.settings import CONTRASTIVE, DISTILLED, ONE_BRANCH, USES_BETA, Objective

OF_BETA = ("metric_loss", "temperature", "beta_warmup")
"""Settings of the loss that beta weighs."""
OF_ALIGNMENT = ("alignment", "alignment_weight")
"""Settings of the alignment term, for which there has to be an auxiliary modality."""
OF_THE_TEACHER = ("teacher", "teacher_weight", "teacher_temperature", "teacher_embedding_weight")
"""Settings that the framework `distilled` alone has."""

_SAYS_NOTHING = {"metric_loss": "batch_hard"}
"""Values besides the default that a definite configuration has where nobody has chosen."""
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
    contrastive = objective.embedding_loss == CONTRASTIVE
    if objective.framework == CONTRASTIVE and not contrastive:
        raise InputError(
            f"--metric-loss {objective.metric_loss}: --framework {CONTRASTIVE} is EmoBed with the loss {CONTRASTIVE}; "
            "choose --framework emobed for another"
        )
    for name in without_effect(objective.framework):
        _refuse_changed(objective, name, f"--framework {objective.framework} has {_MISSING[name]}")
    if not contrastive:
        _refuse_changed(objective, "temperature", f"--metric-loss {objective.embedding_loss} has no temperature")
    if contrastive and objective.margin != "none":
        _refuse_changed(objective, "margin", f"the loss {CONTRASTIVE} has no margin (that of --framework emobed has)")
    if contrastive:
        _refuse_changed(
            objective, "triplet_preset", f"the loss {CONTRASTIVE} is no triplet loss (that of --framework emobed is)"
        )
    if objective.alignment == "none":
        _refuse_changed(objective, "alignment_weight", "there is no such term without --alignment coral or cmd")
    if objective.framework == DISTILLED and objective.teacher != "early":
        larger = f"the embeddings of --teacher {objective.teacher} have more dimensions than the student's"
        _refuse_changed(objective, "teacher_embedding_weight", larger)


def _refuse_changed(objective: Objective, name: str, reason: str) -> None:
    value = getattr(objective, name)
    if value not in (getattr(Objective, name), _SAYS_NOTHING.get(name)):
        flag = "--" + name.replace("_", "-")
        raise InputError(f"{flag} {value}: {reason}; leave {flag} out")
