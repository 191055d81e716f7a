"""From a configuration to weights: streams, setup, loop, callbacks."""
