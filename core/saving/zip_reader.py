"""Read a zip archive, and believe nothing that it says.

- Records must be stored as they are, one after the other, without overlaps; all that
  is said twice in a zip file must be said twice alike. So one flipped bit anywhere is
  either noticed, or changes nothing that is read.
- Names are keys and nothing else: no file is ever made from them.
"""

from __future__ import annotations

from struct import Struct, unpack_from

from ..errors import CheckpointError
from .zip_writer import CENTRAL, END, END64, HUGE, LOCAL, LOCATOR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .sources import Source

HEADER = Struct("<4sHHHHHIIIHH")  # of a record; its name follows
STORED = 0
ENCRYPTED = 1
SIZES_LATER = 8
MOST_NAMES = 256 << 20  # bytes of a table of contents


class Record:
    """A record of an archive. `data`, its place, is known once its header was read."""

    __slots__ = ("name", "header", "size", "crc", "flags", "method", "data")

    def __init__(self, name: str, fields: tuple[int, ...], place: int) -> None:
        self.name = name
        self.flags, self.method, self.crc, self.size = fields
        self.header = place
        self.data = -1


class Archive:
    """The table of contents of a zip archive, and where its records lie."""

    def __init__(self, source: Source) -> None:
        self.source = source
        begin, size, count, self.end = find_table(source)
        if size > MOST_NAMES:
            raise CheckpointError(f"its table of contents has {size:,} bytes")
        self.table = begin
        self.records = parse_table(source.read(begin, size), count)
        self.check_places()

    def check_places(self) -> None:
        """Raise unless all records lie before the table, and none in another."""
        found = sorted(self.records.values(), key=lambda each: each.header)
        for i, each in enumerate(found):
            after = found[i + 1].header if i + 1 < len(found) else self.table
            if each.header + 30 + len(each.name.encode()) + each.size > after:
                raise CheckpointError(
                    f"record {each.name!r} does not fit where it is said to be"
                )

    def place(self, record: Record) -> int:
        """Where the data of a record begins, from the record's own header."""
        if record.data >= 0:
            return record.data
        source, name = self.source, record.name.encode()
        begin = source.read(record.header, 30 + len(name))
        mark, _, flags, method, _, _, crc, packed, size, n, m = HEADER.unpack_from(
            begin
        )
        if mark != LOCAL or flags != record.flags or method != record.method:
            raise different(record, "its own header is another")
        if n != len(name) or begin[30:] != name:
            raise different(record, "its own header gives another name")
        # a size in 64 bits, or after the data, is not in this place
        wanted, sums = (record.size, HUGE), (record.crc,)
        if flags & SIZES_LATER:
            wanted, sums = (*wanted, 0), (*sums, 0)
        if packed not in wanted or size not in wanted or crc not in sums:
            raise different(record, "its own header gives another size or checksum")
        record.data = record.header + 30 + n + m
        if record.data + record.size > self.table:
            raise different(record, "it reaches into the table of contents")
        return record.data


def different(record: Record, why: str) -> CheckpointError:
    return CheckpointError(
        f"the file is damaged: record {record.name!r} is not what the table of "
        f"contents says: {why}"
    )


def find_table(source: Source) -> tuple[int, int, int, int]:
    """The place and size of the table of contents, its number of entries, and the
    place behind it."""
    tail_size = min(source.size, 22 + 0xFFFF)
    tail = source.read(source.size - tail_size, tail_size)
    fields: Any = None
    at = tail.rfind(END)
    while at >= 0:
        if len(tail) - at >= 22:
            fields = unpack_from("<4sHHHHIIH", tail, at)
            if at + 22 + fields[-1] == len(tail):
                break
        at = tail.rfind(END, 0, at)
    if at < 0:
        raise CheckpointError(
            "it is cut off, or damaged: a zip file ends with a table of contents, and "
            "there is none"
        )
    end = source.size - tail_size + at
    _, disk, first, here, count, size, begin, _ = fields
    if disk or first or here != count:
        raise CheckpointError("it is one part of a zip file of several")
    behind = end
    if end >= 20:
        locator = source.read(end - 20, 20)
        if locator[:4] == LOCATOR:
            behind, begin, size, count = table64(source, locator, end, fields)
    if HUGE in (size, begin) and behind == end:
        raise CheckpointError("the file is damaged: its table of contents is not found")
    if begin + size != behind:
        raise CheckpointError(
            "the file is damaged: its table of contents is not where it is said to be"
        )
    return begin, size, count, behind


