"""What commands share at the keyboard: one-line errors, warnings, progress."""

import contextlib
import errno
import io
import logging
import multiprocessing
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

from emobed_tf import interrupts
from emobed_tf.errors import EmoBedWarning, InputError

Progress = Callable[[int, int, str], None]
KEPT = "what is done is kept; the same command continues"
"""What a command says after Ctrl-C if it continues by itself where it is started again."""
_LONGEST_NUMBER = 24  # characters of a cell that is no text: an interval with its signs has 16
_MEND = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there, or ask for a larger quota",
    errno.EFBIG: "raise the limit (ulimit -f), or choose a disk that takes larger files",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # but for tabs and line breaks
_bars: list[str] = []  # that are on the terminal now
_lines: list[Any] = []  # rich's consoles on which `waiting` shows a line now


class Bar(Protocol):
    """What `progress` yields: a `Progress` that can do without the text."""

    def __call__(self, done: int, total: int, now: str = "", /) -> None:
        """Moves the bar.

        Args:
            done: how much is done.
            total: how much there is.
            now: what is being done; "" is what `progress` was told.
        """


def run(prog: str, main: Callable[[], int | None], *, ends_at_once: bool = False) -> int:
    """Runs a command; what a user can mend becomes one line on stderr.

    Args:
        prog: name of the command, the line's first word.
        main: the command.
        ends_at_once: whether it keeps what `interrupts.end_at_once` has set, until it sets something else.

    Returns:
        Exit code: that of `main`, 2 after an error in the input or the file system, 130 after Ctrl-C. Notes of the
        last two are printed, see `if_interrupted`.
    """
    if not ends_at_once:
        interrupts.raise_again()
    _open_streams()
    _show_warnings_as_lines()
    logging.getLogger("matplotlib.font_manager").setLevel(
        logging.ERROR
    )  # it would talk of its cache when first imported
    try:
        code = main() or 0
        sys.stdout.flush()  # what can't be written is noticed here, and not when the interpreter ends
        return code
    except InputError as error:
        problem = str(error)
    except KeyboardInterrupt as interrupt:
        say("\n".join([f"\n{prog}: interrupted", *getattr(interrupt, "__notes__", ())]), file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_what_cannot_be_written()
        sys.stderr.close()  # the reader of our output went away; nothing to tell it
        return 1
    except OSError as error:
        _drop_what_cannot_be_written()
        problem = "; ".join([_of_the_system(error), *getattr(error, "__notes__", ())])
    say(f"{prog}: error: {' '.join(problem.split())}", file=sys.stderr)
    return 2


def _drop_what_cannot_be_written() -> None:
    """The interpreter would try to write what is left of the output when it ends, and end with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def visible(text: str) -> str:
    """A text for the terminal that does nothing to it: names in files of others may hold escape sequences.

    Args:
        text: of any origin.

    Returns:
        The text; control characters as a backslash and their number, but for line breaks and tabs.
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def say(text: str, *, file: TextIO | None = None, flush: bool = False) -> None:
    """Prints a line that has names from files in it, made `visible`.

    Args:
        text: the line, or several.
        file: where it goes; None is stdout.
        flush: whether it is to be seen at once.
    """
    print(visible(text), file=file, flush=flush)


def _open_streams() -> None:
    """Opens what whoever started us has closed, and lets no character that an encoding lacks end the command."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # else the next file that is opened gets the number, and whatever is written to stderr
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _of_the_system(error: OSError) -> str:
    """Which file, what the system says of it, and what helps where that is known."""
    if not error.errno or error.strerror != os.strerror(error.errno):  # said by whoever knew more
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    where = f"{error.filename}: " if error.filename else ""
    mend = f"; {_MEND[error.errno]}" if error.errno in _MEND else ""
    return f"{where}{error.strerror}{mend}"


@contextlib.contextmanager
def if_interrupted(advice: Callable[[], str]) -> Iterator[None]:
    """After Ctrl-C or an error of the file system within the block, `run` says how to go on.

    Args:
        advice: called then; says in a line what there is now and which command continues. "" says nothing.

    Yields:
        Nothing.

    Raises:
        KeyboardInterrupt: the one that came, with the line as a note.
        OSError: the same, of a full disk, say.
    """  # noqa: DOC501 (an InputError says it all by itself)
    try:
        yield
    except InputError:
        raise
    except (KeyboardInterrupt, OSError) as stopped:
        line = advice()
        if line:
            stopped.add_note(line)
        raise


@contextlib.contextmanager
def saying_at_interrupt(text: str) -> Iterator[None]:
    """Says on stderr that Ctrl-C was heard, at once, within a block that ends only when a library gives control back.

    Python runs its own handlers of signals between two of its instructions, and a step of TensorFlow, or the
    compilation of one, is a single instruction. What is written to the wakeup file descriptor comes at once; a thread
    waits for it. Nothing is said by worker processes, outside of the main thread, and where an event loop waits for
    signals in this way already.

    Args:
        text: a line, said once.

    Yields:
        Nothing.
    """
    is_worker = multiprocessing.parent_process() is not None
    if is_worker or threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
        os.close(writer)
        os.close(reader)
        yield
        return
    listener = threading.Thread(target=_say_once_signalled, args=(reader, text), daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        os.close(writer)  # the listener reads to the end
        listener.join()
        os.close(reader)


def _say_once_signalled(reader: int, text: str) -> None:
    said = False
    while numbers := os.read(reader, 64):
        if signal.SIGINT in numbers and not said:
            said = True
            print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Bar]:
    """A progress bar on stderr while the block runs; nothing where stderr is no terminal.

    Args:
        what: is being done, until the function that is yielded says something else.

    Yields:
        A function that takes how much is done, how much there is, and what is being done.
    """
    if not sys.stderr.isatty():
        yield lambda done, total, now="": None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),  # what is printed goes above the bar, but into a file that stdout is
    ) as bar:
        task = bar.add_task(visible(what), total=None)
        _bars.append(what)
        try:
            yield lambda done, total, now="": bar.update(
                task, completed=done, total=total, description=visible(now or what)
            )
        finally:
            _bars.remove(what)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Says on stderr what is being done while the block runs; nothing where stderr is no terminal.

    For what can't tell how far it is. It stays visible where the block leads file descriptor 2 elsewhere. Within
    `progress` there is a bar already, and one line is enough.

    Args:
        what: is being done.

    Yields:
        Nothing.
    """
    if _bars or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors="replace") as terminal,
        Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=Console(file=terminal),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as line,
    ):
        line.add_task(visible(what), total=None)
        _lines.append(line.console)
        try:
            yield
        finally:
            _lines.remove(line.console)


