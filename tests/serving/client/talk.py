"""What is said to the stand-in, and what it should answer; see `fake_serving`."""

import numpy as np

# Two frames (loudness, pitch): s(0) = 1, s(1) = 1/2 + 2 + 10 * 3 = 32.5
FEATURES = np.array([[1, 0], [2, 3]], np.float32)
PREDICTION = [1, 32.5]


def unavailable(**headers):
    return 503, {"Content-Type": "application/json", **headers}, '{"error": "overloaded"}'


def predictions_asked(server):
    """Bodies of the requests that carried features."""
    return [body for path, body in server.asked if path.endswith(":predict") and '"features"' in body]
