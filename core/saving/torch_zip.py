"""PyTorch's file format: a zip archive of one pickle and of the bytes it refers to.

- Saving writes what `torch.save` writes, so that `torch.load` reads it, mapped into
  memory, too. Two things are plugrad's own: a file holds nothing that changes from one
  saving to the next, and one more record, which torch passes over, with more checksums
  and the place of every record.
- Loading checks all of that before it gives anything out. A file of torch's has the
  checksums of a zip file, which are checked as well. What is mapped into memory is read
  when it is looked at, so the bytes of its tensors are not summed up.
"""

from __future__ import annotations

import sys
from hashlib import blake2b

from ..errors import CheckpointError
from .decoder import Decoder
from .digests import CHUNK, Digest, Summing
from .encoder import Encoder
from .names import Names
from .placing import Placing, Stored
from .sources import Source, new_memory
from .zip_reader import Archive, Record
from .zip_writer import ALIGNMENT, Entry, ZipWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .formats import Asked

SUMS = ".data/plugrad_checksums"
VERSIONS = range(1, 11)  # of the archive, that PyTorch reads


def save(obj: Any, write: Callable[[Any], Any]) -> None:
    """Write a checkpoint; `write` takes bytes."""
    encoder = Encoder()
    pickle = encoder.encode(obj)
    with Summing() as summing:
        archive = ZipWriter(write, summing)
        archive.add("archive/data.pkl", pickle)
        archive.add("archive/.format_version", b"1")
        archive.add("archive/.storage_alignment", b"%d" % ALIGNMENT)
        archive.add("archive/byteorder", sys.byteorder.encode())
        for memory in encoder.memories.found.values():
            archive.add(f"archive/data/{memory.key}", memory.data())
        archive.add("archive/version", b"3\n")
        archive.add(f"archive/{SUMS}", checksums(archive.entries, pickle))
        archive.close()


def checksums(entries: list[Entry], pickle: bytes) -> bytes:
    """A line for every record, one for the pickle, and one over all lines."""
    lines = [
        f"{e.header} {e.data} {e.size} {e.digest.text()} {e.name.decode()}\n"
        for e in entries
    ]
    text = "".join([*lines, blake2b(pickle, digest_size=32).hexdigest(), "\n"]).encode()
    return text + blake2b(text, digest_size=32).hexdigest().encode()


def load(source: Source, asked: Asked) -> Any:
    """The object of a checkpoint."""
    archive = Archive(source)
    with Summing() as summing:
        reader = Reader(archive, summing)
        if asked.mapped:
            source.map_all()
        pickle = reader.read_pickle()
        names = Names(Placing(reader.fetch, asked.locate), asked)
        obj = Decoder(pickle, names, encoding=asked.encoding).decode()
        reader.finish()
    return obj