class LogStream:
    """stderr for a log, whose lines come above the one that `waiting` shows now, and not into it."""

    def write(self, text: str) -> None:
        """Writes a whole line, or several.

        Args:
            text: with its line breaks.
        """
        if _lines:
            _lines[-1].print(text, end="", markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(text)

    def flush(self) -> None:
        """Lets nothing wait."""
        sys.stderr.flush()


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Prints a table on stdout: the first column to the left, the others to the right.

    Numbers stay whole: columns for which a terminal is too narrow come below, beside the first one again.

    Args:
        title: what stands above it.
        columns: names of the columns.
        rows: cells by row, as many as there are columns.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 120)
    title, columns, rows = visible(title), list(map(visible, columns)), [list(map(visible, row)) for row in rows]
    cells = [columns, *rows]
    least = [_least_width([row[k] for row in cells], breakable=k == 0) for k in range(len(columns))]
    most = [max(len(row[k]) for row in cells) for k in range(len(columns))]
    for number, part in enumerate(_parts(least, console.width)):
        left = console.width - _taken(least[k] for k in part)
        # Text: a path with brackets is no markup
        grid = Table(title=None if number else Text(title), title_justify="left")
        for k in part:
            more = max(0, min(most[k] - least[k], left))
            left -= more
            grid.add_column(Text(columns[k]), justify="right" if k else "left", width=least[k] + more)
        for row in rows:
            grid.add_row(*(Text(row[k]) for k in part))
        console.print(grid)


def _least_width(cells: list[str], *, breakable: bool) -> int:
    """Of a column: its head may be broken between words, and so may what is long; a number or an interval may not."""
    head, *others = cells
    words = [*head.split(), *(word for cell in others for word in cell.split())]
    whole = () if breakable else (cell for cell in others if len(cell) <= _LONGEST_NUMBER)
    return max((len(text) for text in (*words, *whole)), default=1)


def _parts(least: list[int], width: int) -> list[list[int]]:
    """Columns that fit beside each other, by index; the first one is in every part."""
    parts = [[0]]
    for k in range(1, len(least)):
        if len(parts[-1]) > 1 and _taken(least[column] for column in (*parts[-1], k)) > width:
            parts.append([0])
        parts[-1].append(k)
    return parts


def _taken(widths: Iterable[int]) -> int:
    """Characters of a line of a table, with its lines and blanks."""
    return sum(width + 3 for width in widths) + 1


def _show_warnings_as_lines() -> None:
    shown = warnings.showwarning
    said: set[str] = set()  # a command may read the same data twice

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, EmoBedWarning):
            text = " ".join(str(message).split())
            if text not in said:
                said.add(text)
                say(f"warning: {text}", file=sys.stderr)
        elif file is not None:
            shown(message, category, filename, lineno, file, line)

    warnings.showwarning = show
