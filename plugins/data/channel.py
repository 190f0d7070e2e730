"""Messages between a loader and a worker: pieces of bytes, through a socket.

- Many bytes go through a block of shared memory (blocks.py), and only its number, the
  first time also its file, through the socket. Few bytes go through the socket itself.
- Neither end ever blocks in the middle of a message. What the other has no room for
  waits in `unsent`; what came in part, in `unread`.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections import deque
from collections.abc import Sequence
from struct import Struct

from .blocks import SUPPORTED, Blocks, Maps, Piece, aligned, layout

# pieces; the block that they lie in and its size if it is new, or zeros; bytes in all
HEADER = Struct("<IIQQ")
LENGTH = Struct("<Q")
FEW = 1 << 16  # bytes

# not epoll, of which forked processes would share the one in the kernel
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)
CLOSED_ON_EXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Hangup(Exception):
    """The other end is closed, and all its messages have been read."""


class Channel:
    """One end of a connection; `blocks` are those that it writes, `maps` reads."""

    def __init__(
        self, end: socket.socket, blocks: Blocks | None = None, maps: Maps | None = None
    ) -> None:
        end.setblocking(False)
        self.end = end
        self.blocks = blocks if SUPPORTED else None
        self.maps = maps
        self.unsent: deque[tuple[memoryview, int | None]] = deque()
        self.unread = bytearray()
        self.files: deque[int] = deque()

    def close(self) -> None:
        """Close this end, and the files that came and nobody took."""
        self.end.close()
        while self.files:
            os.close(self.files.popleft())
        self.unsent.clear()

    # --- out ------------------------------------------------------------------------

    def send(self, pieces: Sequence[Piece]) -> bool:
        """Send a message; whether all is sent that was ever given."""
        table = b"".join(LENGTH.pack(len(each)) for each in pieces)
        starts, total = layout(pieces, len(table))
        parts = list(zip((table, *pieces), (0, *starts)))
        if total > FEW and self.blocks is not None:
            number, size, file = self.blocks.write(*zip(*parts), total)
            new = 0 if file is None else size
            header = HEADER.pack(len(pieces), number + 1, new, total)
            self.unsent.append((memoryview(header), file))
        else:
            data = bytearray(HEADER.size + total)
            HEADER.pack_into(data, 0, len(pieces), 0, 0, total)
            for piece, at in parts:
                data[HEADER.size + at : HEADER.size + at + len(piece)] = piece
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
                data = self.read()
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            ended = not data
            self.unread += data
            while (message := self.first()) is not None:
                messages.append(message)
        if ended and not messages:
            raise Hangup
        return messages

    def read(self) -> bytes:
        """What the socket holds; files that come with it are kept."""
        if self.maps is None or not SUPPORTED:
            return self.end.recv(FEW)
        data, files, flags, _ = socket.recv_fds(self.end, FEW, 8, CLOSED_ON_EXEC)
        self.files.extend(files)
        if flags & socket.MSG_CTRUNC:
            raise OSError(
                "too many open files: batches that are held lie in shared memory; copy "
                "those that you keep, or raise the limit (ulimit -n)"
            )
        return data

    def first(self) -> list[memoryview] | None:
        """The first message, if it is whole."""
        if len(self.unread) < HEADER.size:
            return None
        count, block, new, total = HEADER.unpack_from(self.unread)
        end = HEADER.size + (0 if block else total)
        if len(self.unread) < end:
            return None
        if block and self.maps is not None:
            if new:
                self.maps.add(block - 1, self.files.popleft(), new)
            memory = self.maps.view(block - 1, total)
        else:
            memory = memoryview(self.unread[HEADER.size : end])
        del self.unread[:end]
        sizes = memory[: count * LENGTH.size].cast("Q").tolist()
        pieces, at = [], count * LENGTH.size
        for size in sizes:
            at = aligned(at)
            pieces.append(memory[at : at + size])
            at += size
        return pieces
