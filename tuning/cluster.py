"""KerasTuner's chief and workers: the chief hands out trials over gRPC, and outlives the death of its workers."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.src import protos  # not exported, as the next two
from keras_tuner.src.distribute.oracle_chief import OracleServicer
from keras_tuner.src.distribute.oracle_client import OracleClient

from emobed_tf.errors import InputError
from tuning.oracles import FAILURE_REASON, Resumable
from tuning.plan import chief_address

_GOODBYE = 10.0  # seconds for workers to be told that all is done
_LOOK = 0.2  # seconds between two looks


class ChiefClient(OracleClient):
    """A worker's side: waits where there is nothing to do yet, and while the chief is away for up to an hour.

    Args:
        oracle: the same as the chief's, for what KerasTuner asks of it.
    """

    stub: Any

    def __init__(self, oracle: Resumable):
        super().__init__(oracle)
        self.stub = _RetryingStub(self.stub)

    def create_trial(self, tuner_id: str) -> Trial:
        """Asks the chief for a trial; where it has none yet, waits a moment before saying so.

        Args:
            tuner_id: name of this worker.

        Returns:
            A trial that runs, or one whose status says to ask again or to stop.

        Raises:
            InputError: if no chief has answered for an hour.
        """
        trial = super().create_trial(tuner_id)
        if trial.status == TrialStatus.IDLE:
            time.sleep(_LOOK)
        return trial

    def end_trial(self, trial: Trial) -> None:
        """Tells the chief how a trial has ended; the reason of a failure travels among its values.

        Args:
            trial: completed or failed.

        Raises:
            InputError: if no chief has answered for an hour.
        """
        if trial.message:
            trial.hyperparameters.values[FAILURE_REASON] = trial.message
        super().end_trial(trial)

    def check(self, name: str, value: str) -> None:
        """Refuses to work for another search.

        Args:
            name: of the fixed value that identifies a search.
            value: ours.

        Raises:
            InputError: if the chief's is another.
        """
        theirs = {parameter.name: parameter.default for parameter in self.get_space().space}
        if theirs.get(name) != value:
            raise InputError(
                f"the chief at {chief_address()} runs another search: a worker needs the chief's settings, space, data "
                "and versions; start it with the chief's own command line"
            )


class _RetryingStub:
    """A gRPC stub whose calls survive a chief that is started again."""

    def __init__(self, stub: Any):
        self._stub = stub

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._stub, name)

        def retrying(*arguments: Any, **options: Any) -> Any:
            while True:
                try:
                    return call(*arguments, **options)
                except grpc.RpcError as error:
                    if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                        raise InputError(f"no chief answered at {chief_address()} for an hour") from None
                    if error.code() != grpc.StatusCode.UNAVAILABLE:
                        raise
                    time.sleep(1)

        return retrying


class Chief(OracleServicer):
    """Answers workers; remembers what went wrong, which gRPC would only log.

    Args:
        oracle: of the search.
    """

    def __init__(self, oracle: Resumable):
        super().__init__(oracle)
        self.failure: Exception | None = None

    def CreateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answers a worker that asks for a trial; what goes wrong is remembered.

        Args:
            request: of KerasTuner's protocol.
            context: of the call, from gRPC.

        Returns:
            KerasTuner's response.
        """
        return self._guarded(super().CreateTrial, request, context)

    def UpdateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answers a worker that reports a score; what goes wrong is remembered.

        Args:
            request: of KerasTuner's protocol.
            context: of the call, from gRPC.

        Returns:
            KerasTuner's response.
        """
        return self._guarded(super().UpdateTrial, request, context)

    def EndTrial(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Answers a worker that has ended a trial; what goes wrong is remembered.

        Args:
            request: of KerasTuner's protocol.
            context: of the call, from gRPC.

        Returns:
            KerasTuner's response.
        """
        return self._guarded(super().EndTrial, request, context)

    def _guarded(self, answer: Callable[[Any, Any], Any], request: Any, context: Any) -> Any:
        try:
            return answer(request, context)
        except Exception as error:
            self.failure = error
            raise


def run_chief(oracle: Resumable, where: str, watch: Callable[[int], None] = lambda port: None) -> None:
    """Hands out trials until all have ended.

    Args:
        oracle: of the search.
        where: `host:port` to listen at; port 0: any.
        watch: called again and again with the port.

    Raises:
        InputError: if nothing can listen there.
    """
    with _listening(oracle, where) as (chief, port):
        while not oracle.finished:
            watch(port)
            if chief.failure is not None:
                raise chief.failure
            time.sleep(_LOOK)
        until = time.monotonic() + _GOODBYE
        while oracle.tuner_ids and time.monotonic() < until:
            time.sleep(_LOOK)


@contextlib.contextmanager
def _listening(oracle: Resumable, where: str) -> Iterator[tuple[Chief, int]]:
    # One thread: KerasTuner's oracles don't release their lock when something goes wrong.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1), options=[("grpc.so_reuseport", 0)])
    chief = Chief(oracle)
    protos.get_service_grpc().add_OracleServicer_to_server(chief, server)
    try:
        port = server.add_insecure_port(where)
    except RuntimeError:
        raise InputError(
            f"can't listen at {where}: the chief needs an address of its own host and a free port"
        ) from None
    server.start()
    try:
        yield chief, port
    finally:
        server.stop(grace=1).wait()
