"""Batch-hard mining and triplet loss, forward and backward: pytorch-metric-learning."""

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer

from tests.benchmarks.data import embeddings_and_a_few
from tests.benchmarks.worker import Driver


def main() -> None:
    driver = Driver()
    arguments = driver.arguments
    torch.set_num_threads(arguments["threads"])
    distance = LpDistance(normalize_embeddings=False)
    miner = BatchHardMiner(distance=distance)
    loss_of = TripletMarginLoss(margin=arguments["margin"], distance=distance, reducer=MeanReducer())
    batch, few = (
        (torch.from_numpy(points).requires_grad_(), torch.from_numpy(classes))
        for points, classes in embeddings_and_a_few(arguments["count"], arguments["width"], arguments["classes"])
    )

    def repeat(batch=batch) -> float:
        points, classes = batch
        points.grad = None
        loss = loss_of(points, classes, miner(points, classes))
        loss.backward()
        return float(loss.detach())

    driver.serve_after_a_first_call(repeat, few)


if __name__ == "__main__":
    main()
