"""Messages between a loader and a worker: pieces of bytes, through a socket.

- Many bytes go through a file in memory without a name: one end writes it and sends its
  descriptor, the other maps it. What is mapped is freed when nobody looks at it any
  more; since there is no name, nothing is left behind however a process ends.
- Few bytes go through the socket itself, which costs less than a file.
- Neither end ever blocks in the middle of a message. What the other has no room for
  waits in `unsent`; what came in part, in `unread`.
"""

from __future__ import annotations

import mmap
import os
import selectors
import socket
import sys
import tempfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from struct import Struct
from typing import Any

HEADER = Struct("<IIQ")  # the number of pieces; 1 if they lie in a file; bytes in all
LENGTH = Struct("<Q")
FEW = 1 << 16  # bytes; a file of 64 KiB takes 25 µs to make and map, copying it 20
ALIGNED = 64
PASSES_FILES = hasattr(socket, "send_fds") and hasattr(os, "pwrite")
# not epoll, of which forked processes would share the one in the kernel
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)

Piece = Any  # bytes or a memoryview of bytes


class Hangup(Exception):
    """The other end is closed, and all its messages have been read."""


class Channel:
    """One end of a connection."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.end = end
        self.unsent: deque[tuple[memoryview, int | None]] = deque()
        self.unread = bytearray()
        self.files: deque[int] = deque()

    def fileno(self) -> int:
        return self.end.fileno()

    def close(self) -> None:
        """Close this end, and what came with messages that nobody read."""
        self.end.close()
        fds = [fd for _, fd in self.unsent if fd is not None]
        for fd in (*fds, *self.files):
            os.close(fd)
        self.unsent.clear()
        self.files.clear()

    # --- out ------------------------------------------------------------------------

    def send(self, pieces: Sequence[Piece]) -> bool:
        """Send a message; whether all is sent that was ever given."""
        starts, total = layout(pieces)
        table = b"".join(LENGTH.pack(len(each)) for each in pieces)
        if total > FEW and PASSES_FILES:
            file = written([table, *pieces], [0, *starts])
            header = HEADER.pack(len(pieces), 1, total)
            self.unsent.append((memoryview(header), file))
        else:
            data = bytearray(HEADER.size + total)
            HEADER.pack_into(data, 0, len(pieces), 0, total)
            for start, piece in zip((0, *starts), (table, *pieces)):
                at = HEADER.size + start
                data[at : at + len(piece)] = piece
            self.unsent.append((memoryview(data), None))
        return self.flush()

    def flush(self) -> bool:
        """Send what the other end has room for; whether that was all."""
        while self.unsent:
            data, file = self.unsent[0]
            try:
                if file is None:
                    n = self.end.send(data)
                else:
                    n = socket.send_fds(self.end, [data], [file])
            except BlockingIOError:
                return False
            except ConnectionError:
                raise Hangup from None
            if file is not None:
                os.close(file)
            if n < len(data):
                self.unsent[0] = data[n:], None
            else:
                self.unsent.popleft()
        return True

    # --- in -------------------------------------------------------------------------

    def receive(self) -> list[list[memoryview]]:
        """The messages that have arrived, perhaps none; Hangup if no more will."""
        messages: list[list[memoryview]] = []
        ended = False
        while not ended:
            try:
                data, files = self.read()
            except BlockingIOError:
                break
            except ConnectionError:
                data, files = b"", []
            ended = not data
            self.unread += data
            self.files.extend(files)
            while (message := self.first()) is not None:
                messages.append(message)
        if ended and not messages:
            raise Hangup
        return messages

    def read(self) -> tuple[bytes, list[int]]:
        """What the socket holds: bytes, and files."""
        if not PASSES_FILES:
            return self.end.recv(FEW), []
        got = socket.recv_fds(self.end, FEW, 8, CLOSED_ON_EXEC)
        data, files, flags, _ = got
        if flags & socket.MSG_CTRUNC:
            raise OSError(
                "too many open files: batches are held that lie in shared memory; "
                "copy those that you keep, or raise the limit (ulimit -n)"
            )
        return data, list(files)

    def first(self) -> list[memoryview] | None:
        """The first message, if it is whole."""
        if len(self.unread) < HEADER.size:
            return None
        count, in_file, total = HEADER.unpack_from(self.unread)
        end = HEADER.size + (0 if in_file else total)
        if len(self.unread) < end:
            return None
        if in_file:
            memory = memoryview(mapped(self.files.popleft(), total))
        else:
            memory = memoryview(self.unread[HEADER.size : end])
        del self.unread[:end]
        table = memory[: count * LENGTH.size].cast("Q")
        pieces, at = [], aligned(len(table) * LENGTH.size)
        for size in table:
            pieces.append(memory[at : at + size])
            at = aligned(at + size)
        return pieces


def aligned(n: int) -> int:
    return -(-n // ALIGNED) * ALIGNED


def layout(pieces: Sequence[Piece]) -> tuple[list[int], int]:
    """Where each piece begins behind the table of their lengths, and where all end."""
    starts, end = [], len(pieces) * LENGTH.size
    for piece in pieces:
        starts.append(aligned(end))
        end = starts[-1] + len(piece)
    return starts, end


def written(pieces: Sequence[Piece], starts: Sequence[int]) -> int:
    """The descriptor of a new file without a name that holds the pieces."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("plugrad-batch", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    try:
        for piece, at in zip(pieces, starts):
            rest = memoryview(piece)
            while len(rest):  # 2 GiB at most are written in one call
                n = os.pwrite(file, rest, at)
                rest, at = rest[n:], at + n
    except BaseException:
        os.close(file)
        raise
    return file


def mapped(file: int, size: int) -> Any:
    """The memory of a file, which is closed; a copy if many files are open already,
    since before Python 3.13 each map holds one."""
    options: dict[str, Any] = {}
    if sys.version_info >= (3, 13):
        options["trackfd"] = False
    flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
    try:
        if options or file < half_the_limit():
            with suppress(OSError):
                return mmap.mmap(file, size, flags, **options)
        copied = bytearray(size)
        rest, at = memoryview(copied), 0
        while at < size:
            n = os.preadv(file, [rest[at:]], at)
            at += n
        return copied
    finally:
        os.close(file)


def half_the_limit() -> int:
    """Half the number of files that this process may have open."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft // 2
