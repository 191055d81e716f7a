"""Searches and sweeps over the settings of a training, on one machine or many."""
