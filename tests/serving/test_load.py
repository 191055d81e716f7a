"""The server under load: versions that come and go, bad questions, clients that stall; too much; and its end.

Half a minute with the other tests, half an hour with `make soak`; EMOBED_SOAK_SECONDS says another time.
"""

import base64
import contextlib
import gzip
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.corpora.sounds import tone, write_clips
from tests.saved_model.test_sound import small
from tests.serving.load import Question, Tally, at_rate, resident, send, slow, stalled, throughput
from tests.serving.served import ask, export_gru, serving, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SHARE = 0.8  # of the throughput
CLIENTS, AT_ONCE = 8, 16  # that ask; and predictions that the server takes
PART = 2.0  # seconds
SOAK = float(os.environ.get("EMOBED_SOAK_SECONDS", 1800))
MAX_BODY = 8_000_000
FRAMES = (50, 200, 400)
PATH = "/v1/models/gru{}:predict"
ATOL = 2e-5


@pytest.fixture(scope="module")
def models(stack, tmp_path_factory):
    """A folder with two networks of features, `gru-1` and `gru-2`, and version 1 of `sound`."""
    from emobed_tf.saved_model.export import export_run
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("load")
    for seed in (1, 2):
        export_gru(folder / f"gru-{seed}", seed=seed)
    (folder / "clips").mkdir()
    config = small(write_clips(folder / "clips"), "conv")
    export_run(train_run(config, folder / "run"), folder / "sound")
    return folder


@pytest.fixture
def gru(models, tmp_path):
    """A folder with version 1 of `gru`, and a function that adds the second network and the first in turns."""
    folder = tmp_path / "gru"
    shutil.copytree(models / "gru-1", folder / "1")

    def add(number):
        shutil.copytree(models / f"gru-{2 - number % 2}", folder / f".{number}")
        (folder / f".{number}").rename(folder / str(number))

    return folder, add


@pytest.fixture(scope="module")
def good(stack, models):
    """Questions of features and of sound, with what plain TensorFlow answers; the last one is long."""
    loaded = {k: stack.saved_model.load(str(models / f"gru-{k}")) for k in (1, 2)}

    def of_features(*shape):
        features = rng.normal(size=(*shape, 88)).round(3)  # few digits, so that bodies are small
        expected = [loaded[version].serve(features.astype(np.float32)).numpy() for version in (1, 2)]
        assert np.abs(expected[0] - expected[1]).max() > 100 * ATOL
        body = json.dumps({"instances": features.tolist()}).encode()
        yield Question(PATH.format(""), body, _is_one_of("predictions", *expected))
        yield Question(PATH.format("/versions/1"), body, _is_one_of("predictions", expected[0]))

    sound = stack.saved_model.load(str(models / "sound" / "1")).signatures
    rng, questions = np.random.default_rng(0), []
    for k in range(24):
        questions += of_features(1 + k % 2, FRAMES[k % 3])
    for k in range(8):
        pcm = tone(0.5 + 0.3 * k, 300 + 100 * k, rng).tobytes()
        answer = sound["pcm"](pcm=stack.constant([pcm]))
        body = json.dumps({"signature_name": "pcm", "inputs": {"pcm": [{"b64": base64.b64encode(pcm).decode()}]}})
        is_right = _is_one_of("outputs", answer["probabilities"].numpy(), inner="probabilities")
        questions.append(Question("/v1/models/sound:predict", body.encode(), is_right))
    return [*questions, *of_features(1, 6000)]


def _is_one_of(key, *expected, inner=None):
    def is_right(status, answer):
        if status != 200:
            return False
        found = np.array(answer[key] if inner is None else answer[key][inner])
        return any(found.shape == one.shape and np.abs(found - one).max() <= ATOL for one in expected)

    return is_right


def _refused(status, *words):
    return lambda found, answer: found == status and all(word in answer["error"] for word in words)


