"""What the package uses of other libraries that they don't call public (docs/dependencies.md has the list).

A test that fails here after an update says what has to be looked at.
"""

import importlib
import inspect
import io
import os

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


def needs(condition: bool, what: str, users: str) -> None:
    """Fails with what has moved, and what in this package stands on it."""
    if not condition:
        pytest.fail(f"{what} is not what it was; {users} depends on it")


class TestKeras:
    def test_recurrent_layers_do_their_work_in_inner_loop(self, monkeypatch):
        import keras

        asked = []

        class Layer(keras.layers.GRU):
            def inner_loop(self, sequences, initial_state, mask, training=False):
                asked.append((tuple(sequences.shape), len(initial_state), mask, training))
                return super().inner_loop(sequences, initial_state, mask, training=training)

        output = Layer(3, return_sequences=True)(np.zeros((2, 4, 5), np.float32), training=True)
        needs(tuple(output.shape) == (2, 4, 3), "keras.layers.RNN.inner_loop", "models/fused_gru.py")
        needs(
            asked == [((2, 4, 5), 1, None, True)],
            "what keras.layers.RNN.call hands to inner_loop",
            "models/fused_gru.py",
        )

    def test_adam_makes_its_state_by_add_variable_from_reference(self):
        import keras

        made = []

        class Optimizer(keras.optimizers.Adam):
            def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
                made.append(name)
                return super().add_variable_from_reference(reference_variable, name, initializer)

        Optimizer().build([keras.Variable(np.zeros(2)), keras.Variable(np.zeros(3))])
        needs(made == ["momentum", "velocity"] * 2, "how keras.optimizers.Adam names its state", "models/optimizer.py")

    def test_layers_inside_of_a_layer(self):
        import keras

        layer = keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=True))
        layer.build((None, None, 3))
        found = [type(one).__name__ for one in layer._flatten_layers()]
        expected = ["Bidirectional", "LSTM", "LSTMCell", "LSTM", "LSTMCell"]
        needs(found == expected, "keras.layers.Layer._flatten_layers", "models/weights.py")


class TestTensorFlow:
    def test_protocol_buffers(self):
        for module, name in (
            ("framework.types_pb2", "DataType"),
            ("protobuf.error_codes_pb2", "Code"),
            ("protobuf.meta_graph_pb2", "MetaGraphDef"),
            ("protobuf.saved_model_pb2", "SavedModel"),
        ):
            found = getattr(importlib.import_module(f"tensorflow.core.{module}"), name, None)
            needs(found is not None, f"tensorflow.core.{module}.{name}", "serving/servable.py")

    def test_the_configuration_of_functions(self):
        from tensorflow.python.eager import context

        options = context.context().function_call_options
        needs(bool(options.config_proto_serialized), "context().function_call_options", "tests/test_runtime.py")


class TestTensorBoard:
    def test_event_files_without_tensorflow(self):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter

        content = io.BytesIO()
        RecordWriter(content).write(Event(file_version="brain.Event:2").SerializeToString())
        # Length (8 bytes), its checksum (4), the event, its checksum (4).
        size = int.from_bytes(content.getvalue()[:8], "little")
        needs(
            len(content.getvalue()) == 8 + 4 + size + 4 and size > 0,
            "tensorboard.summary.writer.record_writer.RecordWriter",
            "embeddings/projector.py and tuning/search_results.py",
        )

    def test_projector_and_hyperparameters(self):
        from tensorboard.plugins.hparams import api, summary
        from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
        from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

        needs(hasattr(ProjectorConfig(), "embeddings"), "ProjectorConfig", "embeddings/projector.py")
        needs(STATUS_SUCCESS != STATUS_FAILURE, "tensorboard.plugins.hparams.api_pb2", "tuning/search_results.py")
        ended = summary.session_end_pb(STATUS_SUCCESS)
        needs(bool(ended.value), "tensorboard.plugins.hparams.summary.session_end_pb", "tuning/search_results.py")
        needs(callable(api.hparams_config_pb), "tensorboard.plugins.hparams.api", "tuning/search_results.py")


