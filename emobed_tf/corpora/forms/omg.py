"""OMG-Emotion: an utterance is named by `video` and `utterance`."""

from collections.abc import Sequence

from emobed_tf.corpora.forms import plain
from emobed_tf.corpora.forms.form import Form

_KEY = ("video", "utterance")
_BESIDE = ("link", "start", "end", "EmotionMaxVote")


def recognise(names: Sequence[str]) -> Form | None:
    """Knows OMG-Emotion by `video` and `utterance`.

    Args:
        names: of the columns.

    Returns:
        Both together are the id. None for another header, or one that has an id.
    """
    if not set(_KEY) <= set(names) or "id" in names:
        return None
    roles = {**plain.recognise(names).roles, **{name: name for name in _KEY}}
    beside = tuple(name for name in _BESIDE if name in names)
    return Form("OMG-Emotion", {name: role for name, role in roles.items() if name not in beside}, beside)
