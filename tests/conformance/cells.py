"""The cells of a backend: one op in one dtype each, and whether the backend has it.

The upper levels try layers, optimizers and models instead of ops: cases.

A backend says what it cannot do: a dtype that it does not have, an op or `op[dtype]`
in `leaves_out`. Such a cell is n/a. It is counted apart, and still tried: what is left
out has to raise UnsupportedOpError.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import plugrad

MAIN = ("float32", "float64", "int64", "bool", "complex128")
NEAREST = {"float64": "float32", "int64": "int32", "complex128": "complex64"}


def dtype_named(name: str) -> Any:
    """The dtype of that name."""
    return getattr(plugrad, name)


@dataclass(frozen=True, eq=False)
class Subject:
    """What is tried: a backend, what it is compared with, where, and on what."""

    k: plugrad.Backend
    reference: plugrad.Backend
    device: Any = None
    seed: int | str = 0  # of the numbers in the samples

    def has(self, dtype: str) -> bool:
        """Whether the backend has a dtype."""
        return dtype_named(dtype) in self.k.by_dtype

    @property
    def dtypes(self) -> list[str]:
        """The main dtypes, and those others that both sides have."""
        both = (set(self.k.by_dtype) & set(self.reference.by_dtype)) - {
            dtype_named(name) for name in MAIN
        }
        return [*MAIN, *sorted(each.name for each in both)]

    def nearest(self, dtype: Any) -> Any:
        """A dtype for operands beside the tested one: that of the same kind which a
        backend of smaller numbers has."""
        if dtype in self.k.by_dtype or dtype.name not in NEAREST:
            return dtype
        return dtype_named(NEAREST[dtype.name])

    def tolerances(self, dtype: str) -> tuple[float, float]:
        """(rtol, atol) of a dtype; exact for integers."""
        found = plugrad.testing.TOLERANCES | dict(self.k.tolerances)
        return found.get(dtype, (0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Cell:
    """One op, or one case, in one dtype on a backend; without either, what all ops
    build on."""

    subject: Subject
    op: Any
    dtype: Any
    case: str | None = None

    @property
    def id(self) -> str:
        """How the tests call it: `add-float64`."""
        parts = (self.op and self.op.name, self.case, self.dtype and self.dtype.name)
        return "-".join(filter(None, parts)) or "backend"

    def named(self, names: list[str]) -> bool:
        """Whether it is of an op or a case that is listed; `Conv2d` are all that have
        this name before their dash."""
        name = self.op.name if self.op is not None else self.case
        return name is not None and {name, name.partition("-")[0]} & {*names} != set()

    @property
    def left_out(self) -> dict[str, str]:
        """The dtypes in which the backend leaves the op out, and why."""
        start = f"{self.op.name}["
        given = self.subject.k.leaves_out.items()
        return {
            key[len(start) : -1]: why for key, why in given if key.startswith(start)
        }

    @property
    def declared(self) -> str | None:
        """What the backend says that makes this cell n/a: a key of its `leaves_out`, or
        `dtype NAME`."""
        if self.dtype is not None and not self.subject.has(self.dtype.name):
            return f"dtype {self.dtype.name}"
        if self.op is None:
            return None  # what a case needs shows when it runs
        if self.op.name in self.subject.k.leaves_out:
            return self.op.name
        if self.dtype.name in self.left_out:
            return f"{self.op.name}[{self.dtype.name}]"
        return None

    @property
    def why(self) -> str | None:
        """The reason for which the cell is n/a, or None."""
        key = self.declared
        if key is None or key.startswith("dtype "):
            return None if key is None else f"the backend has no {key}"
        return self.subject.k.leaves_out[key]


def declared(k: plugrad.Backend) -> dict[str, str]:
    """All that a backend declares it has not: key -> reason."""
    dtypes = {f"dtype {each}": "the backend has no such dtype" for each in MAIN}
    missing = {
        key: why
        for key, why in dtypes.items()
        if dtype_named(key.partition(" ")[2]) not in k.by_dtype
    }
    return missing | dict(k.leaves_out)


def is_main(key: str) -> bool:
    """Whether a declaration speaks of an op in all dtypes or in a main one."""
    dtype = key.partition("[")[2]
    return not dtype or dtype[:-1] in MAIN


def cells(subject: Subject, ops: Iterable[Any], dtypes: Iterable[str]) -> list[Cell]:
    """Each op in each dtype; complex ones last, since from the first complex array on
    every walk of the graph goes the careful way."""
    found = [Cell(subject, op, dtype_named(each)) for op in ops for each in dtypes]
    return sorted(found, key=lambda cell: cell.dtype.kind == "c")
