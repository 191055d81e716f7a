"""Many independent trainings at a time: in processes of this machine, or on the workers of a Dask cluster."""

import contextlib
import gc
import importlib.util
import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from emobed_tf._version import __version__
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.runtime import import_tensorflow, tell_doubts
from emobed_tf.settings import OptionalName

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")

_SECONDS_TO_CONNECT = 10
_LOSSES = 3  # of worker processes in a row, without a task that came to its end between them
_one_at_a_time = threading.Lock()  # trainings in one process share Keras' seed


@dataclass(frozen=True)
class Workers:
    """Workers: what trains, and how many at a time."""

    workers: int = 1
    """Processes of this machine that train at the same time. Results don't depend on their number."""
    scheduler: OptionalName = None
    """Address of a Dask scheduler, such as tcp://HOST:8786: its workers train instead (pip install
    'emobed-tf[cluster]')."""

    def check(self) -> "Workers":
        """Makes sure that there can be such workers.

        Returns:
            Itself.

        Raises:
            InputError: for a number of workers that makes no sense, or a scheduler without Dask.
        """
        if self.workers < 1:
            raise InputError(f"--workers: expected 1 or more, found {self.workers}")
        if self.scheduler is not None:
            if self.workers > 1:
                raise InputError("--scheduler: its own workers train; leave --workers out")
            if importlib.util.find_spec("distributed") is None:
                raise InputError("--scheduler: dask is not installed; pip install 'emobed-tf[cluster]' brings it")
        return self


def fan_out(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    how: Workers,
    *,
    threads: int,
    tensorflow: bool = True,
) -> Iterator[tuple[int, _Result]]:
    """Calls a function for every task and hands results on as they come.

    In every process TensorFlow is imported once, with `threads`, and one task is done at a time. Without TensorFlow,
    every task is done in another process, which never imports it, even with one worker: Ctrl-C then waits for nothing
    that a library is at. What a worker leaves undone when it dies is done by others. Ending the iterator, or Ctrl-C,
    ends the workers' processes; workers of a cluster finish the task that they are at.

    Args:
        function: of a module that workers can import; for one worker it is called in this process, if it needs
            TensorFlow.
        tasks: can be pickled.
        how: where.
        threads: of TensorFlow and of linear algebra, in each process.
        tensorflow: whether the function needs it.

    Returns:
        Iterator of the index of a task and what the function returned for it, in the order in which they are done.

    Raises:
        InputError: for wrong numbers, a scheduler that can't be reached or has no fitting workers, workers that die
            again and again. One that the function raised names its task; other exceptions of it carry a note.
    """
    how.check()
    names = [f"task {k} of {len(tasks)}, {_text(task)}" for k, task in enumerate(tasks, 1)]
    calls = [_Call(function, task, name, threads, tensorflow) for task, name in zip(tasks, names, strict=True)]
    if how.scheduler is not None:
        return _on_a_cluster(calls, how.scheduler)
    if how.workers == 1 and tensorflow:
        return ((index, call()) for index, call in enumerate(calls))
    return _in_processes(calls, how.workers, threads, tensorflow)


@dataclass(frozen=True)
class _Call:
    """A task, ready to be done anywhere."""

    function: Callable[[Any], Any]
    task: Any
    name: str
    threads: int
    tensorflow: bool

    def __call__(self) -> Any:
        from threadpoolctl import threadpool_limits

        if self.tensorflow:
            import_tensorflow(self.threads)
        with _one_at_a_time, threadpool_limits(self.threads):
            try:
                return self.function(self.task)
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from error
            except Exception as error:
                error.add_note(self.name)
                raise


def _in_processes(calls: Sequence[_Call], workers: int, threads: int, tensorflow: bool) -> Iterator[tuple[int, Any]]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if tensorflow:
        tell_doubts()  # workers have this environment, and would each say so
    waiting, losses = dict(enumerate(calls)), 0
    while waiting:
        results = (_lasting if tensorflow else _of_their_own)(list(waiting.items()), workers, threads)
        try:
            for index, result in results:
                del waiting[index]
                losses = 0
                yield index, result
        except TerminatedWorkerError:
            pass
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib's, of results that nobody waits for
                results.close()
        if waiting:
            losses += 1
            lost = f"a worker process was killed, {len(waiting)} of {len(calls)} tasks are not done"
            if losses == _LOSSES:
                raise InputError(
                    f"{lost}, and this happened {_LOSSES} times in a row; it may be out of memory: try fewer --workers"
                )
            warnings.warn(f"{lost}; they go on in new processes", EmoBedWarning, stacklevel=2)


