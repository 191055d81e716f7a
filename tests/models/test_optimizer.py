"""FusedAdam against Keras' own Adam, and against one step worked by hand."""

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


def weights_after(optimizer, gradients, start):
    import tensorflow as tf

    variables = [tf.Variable(values) for values in start]
    optimizer.build(variables)
    for step in gradients:
        optimizer.apply_gradients(zip([tf.constant(g) for g in step], variables, strict=True))
    return [v.numpy() for v in variables], [np.asarray(v) for v in optimizer.variables]


@pytest.mark.parametrize(
    "arguments", [{}, {"beta_1": 0.5, "epsilon": 0.1}, {"amsgrad": True}, {"global_clipnorm": 0.1}]
)
def test_weights_and_state_are_those_of_keras_adam(arguments):
    import keras

    from emobed_tf.models.optimizer import FusedAdam

    random = np.random.default_rng(0)
    start = [random.standard_normal(shape).astype(np.float32) for shape in ((7, 5), (3,), ())]
    gradients = [[random.standard_normal(s.shape).astype(np.float32) for s in start] for _ in range(20)]
    optimizer = FusedAdam(0.01, **arguments)
    optimizer.least = 5  # the kernel for the first of the three, Keras for the others
    ours, our_state = weights_after(optimizer, gradients, start)
    keras_, their_state = weights_after(keras.optimizers.Adam(0.01, **arguments), gradients, start)
    for mine, theirs in zip(ours + our_state, keras_ + their_state, strict=True):
        # The kernel takes 1 - beta_2 in float32: 1 - .999 is 4.7e-5 off, relatively.
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-7)


def test_first_step_by_hand():
    from emobed_tf.models.optimizer import FusedAdam

    # m = 0.1 g, v = 0.001 g^2, both divided by what they lack: 1 - 0.9 and 1 - 0.999. So m / sqrt(v) is the sign of g,
    # and the first step is the learning rate whatever the gradient: 1 - 0.25 and 1 + 0.25.
    optimizer = FusedAdam(0.25)
    optimizer.least = 0
    weights, _ = weights_after(optimizer, [[np.array([3.0, -0.02], np.float32)]], [np.ones(2, np.float32)])
    np.testing.assert_allclose(weights[0], [0.75, 1.25], rtol=1e-4)


def test_the_learning_rate_is_a_variable_of_the_compiled_step():
    import tensorflow as tf

    from emobed_tf.models.optimizer import FusedAdam

    optimizer, weight = FusedAdam(0.25), tf.Variable([1.0])
    optimizer.least = 0
    optimizer.build([weight])
    step = tf.function(lambda g: optimizer.apply_gradients([(g, weight)]))
    step(tf.constant([1.0]))
    optimizer.learning_rate = 0.0
    before = weight.numpy()
    step(tf.constant([1.0]))
    np.testing.assert_array_equal(weight.numpy(), before)
    assert step.experimental_get_tracing_count() == 1
