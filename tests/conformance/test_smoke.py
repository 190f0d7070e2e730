"""What all ops build on: arrays come in and go out, in every dtype."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

import plugrad
from plugrad.conformance.calls import Maker, Raised, call, difference
from plugrad.conformance.cells import Cell

DATA = [[0, 1, 2], [3, 1, 0]]
OTHERS = ("float32", "float64", "int32", "int64", "uint8", "bool")


def values(cell: Cell) -> Any:
    """The numbers of DATA as they are in the dtype."""
    kinds = {"b": bool, "f": float, "c": complex}
    kind = kinds.get(cell.dtype.kind, int)
    return [[kind(v) for v in row] for row in DATA]


def made(cell: Cell, k: plugrad.Backend | None = None, data: Any = None) -> Any:
    """A tensor of DATA on the backend, and on its device."""
    k = k or cell.subject.k
    rows = values(cell) if data is None else data
    shape = np.shape(rows)
    make = Maker(cell.subject, k, cell.dtype)
    flat = [v for row in rows for v in row] if len(shape) == 2 else list(rows)
    return make.tensor(make.shaped(flat, shape, cell.dtype))


def same(cell: Cell, program: Any) -> None:
    """A program of one tensor gives on both sides the same."""
    subject = cell.subject
    theirs = call(subject.reference, program, made(cell, subject.reference))
    ours = call(subject.k, program, made(cell))
    if isinstance(ours, Raised) and ours.unsupported:
        raise ours.error
    assert not isinstance(theirs, Raised), repr(theirs)
    assert difference(subject, ours, theirs) is None, difference(subject, ours, theirs)


def test_declaration(cell: Cell) -> None:
    """The backend says what it is, in words that plugrad knows."""
    k = cell.subject.k
    assert isinstance(k, plugrad.Backend) and k.name in repr(k)
    assert plugrad.get_backend(k.name) is k
    assert pickle.loads(pickle.dumps(k)) is k
    assert isinstance(k.array_type, type) and k.array_type is not object
    assert k.device_types and all(isinstance(d, str) for d in k.device_types)
    for name in ("writable", "views", "lazy"):
        assert isinstance(getattr(k, name), bool), name
    for key, why in (*k.leaves_out.items(), *k.reads_values.items()):
        op, _, dtype = key.partition("[")
        assert op in k.ops, f"{key!r} names no op"
        assert not dtype or hasattr(plugrad, dtype[:-1]), f"{key!r} names no dtype"
        assert isinstance(why, str) and why.strip(), f"{key!r} has no reason"
    for key, pair in k.tolerances.items():
        assert hasattr(plugrad, key) and len(pair) == 2, f"tolerances[{key!r}]"


def test_in_and_out(cell: Cell) -> None:
    """Numbers come out as they went in."""
    k, data = cell.subject.k, values(cell)
    with plugrad.backend(k.name):
        x = plugrad.tensor(data, dtype=cell.dtype)
    assert x.backend == k.name and x.dtype is cell.dtype
    assert tuple(x.shape) == (2, 3) and x.numel() == 6
    assert repr(x.tolist()) == repr(data)  # 1.0 == 1 == True
    assert x[0, 1].item() == data[0][1]
    kinds = {"b": bool, "f": float, "c": complex}
    assert type(x[0, 1].item()) is kinds.get(cell.dtype.kind, int)
    assert repr(x).startswith("tensor([[") and x.device.type in k.device_types


def test_no_elements_and_no_dimensions(cell: Cell) -> None:
    with plugrad.backend(cell.subject.k.name):
        empty = plugrad.tensor([], dtype=cell.dtype)
        single = plugrad.tensor(1, dtype=cell.dtype)
    assert empty.tolist() == [] and tuple(empty.shape) == (0,)
    assert single.tolist() == 1 and tuple(single.shape) == ()
    assert single.item() == 1 and empty.dtype is single.dtype is cell.dtype


def test_array_of_the_library(cell: Cell) -> None:
    """The library's own arrays become tensors, of the dtype that they have."""
    k = cell.subject.k
    array = k.compute(k.from_data, values(cell), k.native(cell.dtype))
    assert k.accepts(array), "the backend does not accept its own arrays"
    with plugrad.backend(k.name):
        x = plugrad.as_tensor(array)
    assert x.backend == k.name and x.dtype is cell.dtype
    assert x.tolist() == values(cell)
    assert np.asarray(k.to_numpy(array)).tolist() == values(cell)


def test_dlpack(cell: Cell) -> None:
    """A tensor is exported by DLPack, or says that it cannot be."""
    x = made(cell)
    try:
        array = np.from_dlpack(x)
    except (AttributeError, BufferError, RuntimeError, TypeError):
        return  # the library, NumPy, or DLPack has no way for it
    assert array.tolist() == values(cell)


def test_to_numpy_and_back(cell: Cell) -> None:
    k = cell.subject.k
    x = made(cell)
    there = x.to(backend="numpy", device="cpu")
    assert there.backend == "numpy" and there.tolist() == values(cell)
    back = there.to(backend=k.name)
    assert back.backend == k.name and back.dtype is cell.dtype
    assert back.tolist() == values(cell)
    assert x.numpy(force=True).tolist() == values(cell)


def test_casts(cell: Cell) -> None:
    """Casts to other dtypes; from complex numbers there are none."""
    names = [name for name in OTHERS if cell.subject.has(name)]
    if cell.dtype.kind != "c":
        same(cell, lambda x: [x.to(getattr(plugrad, name)) for name in names])
    if cell.subject.has("complex128"):
        same(cell, lambda x: x.to(plugrad.complex128))


def test_creation(cell: Cell) -> None:
    """Tensors of a shape, made in this backend."""

    def program(x: Any) -> list[Any]:
        found = [
            plugrad.zeros(2, 3, dtype=cell.dtype),
            plugrad.ones(2, 0, dtype=cell.dtype),
            plugrad.full((2,), 1, dtype=cell.dtype),
            plugrad.eye(2, 3, dtype=cell.dtype),
            plugrad.zeros_like(x),
            plugrad.ones_like(x),
        ]
        if cell.dtype.kind not in "bc":  # which have no ranges
            found.append(plugrad.arange(2, dtype=cell.dtype))
        return found

    same(cell, program)


def test_operators(cell: Cell) -> None:
    """Operators on tensors and numbers, comparisons and indices."""

    def program(x: Any) -> list[Any]:
        found = [x == x, x != 1, x[0], x[:, 1:], x[-1, 2], x.T, x.reshape(3, 2)]
        if cell.dtype.kind == "b":
            return [*found, x & x, x | True, ~x]
        return [*found, x + x, x * 2, 1 - x if cell.dtype.kind != "u" else 1 + x]

    same(cell, program)


def test_writing(cell: Cell) -> None:
    """A tensor holds what was written to it, on arrays of every sort."""

    def program(x: Any) -> list[Any]:
        x = x.clone()
        x[0, 1] = 0
        x[1] = x[0]
        y = plugrad.zeros_like(x)
        y.copy_(x)
        return [x, y, plugrad.zeros_like(x).fill_(1)]

    same(cell, program)


def test_views_as_declared(cell: Cell) -> None:
    """A part of a tensor shares its memory where the backend has views."""
    x = made(cell, data=[1, 1, 1])
    k = cell.subject.k
    with plugrad.backend(k.name):
        part = x[1:]
        part.zero_()
    assert part.tolist() == [0, 0]
    seen = x.tolist() == [1, 0, 0]
    if k.views:
        assert seen, (
            "declared with views, but a write to a part is not seen in the whole"
        )