def _lasting(calls: Sequence[tuple[int, _Call]], workers: int, threads: int) -> Generator[tuple[int, Any]]:
    """Results of processes that stay for the next tasks, so that TensorFlow is imported once in each."""
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(
        "loky",
        n_jobs=workers,
        inner_max_num_threads=threads,
        initializer=_begin_worker,
        initargs=(threads, os.getpid()),  # other threads, other processes
    ):
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all", max_nbytes=None)
        return parallel(delayed(_numbered)(index, call) for index, call in calls)


def _of_their_own(calls: Sequence[tuple[int, _Call]], workers: int, threads: int) -> Generator[tuple[int, Any]]:
    """Results of new processes, which TensorFlow was never in, and which end with the tasks."""
    from joblib.externals.loky import ProcessPoolExecutor, as_completed

    pool = ProcessPoolExecutor(workers, initializer=_begin_worker, initargs=(threads, os.getpid()))
    try:
        indices = {pool.submit(call): index for index, call in calls}
        for future in as_completed(list(indices)):
            yield indices.pop(future), future.result()
    finally:
        pool.shutdown(kill_workers=True)


def _begin_worker(threads: int, coordinator: int) -> None:
    tell_doubts(aloud=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the coordinator, which ends the workers
    threading.Thread(target=_end_with, args=(coordinator,), daemon=True).start()


def _end_with(coordinator: int) -> None:
    """Ends this process soon after the one that started it, even if that was killed."""
    while os.getppid() == coordinator:
        time.sleep(1)
    os._exit(1)


def _numbered(index: int, call: _Call) -> tuple[int, Any]:
    return index, call()


def _on_a_cluster(calls: Sequence[_Call], address: str) -> Iterator[tuple[int, Any]]:
    """By distributed itself: joblib's Dask backend waits for ever when a task has killed its workers."""
    from distributed import KilledWorker, as_completed
    from distributed.client import FutureCancelledError

    with _client(address) as client:
        if calls:
            _check_cluster(client, address, calls[0].function.__module__)
        indices = {client.submit(call, key=f"{call.name} {uuid4()}", pure=False): k for k, call in enumerate(calls)}
        for future in as_completed(indices, loop=client.loop):
            index = indices.pop(future)
            try:
                result = future.result()
            except KilledWorker:
                raise InputError(f"{calls[index].name}: every worker that began it has died; see their logs") from None
            except FutureCancelledError:
                raise InputError(f"--scheduler {address}: lost; start it again and call this command again") from None
            yield index, result


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client

    for name in ("distributed", "distributed.client", "distributed.comm", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is an error of ours
    problem = None
    try:
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        problem = " ".join(str(error).split())
    if problem is not None:
        gc.collect()  # what is left of it: collected while the next one begins, it would wait for ever
        raise InputError(f"--scheduler {address}: no Dask scheduler answers there ({problem})")
    with client:
        yield client


def _check_cluster(client: Any, address: str, module: str) -> None:
    """Makes sure that there are workers which do one task at a time, and that they run this version."""
    with contextlib.suppress(TimeoutError):
        client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        raise InputError(f"--scheduler {address}: no workers; start some with: dask worker {address} --nthreads 1")
    for worker, facts in workers.items():
        if facts["nthreads"] != 1:
            raise InputError(
                f"--scheduler {address}: its worker {worker} does {facts['nthreads']} tasks at a time, and trainings "
                f"need a process each; start it with: dask worker {address} --nthreads 1 --nworkers "
                f"{facts['nthreads']}"
            )
    for worker, found in client.run(_version, module, on_error="return").items():
        if isinstance(found, Exception):
            raise InputError(f"--scheduler {address}: its worker {worker} can't import {module} ({found})")
        if found != __version__:
            raise InputError(f"--scheduler {address}: its worker {worker} has emobed_tf {found}, here is {__version__}")


def _version(module: str) -> str:
    importlib.import_module(module)
    return __version__


def _text(task: Any) -> str:
    text = " ".join(str(task).split())
    return text if len(text) <= 120 else text[:119] + "…"
