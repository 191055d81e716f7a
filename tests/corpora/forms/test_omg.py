"""OMG-Emotion's header."""

import pytest

from emobed_tf.corpora.forms import omg


def test_video_and_utterance_are_the_id():
    form = omg.recognise(("link", "start", "end", "video", "utterance", "arousal", "EmotionMaxVote", "f"))
    assert form.roles == {"video": "video", "utterance": "utterance"}
    assert form.beside == ("link", "start", "end", "EmotionMaxVote")


@pytest.mark.parametrize("names", [("video", "f"), ("id", "video", "utterance")])
def test_others(names):
    assert omg.recognise(names) is None
