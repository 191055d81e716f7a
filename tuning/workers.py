"""Workers of this machine: processes that are started, watched, started again and ended. No TensorFlow."""

import multiprocessing
import multiprocessing.connection
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emobed_tf import console
from emobed_tf.errors import InputError
from emobed_tf.runtime import import_tensorflow
from tuning.plan import ORACLE_IP, ORACLE_PORT, TUNER_ID

if TYPE_CHECKING:
    from tuning.oracles import Lasting

HERE = "127.0.0.1"
_TRIES = 3


class Crew:
    """The workers of one search.

    Args:
        size: how many.
        recipe: arguments of `tuning.tuners.tuner`.
        log: where a worker of a name writes.
        oracle: of the search.
    """

    def __init__(self, size: int, recipe: Mapping[str, Any], log: Callable[[str], Path], oracle: "Lasting"):
        self.names = [f"worker-{k + 1}" for k in range(size)]
        self.recipe, self.log, self.oracle = dict(recipe), log, oracle
        self.processes: dict[str, multiprocessing.process.BaseProcess] = {}
        self.deaths: Counter[str] = Counter()

    def look_after(self, port: int) -> None:
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
                self._bury(name, process.exitcode)
                self._start(name, port)

    def end(self) -> None:
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
            target=work, args=(self.recipe, environment, self.log(name)), name=name, daemon=True
        )
        process.start()
        self.processes[name] = process

    def _bury(self, name: str, code: int) -> None:
        trial = self.oracle.ongoing_trials.get(name)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        key = trial.trial_id if trial else name
        self.deaths[key] += 1
        if self.deaths[key] < _TRIES:
            return
        if trial is None:
            raise InputError(f"{name} ended {_TRIES} times before its first trial ({how}); see {self.log(name)}")
        self.oracle.fail(trial, f"its worker ended {_TRIES} times ({how}); see {self.log(name)}")


def work(recipe: Mapping[str, Any], environment: Mapping[str, str], log: Path) -> None:
    """A worker's process: trials until the chief has none left.

    Args:
        recipe: arguments of `tuning.tuners.tuner`.
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

    def search() -> None:
        import_tensorflow(recipe["config"].training.threads)
        from tuning.tuners import tuner

        tuner(**recipe).search()

    sys.exit(console.run(environment[TUNER_ID], search))


def _end_with_the_chief() -> None:
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
