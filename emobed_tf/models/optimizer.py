"""Adam in one pass over memory."""

from collections.abc import Sequence
from typing import Any

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

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the state; called by Keras before the first step.

        Args:
            variables: weights that will be updated.
        """
        if not self.built:
            self._state: dict[tuple[Any, str | None], tf.Variable] = {}
        super().build(variables)

    def add_variable_from_reference(
        self, reference_variable: keras.Variable, name: str | None = None, initializer: str = "zeros"
    ) -> keras.Variable:
        """Makes a part of a weight's state; called by Keras for each `momentum` and `velocity`.

        Args:
            reference_variable: the weight.
            name: of the part.
            initializer: of the part.

        Returns:
            A variable of the weight's shape and dtype.
        """
        made = super().add_variable_from_reference(reference_variable, name, initializer)
        weight = reference_variable.value if isinstance(reference_variable, keras.Variable) else reference_variable
        self._state[weight.ref(), name] = made.value
        return made

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Updates a weight and its state, in place.

        Args:
            gradient: of the weight's shape.
            variable: the weight.
            learning_rate: a scalar.
        """
        if self.amsgrad or variable.shape.num_elements() < self.least:
            return super().update_step(gradient, variable, learning_rate)
        number = {name: tf.cast(getattr(self, name), variable.dtype) for name in ("beta_1", "beta_2", "epsilon")}
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._state[variable.ref(), "momentum"].handle,
            v=self._state[variable.ref(), "velocity"].handle,
            beta1_power=number["beta_1"] ** step,
            beta2_power=number["beta_2"] ** step,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=number["beta_1"],
            beta2=number["beta_2"],
            epsilon=number["epsilon"],
            grad=tf.cast(gradient, variable.dtype),
        )
        return None
