"""Read a pickle without running anything of it.

Python's unpickler calls what a pickle tells it to. This one knows instructions that
make numbers, text, bytes and containers, and hands all else to `names`: what a name
stands for, what a call of it gives. Those are plugrad's own functions, found in a
table. No name from a file is imported or looked up anywhere, and what is not known is
refused.

What a pickle can cost is bounded, too: memory by its own size, and time, since no key
of a dictionary may take long to hash.
"""

from __future__ import annotations

from ..errors import CheckpointError
from .instructions import STEPS, CutOff, check_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from struct import Struct
    from typing import Any

    from .names import Names

MOST_IN_KEY = 1000  # parts of a tuple that is a key
WIDE = 1 << 61  # integers from here on can be chosen to have one hash
MOST_WIDE = 1000
STOP = ord(".")
ROOM = 100_000  # containers that any pickle may hold; more, the larger it is


class Decoder:
    """One pickle that is being read, from a place in some bytes."""

    def __init__(self, data: bytes, names: Names, at: int = 0, encoding: str = "utf-8"):
        self.data = data
        self.size = len(data)
        self.at = at
        self.names = names
        self.encoding = encoding
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: list[Any] = []
        self.room = ROOM + (len(data) - at) // 6
        self.wide = 0

    def decode(self) -> Any:
        """The object; afterwards `at` is behind it."""
        data, steps = self.data, STEPS
        if data[self.at : self.at + 1] != b"\x80":
            raise CheckpointError("it holds no pickle, or one by protocol 0 or 1")
        try:
            while (code := data[self.at]) != STOP:
                self.at += 1
                step = steps[code]
                if step is None:
                    raise unknown(self, code)
                step(self)
            self.at += 1
        except IndexError as error:
            if self.at < len(data):
                raise CheckpointError(
                    f"its pickle takes what is not there, at byte {self.at}"
                ) from error
            raise CutOff("its pickle is cut off") from error
        if len(self.stack) != 1 or self.marks:
            raise CheckpointError("its pickle ends in the middle of something")
        check_values(self.stack)
        return self.stack[0]

    def take(self, n: int) -> bytes:
        """The next bytes."""
        at = self.at
        end = self.at = at + n
        if end > self.size:
            raise CutOff("its pickle is cut off")
        return self.data[at:end]

    def number(self, kind: Struct) -> Any:
        """The next number."""
        at = self.at
        end = self.at = at + kind.size
        if end > self.size:
            raise CutOff("its pickle is cut off")
        return kind.unpack_from(self.data, at)[0]

    def line(self) -> str:
        """The next line of text."""
        end = self.data.find(b"\n", self.at)
        if end < 0:
            raise CutOff("its pickle is cut off")
        return self.take(end + 1 - self.at)[:-1].decode()

    def text(self, data: bytes) -> Any:
        """What Python 2 wrote as a string."""
        return data if self.encoding == "bytes" else data.decode(self.encoding)

    def pop_mark(self) -> list[Any]:
        """What is on the stack since the last mark."""
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def count(self, weight: int = 1) -> None:
        """Note a container that was made."""
        self.room -= weight
        if self.room < 0:
            raise CheckpointError(
                "its pickle makes more containers than it has use for"
            )

    def check_key(self, key: Any) -> None:
        """Raise if a key would take long to hash, or cannot be hashed."""
        if key.__class__ is str:
            return
        if key.__class__ is int and -WIDE < key < WIDE:
            return
        todo, parts = [key], 0
        while todo:
            part = todo.pop()
            kind = part.__class__
            parts += 1
            if parts > MOST_IN_KEY:
                raise CheckpointError("its pickle has a key of too many parts")
            if kind in (int, complex):
                self.wide += kind is complex or not -WIDE < part < WIDE
            elif isinstance(part, (tuple, frozenset)):
                todo += part
        if self.wide > MOST_WIDE:
            raise CheckpointError("its pickle has too many wide integers as keys")


def unknown(decoder: Decoder, code: int) -> CheckpointError:
    """The error of an instruction that is not known."""
    name = REFUSED.get(code)
    if name == "INST":
        name = f"INST {decoder.line()}.{decoder.line()}"
    elif name is None:
        return CheckpointError(f"its pickle is damaged: no instruction {bytes([code])}")
    return CheckpointError(f"its pickle holds {name}, which could run code")


# Instructions that no checkpoint needs.
REFUSED = {
    ord("i"): "INST",
    ord("o"): "OBJ",
    ord("P"): "PERSID",
    0x82: "EXT1",
    0x83: "EXT2",
    0x84: "EXT4",
    0x97: "NEXT_BUFFER",
    0x98: "READONLY_BUFFER",
}
