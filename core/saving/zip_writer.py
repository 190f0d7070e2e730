"""Write a zip archive as PyTorch does.

- Records are stored as they are, each beginning at a multiple of 64 bytes, so that
  they can be mapped into memory. Sizes and CRC-32 follow the data: nothing is written
  twice, and the file need not be one that can be gone back in.
- Nothing differs between two archives of the same contents: no time, no random number.
"""

from __future__ import annotations

from struct import pack

from .digests import CHUNK, Digest, Summing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ALIGNMENT = 64
LOCAL, CENTRAL, DESCRIPTOR = b"PK\3\4", b"PK\1\2", b"PK\7\x08"
END, END64, LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
FLAGS = 0x0808  # sizes after the data; names in UTF-8
HUGE = 0xFFFFFFFF  # a size or place from which on it takes 64 bits
PENDING = 1 << 20  # small writes are gathered up to this


class Entry:
    """A record that was written: its name, where, how large, and its checksums."""

    __slots__ = ("name", "header", "data", "size", "digest")

    def __init__(self, name: bytes, header: int, data: int, size: int) -> None:
        self.name = name
        self.header = header
        self.data = data
        self.size = size
        self.digest = Digest()


class ZipWriter:
    """An archive that is being written; `write` takes bytes and writes all of them."""

    def __init__(self, write: Callable[[Any], Any], summing: Summing) -> None:
        self.write = write
        self.summing = summing
        self.entries: list[Entry] = []
        self.at = 0
        self.pending = bytearray()

    def put(self, data: Any) -> None:
        """Write bytes, or note them to be written."""
        self.at += len(data)
        if len(self.pending) + len(data) < PENDING:
            self.pending += data
            return
        self.flush()
        self.write(data)

    def flush(self) -> None:
        """Write what was noted."""
        if self.pending:
            self.write(self.pending)
            self.pending = bytearray()

    def add(self, name: str, *pieces: Any) -> None:
        """Write a record: bytes, or flat memoryviews of bytes, one after the other."""
        encoded = name.encode()
        views = [memoryview(piece) for piece in pieces]
        header, size = self.at, sum(map(len, views))
        start = self.start(encoded, header, size)
        entry = Entry(encoded, header, header + len(start), size)
        self.entries.append(entry)
        self.put(start)
        for view in views:
            for i in range(0, len(view), CHUNK):
                self.put_summed(view[i : i + CHUNK], entry.digest)
        if size:
            self.summing.finish()  # its sum is written next
            kind = "<4sIQQ" if max(size, header) >= HUGE else "<4sIII"
            self.put(pack(kind, DESCRIPTOR, entry.digest.crc, size, size))

    def put_summed(self, data: memoryview, digest: Digest) -> None:
        """Write bytes, and sum them up."""
        self.summing.do(lambda: digest.update(data), len(data))
        self.put(data)

    def start(self, name: bytes, header: int, size: int) -> bytes:
        """The header of a record, padded so that the data begins aligned."""
        large = pack("<HHQQQ", 1, 24, size, size, header) if size >= HUGE else b""
        if header >= HUGE and not large:
            large = pack("<HHQ", 1, 8, header)
        length = 30 + len(name) + len(large) + 4
        padding = -(header + length) % ALIGNMENT
        extra = large + pack("<2sH", b"FB", padding) + b"Z" * padding
        shown = HUGE if size >= HUGE else 0
        fixed = pack(
            "<4sHHHHHIIIHH",
            LOCAL,
            *(0, FLAGS, 0, 0, 0, 0, shown, shown),
            *(len(name), len(extra)),
        )
        return fixed + name + extra

    def close(self) -> None:
        """Write the table of contents."""
        self.summing.finish()
        begin = self.at
        for entry in self.entries:
            self.put(central(entry))
        end, n = self.at, len(self.entries)
        size = end - begin
        self.put(
            pack("<4sQHHIIQQQQ", END64, 44, 0x031E, 45, 0, 0, n, n, size, begin)
            + pack("<4sIQI", LOCATOR, 0, end, 1)
            + pack(
                "<4sHHHHIIH",
                *(END, 0, 0, min(n, 0xFFFF), min(n, 0xFFFF)),
                *(min(size, HUGE), min(begin, HUGE), 0),
            )
        )
        self.flush()


def central(entry: Entry) -> bytes:
    """A record's line in the table of contents."""
    size, header = entry.size, entry.header
    wide = b"".join(pack("<Q", n) for n in (size, size, header) if n >= HUGE)
    extra = pack("<HH", 1, len(wide)) + wide if wide else b""
    fixed = pack(
        "<4sHHHHHHIIIHHHHHII",
        *(CENTRAL, 0, 0, FLAGS, 0, 0, 0, entry.digest.crc),
        *(min(size, HUGE), min(size, HUGE), len(entry.name), len(extra)),
        *(0, 0, 0, 0, min(header, HUGE)),
    )
    return fixed + entry.name + extra
