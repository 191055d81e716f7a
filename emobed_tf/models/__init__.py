"""The network: encoders, head, objective, mining, optimiser, metrics."""

from emobed_tf.runtime import check_backend

check_backend()  # also for those who use the network without `import_tensorflow`