def bad():
    """Questions that are refused."""
    frame = [0.0] * 88
    odd = {"signature_name": "pcm", "instances": [{"b64": base64.b64encode(bytes(1281)).decode()}]}
    refused = [
        (PATH.format(""), b'{"instances": [[[1,', 400, "JSON Parse error"),
        (PATH.format(""), b"", 400, "The document is empty"),
        (PATH.format(""), {"instances": [[frame[:87]]]}, 400, ""),
        (PATH.format(""), {"instances": [[frame], [frame, frame]]}, 400, "Expecting tensor size"),
        (PATH.format(""), {"instances": [["words"]]}, 400, "not of expected type: float"),
        (PATH.format(""), {"signature_name": "nothing", "instances": [[frame]]}, 400, '"nothing" not found'),
        (PATH.format("/versions/999999"), {"instances": [[frame]]}, 404, "Specific(gru, 999999)"),
        (PATH.format("/labels/none"), {"instances": [[frame]]}, 400, "label: none"),
        ("/v1/models/nobody:predict", {"instances": [[frame]]}, 404, "Latest(nobody)"),
        ("/v1/models/sound:predict", odd, 400, "odd number of bytes, 1281"),
        ("/v1/models/sound:predict", {"instances": [[[1e39] * 640]]}, 400, "got an infinite one"),
    ]
    for path, body, status, words in refused:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        yield Question(path, content, _refused(status, words))
    bomb = gzip.compress(bytes(MAX_BODY + 1))
    yield Question(PATH.format(""), bomb, _refused(413, "when it is uncompressed"), encoding="gzip")


class _Renewal:
    """A new version every few seconds while the block runs; all but version 1 and the newest two are removed."""

    def __init__(self, gru, seconds):
        self.numbers = itertools.count(2)
        self._folder, self._add = gru
        self._seconds, self._ended = seconds, threading.Event()
        self._thread = threading.Thread(target=self._renew)

    def _renew(self):
        while not self._ended.wait(self._seconds):
            number = next(self.numbers)
            self._add(number)
            if number > 3:
                shutil.rmtree(self._folder / str(number - 2))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(15.0, marks=pytest.mark.slow),
        pytest.param(SOAK, marks=[pytest.mark.soak, pytest.mark.timeout(2 * SOAK + 600)]),
    ],
)
def test_load(models, gru, good, seconds, capsys):
    """Every answer is right, memory is flat, who stalls holds up nobody; too much is refused, and the end is clean."""
    is_long = seconds >= 120
    *usual, long_one = good[:-1]
    arguments = ["--poll", 0.5, "--max-concurrent", AT_ONCE, "--max-body", MAX_BODY / 1e6]
    with serving(*arguments, model_dirs=[gru[0], models / "sound"]) as running:
        most = throughput(running.url, usual, CLIENTS, 20 if is_long else 3)
        steady, slowly, memory, versions = _steady(running, gru, usual, SHARE * most, seconds)
        flood = at_rate(running.url, usual, 3 * most, 4 * AT_ONCE, max(5.0, seconds / 20))
        begun = time.monotonic()
        assert ask(running.url + usual[0].path, json.loads(usual[0].body))[0] == 200
        recovered = time.monotonic() - begun
        count = _end_under_way(running, long_one)
    refused = steady.statuses.total() - steady.statuses[200]
    lines = (
        f"{seconds:.0f} s at {SHARE:.0%} of {most:.1f} questions a second: {steady.statuses[200]} answered, "
        f"{refused} bad ones refused, {slowly.statuses[200]} slow ones answered, {versions} new versions; "
        f"median {1000 * steady.quantile(0.5):.0f} ms, p99 {1000 * steady.quantile(0.99):.0f} ms",
        f"memory in MB: {' '.join(f'{m:.0f}' for m in memory[:: -(-len(memory) // 10)])} {memory[-1]:.0f}",
        f"at 3 times the throughput: {flood.statuses[200]} answered, {flood.statuses[503]} refused, p99 of refusals "
        f"{1000 * flood.quantile(0.99, 503):.0f} ms; the next question was answered after {1000 * recovered:.0f} ms",
        f"SIGTERM with {count} questions under way: answered, then exit code 0",
    )
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert [*steady.wrong, *slowly.wrong, *flood.wrong] == []
    assert steady.statuses[503] == slowly.statuses[503] == 0
    assert slowly.statuses[200] > 0
    assert steady.quantile(0.99) < 10
    assert memory[-1] < memory[len(memory) // (5 if is_long else 2)] * (1.05 if is_long else 1.2)
    assert flood.quantile(0.99, 503) < 5
    assert recovered < 10


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_large_bodies_leave_the_memory_flat(gru, good, capsys):
    """Five of 60 MB at once, thirteen times: three full of numbers, and two of empty lists, which are refused."""
    row = "[" + ",".join(["0.12345678901"] * 88) + "]"
    frames = "[" + ",".join([row] * 500) + "]"
    count = 60_000_000 // len(frames)
    numbers = ('{"instances": [' + ",".join([frames] * count) + "]}").encode()
    lists = b'{"instances": [' + b",".join([b"[]"] * 20_000_000) + b"]}"
    large = [
        Question(PATH.format(""), numbers, lambda status, answer: len(answer["predictions"]) == count),
        Question(PATH.format(""), lists, _refused(413, "numbers and lists")),
    ]
    memory = []
    with serving("--timeout", 300, model_dirs=[gru[0]]) as running:
        for _ in range(13):
            at_once = [large[k % 2] for k in range(5)]
            with ThreadPoolExecutor(len(at_once)) as pool:
                answers = list(pool.map(lambda question: _until_taken(running, question), at_once))
            for question, answer in zip(at_once, answers, strict=True):
                assert question.is_right(*answer), str(answer)[:300]
            assert ask(running.url + good[0].path, json.loads(good[0].body))[0] == 200
            memory.append(resident(running.process.pid))
    with capsys.disabled():
        print(f"\nmemory in MB after five bodies of 60 MB each time: {' '.join(f'{m:.0f}' for m in memory)}")
    assert min(memory[-3:]) < 1.05 * max(memory[2:5])


def _until_taken(running, question):
    """Status and JSON of the first answer that isn't 503: the server takes few large bodies at once."""
    while True:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=600)) as connection:
            status, text = send(connection, question)
        if status != 503:
            return status, json.loads(text)
        time.sleep(0.5)


