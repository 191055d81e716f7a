"""Batch-hard mining and triplet loss, forward and backward: ours."""

from tests.benchmarks.data import embeddings
from tests.benchmarks.worker import Driver, resident


def main() -> None:
    driver = Driver()
    arguments = driver.arguments
    from emobed_tf.stack import import_tensorflow

    import_tensorflow(arguments["threads"])
    import tensorflow as tf

    from emobed_tf.losses import batch_hard_triplet_loss

    points, classes = embeddings(arguments["count"], arguments["width"], arguments["classes"])
    points, classes = tf.constant(points), tf.constant(classes)

    before = resident()

    @tf.function
    def loss_and_gradient(points):
        with tf.GradientTape() as tape:
            tape.watch(points)
            loss = batch_hard_triplet_loss(points, classes, margin=arguments["margin"])
        return loss, tape.gradient(loss, points)

    def repeat() -> float:
        loss, gradient = loss_and_gradient(points)
        gradient.numpy()
        return float(loss)

    driver.serve(repeat, computes=[repeat()], before=before)


if __name__ == "__main__":
    main()
