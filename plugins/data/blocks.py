"""Blocks of memory that a worker writes and the loader reads, without a name.

- A worker writes a batch into a file in memory and sends the descriptor once; the
  loader maps it, and tells the worker when the last array on it is gone. Then it is
  written anew: pages that are there already cost a tenth of new ones.
- Nothing has a name in /dev/shm or elsewhere. So nothing is left behind however a
  process ends, and a container's limit on /dev/shm does not matter.
- Arrays keep the memory that they lie on, even after worker and loader are gone. Where
  the process has forked meanwhile, its child may have them still: such a block is not
  written again.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import tempfile
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

Piece = Any  # bytes or a memoryview of bytes

FORKS = [0]  # how often this process has forked
HELD: dict[int, weakref.ref[Any]] = {}  # the blocks that arrays lie in, of all loaders
PAGES = 1 << 16  # bytes; the size of a block is a multiple of that
SUPPORTED = hasattr(socket, "send_fds") and hasattr(os, "pwrite")


class Blocks:
    """The blocks of a worker, by number."""

    def __init__(self) -> None:
        self.files: list[int | None] = []
        self.sizes: list[int] = []
        self.free: set[int] = set()

    def write(self, pieces: Iterable[Piece], starts: Iterable[int], total: int) -> Any:
        """Write pieces into a block that is free, or a new one: its number, its size,
        and its file if the loader does not have it yet."""
        number, new = self.choose(total)
        file: int = self.files[number]  # type: ignore[assignment]
        try:
            for piece, at in zip(pieces, starts):
                rest = memoryview(piece)
                while len(rest):  # 2 GiB at most are written in one call
                    n = os.pwrite(file, rest, at)
                    rest, at = rest[n:], at + n
        except OSError:  # no memory is left
            self.drop([number])
            raise
        self.free.discard(number)
        return number, self.sizes[number], file if new else None

    def choose(self, total: int) -> tuple[int, bool]:
        """A free block of at least `total` bytes, and whether it is new."""
        fits = [i for i in self.free if self.sizes[i] >= total]
        if fits:
            return fits[0], False
        number = min(self.free, default=len(self.files))
        if number == len(self.files):
            self.files.append(None)
            self.sizes.append(0)
        self.drop([number])
        size = -(-total // PAGES) * PAGES
        self.files[number] = anonymous(size)
        self.sizes[number] = size
        return number, True

    def drop(self, numbers: Iterable[int]) -> None:
        """Close blocks that nobody needs any more; their numbers can be used again."""
        for number in numbers:
            file, self.files[number] = self.files[number], None
            self.sizes[number] = 0
            self.free.add(number)
            if file is not None:
                os.close(file)


def anonymous(size: int) -> int:
    """A new file in memory that has no name."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("plugrad-batch", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    try:
        os.truncate(file, size)
    except OSError:
        os.close(file)
        raise
    return file


class Maps:
    """The blocks of a worker as its loader sees them."""

    def __init__(self, spare: int) -> None:
        self.spare = spare  # blocks that the worker may keep for later batches
        self.maps: dict[int, mmap.mmap] = {}
        self.lent: set[int] = set()  # arrays lie in them
        # their last array is gone; how often this process had forked when it came
        self.gone: deque[tuple[int, int]] = deque()

    def add(self, number: int, file: int, size: int) -> None:
        """Map a new block, and close its file."""
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        try:
            self.maps[number] = mmap.mmap(file, size, flags)
        finally:
            os.close(file)

    def view(self, number: int, total: int) -> memoryview:
        """The bytes of a message in a block, which stays until nobody sees them."""
        block = self.maps[number]
        gone, forks = self.gone, FORKS[0]
        if len(HELD) >= most_held():
            gone.append((number, forks))
            return memoryview(bytearray(memoryview(block)[:total]))
        # it holds the block for all views on it, and, unlike them, can be watched
        holder = (ctypes.c_char * total).from_buffer(block)
        key = id(holder)

        def released(_: Any) -> None:
            HELD.pop(key, None)
            gone.append((number, forks))

        HELD[key] = weakref.ref(holder, released)
        self.lent.add(number)
        return memoryview(holder).cast("B")

    def returned(self) -> tuple[list[int], list[int]]:
        """The blocks that the worker may write anew, and those that it may close."""
        reuse: list[int] = []
        drop: list[int] = []
        while self.gone:
            number, forks = self.gone.popleft()
            self.lent.discard(number)
            if forks != FORKS[0] or len(self.maps) - len(self.lent) > self.spare:
                del self.maps[number]
                drop.append(number)
            else:
                reuse.append(number)
        return reuse, drop


def count_fork() -> None:
    FORKS[0] += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=count_fork)


def most_held() -> int:
    """How many blocks may be held before batches are copied: each takes a file, here
    and in its worker, and there is a limit on those."""
    try:
        import resource
    except ImportError:
        return 1000
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 10_000 if soft == resource.RLIM_INFINITY else min(soft // 4, 10_000)


def layout(pieces: Sequence[Piece], begin: int) -> tuple[list[int], int]:
    """Where each piece begins, behind `begin` bytes, and where all end."""
    starts, end = [], begin
    for piece in pieces:
        starts.append(aligned(end))
        end = starts[-1] + len(piece)
    return starts, end


def aligned(n: int) -> int:
    """The next multiple of 64."""
    return -(-n // 64) * 64
