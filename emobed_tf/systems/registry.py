"""Systems by name: the rows of the paper's tables, the audit's controls, and those of one's own."""

from emobed_tf.errors import InputError
from emobed_tf.importing import import_named
from emobed_tf.systems.base import System

_SYSTEMS = {
    "classic": "frameworks:ClassicSystem",
    "joint": "frameworks:JointSystem",
    "triplet": "frameworks:TripletSystem",
    "emobed": "frameworks:EmoBedSystem",
    "emobed_stable": "frameworks:StableEmoBedSystem",
    "emobed_weighed": "frameworks:WeighedEmoBedSystem",
    "semi_hard": "frameworks:SemiHardEmoBedSystem",
    "contrastive": "frameworks:ContrastiveEmoBedSystem",
    "aligned": "frameworks:AlignedJointSystem",
    "classic_speaker": "frameworks:SpeakerClassicSystem",
    "trunk": "frameworks:SharedTrunkSystem",
    "distilled": "frameworks:DistilledSystem",
    "early": "baselines.fusion:EarlyFusion",
    "model_level": "baselines.fusion:ModelLevelFusion",
    "late": "baselines.fusion:LateFusion",
    "multi_task": "baselines.multitask:MultiTask",
    "svr": "baselines.svr:SupportVectorRegression",
    "svm": "baselines.svm:SupportVectorMachine",
    "forest": "baselines.forest:RandomForest",
    "strength": "baselines.strength:StrengthModelling",
    "mtl_re": "baselines.difficulty:ReconstructionErrorLearning",
    "reconstruction": "baselines.reconstruction:ReconstructionMultiTask",
    "mtl_pu": "baselines.perception:PerceptionMultiTask",
    "ddat_re": "baselines.difficulty:ReconstructionDifficulty",
    "ddat_pu": "baselines.difficulty:PerceptionDifficulty",
    "curriculum": "baselines.curriculum:CurriculumLearning",
}
SYSTEM_NAMES = tuple(_SYSTEMS)
"""Names of the package's own systems: the rows of its tables."""

_CONTROLS = {
    "triplet_alone": "controls:TripletAlone",
    "permuted_labels": "controls:PermutedLabels",
    "itself_as_auxiliary": "controls:ItselfAsAuxiliary",
    "as_many_steps": "controls:AsManySteps",
}
CONTROL_NAMES = tuple(_CONTROLS)
"""Names of the audit's controls: systems, too, but no rows of a table."""


def control_name(control: str, system: str) -> str:
    """What a control of a system is called.

    Args:
        control: one of `CONTROL_NAMES`.
        system: name of a system.

    Returns:
        The control's own name for EmoBed's, else `CONTROL@SYSTEM`.
    """
    return control if system == "emobed" else f"{control}@{system}"


def controlled_system(name: str) -> str:
    """The system that a control is of: what `control_name` took.

    Args:
        name: of a control.

    Returns:
        What stands after the `@`, or else `emobed`.
    """
    return name.partition("@")[2] or "emobed"


FORMER_NAMES = {
    "triplet_alone": "emobed_tf.controls:TripletAlone",
    "permuted_labels": "emobed_tf.controls:PermutedLabels",
    "itself_as_auxiliary": "emobed_tf.controls:ItselfAsAuxiliary",
    "as_many_steps": "emobed_tf.controls:AsManySteps",
}
"""What systems were called before, by their names."""


def find_system(name: str) -> type[System]:
    """A system by name. Its module is imported only then.

    Args:
        name: one of `SYSTEM_NAMES` or `CONTROL_NAMES`, a former name, `package.module:Class`, or `CONTROL@SYSTEM` for a
            control of another system than EmoBed.

    Returns:
        The class.

    Raises:
        InputError: if there is none of that name.
    """
    control, _, system = name.partition("@")
    if system and control in CONTROL_NAMES:
        return import_named("emobed_tf.systems.controls:control_of")(find_system(control), find_system(system))
    where = _places().get(name, name)
    module, _, attribute = where.partition(":")
    if not module or not attribute:
        raise InputError(
            f"unknown system '{name}'; expected {', '.join(SYSTEM_NAMES)}, a control of the audit "
            f"({', '.join(CONTROL_NAMES)}), or package.module:Class"
        )
    try:
        found = import_named(where)
    except ImportError as error:
        raise InputError(f"system {name}: {error}; expected a class of a module that Python can import") from None
    if not (isinstance(found, type) and issubclass(found, System)) or found.__abstractmethods__:
        raise InputError(f"system {name}: expected a subclass of emobed_tf.systems.System with all of its methods")
    return found


def _places() -> dict[str, str]:
    """`package.module:Class` of every system and control, by present and former names."""
    places = {name: f"emobed_tf.systems.{place}" for name, place in (_SYSTEMS | _CONTROLS).items()}
    return places | {former: places[name] for name, former in FORMER_NAMES.items()}
