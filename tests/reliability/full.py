"""Disks without room: a small file system, and where none can be mounted, files that may not grow."""

import contextlib
import os
import resource
import subprocess
import sys


@contextlib.contextmanager
def files_of_at_most(size):
    """Files that this process writes end at a size in bytes: what goes beyond is refused, as a full disk refuses it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class SmallDisk:
    """A file system in memory.

    Args:
        folder: where it is mounted.
        size: in bytes.
    """

    def __init__(self, folder, size):
        self.folder, self._size = folder, size
        self._ballast = folder / "ballast"

    def fill(self, left):
        """Leaves so many bytes free."""
        self.free()
        room = os.statvfs(self.folder)
        with self._ballast.open("wb") as file:
            file.write(b"\0" * max(0, room.f_bavail * room.f_frsize - left))

    def free(self):
        """Makes room."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder, size=2**21):
    """Mounts a `SmallDisk`; None where that isn't allowed."""
    folder.mkdir(parents=True)
    line = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if sys.platform != "linux" or subprocess.run(line, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield SmallDisk(folder, size)
    finally:
        subprocess.run(["umount", folder], check=True)
