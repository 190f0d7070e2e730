"""Pooling to a given size: windows that share the input evenly.

Where all windows have one size, they are those of ordinary pooling. Else averages are
weighted sums along one dimension after the other, and the largest elements are picked
by a table of their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any

import plugrad
from plugrad import Tensor

from .pooling_ops import avg_pool, max_pool, max_pool_with_indices
from .resampling import resample
from .windows import Ints, check_input, ints, make_window

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
]


def wanted_size(name: str, x: Tensor, dims: int, size: Any) -> Ints:
    """The output size; None keeps a size of the input, and 0 is one."""
    check_input(name, x, dims)
    own = tuple(x.shape[-dims:])
    if size is None or isinstance(size, float):
        raise TypeError(f"{name}: output_size must be an int or a tuple, not {size!r}")
    if isinstance(size, (tuple, list)) and dims > 1:
        if len(size) != dims:
            raise RuntimeError(
                f"{name}: output_size must be one int or {dims}, but got {size}"
            )
        size = [n if each is None else each for n, each in zip(own, size)]
    found = ints(name, "output_size", size, dims)
    if min(found) < 0:
        raise RuntimeError(f"{name}: output_size must not be negative, but is {found}")
    return found


@lru_cache(512)
def even_window(name: str, own: Ints, size: Ints) -> Any:
    """The windows, where all have one size; else None."""
    if any(new == 0 or n % new for n, new in zip(own, size)):
        return None
    kernel = tuple([n // new for n, new in zip(own, size)])
    return make_window(name, own, kernel, kernel, 0, 1, False)


@lru_cache(512)
def uneven(n: int, new: int) -> tuple[list[list[int]], list[list[float]]]:
    """The elements of `new` windows over `n`, and by what each is weighted in the
    average. The last element of a short window is named again, with no weight."""
    bounds = [(i * n // new, -(-(i + 1) * n // new)) for i in range(new)]
    most = max([end - start for start, end in bounds], default=1)
    places = [[min(a + t, b - 1) for a, b in bounds] for t in range(most)]
    weights = [
        [1 / (b - a) if a + t < b else 0.0 for a, b in bounds] for t in range(most)
    ]
    return places, weights


def adaptive_avg(name: str, dims: int, x: Tensor, size: Any) -> Tensor:
    """The averages of windows that share the input evenly."""
    new = wanted_size(name, x, dims, size)
    own = tuple(x.shape[-dims:])
    window = even_window(name, own, new)
    if window is not None:
        return avg_pool(x, window)
    for i, (n, count) in enumerate(zip(own, new)):
        if n != count:
            places, weights = uneven(n, count)
            x = resample(
                x,
                made_like(x, places),
                made_like(x, weights, x.dtype),
                x.ndim - dims + i,
            )
    return x


def made_like(x: Tensor, data: Any, dtype: Any = None) -> Tensor:
    """A tensor of given numbers, int64 if not said otherwise, beside `x`."""
    return x.new_tensor(data, dtype=dtype or plugrad.int64)


def adaptive_max(
    name: str, dims: int, x: Tensor, size: Any, want: bool
) -> tuple[Tensor, Tensor | None]:
    """The largest of windows that share the input evenly, and where they are."""
    new = wanted_size(name, x, dims, size)
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{name}: not implemented for {x.dtype}")
    own = tuple(x.shape[-dims:])
    window = even_window(name, own, new)
    if window is not None:
        if want:
            return tuple(max_pool_with_indices(x, window))  # type: ignore[return-value]
        return max_pool(x, window), None
    tables = [uneven(n, count)[0] for n, count in zip(own, new)]
    shape = (*x.shape[: x.ndim - dims], *new)
    values, indices = chosen(x, row_major(x, tables, own), dims)
    return values.reshape(shape), indices.reshape(shape)


def row_major(x: Tensor, tables: Sequence[Any], own: Ints) -> Tensor:
    """The row-major places in windows: (windows, elements), from a table (elements,
    windows) for each dimension, which may have dimensions before those two."""
    found: Any = None
    for table, n in zip(tables, own):
        each = table if isinstance(table, Tensor) else made_like(x, table)
        each = each.transpose(-1, -2)  # (windows, elements)
        if found is None:
            found = each
            continue
        lead = found.shape[:-2]
        a = found[..., :, None, :, None] * n
        b = each[..., None, :, None, :]
        sizes = [p * q for p, q in zip(found.shape[-2:], each.shape[-2:])]
        found = (a + b).reshape(*lead, *sizes)
    return found


def chosen(x: Tensor, places: Tensor, dims: int) -> tuple[Tensor, Tensor]:
    """The largest elements in windows of row-major places, and where they are."""
    lead = x.shape[: x.ndim - dims]
    flat = x.reshape(*lead, prod(x.shape[x.ndim - dims :]))
    if places.ndim == 2:
        seen = flat.index_select(-1, places.reshape(-1))
        seen = seen.reshape(*lead, *places.shape)
        places = places.expand(*lead, *places.shape)
    else:
        seen = flat.gather(-1, places.reshape(*lead, -1)).reshape(places.shape)
    values, at = seen.max(-1)
    return values, places.gather(-1, at.unsqueeze(-1)).squeeze(-1)


# --- What users call ----------------------------------------------------------------


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of as many windows of equal size, or nearly, as `output_size` says.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_avg_pool1d(plugrad.arange(6.0).reshape(1, 6), 1)
    tensor([[2.5000]])
    """
    return adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_max_pool1d(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Any:
    """The largest elements of as many windows of equal size, or nearly, as
    `output_size` says; with `return_indices` also where they are.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_max_pool1d(plugrad.arange(6.0).reshape(1, 6), 1)
    tensor([[5.]])
    """
    values, indices = adaptive_max(
        "adaptive_max_pool1d", 1, input, output_size, return_indices
    )
    return (values, indices) if return_indices else values


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_max_pool1d_with_indices(plugrad.arange(6.0).reshape(1, 6), 1)[1]
    tensor([[5]])
    """
    return adaptive_max_pool1d(input, output_size, return_indices=True)


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of as many windows of equal size, or nearly, as `output_size` says;
    None keeps a size.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_avg_pool2d(plugrad.arange(16.0).reshape(1, 4, 4), 1)
    tensor([[[7.5000]]])
    """
    return adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_max_pool2d(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Any:
    """The largest elements of as many windows of equal size, or nearly, as
    `output_size` says; with `return_indices` also where they are.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_max_pool2d(plugrad.arange(16.0).reshape(1, 4, 4), 1)
    tensor([[[15.]]])
    """
    values, indices = adaptive_max(
        "adaptive_max_pool2d", 2, input, output_size, return_indices
    )
    return (values, indices) if return_indices else values


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_max_pool2d_with_indices(plugrad.arange(16.0).reshape(1, 4, 4), 1)[1]
    tensor([[[15]]])
    """
    return adaptive_max_pool2d(input, output_size, return_indices=True)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of as many windows of equal size, or nearly, as `output_size` says;
    None keeps a size.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_avg_pool3d(plugrad.arange(64.0).reshape(1, 4, 4, 4), 1)
    tensor([[[[31.5000]]]])
    """
    return adaptive_avg("adaptive_avg_pool3d", 3, input, output_size)


def adaptive_max_pool3d(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> Any:
    """The largest elements of as many windows of equal size, or nearly, as
    `output_size` says; with `return_indices` also where they are.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.adaptive_max_pool3d(plugrad.arange(64.0).reshape(1, 4, 4, 4), 1)
    tensor([[[[63.]]]])
    """
    values, indices = adaptive_max(
        "adaptive_max_pool3d", 3, input, output_size, return_indices
    )
    return (values, indices) if return_indices else values


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool3d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> F.adaptive_max_pool3d_with_indices(x, 1)[1]
    tensor([[[[63]]]])
    """
    return adaptive_max_pool3d(input, output_size, return_indices=True)
