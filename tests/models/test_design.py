"""Descriptions of networks: what makes two of them the same."""

from emobed_tf.models.design import EMOBED, Architecture, Branch, Design, Head
from emobed_tf.settings import Network

AUDIO, FACE = Branch("audio", (("audio", 3),)), Branch("face", (("face", 2),))


class TestHead:
    def test_two_of_the_same_description_are_one(self):
        assert Design(heads={Head("valence"): 0.5}).heads == {Head("valence"): 0.5}
        assert len({Head("valence"), Head("valence"), Head("valence", apart=True)}) == 2


class TestArchitecture:
    def test_width_is_that_of_all_columns(self):
        assert Branch("both", (("audio", 3), ("face", 2))).width == 5

    def test_of_target_forgets_the_auxiliaries(self):
        both = Architecture((AUDIO, FACE), 1, Network(), 10.0, (Head("valence"),))
        assert both.of_target == Architecture((AUDIO,), 1, Network(), 10.0, (Head("valence"),))
        assert hash(both.of_target) == hash(Architecture((AUDIO,), 1, Network(), 10.0, (Head("valence"),)))


class TestEmoBedsOwn:
    def test_has_one_head_and_logs_the_spread(self):
        assert Design(spread=True) == EMOBED
        assert not EMOBED.heads and not EMOBED.parts and EMOBED.easy_first is None
