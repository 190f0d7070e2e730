"""Kernels of the NumPy backend as tasks of Dask.

- `whole` is one task on all of its arrays: for what runs in steps, each from the one
  before, and for what puts elements anywhere.
- `rows` is a task for each chunk of the leading dimensions; the last ones are whole.
- `made` is one task without arrays.

Nothing is computed here: so the shapes of the results have to be known beforehand.
(`dask.delayed` would do for all three, but copies the graphs of its arguments under
other names, so that what two of them share would be computed twice.)
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.highlevelgraph import HighLevelGraph

from plugrad import get_backend

__all__ = ["called", "made", "rows", "whole"]

NUMBERS = count()


class Called:
    """NumPy's kernel, with all of its arguments but the arrays."""

    def __init__(self, name: str, several: bool, args: Any) -> None:
        self.name, self.several = name, several
        self.places = [i for i, each in enumerate(args) if isinstance(each, da.Array)]
        self.args = [None if i in self.places else a for i, a in enumerate(args)]

    def __call__(self, *chunks: Any) -> Any:
        args = list(self.args)
        for i, chunk in zip(self.places, chunks, strict=True):
            args[i] = chunk
        return called(self.name, self.several, *args)

    def __dask_tokenize__(self) -> Any:
        return (self.name, self.several, self.places, list(map(str, self.args)))


def called(name: str, several: bool, *args: Any) -> Any:
    """What NumPy's kernel `name` gives: an array, or a tuple of them."""
    found = get_backend("numpy").kernel(name)(*args)
    return tuple(map(np.asarray, found)) if several else np.asarray(found)


def made(name: str, result: Any, *args: Any) -> Any:
    """One task without arrays; `result` is the shape and the dtype of what it gives."""
    call = dask.delayed(called, pure=False)
    return da.from_delayed(call(name, False, *args), *result)


def whole(name: str, results: Any, *args: Any) -> Any:
    """One task: NumPy's kernel `name` on whole arrays. `results` are the shape and the
    dtype of what it gives, or a list of these."""
    return rows(name, 0, results, *args)


def rows(name: str, lead: int, results: Any, *args: Any) -> Any:
    """A task for each chunk of the first `lead` dimensions, which all arrays have in
    common: NumPy's kernel on arrays whose other dimensions are whole. `results` as for
    `whole`."""
    several = isinstance(results, list)
    call = Called(name, several, args)
    arrays = [x for x in args if isinstance(x, da.Array)]
    shapes = [shape for shape, _ in results] if several else [results[0]]
    if any(0 in x.shape for x in arrays) or any(0 in shape for shape in shapes):
        return without_elements(call, arrays, results)
    ends = [shape[lead:] for shape in shapes]
    left = ",".join(named("i", j, x.shape[lead:]) for j, x in enumerate(arrays))
    right = ",".join(named("o", j, shape) for j, shape in enumerate(ends))
    every = ((j, i, n) for j, shape in enumerate(ends) for i, n in enumerate(shape))
    return da.apply_gufunc(
        call,
        f"{left}->{right}",
        *arrays,
        output_dtypes=[dtype for _, dtype in results] if several else results[1],
        output_sizes={f"o{j}x{i}": n for j, i, n in every},
        allow_rechunk=True,
    )


def named(side: str, j: int, shape: Any) -> str:
    """The last dimensions of an array, as a signature names them."""
    return f"({','.join(f'{side}{j}x{i}' for i in range(len(shape)))})"


def without_elements(call: Called, arrays: Any, results: Any) -> Any:
    """The same in one task for each result: what has no elements cannot be cut up."""
    arrays = [x.rechunk(x.shape) for x in arrays]
    keys = [(x.name, *(0,) * x.ndim) for x in arrays]
    found = []
    for i, (shape, dtype) in enumerate(results if call.several else [results]):
        name = f"{call.name}-{next(NUMBERS)}"
        run = partial(nth, call, i) if call.several else call
        tasks = {(name, *(0,) * len(shape)): (run, *keys)}
        graph = HighLevelGraph.from_collections(name, tasks, dependencies=arrays)
        found.append(da.Array(graph, name, tuple((n,) for n in shape), dtype))
    return tuple(found) if call.several else found[0]


def nth(call: Called, i: int, *chunks: Any) -> Any:
    """One of several results."""
    return call(*chunks)[i]
