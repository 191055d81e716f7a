"""Balanced batches; those of all items, whatever their class, are tested as streams."""

import dataclasses

import numpy as np
import pytest

from tests.training.test_streams import modality, sequences

pytestmark = pytest.mark.usefixtures("stack")


def drawn(classes, size, number, seed=0, first=0, name="audio"):
    """Items of the first batches of a balanced stream."""
    from emobed_tf.training.streams import stream

    values = sequences(modality([1] * len(classes), name=name))
    values = dataclasses.replace(values, drawn_by=np.array(classes, np.int32))
    batches = stream(values, size, seed, first).take(number)
    return [batch["features"][:, 0, 0].numpy().astype(int).tolist() for batch in batches]


class TestClassByClass:
    """Every batch of a long stretch, counted one by one."""

    UNEVEN = (0, 2, 0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 2)  # 8, 2 and 3 items

    @pytest.mark.parametrize("size", [3, 4, 7, 12, 13])
    def test_as_many_of_one_class_as_of_another(self, size):
        counts = np.array([np.bincount(np.take(self.UNEVEN, b), minlength=3) for b in drawn(self.UNEVEN, size, 60)])
        assert (counts.sum(axis=1) == size).all()
        assert (np.ptp(counts, axis=1) <= 1).all()
        assert np.ptp(counts.sum(axis=0)) <= 1, "the remainder goes to each of them in turn"

    def test_more_classes_than_items_of_a_batch(self):
        classes = [0, 1, 2, 3, 4] * 2
        found = np.take(classes, drawn(classes, 3, 10))
        assert all(len(set(batch)) == 3 for batch in found.tolist())
        assert np.bincount(found.ravel()).tolist() == [6] * 5

    def test_a_class_gives_each_item_once_before_any_comes_again(self):
        in_order = np.concatenate(drawn(self.UNEVEN, 5, 90))
        for k in range(3):
            members = np.flatnonzero(np.array(self.UNEVEN) == k)
            mine = in_order[np.isin(in_order, members)]
            passes = [mine[i : i + len(members)] for i in range(0, len(mine) - len(members) + 1, len(members))]
            assert len(passes) > 15
            assert all(sorted(one) == members.tolist() for one in passes)
            assert len({str(one) for one in passes}) > 1, "each pass has an order of its own"

    def test_a_batch_is_a_function_of_its_number(self):
        from emobed_tf.training.streams import stream

        whole = drawn(self.UNEVEN, 4, 12)
        assert drawn(self.UNEVEN, 4, 3, first=7) == whole[7:10]
        values = sequences(modality([1] * len(self.UNEVEN)))
        values = dataclasses.replace(values, drawn_by=np.array(self.UNEVEN))
        stacked = next(iter(stream(values, 4, 0, first=2, steps=5)))["features"][..., 0, 0].numpy()
        assert stacked.tolist() == whole[2:7]

    def test_seeds_modalities_and_classes_have_their_own_order(self):
        classes = [0] * 20 + [1] * 20
        orders = []
        for name, seed in (("audio", 0), ("audio", 1), ("video", 0)):
            items = np.array(drawn(classes, 40, 1, seed, name=name)[0])
            orders += [items[items < 20], items[items >= 20] - 20]
        assert len({str(order) for order in orders}) == 6

    def test_a_single_class_and_a_single_item(self):
        assert drawn([4], 3, 2) == [[0], [0]]
        assert sorted(drawn([4, 4, 4], 3, 1)[0]) == [0, 1, 2]
