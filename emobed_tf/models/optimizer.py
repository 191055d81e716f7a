"""Adam in one pass over memory."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="emobed_tf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, updated by TensorFlow's own kernel: same arguments, state, and numbers up to rounding.

    Keras writes the update as a dozen operations, each of which reads and writes the whole weight: with 4096 features
    that takes longer than the products of a step. Small weights, whose operations run beside others in less time than
    the kernel takes to start, and what the kernel doesn't do (`amsgrad`) are left to Keras.

    Attributes:
        least: elements of a weight that the kernel is used for.
    """

    least = 2**18

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or variable.shape.num_elements() < self.least:
            return super().update_step(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        number = {name: tf.cast(getattr(self, name), variable.dtype) for name in ("beta_1", "beta_2", "epsilon")}
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=number["beta_1"] ** step,
            beta2_power=number["beta_2"] ** step,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=number["beta_1"],
            beta2=number["beta_2"],
            epsilon=number["epsilon"],
            grad=tf.cast(gradient, variable.dtype),
        )
        return None