def _steady(running, gru, usual, rate, seconds):
    """What became of usual and bad questions, and of slow ones; memory after each part; and how many versions came."""
    steady, slowly, memory = Tally(), Tally(), []
    shortest = sorted(usual, key=lambda question: len(question.body))[:6]
    with (
        _Renewal(gru, max(3.0, min(10.0, seconds / 60))) as renewal,
        stalled(running.url, PATH.format(""), 20),
        slow(running.url, shortest, 3, slowly),
    ):
        end = time.monotonic() + seconds
        while time.monotonic() < end:  # anew every few seconds: a machine that is busy otherwise is not behind for ever
            steady += at_rate(running.url, usual * 2 + list(bad()), rate, CLIENTS, PART)
            memory.append(resident(running.process.pid))
    return steady, slowly, memory, next(renewal.numbers) - 2


def _end_under_way(running, question):
    """SIGTERM while long questions are computed: what has arrived is answered, and the process ends with 0.

    Returns:
        How many were under way.
    """

    def asked(_):
        with contextlib.closing(http.client.HTTPConnection(urlsplit(running.url).netloc, timeout=120)) as connection:
            status, text = send(connection, question)
        if status == 503:
            assert b"the server is ending" in text
            return False
        assert question.is_right(status, json.loads(text)), text[:200]
        return True

    def under_way():
        _, text = running.get("/monitoring/prometheus/metrics")
        return float(re.search("^emobed_serving_predictions_under_way (.+)$", text, re.MULTILINE)[1])

    with ThreadPoolExecutor(AT_ONCE // 2) as pool:
        answers = pool.map(asked, range(AT_ONCE // 2))
        count = wait_until(lambda: (found := under_way()) >= 2 and found)
        running.process.send_signal(signal.SIGTERM)
        assert sum(answers) >= count
    assert running.process.wait(timeout=60) == 0
    return round(count)
