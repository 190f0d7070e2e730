"""The bytes of a file, wherever they are: a path, an open file, memory."""

from __future__ import annotations

import io
import os
from functools import partial
from zlib import crc32

from ..errors import CheckpointError
from .digests import CHUNK, FEW, Digest, Summing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGE = 4 << 20  # from here on memory comes in pages of its own


class Source:
    """Bytes that can be read at any place; offsets count from where `file` stood."""

    def __init__(self, file: Any, name: str, is_path: bool = False) -> None:
        self.name = name
        self.file = file
        self.is_path = is_path
        # of a file of our own, which is read at any place in one call of the system
        self.fd = file.fileno() if is_path and hasattr(os, "preadv") else None
        self.begin = file.tell()
        self.size = file.seek(0, os.SEEK_END) - self.begin
        self.map: memoryview | None = None

    def map_all(self) -> None:
        """Read from now on through memory that the system fills when it is looked at;
        what is written to it stays in this process."""
        import mmap

        if self.size:
            found = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_COPY)
            self.map = memoryview(found)

    def read(self, at: int, size: int) -> bytes:
        """Some bytes, all of them."""
        self.check(at, size)
        data = self.some(at, size)
        while len(data) < size:
            more = self.some(at + len(data), size - len(data))
            if not more:
                raise CheckpointError("the file was cut off while it was read")
            data += more
        return data

    def some(self, at: int, size: int) -> bytes:
        """As many of some bytes as come at once."""
        if self.fd is not None:
            return os.pread(self.fd, size, at)
        self.file.seek(self.begin + at)
        return self.file.read(size)

    def read_into(self, at: int, target: memoryview) -> None:
        """Some bytes, into memory."""
        self.check(at, len(target))
        if self.fd is not None:
            read_at(self.fd, at, target)
            return
        self.file.seek(self.begin + at)
        readinto = getattr(self.file, "readinto", None)
        if readinto is None:
            target[:] = self.read(at, len(target))
            return
        while len(target):
            n = readinto(target)
            if not n:
                raise CheckpointError("the file was cut off while it was read")
            target = target[n:]

    def read_summed(
        self, at: int, target: memoryview, digest: Digest, summing: Summing
    ) -> None:
        """Some bytes, into memory, and their checksum. A file that was opened by its
        path is read by two threads."""
        if 0 < len(target) <= min(FEW, CHUNK) and summing.queue is None:
            self.read_into(at, target)
            digest.update(target)
            return
        self.check(at, len(target))
        starts = range(0, len(target), CHUNK)
        fd = self.fd
        if fd is None or len(starts) < 2:
            for i in starts:
                piece = target[i : i + CHUNK]
                self.read_into(at + i, piece)
                summing.do(lambda piece=piece: digest.update(piece), len(piece))
            return
        sums = [0] * len(starts)

        def read(i: int) -> None:
            piece = target[starts[i] : starts[i] + CHUNK]
            read_at(fd, at + starts[i], piece)
            sums[i] = crc32(piece)

        summing.share([partial(read, i) for i in range(len(starts))])
        summing.do(lambda: join(digest, sums, len(target)), 0)

    def check(self, at: int, size: int) -> None:
        """Raise unless these bytes are there."""
        if at < 0 or size < 0 or at + size > self.size:
            raise CheckpointError(
                f"it is cut off, or damaged: {size:,} bytes are said to be at {at:,}, "
                f"and the file has {self.size:,}"
            )


def read_at(fd: int, at: int, target: memoryview) -> None:
    """Bytes of a file, wherever others read in it."""
    while len(target):
        n = os.preadv(fd, [target], at)
        if not n:
            raise CheckpointError("the file was cut off while it was read")
        if n == len(target):
            return
        target, at = target[n:], at + n


def join(digest: Digest, sums: list[int], size: int) -> None:
    """Put the sums of chunks together."""
    for crc in sums:
        digest.join(crc, min(size, CHUNK))
        size -= CHUNK


def new_memory(size: int) -> memoryview:
    """Memory to read into. What is large gets pages of its own, which the threads that
    read are given as they come to them."""
    if size < LARGE:
        return memoryview(bytearray(size))
    import mmap

    flags = getattr(mmap, "MAP_PRIVATE", None)
    if flags is None:  # Windows
        return memoryview(mmap.mmap(-1, size))
    return memoryview(mmap.mmap(-1, size, flags=flags | mmap.MAP_ANONYMOUS))


class Opened:
    """A path or a file object as a Source; a context that closes what it opened."""

    def __init__(self, f: Any) -> None:
        self.f = f
        self.own: Any = None

    def __enter__(self) -> Source:
        f = self.f
        if isinstance(f, (str, os.PathLike)):
            f = self.own = io.FileIO(os.fspath(f))
            name = str(os.fspath(self.f))
        else:
            for method in ("read", "seek", "tell"):
                if not hasattr(f, method):
                    raise AttributeError(
                        "load() takes a path or a file object with read, seek and "
                        f"tell, not {type(f).__name__}: it has no {method!r}"
                    )
            name = named(f)
        return Source(f, name, self.own is not None)

    def __exit__(self, *exc_info: object) -> None:
        if self.own is not None:
            self.own.close()


def named(f: Any) -> str:
    """What messages call a path or a file object."""
    if isinstance(f, (str, bytes, os.PathLike)):
        return str(os.fsdecode(f))
    name = getattr(f, "name", None)
    return name if isinstance(name, str) else f"<{type(f).__name__}>"
