"""A command, run to its end in a process of its own."""

import os
import subprocess

from tests.benchmarks.worker import Driver


def main() -> None:
    driver = Driver()
    line, environment = driver.arguments["line"], {**os.environ, **driver.arguments.get("environment", {})}

    def repeat() -> dict:
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{' '.join(line)} failed with status {os.waitstatus_to_exitcode(status)}")
        return {"peak": usage.ru_maxrss * 1024}

    driver.serve(repeat, before=0)


if __name__ == "__main__":
    main()