class TestKerasTuner:
    def test_traces_of_failed_trials_can_be_turned_off(self):
        from keras_tuner.src import config
        from keras_tuner.src.engine import base_tuner

        needs(hasattr(config, "DEBUG"), "keras_tuner.src.config.DEBUG", "tuning/tuners.py")
        needs("config_module.DEBUG" in inspect.getsource(base_tuner), "who asks for DEBUG", "tuning/tuners.py")

    def test_chief_and_workers(self, monkeypatch):
        from keras_tuner.src import protos
        from keras_tuner.src.distribute.oracle_chief import OracleServicer
        from keras_tuner.src.distribute.oracle_client import OracleClient

        service = protos.get_service_grpc()
        needs(hasattr(service, "add_OracleServicer_to_server"), "keras_tuner.src.protos", "tuning/cluster.py")
        for name in ("CreateTrial", "UpdateTrial", "EndTrial"):
            found = inspect.signature(getattr(OracleServicer, name, lambda: None))
            needs(
                list(found.parameters) == ["self", "request", "context"], f"OracleServicer.{name}", "tuning/cluster.py"
            )
        for name, value in (("ORACLE_IP", "127.0.0.1"), ("ORACLE_PORT", "1"), ("TUNER_ID", "worker-1")):
            monkeypatch.setenv(f"KERASTUNER_{name}", value)
        client = OracleClient(object())
        for name in ("GetSpace", "CreateTrial", "UpdateTrial", "EndTrial"):
            needs(hasattr(client.stub, name), f"OracleClient.stub.{name}", "tuning/cluster.py")

    def test_what_an_oracle_keeps(self, tmp_path):
        import keras_tuner
        from keras_tuner.oracles import BayesianOptimizationOracle

        users = "tuning/oracles.py"
        parameters = keras_tuner.HyperParameters()
        parameters.Float("alpha", 0.0, 1.0)
        oracle = BayesianOptimizationOracle(
            keras_tuner.Objective("score", "max"), 4, hyperparameters=parameters, seed=1
        )
        oracle._set_project_dir(str(tmp_path), "search")
        needs(oracle._directory == str(tmp_path), "Oracle._directory", users)
        trial = oracle.create_trial("worker-1")
        needs(oracle.ongoing_trials == {"worker-1": trial}, "Oracle.ongoing_trials", users)
        needs(oracle.start_order == [trial.trial_id] and oracle.end_order == [], "Oracle.start_order, end_order", users)
        needs(oracle._retry_queue == [] and oracle.tuner_ids == {"worker-1"}, "Oracle._retry_queue, tuner_ids", users)
        folder = oracle._get_trial_dir(trial.trial_id)
        needs(os.path.isfile(os.path.join(folder, "trial.json")), "Oracle._save_trial, _get_trial_dir", users)
        oracle.save()
        needs(os.path.isfile(oracle._get_oracle_fname()), "Oracle._get_oracle_fname", users)
        needs(oracle._duplicate(dict(trial.hyperparameters.values)), "Oracle._duplicate", users)
        needs(
            isinstance(oracle._random_state, np.random.RandomState), "BayesianOptimizationOracle._random_state", users
        )
        drawn = oracle._random_populate_space()
        needs(set(drawn) == {"status", "values"}, "BayesianOptimizationOracle._random_populate_space", users)

    def test_a_tuner_asks_for_its_space_before_it_begins(self):
        from keras_tuner.engine.base_tuner import BaseTuner

        needs(
            "_populate_initial_space()" in inspect.getsource(BaseTuner.__init__),
            "BaseTuner._populate_initial_space",
            "tuning/tuners.py",
        )


class TestWorkers:
    def test_errors_of_lost_processes(self):
        from distributed.client import FutureCancelledError
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        for error in (FutureCancelledError, TerminatedWorkerError):
            needs(issubclass(error, Exception), error.__name__, "comparison/workers.py")

    def test_processes_that_can_be_killed(self):
        from joblib.externals.loky import ProcessPoolExecutor, as_completed

        parameters = inspect.signature(ProcessPoolExecutor.shutdown).parameters
        needs("kill_workers" in parameters and callable(as_completed), "loky", "comparison/workers.py")


class TestTyro:
    def test_texts_pass_through_a_function_that_can_be_replaced(self, monkeypatch):
        import dataclasses

        import tyro

        @dataclasses.dataclass
        class Shelf:
            books: int = 3
            """How many
            there are."""

        needs(
            "\n" in tyro._strings.remove_single_line_breaks("How many\n    there are."),
            "that tyro keeps the line breaks of an indented docstring",
            "cli/arguments.py (which need not replace it any more)",
        )
        seen = []
        monkeypatch.setattr(tyro._strings, "remove_single_line_breaks", lambda text: seen.append(text) or text)
        with pytest.raises(SystemExit):
            tyro.cli(Shelf, args=["--help"])
        needs(any("How many" in text for text in seen), "tyro._strings.remove_single_line_breaks", "cli/arguments.py")
