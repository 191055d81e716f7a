"""`python -m tests.reliability.fuzz READER`: files that no writer writes, guided by what of a reader they reach.

Atheris drives it (libFuzzer for Python): whatever makes a reader go where it hasn't been yet is kept and changed again.
"""

import argparse
import hashlib
import importlib.util
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from tests.reliability.mutations import mutated

INSTALL = "atheris is not installed: pip install atheris"
LONGEST = 20_000  # bytes of a file
SLOWEST = 10  # seconds that reading one may take
MEMORY = 1024  # MB that it may take beyond what TensorFlow and all else have
_FOUND = re.compile(r"(crash|timeout|oom|leak|slow-unit)-\w+")


def main(argv=None):
    """Runs a campaign in a process of its own, since libFuzzer ends the one that it is in.

    Returns:
        0 if nothing was found, else 1; 2 if there is no Atheris.
    """
    parser = argparse.ArgumentParser(prog="tests.reliability.fuzz", description=__doc__)
    parser.add_argument("reader", help="a name in tests.reliability.readers.READERS")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="folder of files to begin with, into which new ones are written")
    parser.add_argument(
        "--output", type=Path, help="folder of what was found (default: findings in the corpus' folder)"
    )
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if importlib.util.find_spec("atheris") is None:
        print(INSTALL, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus = arguments.corpus or Path(folder) / arguments.reader
        output = arguments.output or corpus.with_name(f"{corpus.name}-findings")
        if arguments.inside:
            return _inside(arguments.reader, corpus, output, arguments.seconds)
        for path in (corpus, output):
            path.mkdir(parents=True, exist_ok=True)
        before = set(output.iterdir())
        line = [sys.executable, "-m", "tests.reliability.fuzz", arguments.reader, "--inside"]
        more = ["--seconds", str(arguments.seconds), "--corpus", str(corpus), "--output", str(output)]
        process = subprocess.run([*line, *more], capture_output=True, text=True, errors="replace", check=False)
        executions, coverage = _statistics(process.stderr)
        found = sorted(path for path in set(output.iterdir()) - before if _FOUND.fullmatch(path.name))
        if process.returncode and not found:
            print(process.stderr[-3000:], file=sys.stderr)
        for path in found:
            said = path.with_name(f"{path.name}.txt")
            last = said.read_text().splitlines()[-1] if said.exists() else process.stderr[-3000:]
            kept = arguments.corpus or arguments.output
            print(path if kept else path.read_bytes(), last, sep="\n")
        findings = len(found) or int(process.returncode != 0)
        print(f"{arguments.reader}: {executions} executions, coverage {coverage}, {findings} findings")
    return int(findings > 0)


def _statistics(text):
    """How often the reader was called, and how many places of the code that reached, by libFuzzer's last line."""
    lines = re.findall(r"^#(\d+)\s.*?cov: (\d+)", text, re.MULTILINE)
    return lines[-1] if lines else (0, 0)


def _inside(name, corpus, output, seconds):
    import atheris

    os.environ["EMOBED_CACHE"] = tempfile.mkdtemp(prefix="cache-", dir=corpus.parent)
    with atheris.instrument_imports(include=["emobed_tf", "serving"]):
        from emobed_tf.runtime import fix_environment, import_tensorflow

        fix_environment()
        import_tensorflow(1)
        from tests.reliability.readers import READERS, outcome, strict_about_warnings

        source = READERS[name].prepare(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=corpus.parent)))
    for seed in source.seeds:
        (corpus / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    known = set()

    def once(content):
        try:
            outcome(source, content)
        except Exception as error:  # noqa: BLE001  anything is a finding, and the campaign goes on
            lines = "".join(traceback.format_exception(error))
            places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
            own = [place for place in places if "site-packages" not in place[0]][-1]
            if (type(error), own) not in known:
                known.add((type(error), own))
                path = output / f"crash-{hashlib.sha1(content).hexdigest()}"
                path.write_bytes(content)
                path.with_name(f"{path.name}.txt").write_text(lines)

    def changed(content, size, seed):
        """Half of the changes are libFuzzer's own, which know no lines and numbers."""
        draw = random.Random(seed)
        return atheris.Mutate(content, size) if draw.random() < 0.5 else mutated(content, draw)[:size]

    usual = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    flags = {"max_total_time": seconds, "timeout": SLOWEST, "rss_limit_mb": usual + MEMORY, "max_len": LONGEST}
    line = [name, *(f"-{flag}={value}" for flag, value in flags.items()), f"-artifact_prefix={output}/", str(corpus)]
    with strict_about_warnings():
        atheris.Setup(line, once, custom_mutator=changed)
        atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
