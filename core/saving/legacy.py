"""The format of PyTorch before 1.6, which is read here: pickles, then bytes.

- Some pickles say what the file is; one is the object; one lists the memories, whose
  bytes follow. No checksum guards any of it.
- The bytes come after the pickle that refers to them. So that is read twice: first to
  find out what it refers to and where it ends, without making anything.
"""

from __future__ import annotations

import sys
from struct import unpack

from ..errors import CheckpointError
from ..tensor import Tensor
from .decoder import Decoder
from .instructions import CutOff
from .names import Names, UserError, checked
from .placing import Placing, Stored, locator
from .sources import Source, new_memory
from .torch_zip import swap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .formats import Asked

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
WINDOW = 1 << 20  # bytes that are tried first for the pickles


def load(source: Source, asked: Asked) -> Any:
    """The object of a checkpoint."""
    if asked.mapped:
        raise UserError(
            RuntimeError(
                "mmap can only be used with files of the zip format, which PyTorch "
                "writes since 1.6; save this one again, or leave mmap out"
            )
        )
    window = WINDOW
    while True:  # until the pickles fit
        data = source.read(0, min(window, source.size))
        try:
            survey = Survey(asked)
            begin, keys, end = outline(data, survey, asked.encoding)
            break
        except CutOff:
            if window >= source.size:
                raise
            window *= 4
    places = find_bytes(source, survey.placing, keys, end)

    def fetch(stored: Stored, dtype: Any) -> memoryview:
        if stored.key not in places:
            raise CheckpointError(f"it has no bytes for storage {stored.key!r}")
        memory = new_memory(stored.nbytes)
        source.read_into(places[stored.key], memory)
        if sys.byteorder == "big":
            swap(memory, dtype)
        return memory

    names = LegacyNames(Placing(fetch, asked.locate), asked)
    return Decoder(data, names, begin, asked.encoding).decode()


def outline(data: bytes, survey: Survey, encoding: str) -> tuple[int, list[str], int]:
    """Where the pickle of the object begins, the keys of the memories in the order of
    their bytes, and where these begin."""
    at = 0
    for what, expected in (("magic number", MAGIC), ("protocol version", PROTOCOL)):
        decoder = Decoder(data, survey, at, encoding)
        if decoder.decode() != expected:
            raise CheckpointError(f"it is no checkpoint: its {what} is another")
        at = decoder.at
    decoder = Decoder(data, survey, at, encoding)
    decoder.decode()  # sizes of C's types on the machine that wrote it
    begin = decoder.at
    decoder = Decoder(data, survey, begin, encoding)
    decoder.decode()
    decoder = Decoder(data, survey, decoder.at, encoding)
    keys = decoder.decode()
    if keys.__class__ is not list:
        raise CheckpointError("it has no list of its storages")
    return begin, keys, decoder.at


def find_bytes(
    source: Source, placing: Placing, keys: list[Any], at: int
) -> dict[str, int]:
    """Where the bytes of each memory are: after its number of elements."""
    found: dict[str, int] = {}
    for key in keys:
        key = key.decode("ascii") if key.__class__ is bytes else key
        stored = placing.memories.get(key)
        if stored is None or key in found:
            raise CheckpointError(f"it has bytes for a storage {key!r:.40} of no use")
        n = unpack("<q", source.read(at, 8))[0]
        size = stored.dtype.itemsize if stored.dtype else 1
        if n * size != stored.nbytes:
            raise CheckpointError(
                f"its storage {key!r} has {n} elements, and its pickle says "
                f"{stored.nbytes // size}"
            )
        found[key] = at + 8
        at += 8 + stored.nbytes
        source.check(at, 0)
    return found


class LegacyNames(Names):
    """Names of such a file, whose pickles refer to modules' classes as to memories."""

    def stored(self, said: Any) -> Any:
        if said.__class__ is tuple and said and said[0] in ("module", b"module"):
            if len(said) < 2 or id(said[1]) not in self.by_id:
                raise CheckpointError("its pickle refers to a module of no class")
            return said[1]  # its source text, which follows, is not compared
        return super().stored(said)


class Survey(LegacyNames):
    """Makes no tensors, runs no code, and notes what memories there are."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(Outline(), asked)

    def call(self, d: Decoder, function: Any, args: tuple[Any, ...]) -> Any:
        if id(function) in self.by_id:
            return Unmade()
        return super().call(d, function, args)

    def new(
        self, d: Decoder, kind: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        if id(kind) in self.by_id:
            return Unmade()
        return super().new(d, kind, args, keywords)

    def build(self, obj: Any, state: Any) -> None:
        if obj.__class__ is not Unmade:
            super().build(obj, state)


class Unmade:
    """Stands for an object that was not made."""


class Outline(Placing):
    """Makes nothing, whatever it is asked for."""

    def __init__(self) -> None:
        super().__init__(no_bytes, locator(None))
        self.nothing = Tensor()

    def tensor(self, stored: Any, *args: Any) -> Tensor:
        checked(stored, Stored)
        return self.nothing

    def sparse(self, layout: Any, data: tuple[Any, ...]) -> Tensor:
        return self.nothing

    def parameter(self, data: Any, requires_grad: bool) -> Any:
        return checked(data, Tensor)

    def buffer(self, data: Tensor, persistent: bool) -> Any:
        return self.nothing


def no_bytes(stored: Stored, dtype: Any) -> memoryview:
    raise CheckpointError(f"storage {stored.key!r} is not read yet")
