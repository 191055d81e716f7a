"""What a network is made of and what it learns beside the label. No TensorFlow.

A `Design` says how a network differs from EmoBed's own, which is `EMOBED`; an `Architecture` adds what the data and the
settings say, and is all that a network's weights depend on but their values.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from emobed_tf.settings import Network

BIN, PRESENT, LABELLED = "bin", "present", "labelled"
"""Names of further arrays of a batch: the bin of every frame or utterance, which features exist, and, where not all of
them have, which frames have a label."""
TAUGHT, SOFT_TARGETS, TEACHER_EMBEDDINGS = "taught", "soft_targets", "teacher_embeddings"
"""Names of what a teacher says, in a batch: which items it has seen, its outputs, and its mined embeddings."""
HIDDEN = "shared.hidden"
"""Name of the label's head with two outputs: its last hidden layer, where other heads stand on that, and its own."""


@dataclass(frozen=True)
class Head:
    """What a network predicts beside the label.

    Attributes:
        name: of a label that every training recording has, a number per frame, NaN where it isn't known; with
            `reconstructs` any name.
        width: outputs per frame.
        apart: with GRU layers of its own behind the encoder; else an output layer behind the GRUs of the label's head.
        reconstructs: whether it learns the standardised input instead of a label.
    """

    name: str
    width: int = 1
    apart: bool = False
    reconstructs: bool = False

    @property
    def layer(self) -> str:
        """Name of its network."""
        return f"{self.name}.head"

    @property
    def labelled(self) -> str:
        """Name of an array of a batch: which frames have the label, where not all of them have."""
        return f"{self.name}.{LABELLED}"


@dataclass(frozen=True)
class Design:
    """How a network and its objective differ from those of a target with auxiliaries and one head.

    Attributes:
        parts: encoders of the target, as (name, features) in the order of its columns. Default: one of all columns.
        heads: beside the label's, each with the weight of its loss.
        easy_first: name of a label that holds the bin of every frame or utterance. The label's loss counts those alone
            that are below the model's variable `bins_in`. Default: all count.
        spread: whether the spread of embeddings is logged: collapse is invisible in d+ - d-.
    """

    parts: tuple[tuple[str, int], ...] = ()
    heads: Mapping[Head, float] = dataclasses.field(default_factory=dict)
    easy_first: str | None = None
    spread: bool = False


EMOBED = Design(spread=True)
"""EmoBed's own, whatever its framework: an encoder for each modality and one head."""


@dataclass(frozen=True)
class Branch:
    """An input of a network.

    Attributes:
        modality: its name.
        parts: its encoders, as (name, features) in the order of the input's columns; their embeddings stand side by
            side. With one part, the encoder is named after the modality.
        waveform: whether its columns are samples, for which the network's front end stands before the encoder.
    """

    modality: str
    parts: tuple[tuple[str, int], ...]
    waveform: bool = False

    @property
    def width(self) -> int:
        """Number of features."""
        return sum(width for _, width in self.parts)


@dataclass(frozen=True)
class Architecture:
    """All that a network's weights depend on but the data and the seed.

    Attributes:
        branches: an input for each modality, the target first.
        outputs: 1, or the number of classes.
        network: layers and units.
        clip: see `Standardise`.
        heads: beside the label's, of the target.
    """

    branches: tuple[Branch, ...]
    outputs: int
    network: Network
    clip: float
    heads: tuple[Head, ...] = ()

    @property
    def of_target(self) -> "Architecture":
        """What is kept after training: the same without the auxiliaries."""
        return dataclasses.replace(self, branches=self.branches[:1])