def table64(
    source: Source, locator: bytes, end: int, fields: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """The same in 64 bits; what stands in both must agree."""
    _, disk, place, disks = unpack_from("<4sIQI", locator)
    wide = source.read(place, 56)
    mark, length, _, _, one, two, here, count, size, begin = unpack_from(
        "<4sQHHIIQQQQ", wide
    )
    told = fields[3:7]
    known = (here, count, size, begin)
    limits = (0xFFFF, 0xFFFF, HUGE, HUGE)
    agree = all(t in (k, limit) for t, k, limit in zip(told, known, limits))
    if (
        mark != END64
        or disk
        or disks > 1
        or one
        or two
        or here != count
        or place + 12 + length != end - 20
        or not agree
    ):
        raise CheckpointError("the file is damaged: its table of contents is not found")
    return place, begin, size, count


def parse_table(table: bytes, count: int) -> dict[str, Record]:
    """The records by name."""
    found: dict[str, Record] = {}
    at = 0
    while at < len(table):
        if len(table) - at < 46 or table[at : at + 4] != CENTRAL:
            raise CheckpointError("the file is damaged: its table of contents is")
        (
            _,
            _,
            _,
            flags,
            method,
            _,
            _,
            crc,
            packed,
            size,
            n,
            m,
            c,
            disk,
            _,
            _,
            place,
        ) = unpack_from("<4sHHHHHHIIIHHHHHII", table, at)
        after = at + 46 + n + m + c
        if after > len(table):
            raise CheckpointError("the file is damaged: its table of contents is")
        name = table[at + 46 : at + 46 + n].decode()
        if HUGE in (packed, size, place):
            extra = table[at + 46 + n : at + 46 + n + m]
            packed, size, place = widened(extra, packed, size, place)
        record = Record(name, (flags, method, crc, size), place)
        check_record(record, packed, disk, found)
        found[name] = record
        at = after
    if len(found) != count:
        raise CheckpointError(
            f"the file is damaged: its table of contents has {len(found)} entries, and "
            f"is said to have {count}"
        )
    return found


def check_record(
    record: Record, packed: int, disk: int, found: dict[str, Record]
) -> None:
    """Raise if a record is one that is never read."""
    name = record.name
    if name in found:
        raise CheckpointError(f"two records have the name {name!r}")
    if disk or record.flags & ENCRYPTED:
        raise CheckpointError(f"record {name!r} is encrypted, or in another file")
    if record.method != STORED:
        raise CheckpointError(
            f"record {name!r} is compressed, and checkpoints are not: unpack the file "
            "and pack it again with 'zip -0'"
        )
    if packed != record.size:
        raise CheckpointError(f"the file is damaged: record {name!r} has two sizes")


def widened(extra: bytes, packed: int, size: int, place: int) -> tuple[int, int, int]:
    """Sizes and place, from the extra field where they take 64 bits."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = unpack_from("<HH", extra, at)
        if kind == 1:
            values = [
                unpack_from("<Q", extra, at + 4 + i)[0] for i in range(0, length - 7, 8)
            ]
            values.reverse()
            # in this order, and only those that do not fit
            size = values.pop() if size == HUGE else size
            packed = values.pop() if packed == HUGE else packed
            place = values.pop() if place == HUGE else place
            break
        at += 4 + length
    return packed, size, place
