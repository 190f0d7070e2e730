"""Replace a file as a whole, or not at all.

- What is written goes to a temporary file in the same folder. Only when all of it is on
  the disk does the file take its name, in one step; then the folder is put on the disk.
  Whoever reads, and whatever breaks off, finds the old file or the new one.
- An existing file keeps its mode, a link stays one, a new file follows the umask.
- A failure leaves no file behind. What a killed process leaves is removed by the next
  save to that name: a temporary file is locked for as long as its writer lives.
"""

from __future__ import annotations

import io
import os
from contextlib import contextmanager, suppress
from stat import S_IMODE, S_ISDIR, S_ISREG

from .digests import Summing

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ENDING = ".plugrad-part"
EARLY = 64 << 20  # bytes after which the disk is begun with


class Part(io.FileIO):
    """A file that is not finished.

    From time to time what is written is put on the disk, by a thread of its own:
    waiting for all of it at the end takes longer.
    """

    def __init__(self, fd: int) -> None:
        self.begun = self.done = 0
        self.behind = Summing()
        super().__init__(fd, "wb")

    def write(self, data: Any) -> int:
        """Write some bytes, perhaps not all; returns how many."""
        n = super().write(data) or 0
        self.done += n
        if self.done - self.begun >= EARLY:
            self.begun = self.done
            self.behind.do(self.sync, EARLY)
        return n

    def sync(self) -> None:
        """Put on the disk what is written so far; what fails is raised in `finish`."""
        getattr(os, "fdatasync", os.fsync)(self.fileno())

    def close(self) -> None:
        """Close the file."""
        try:
            self.behind.finish()
        finally:
            super().close()

    def write_all(self, data: Any) -> None:
        """Write all of some bytes."""
        whole_writes(self)(data)


def whole_writes(file: Any) -> Callable[[Any], None]:
    """A function that writes all of some bytes, where `file.write` may write a part."""

    def write(data: Any) -> None:
        n = file.write(data)
        if n is None or n == len(data):
            return
        view = memoryview(data)[n:]
        while len(view):
            n = file.write(view)
            if not n:
                raise OSError("save(): the file takes no more bytes")
            view = view[n:]

    return write


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Part]:
    """A file to write to, which becomes the file `path` at the end of the block.

    If that ends by an exception, nothing has changed.

    >>> import os, tempfile
    >>> from plugrad.saving import replacing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(os.path.join(folder, "name")) as file:
    ...         _ = file.write(b"text")
    ...     print(os.listdir(folder))
    ['name']
    """
    path = os.path.realpath(path)
    before = status(path)
    if before is not None and S_ISDIR(before.st_mode):
        raise IsADirectoryError(21, "is a directory", path)
    if before is not None and not S_ISREG(before.st_mode):
        with Part(os.open(path, os.O_WRONLY)) as part:  # a device, or a pipe
            yield part
        return
    if before is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "Permission denied", path)
    folder, name = os.path.split(path)
    remove_strays(folder, name)
    made, fd = make_part(folder, name, before)
    try:
        with Part(fd) as part:
            yield part
            part.behind.finish()
            os.fsync(fd)
            if fcntl is not None:  # renamed while it is locked: no stray yet
                os.replace(made, path)
        if fcntl is None:
            os.replace(made, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(made)
        raise
    sync_folder(folder)


def status(path: str) -> os.stat_result | None:
    """What the system says of a file, None if it is not there."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def make_part(folder: str, name: str, before: os.stat_result | None) -> tuple[str, int]:
    """A new temporary file, locked, with the mode that the file has or will have."""
    mode = 0o666 if before is None else S_IMODE(before.st_mode)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    while True:
        part = os.path.join(folder, f"{start(name)}{os.urandom(6).hex()}{ENDING}")
        try:
            fd = os.open(part, flags, mode)
        except FileExistsError:
            continue
        try:
            if lock(fd, wait=True) and not os.fstat(fd).st_nlink:
                os.close(fd)  # another save took it for a stray before it was locked
                continue
            if before is not None and hasattr(os, "fchmod"):
                os.fchmod(fd, mode)  # what the umask has taken away
        except BaseException:
            os.close(fd)
            os.unlink(part)
            raise
        return part, fd


def start(name: str) -> str:
    """How the temporary files for a name begin; names may be of up to 255 bytes."""
    if len(os.fsencode(name)) > 200:
        from hashlib import blake2b

        name = blake2b(os.fsencode(name), digest_size=16).hexdigest()
    return f".{name}."


def remove_strays(folder: str, name: str) -> None:
    """Remove temporary files for this name whose writers are gone."""
    if fcntl is None:
        return
    begin = start(name)
    length = len(begin) + 12 + len(ENDING)
    for each in os.listdir(folder):
        if not (each.startswith(begin) and each.endswith(ENDING)):
            continue
        if len(each) != length:
            continue
        part = os.path.join(folder, each)
        with suppress(OSError):
            fd = os.open(part, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                if lock(fd, wait=False):
                    os.unlink(part)
            finally:
                os.close(fd)


def lock(fd: int, wait: bool) -> bool:
    """Lock a file until it is closed, or its process ends; whether that could be."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # locked by another, or a file system without locks
        return False
    return True


def sync_folder(folder: str) -> None:
    """Put the names in a folder on the disk, where folders can be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
