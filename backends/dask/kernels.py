"""Functions that Dask lacks or gets wrong, and what it cannot do.

What runs along a dimension needs all of it in one chunk; other dimensions stay cut.
"""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

from plugrad import get_backend

from .networks import (
    avg_pool,
    avg_pool_back,
    combine_flat,
    convolution,
    convolution_weight,
    draw_integers,
    draw_normal,
    draw_permutation,
    draw_uniform,
    gru_scan,
    gru_scan_back,
    lstm_scan,
    lstm_scan_back,
    max_pool,
    max_pool_pick,
    max_pool_put,
    max_pool_with_indices,
    put_flat,
    random_words,
    rnn_scan,
    rnn_scan_back,
)

__all__ = [
    "avg_pool",
    "avg_pool_back",
    "combine_flat",
    "convolution",
    "convolution_weight",
    "draw_integers",
    "draw_normal",
    "draw_permutation",
    "draw_uniform",
    "gru_scan",
    "gru_scan_back",
    "lstm_scan",
    "lstm_scan_back",
    "max_pool",
    "max_pool_pick",
    "max_pool_put",
    "max_pool_with_indices",
    "put_flat",
    "random_words",
    "rnn_scan",
    "rnn_scan_back",
    "view_as_dtype",
]

UNKNOWN = (
    "the shape of the result depends on values, which Dask has not computed; move the "
    "tensor with .to(backend='numpy') first"
)
LEAVES_OUT = {
    "distinct": UNKNOWN,
    "masked_scatter": UNKNOWN,
    "masked_select": UNKNOWN,
    "nonzero": UNKNOWN,
    "linear[bool]": "the standard's matmul takes no booleans; cast with .float()",
    "matmul[bool]": "the standard's matmul takes no booleans; cast with .float()",
}


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """Along one axis, the elements that indices name for each position."""
    axis %= x.ndim
    x = x.rechunk({axis: -1})
    others = dict(enumerate(x.chunks)) | {axis: -1}
    indices = indices.rechunk(others)

    def part(a: Any, i: Any) -> Any:
        return np.take_along_axis(a, i, axis)

    return da.map_blocks(part, x, indices, dtype=x.dtype, chunks=indices.chunks)


def eye(*args: Any, **options: Any) -> Any:
    """The identity. Dask's own forgets chunks where the matrix is not square."""
    return da.from_array(np.eye(*args, **options), name=False)


def extreme(name: str) -> Any:
    """`max` or `min`. Dask's own asks for elements where the result has none, too."""
    function, own = getattr(np, name), getattr(da, name)

    def run(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        if 0 in x.shape:
            y = function(np.empty(x.shape, x.dtype), axis, keepdims=keepdims)
            return da.from_array(y, name=False)
        return own(x, axis=axis, keepdims=keepdims)

    return run


def matmul(x1: Any, x2: Any, /) -> Any:
    """The product of matrices. Dask's own fails where it is a sum of nothing."""
    if x1.shape[-1:] == (0,):
        y = np.matmul(np.empty(x1.shape, x1.dtype), np.empty(x2.shape, x2.dtype))
        return da.from_array(y, name=False)
    return da.matmul(x1, x2)


def reshape(x: Any, /, shape: Any, *, copy: Any = None) -> Any:
    """The elements in another shape; in one chunk where Dask cannot cut the result."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if 0 in x.shape:  # Dask's own fails for some shapes of nothing
        return da.from_array(np.empty(x.shape, x.dtype).reshape(shape), name=False)
    try:
        y = da.reshape(x, shape)
    except NotImplementedError:
        y = da.reshape(x.rechunk(x.shape), shape)
    return y.copy() if copy else y


def triangle(name: str) -> Any:
    """`tril` or `triu`. Dask's own divides by the length of chunks of nothing."""
    own = getattr(da, name)

    def run(x: Any, /, *, k: int = 0) -> Any:
        return x.copy() if 0 in x.shape else own(x, k=k)

    return run


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes swapped; Dask's own fails without any."""
    return da.swapaxes(x, axis1, axis2) if x.ndim else x


def view_as_dtype(x: Any, dtype: Any) -> Any:
    """The same bytes as elements of another dtype, chunk by chunk."""
    numpy = get_backend("numpy")
    native, kernel = numpy.native(dtype), numpy.kernel("view_as_dtype")
    if x.dtype == native:
        return x
    shape = kernel(np.empty(x.shape, x.dtype), dtype).shape  # or NumPy's error
    if not x.ndim:
        return da.map_blocks(kernel, x, dtype, dtype=native)
    x = x.rechunk({-1: -1})
    chunks = (*x.chunks[:-1], (shape[-1],))
    return da.map_blocks(kernel, x, dtype, dtype=native, chunks=chunks)
