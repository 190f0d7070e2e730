"""What ops and rules over dimensions share.

- Bodies get `dim` as the caller gave it: one, several, negative, None or (). These
  helpers turn that into what the standard's functions take, with PyTorch's errors.
- Rules put reduced dimensions back, spread gradients over them, and take what lies
  beside a place along a dimension.
"""

from __future__ import annotations

from ..declare import Sample

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Array = Any
    Kernels = Any
    Shape = tuple[int, ...]
    Dim = int | tuple[int, ...] | None


def one(ndim: int, dim: int) -> int:
    """`dim` counted from the front; an array without dimensions has one to name."""
    n = max(ndim, 1)
    dim = dim.__index__()
    if not -n <= dim < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
            f"got {dim})"
        )
    return dim % n


def several(ndim: int, dim: Dim) -> Shape:
    """`dim` as a tuple counted from the front; None and () mean all dimensions."""
    if dim is None or dim == () or dim == []:
        return tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        found = tuple(one(ndim, d) for d in dim)
        if len(set(found)) < len(found):
            raise RuntimeError(
                f"a dim appears multiple times in the list of dims {dim}"
            )
    else:
        found = (one(ndim, dim),)
    return found if ndim else ()


def size(shape: Shape, dims: Shape) -> int:
    """The number of elements that a reduction over `dims` puts together."""
    n = 1
    for d in dims:
        n *= shape[d]
    return n


def kept(shape: Shape, dim: Dim) -> Shape:
    """`shape` with the reduced dimensions kept, of size 1."""
    if type(dim) is int and shape:  # quicker, since every reduction's rule asks
        dim %= len(shape)
        return (*shape[:dim], 1, *shape[dim + 1 :])
    dims = several(len(shape), dim)
    return tuple(1 if i in dims else n for i, n in enumerate(shape))


def restored(k: Kernels, y: Array, shape: Shape, dim: Dim, keepdim: bool) -> Array:
    """A reduced array with its reduced dimensions back, of size 1; one without any
    dimensions broadcasts as it is."""
    return y if keepdim or not y.ndim else k.reshape(y, kept(shape, dim))


def spread(k: Kernels, g: Array, x_shape: Shape, dim: Dim, keepdim: bool) -> Array:
    """A reduced gradient over the reduced dimensions again."""
    if dim is not None and not keepdim and g.ndim != len(x_shape):
        g = k.reshape(g, kept(x_shape, dim))
    return k.broadcast_to(g, x_shape)


def part(x: Array, dim: int, start: int | None, stop: int | None) -> Array:
    """The slice of `x` from `start` to `stop` along `dim`; none reaches outside, which
    the standard leaves open."""
    dim %= x.ndim
    n = x.shape[dim]
    start = None if start is None else min(start, n)
    if stop is not None:
        stop = min(stop, n) if stop >= 0 else max(stop + n, 0)
    return x[(*(slice(None),) * dim, slice(start, stop), ...)]


def conjugate(k: Kernels, x: Array) -> Array:
    """The complex conjugate; of real arrays, the array itself."""
    return k.conj(x) if k.isdtype(x.dtype, "complex floating") else x


def is_floating(k: Kernels, x: Array) -> bool:
    """Whether the elements are real or complex floating-point numbers."""
    return k.isdtype(x.dtype, ("real floating", "complex floating"))


def need_order(k: Kernels, x: Array) -> None:
    """Raise if the elements have no order."""
    if k.isdtype(x.dtype, "complex floating"):
        raise RuntimeError("not implemented for complex numbers, which have no order")


def ranked(k: Kernels, x: Array) -> Array:
    """`x` as numbers that sort: the standard's booleans do not, and ml_dtypes'
    bfloat16 sorts NaN anywhere."""
    if k.isdtype(x.dtype, "bool"):
        return k.astype(x, k.uint8)
    return k.astype(x, k.float32) if k.dtype_of(x).name == "bfloat16" else x


def along(function: Callable[[Array, int], Any], k: Kernels, x: Array, dim: int) -> Any:
    """`function(x, dim)`, where an array without dimensions is one of one element."""
    dim = one(x.ndim, dim)
    if x.ndim:
        return function(x, dim)
    y = function(k.reshape(x, (1,)), 0)
    if isinstance(y, tuple):
        return tuple(k.reshape(each, ()) for each in y)
    return k.reshape(y, ())


# --- Samples ----------------------------------------------------------------------


def reduced(
    make: Any, many: bool = True, empty: bool = True, ties: bool = True
) -> Iterator[Sample]:
    """Calls of a reduction `f(x, dim, keepdim)`; `many`: over several dimensions, and
    over all of them by default; `empty`: over no elements; `ties`: it is smooth where
    elements are equal."""
    if many:
        yield Sample(make())
        yield Sample(make(3))
        yield Sample(make(2, 3))
        yield Sample(make(2, 3, 4), (0, 2))
        yield Sample(make(2, 3, 4), dim=(-1, 0), keepdim=True)
        yield Sample(make.strided(3, 4))
        yield Sample(make.expanded(3, 4)).named("expanded", smooth=ties)
    if empty:
        yield Sample(make(0, 3), 0)
    yield Sample(make(0, 3), 1)
    yield Sample(make(), 0)
    yield Sample(make(), -1, True)
    yield Sample(make(3), 0)
    yield Sample(make(2, 3), 0)
    yield Sample(make(2, 3), -1, True)
    yield Sample(make(2, 1, 3), dim=1, keepdim=True)
    yield Sample(make(2, 3, 4), -2)
    yield Sample(make.strided(3, 4), 1)
    yield Sample(make.expanded(3, 4), 0).named("expanded, dim 0", smooth=ties)


def distinct(make: Any, *shape: int) -> Any:
    """A tensor of numbers of which no two are equal."""
    count = size(shape, tuple(range(len(shape))))
    values = [(7 * i) % 29 + i / 64 * (make.dtype.kind == "f") for i in range(count)]
    return make.tensor(make.filled(shape, values, make.dtype))


def scanned(make: Any, *args: Any, ties: bool = True) -> Iterator[Sample]:
    """Calls of a function `f(x, dim)` that keeps the shape."""
    yield Sample(make(), 0, *args)
    yield Sample(make(), -1, *args)
    yield Sample(make(1), 0, *args)
    yield Sample(make(5), 0, *args)
    yield Sample(make(2, 3), 0, *args)
    yield Sample(make(2, 3), -1, *args)
    yield Sample(make(0, 3), 0, *args)
    yield Sample(make(0, 3), 1, *args)
    yield Sample(make(2, 3, 4), dim=1)
    yield Sample(make(2, 3, 4), -3, *args)
    yield Sample(make.strided(3, 4), 1, *args)
    yield Sample(make.expanded(3, 4), 0, *args).named("expanded", smooth=ties)
