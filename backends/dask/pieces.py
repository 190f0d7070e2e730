"""Kernels of the NumPy backend as tasks of Dask.

- `whole` is one task on all of its arrays: for what runs in steps, each from the one
  before, and for what puts elements anywhere.
- `rows` is a task for each chunk of the leading dimensions; the last ones are whole.

Nothing is computed here: so the shapes of the results have to be known beforehand.
"""

from __future__ import annotations

from typing import Any

import dask
import dask.array as da
import numpy as np

from plugrad import get_backend

__all__ = ["numpys", "rows", "whole"]


def numpys(name: str) -> Any:
    """The kernel of the NumPy backend."""
    return get_backend("numpy").kernel(name)


def whole(name: str, results: Any, *args: Any) -> Any:
    """One task: NumPy's kernel `name` on whole arrays. `results` are the shape and the
    dtype of what it gives, or a list of these."""
    several = isinstance(results, list)
    call = dask.delayed(called, pure=False, nout=len(results) if several else None)
    found = call(name, several, *args)
    if not several:
        return da.from_delayed(found, *results)
    return tuple(
        da.from_delayed(y, *each) for y, each in zip(found, results, strict=True)
    )


def called(name: str, several: bool, *args: Any) -> Any:
    """NumPy's kernel on NumPy's arrays."""
    found = numpys(name)(*args)
    return tuple(map(np.asarray, found)) if several else np.asarray(found)


def rows(name: str, lead: int, results: Any, arrays: Any, *args: Any) -> Any:
    """A task for each chunk of the first `lead` dimensions, which all arrays have in
    common: NumPy's kernel on arrays whose other dimensions are whole. `results` as for
    `whole`."""
    if any(0 in x.shape for x in arrays):  # no values, which Dask cannot cut up
        return whole(name, results, *arrays, *args)
    several = isinstance(results, list)
    ends = [shape[lead:] for shape, _ in (results if several else [results])]
    left = ",".join(named("i", j, x.shape[lead:]) for j, x in enumerate(arrays))
    right = ",".join(named("o", j, shape) for j, shape in enumerate(ends))
    sizes = {
        f"o{j}x{i}": n for j, shape in enumerate(ends) for i, n in enumerate(shape)
    }

    def call(*chunks: Any) -> Any:
        return called(name, several, *chunks, *args)

    kinds = [dtype for _, dtype in results] if several else results[1]
    return da.apply_gufunc(
        call,
        f"{left}->{right}",
        *arrays,
        output_dtypes=kinds,
        output_sizes=sizes,
        allow_rechunk=True,
    )


def named(side: str, j: int, shape: Any) -> str:
    """The last dimensions of an array, as a signature names them."""
    return f"({','.join(f'{side}{j}x{i}' for i in range(len(shape)))})"
