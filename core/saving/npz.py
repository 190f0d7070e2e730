"""NumPy's `.npz` files: a zip archive of arrays, each with a line that describes it.

`numpy.load` reads what is saved here, and what `numpy.savez` has saved is loaded. An
array of Python objects is a pickle, and never loaded.
"""

from __future__ import annotations

import re
import sys
from math import prod

from ..dtypes import BY_NAME
from ..errors import CheckpointError, UnsupportedOpError
from ..tensor import Tensor
from .digests import Digest, Summing
from .placing import Stored, numbers
from .sources import new_memory
from .storages import Memory
from .torch_zip import swap
from .zip_reader import Archive, Record
from .zip_writer import ZipWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .formats import Asked
    from .sources import Source

MAGIC = b"\x93NUMPY"
HEADER = re.compile(
    r"\{'descr': '([<>|=])([a-zA-Z])(\d+)', 'fortran_order': (True|False), "
    r"'shape': \(((?:\d+(?:, ?|(?=\))))*)\),? ?\} *\n?"
)
LONGEST = 10_000  # bytes of a header
KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex"}


def save(tensors: dict[str, Tensor], write: Callable[[Any], Any]) -> None:
    """Write tensors by name."""
    with Summing() as summing:
        archive = ZipWriter(write, summing)
        for name, x in tensors.items():
            memory, head = described(name, x)
            archive.add(f"{name}.npy", head, memory.data())
        archive.close()


def described(name: str, x: Tensor) -> tuple[Memory, bytes]:
    """The elements of a tensor in order, and the header that says what they are."""
    d = x.dtype
    if d.name == "bfloat16":
        raise UnsupportedOpError(
            f"save(): NumPy's files have no bfloat16, which {name!r} has; save it as "
            "float32, or to another format"
        )
    k, a = x._k, x._a
    dense = a if k.is_dense(a) else k.copy(a)
    memory = Memory("", k, dense, x.numel() * d.itemsize)
    order = "|" if d.itemsize == 1 else {"little": "<", "big": ">"}[sys.byteorder]
    shape = ", ".join(map(str, a.shape)) + ("," if len(a.shape) == 1 else "")
    text = (
        f"{{'descr': '{order}{d.kind}{d.itemsize}', 'fortran_order': False, "
        f"'shape': ({shape}), }}"
    )
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return memory, MAGIC + b"\1\0" + len(text).to_bytes(2, "little") + text.encode()


def load(source: Source, asked: Asked) -> dict[str, Tensor]:
    """The tensors of a file, by their names."""
    from .placing import Placing

    archive = Archive(source)
    if asked.mapped:
        source.map_all()
    found: dict[str, Tensor] = {}
    with Summing() as summing:
        digests: list[tuple[Record, Digest]] = []
        for record in archive.records.values():
            name = record.name.removesuffix(".npy")
            if name == record.name:
                raise CheckpointError(f"it holds {record.name!r}, which is no array")
            reader = ArrayReader(archive, record, summing)
            placing = Placing(reader.fetch, asked.locate)
            found[name] = reader.tensor(placing)
            if reader.digest is not None:
                digests.append((record, reader.digest))
        summing.finish()
        for record, digest in digests:
            if digest.crc != record.crc:
                raise CheckpointError(
                    f"the file is damaged: the checksum of {record.name!r} differs"
                )
    return found


class ArrayReader:
    """One array of a file."""

    def __init__(self, archive: Archive, record: Record, summing: Summing) -> None:
        self.source = archive.source
        self.record = record
        self.summing = summing
        self.begin = archive.place(record)
        self.digest: Digest | None = None
        self.header = self.read_header()
        match = HEADER.fullmatch(self.header[10:].decode("latin1"))
        if match is None:
            raise CheckpointError(
                f"its array {record.name!r} is none of numbers (arrays of Python "
                "objects are pickles, and not loaded)"
            )
        order, kind, size, fortran, shape = match.groups()
        name = KINDS.get(kind, "") + (str(8 * int(size)) if kind != "b" else "")
        dtype = BY_NAME.get(name)
        if dtype is None or dtype.itemsize != int(size):
            raise CheckpointError(
                f"its array {record.name!r} has the dtype {kind}{size}, which plugrad "
                "has not"
            )
        self.dtype = dtype
        self.swapped = order == {"little": ">", "big": "<"}[sys.byteorder]
        self.fortran = fortran == "True"
        sizes = [int(n) for n in shape.replace(",", " ").split()]
        self.shape = numbers("shape", sizes)
        self.nbytes = prod(self.shape) * dtype.itemsize
        if len(self.first) + self.nbytes != record.size:
            raise CheckpointError(f"its array {record.name!r} has not all its elements")

    def read_header(self) -> bytes:
        """Everything before the elements."""
        size = min(self.record.size, 12)
        start = self.source.read(self.begin, size)
        if start[:6] != MAGIC or len(start) < 12 or start[6] not in (1, 2, 3):
            raise CheckpointError(f"its array {self.record.name!r} is none of NumPy's")
        if start[6] == 1:
            length = 10 + int.from_bytes(start[8:10], "little")
        else:
            length = 12 + int.from_bytes(start[8:12], "little")
        if length > min(LONGEST, self.record.size):
            raise CheckpointError(f"its array {self.record.name!r} has no header")
        found = self.source.read(self.begin, length)
        self.first = found
        return found if start[6] == 1 else found[:8] + found[10:]

    def fetch(self, stored: Stored, dtype: Any) -> memoryview:
        """The bytes of the elements."""
        at = self.begin + len(self.first)
        if self.source.map is not None and not self.swapped:
            return self.source.map[at : at + self.nbytes]
        memory = new_memory(self.nbytes)
        digest = self.digest = Digest()
        digest.update(self.first)
        self.source.read_summed(at, memory, digest, self.summing)
        if self.swapped:
            self.summing.finish()
            swap(memory, dtype)
        return memory

    def tensor(self, placing: Any) -> Tensor:
        """The array as a tensor."""
        stored = placing.memories["0"] = Stored("0", self.dtype, self.nbytes)
        shape, steps = self.shape, []
        step = 1
        for n in shape if self.fortran else reversed(shape):
            steps.append(step)
            step *= max(n, 1)
        order = steps if self.fortran else steps[::-1]
        return placing.tensor(stored, self.dtype, 0, shape, tuple(order), False, None)
