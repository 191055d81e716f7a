"""What is counted, under TensorFlow Serving's names."""

import re
import time
from pathlib import Path

import pytest

from serving.metrics import Metrics


@pytest.fixture
def counts():
    return Metrics()


def value(counts, series):
    """The number behind a series on the page."""
    (found,) = re.findall(rf"^{re.escape(series)} (\S+)$", counts.page().decode(), re.MULTILINE)
    return float(found)


def test_requests_by_model_and_outcome(counts):
    for model, code in (("audio", "OK"), ("audio", "OK"), ("audio", "NOT_FOUND"), ("face", "OK")):
        counts.count_prediction(model, code, 0.001)
    series = ':tensorflow:serving:request_count{{model_name="{}",status="{}"}}'
    assert value(counts, series.format("audio", "OK")) == 2
    assert value(counts, series.format("audio", "NOT_FOUND")) == 1
    assert value(counts, series.format("face", "OK")) == 1


def test_latencies_are_microseconds_in_steps_of_1_8(counts):
    """2 ms are 2000 us: more than 10 * 1.8^9 = 1983.6, less than 10 * 1.8^10 = 3570.5."""
    counts.count_prediction("audio", "OK", 0.002)
    labels = 'API="predict",entrypoint="REST",model_name="audio"'
    assert value(counts, f":tensorflow:serving:request_latency_sum{{{labels}}}") == pytest.approx(2000)
    buckets = re.findall(r'request_latency_bucket\{.*?le="([^"]+)".*?\} (\S+)', counts.page().decode())
    reached = {round(float(edge), 1): float(number) for edge, number in buckets if edge != "+Inf"}
    assert (reached[1983.6], reached[3570.5]) == (0, 1)


def test_no_counter_has_a_suffix_of_its_own(counts):
    """Prometheus' library writes `_total` behind a counter's name; dashboards of TensorFlow Serving don't know it."""
    counts.count_prediction("audio", "OK", 0.001)
    assert not re.search(r":tensorflow:\S*_total", counts.page().decode())


def test_time_in_the_graph(counts):
    with counts.timed_run("audio"):
        time.sleep(0.02)
    labels = 'API="Predict",model_name="audio",runtime="TF1"'
    assert value(counts, f":tensorflow:serving:runtime_latency_sum{{{labels}}}") >= 20_000


def test_attempts_to_load(counts):
    with counts.counted_load(Path("audio/1")):
        pass
    with pytest.raises(OSError, match="gone"), counts.counted_load(Path("audio/2")):
        raise OSError("gone")
    series = ':tensorflow:cc:saved_model:load_attempt_count{{model_path="{}",status="{}"}}'
    assert value(counts, series.format("audio/1", "success")) == 1
    assert value(counts, series.format("audio/2", "fail")) == 1


def test_under_way(counts):
    counts.under_way.inc()
    assert value(counts, "emobed_serving_predictions_under_way") == 1
