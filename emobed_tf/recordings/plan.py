"""What is to be extracted of a table of recordings: all that is not kept from before, one job for each file."""

from collections.abc import Iterator
from pathlib import Path

from emobed_tf.console import Progress
from emobed_tf.corpora.files import read_all, sha256_of_file
from emobed_tf.errors import InputError
from emobed_tf.recordings.extraction import Extracted, Job
from emobed_tf.recordings.listing import Entry, Listing
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.store import FeatureStore, Rows
from emobed_tf.recordings.windows import Windows


class Plan:
    """An extraction, of which a part may be done.

    Args:
        listing: the recordings.
        features: name of the extractor.
        windows: None: one row for a recording.
        store: of that extractor.
        progress: called with the number of files looked at, of all, and the name of the last one.
        looking: how pictures are looked at; None of sound.
    """

    def __init__(
        self,
        listing: Listing,
        features: str,
        windows: Windows | None,
        store: FeatureStore,
        progress: Progress | None = None,
        looking: Looking | None = None,
    ) -> None:
        self._listing, self._store = listing, store
        self._left_out: set[int] = set()
        by_path: dict[Path, list[int]] = {}
        for index, entry in enumerate(listing.entries):
            by_path.setdefault(entry.path, []).append(index)
        names = [path.name for path in by_path]
        contents = dict(zip(by_path, read_all(sha256_of_file, list(by_path), names, progress), strict=True))
        self._keys = [store.key(contents[entry.path] or "", entry.start, entry.end) for entry in listing.entries]
        self.jobs: list[Job] = []
        """What is left to do."""
        self._of_job: list[list[int]] = []
        for path, indices in by_path.items():
            # A file that can't be opened has no content to be found by; its job says what is wrong.
            missing = [k for k in indices if contents[path] is None or not store.has(self._keys[k])]
            if missing:
                segments = tuple((listing.entries[k].start, listing.entries[k].end) for k in missing)
                self.jobs.append(Job(str(path.absolute()), segments, features, windows, looking))
                self._of_job.append(missing)

    @property
    def kept(self) -> int:
        """Number of recordings that are there from before."""
        return len(self._keys) - sum(map(len, self._of_job))

    @property
    def left_out(self) -> int:
        """Number of recordings that nothing could be made of, of those done so far."""
        return len(self._left_out)

    def add(self, job: int, extracted: Extracted) -> None:
        """Keeps what was made of a file.

        Args:
            job: index in `jobs`.
            extracted: what `extract_file` made of it.
        """
        for index, rows in zip(self._of_job[job], extracted.rows, strict=True):
            if rows is None:
                self._left_out.add(index)
            else:
                self._store.store(self._keys[index], rows)

    def rows(self) -> Iterator[tuple[Entry, Rows]]:
        """Everything in the order of the table, when all jobs are done.

        Yields:
            A recording and its rows; those are left out that nothing could be made of.

        Raises:
            InputError: if what was kept has gone.
        """
        for index, entry in enumerate(self._listing.entries):
            if index in self._left_out:
                continue
            rows = self._store.load(self._keys[index])
            if rows is None:
                raise InputError(
                    f"{self._store.folder}: features of '{entry.id}' were kept here, and have gone or are damaged; the "
                    "same command extracts them again"
                )
            yield entry, rows
