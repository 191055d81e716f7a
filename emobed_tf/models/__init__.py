"""The network: encoders, head, objective, mining, optimiser, metrics."""
