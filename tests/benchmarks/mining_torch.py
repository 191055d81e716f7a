"""Batch-hard mining and triplet loss, forward and backward: pytorch-metric-learning."""

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer

from tests.benchmarks.data import embeddings
from tests.benchmarks.worker import Driver, resident


def main() -> None:
    driver = Driver()
    arguments = driver.arguments
    torch.set_num_threads(arguments["threads"])
    distance = LpDistance(normalize_embeddings=False)
    miner = BatchHardMiner(distance=distance)
    loss_of = TripletMarginLoss(margin=arguments["margin"], distance=distance, reducer=MeanReducer())
    points, classes = map(torch.from_numpy, embeddings(arguments["count"], arguments["width"], arguments["classes"]))
    points.requires_grad_()

    before = resident()

    def repeat() -> float:
        points.grad = None
        loss = loss_of(points, classes, miner(points, classes))
        loss.backward()
        return float(loss.detach())

    driver.serve(repeat, computes=[repeat()], before=before)


if __name__ == "__main__":
    main()
