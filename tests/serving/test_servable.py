"""SavedModels in sessions: what they answer, that they stop in time, warm up, and leave nothing behind."""

import gc
import shutil
import time
import weakref

import numpy as np
import pytest

from serving.rest import RestError


@pytest.fixture
def servable_of(stack):
    from serving.servable import Servable

    return lambda path: Servable(path, threads=1)


@pytest.fixture(scope="module")
def slow(stack, tmp_path_factory):
    from tests.serving.slow_model import export_slow

    folder = tmp_path_factory.mktemp("slow") / "1"
    export_slow(folder)
    return folder


def run(servable, name="serving_default", seconds=60.0, **inputs):
    return servable.run(servable.signature(name), inputs, seconds)


def test_answers_like_keras(stack, contract_models, servable_of):
    path = contract_models / "gru" / "1"
    features = np.random.default_rng(0).normal(size=(3, 7, 88)).astype(np.float32)
    (found,) = run(servable_of(path), features=features).values()
    loaded = stack.saved_model.load(str(path))
    np.testing.assert_allclose(found, loaded.serve(features).numpy(), atol=1e-6)


def test_types_and_strings(exported, servable_of):
    servable = servable_of(exported / "speech" / "1")
    assert servable.signature("serving_default").dtypes == {"features": "float"}
    assert servable.signature("manifest").dtypes == {"request": "string"}
    answer = run(servable, features=np.zeros((2, 1, 5), np.float32))
    assert answer["label"].shape == (2,)
    assert set(answer["label"]) <= {b"anger", b"calm", b"joy"}
    request = np.array([b"", b"x"], object)
    (first, second) = run(servable, "manifest", request=request)["manifest"]
    assert first == second == (exported / "speech" / "1" / "manifest.json").read_bytes()


def test_the_shape_of_an_example(contract_models, exported, slow, servable_of):
    """Sizes that are left open are 1."""
    for path, shape in ((contract_models / "gru" / "1", (1, 88)), (exported / "speech" / "1", (1, 5)), (slow, ())):
        assert servable_of(path).example_shape() == shape


def test_there_is_no_example_of_texts(exported, servable_of):
    servable = servable_of(exported / "speech" / "1")
    servable.metadata = {"serving_default": servable.metadata["manifest"]}
    assert servable.example_shape() is None
    servable.metadata = {}
    assert servable.example_shape() is None


def test_the_model_says_what_is_wrong_with_a_shape(exported, servable_of):
    servable = servable_of(exported / "audio" / "1")
    for shape, words in (((1, 2, 87), "expected 88 audio features a frame, got 87"), ((1, 0), r"got \[1, 0\]")):
        with pytest.raises(RestError, match=f"^assertion failed: .*{words}") as caught:
            run(servable, features=np.zeros(shape, np.float32))
        assert caught.value.status == 400


def test_words_that_quote_bytes():
    """TensorFlow's error of a damaged sound quotes some of its bytes, and Python can't decode it."""
    from serving.servable import _in_tensorflows_words

    with pytest.raises(RestError, match="can't read the input's bytes") as caught, _in_tensorflows_words():
        b"\x9b".decode()
    assert caught.value.status == 400


def test_no_such_signature(contract_models, servable_of):
    with pytest.raises(RestError, match='^Serving signature name: "nosig" not found in signature def$'):
        servable_of(contract_models / "gru" / "1").signature("nosig")


def test_stops_in_time(slow, servable_of):
    servable = servable_of(slow)
    assert run(servable, amount=np.float32([1000]))["amount"] == [1000]
    begun = time.monotonic()
    with pytest.raises(RestError) as caught:
        run(servable, amount=np.float32([1e9]), seconds=0.2)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - begun < 5, "counting to the end takes hours"


class TestWarmUp:
    def test_runs_a_request_for_each_signature(self, exported, servable_of):
        audio = servable_of(exported / "audio" / "1")
        answers = []
        run_as_usual = audio.run

        def watched_run(signature, inputs, seconds):
            answers.append(run_as_usual(signature, inputs, seconds))

        audio.run = watched_run
        assert audio.warm_up() == 6
        states = {f"{part}_state_{k}" for part in ("encoder", "head") for k in (1, 2)}
        expected = [{"embedding"}, {"manifest"}, {"postprocessed"}, {"prediction"}, {"prediction", *states}]
        expected.append({"prediction", "postprocessed"})  # of features in bytes
        assert sorted(map(sorted, answers)) == sorted(map(sorted, expected))

    def test_nothing_to_do(self, contract_models, servable_of):
        assert servable_of(contract_models / "gru" / "1").warm_up() == 0

    def test_a_request_that_fails(self, stack, contract_models, servable_of, tmp_path):
        from tensorflow_serving.apis.predict_pb2 import PredictRequest
        from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

        path = tmp_path / "1"
        shutil.copytree(contract_models / "gru" / "1", path)
        (path / "assets.extra").mkdir()
        request = PredictRequest()
        request.inputs["features"].CopyFrom(stack.make_tensor_proto(np.zeros((1, 1, 3), np.float32)))
        with stack.io.TFRecordWriter(str(path / "assets.extra" / "tf_serving_warmup_requests")) as writer:
            writer.write(PredictionLog(predict_log=PredictLog(request=request)).SerializeToString())
        with pytest.raises(RestError, match="88"):
            servable_of(path).warm_up()


class TestFiles:
    def test_missing_or_damaged(self, stack, contract_models, servable_of, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"saved_model\.pb"):
            servable_of(tmp_path)
        path = tmp_path / "1"
        shutil.copytree(contract_models / "gru" / "1", path)
        weights = path / "variables" / "variables.data-00000-of-00001"
        weights.write_bytes(weights.read_bytes()[:100])
        with pytest.raises(RestError, match="^Read less bytes than requested"):
            servable_of(path)
        (path / "saved_model.pb").write_bytes(b"no protocol buffer")
        with pytest.raises(Exception, match="pars"):
            servable_of(path)

    def test_a_graph_that_is_not_for_serving(self, stack, contract_models, servable_of, tmp_path):
        from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

        saved = SavedModel.FromString((contract_models / "gru" / "1" / "saved_model.pb").read_bytes())
        saved.meta_graphs[0].meta_info_def.tags[:] = ["train"]
        (tmp_path / "saved_model.pb").write_bytes(saved.SerializeToString())
        with pytest.raises(ValueError, match="no graph with the tag 'serve'"):
            servable_of(tmp_path)


def test_memory_is_freed_with_the_last_reference(contract_models, servable_of):
    servable = servable_of(contract_models / "gru" / "1")
    session, graph = weakref.ref(servable._session), weakref.ref(servable._session.graph)
    run(servable, features=np.zeros((1, 1, 88), np.float32))
    gc.collect()
    assert session() is not None
    del servable
    assert session() is None, "without waiting for the garbage collector"
    gc.collect()
    assert graph() is None
