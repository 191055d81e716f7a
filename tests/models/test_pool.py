"""Models that wait to be used again: whose they are, and how many stay."""

from emobed_tf.models.pool import ModelPool


class Model:
    """Stands for a model."""


class TestIdle:
    def test_belongs_to_one_training_at_a_time(self):
        pool, model = ModelPool(), Model()
        assert pool.take("shape") is None
        pool.leave("shape", model)
        assert pool.take("another shape") is None
        assert pool.take("shape") is model
        assert pool.take("shape") is None

    def test_a_few_are_kept_the_latest(self):
        pool = ModelPool(most=3)
        for k in range(5):
            pool.leave(k, Model())
        assert list(pool.idle) == [2, 3, 4]

    def test_none_is_kept_once_closed(self):
        pool = ModelPool()
        pool.leave("before", Model())
        pool.close()
        pool.leave("after", Model())
        assert not pool.idle


class TestPredicting:
    def test_is_built_once_for_each_architecture(self):
        pool, built = ModelPool(), []

        def build(architecture):
            built.append(architecture)
            return Model()

        first = pool.predicting("a", build)
        assert pool.predicting("b", build) is not first
        assert pool.predicting("a", build) is first
        assert built == ["a", "b"]

    def test_the_longest_unused_goes(self):
        pool = ModelPool(most=2)
        a, b = (pool.predicting(name, lambda _: Model()) for name in "ab")
        assert pool.predicting("a", lambda _: Model()) is a
        pool.predicting("c", lambda _: Model())
        assert pool.predicting("a", lambda _: Model()) is a
        assert pool.predicting("b", lambda _: Model()) is not b

    def test_works_once_closed(self):
        pool = ModelPool()
        pool.close()
        assert pool.predicting("a", lambda _: Model()) is not pool.predicting("a", lambda _: Model())