class Reader:
    """The records of a checkpoint, summed up while they are read."""

    def __init__(self, archive: Archive, summing: Summing) -> None:
        self.archive = archive
        self.source = archive.source
        self.summing = summing
        self.top = top_folder(archive)
        self.sums: dict[str, list[str]] = {}
        self.pickle_sum = ""
        self.read_so_far: list[tuple[Record, Digest]] = []
        if f"{self.top}{SUMS}" in archive.records:
            self.read_sums()
        self.swapped = self.has_other_order()
        version = self.small("version", b"3")
        if not version.strip().isdigit() or int(version) not in VERSIONS:
            raise CheckpointError(f"it is of version {version!r}, which is not known")

    def record(self, name: str) -> Record:
        """A record by its name without the folder."""
        found = self.archive.records.get(f"{self.top}{name}")
        if found is None:
            raise CheckpointError(f"it has no record {name!r}")
        return found

    def small(self, name: str, default: bytes) -> bytes:
        """The contents of a short record."""
        if f"{self.top}{name}" not in self.archive.records:
            return default
        if self.record(name).size > 64:
            raise CheckpointError(f"its record {name!r} is too long")
        found = self.read(name)
        self.finish()
        return found

    def read_sums(self) -> None:
        """Read the checksums, and compare what they say of the whole file."""
        text = self.read(SUMS)
        self.finish()
        *lines, self.pickle_sum, last = text.decode().split("\n")
        summed = text[: len(text) - len(last)]
        if blake2b(summed, digest_size=32).hexdigest() != last:
            raise CheckpointError("the file is damaged: its checksums are")
        for line in lines:
            *fields, name = line.split(" ", 4)
            self.sums[name] = fields
        names = list(self.archive.records)
        if names != [*self.sums, f"{self.top}{SUMS}"]:
            raise CheckpointError("the file is damaged: it has not all of its records")
        for name, fields in self.sums.items():
            record = self.archive.records[name]
            place = self.archive.place(record)
            if fields[:3] != f"{record.header} {place} {record.size}".split():
                raise CheckpointError(
                    f"the file is damaged: record {name!r} is not where it was written"
                )

    def has_other_order(self) -> bool:
        """Whether numbers are written in the other order than here."""
        order = self.small("byteorder", b"little").decode()
        if order not in ("little", "big"):
            raise CheckpointError(f"its byte order is {order!r}")
        return order != sys.byteorder

    def read(self, name: str) -> bytes:
        """The contents of a record; to be believed after `finish`."""
        record = self.record(name)
        data = self.source.read(self.archive.place(record), record.size)
        digest = Digest()
        self.read_so_far.append((record, digest))
        for i in range(0, len(data), CHUNK):
            digest.update(data[i : i + CHUNK])
        return data

    def read_pickle(self) -> bytes:
        """The pickle, to be believed."""
        found = self.read("data.pkl")
        self.finish()
        if self.sums and blake2b(found, digest_size=32).hexdigest() != self.pickle_sum:
            raise CheckpointError("the file is damaged: its pickle is")
        return found

    def fetch(self, stored: Stored, dtype: Any) -> memoryview:
        """The bytes of a memory."""
        record = self.record(f"data/{stored.key}")
        if record.size != stored.nbytes:
            raise CheckpointError(
                f"its storage {stored.key!r} has {record.size:,} bytes, and its pickle "
                f"says {stored.nbytes:,}"
            )
        at = self.archive.place(record)
        if self.source.map is not None and not self.swapped:
            return self.source.map[at : at + record.size]
        memory = new_memory(record.size)
        digest = Digest()
        self.read_so_far.append((record, digest))
        self.source.read_summed(at, memory, digest, self.summing)
        if self.swapped:
            self.summing.finish()
            swap(memory, dtype)
        return memory

    def finish(self) -> None:
        """Raise unless all that was read is what was written."""
        self.summing.finish()
        for record, digest in self.read_so_far:
            fields = self.sums.get(record.name)
            other = fields is not None and fields[3] != digest.text()
            if digest.crc != record.crc or other:
                raise CheckpointError(
                    f"the file is damaged: record {record.name!r} is not what was "
                    "written (its checksum differs)"
                )
        self.read_so_far.clear()


def top_folder(archive: Archive) -> str:
    """The folder that all records lie in, with a slash."""
    names = archive.records
    found = [n for n in names if n.endswith("/data.pkl") and n.count("/") == 1]
    if len(found) != 1:
        if any(name.endswith(".npy") for name in names):
            raise CheckpointError("it holds NumPy arrays: load it with format='npz'")
        raise CheckpointError("it is a zip file, but no checkpoint: it has no data.pkl")
    top = found[0].removesuffix("data.pkl")
    if f"{top}constants.pkl" in names:
        raise CheckpointError(
            "it is a TorchScript program, which plugrad cannot run; save the "
            "state_dict() of the module with torch.save"
        )
    return top


def swap(memory: memoryview, dtype: Any) -> None:
    """Turn the bytes of every number around."""
    from array import array

    size = dtype.itemsize // (2 if dtype.is_complex else 1)
    if size == 1:
        return
    turned = array({2: "H", 4: "I", 8: "Q"}[size])
    turned.frombytes(memory)
    turned.byteswap()
    memory[:] = memoryview(turned).cast("B")
