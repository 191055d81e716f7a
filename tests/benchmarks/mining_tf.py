"""Batch-hard mining and triplet loss, forward and backward: ours."""

from tests.benchmarks.data import embeddings_and_a_few
from tests.benchmarks.worker import Driver


def main() -> None:
    driver = Driver()
    arguments = driver.arguments
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(arguments["threads"])
    import tensorflow as tf

    from emobed_tf.models.losses import batch_hard_triplet_loss

    batch, few = (
        [tf.constant(points), tf.constant(classes, tf.int32)]
        for points, classes in embeddings_and_a_few(arguments["count"], arguments["width"], arguments["classes"])
    )

    @tf.function
    def loss_and_gradient(points, classes):
        with tf.GradientTape() as tape:
            tape.watch(points)
            loss = batch_hard_triplet_loss(points, classes, margin=arguments["margin"])
        return loss, tape.gradient(loss, points)

    def repeat(batch=batch) -> float:
        loss, gradient = loss_and_gradient(*batch)
        gradient.numpy()
        return float(loss)

    driver.serve_after_a_first_call(repeat, few)


if __name__ == "__main__":
    main()
