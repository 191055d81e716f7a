"""Workers of this machine: processes that are started, watched, started again and stopped. No TensorFlow."""

import multiprocessing
import multiprocessing.connection
import os
import pickle
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from emobed_tf import console
from emobed_tf.errors import InputError
from emobed_tf.runtime import import_tensorflow
from tuning.plan import ORACLE_IP, ORACLE_PORT, TUNER_ID

if TYPE_CHECKING:
    from tuning.oracles import Resumable

HERE = "127.0.0.1"
_TRIES = 3


class LocalWorkers:
    """The workers of one search.

    Args:
        size: how many.
        work: what a worker does: trials until the chief has none left. It can be pickled.
        threads: of TensorFlow in a worker.
        log: where a worker of a name writes.
        oracle: of the search.
    """

    def __init__(
        self, size: int, work: Callable[[], None], threads: int, log: Callable[[str], Path], oracle: "Resumable"
    ):
        self.names = [f"worker-{k + 1}" for k in range(size)]
        self.work, self.threads, self.log, self.oracle = pickle.dumps(work), threads, log, oracle
        self.processes: dict[str, multiprocessing.process.BaseProcess] = {}
        self.deaths: Counter[str] = Counter()

    def keep_running(self, port: int) -> None:
        """Starts whoever isn't there. One that dies comes back under its name, and gets its trial again.

        Args:
            port: of the chief.

        Raises:
            InputError: if one dies again and again before its first trial.
        """
        for name in self.names:
            process = self.processes.get(name)
            if process is None:
                self._start(name, port)
            elif process.exitcode:  # 0: told that there is nothing left
                self._count_death(name, process.exitcode)
                self._start(name, port)

    def stop(self) -> None:
        """Ends all of them."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()

    def _start(self, name: str, port: int) -> None:
        environment = {
            TUNER_ID: name,
            ORACLE_IP: HERE,
            ORACLE_PORT: str(port),
            "no_grpc_proxy": HERE,
        }
        process = multiprocessing.get_context("spawn").Process(
            target=run_worker, args=(self.work, self.threads, environment, self.log(name)), name=name, daemon=True
        )
        process.start()
        self.processes[name] = process

    def _count_death(self, name: str, code: int) -> None:
        trial = self.oracle.ongoing_trials.get(name)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        key = trial.trial_id if trial else name
        self.deaths[key] += 1
        if self.deaths[key] < _TRIES:
            return
        if trial is None:
            raise InputError(f"{name} ended {_TRIES} times before its first trial ({how}); see {self.log(name)}")
        self.oracle.fail(trial, f"its worker ended {_TRIES} times ({how}); see {self.log(name)}")


def run_worker(work: bytes, threads: int, environment: Mapping[str, str], log: Path) -> None:
    """A worker's process.

    Args:
        work: what it does, pickled: to know it is to import TensorFlow, which must find all else as it should be.
        threads: of TensorFlow.
        environment: variables that make it a worker.
        log: where its output goes.
    """
    os.environ.update(environment)
    os.setsid()  # Ctrl-C is for the chief, who then ends its workers
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    threading.Thread(target=_end_with_the_chief, daemon=True).start()

    def begin() -> None:
        import_tensorflow(threads)
        pickle.loads(work)()  # noqa: S301 (of the process that started this one)

    sys.exit(console.run(environment[TUNER_ID], begin))


def _end_with_the_chief() -> None:
    chief = cast("multiprocessing.process.BaseProcess", multiprocessing.parent_process())  # None for the first process
    multiprocessing.connection.wait([chief.sentinel])
    os._exit(1)
