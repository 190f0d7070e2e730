"""Ranges of numbers, identity matrices, and the indices of triangles.

The number of elements of a range, and the dtype where none is given, follow PyTorch's
rules. Values are computed in float64 (complex128) and rounded once at the end.
"""

from __future__ import annotations

from math import ceil, floor, isfinite

from .. import dtypes
from ..computing import computing
from ..devices import place
from ..layouts import check_options
from ..tensor import Tensor
from .data import finish
from .filled import deliver, dtype_argument, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype
    from ..interface import Backend

    Array = Any

__all__ = [
    "arange",
    "eye",
    "linspace",
    "logspace",
    "range",
    "tril_indices",
    "triu_indices",
]


def not_implemented(name: str, d: dtype) -> NotImplementedError:
    """The error of a dtype that a function does not make."""
    return NotImplementedError(f"{name}() is not implemented for {d}")


def integer(name: str, key: str, value: Any) -> int:
    """An integer argument."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}(): argument '{key}' must be int, not {type(value).__name__}"
        )
    return value.__index__()


# --- arange and range ---------------------------------------------------------------


def arange(
    *bounds: Any,
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The numbers from `start` up to but not including `end`, in steps of `step`.

    They are int64 if all three are integers, else of the default dtype.

    >>> import plugrad
    >>> plugrad.arange(3)
    tensor([0, 1, 2])
    >>> plugrad.arange(1, 2, 0.5)
    tensor([1.0000, 1.5000])
    """
    if len(bounds) == 1 and end is None:
        (end,) = bounds
    elif bounds:
        start, end, step = (*bounds, *(end, step)[len(bounds) - 1 :])[:3]
    if end is None or len(bounds) > 3:
        raise TypeError("arange() takes 'end', or 'start' and 'end' and perhaps 'step'")
    check_options("arange", layout, pin_memory)
    start, end, step = three_numbers("arange", start, end, step)
    dtype = dtype_argument("arange", dtype, out)
    if dtype is None:
        exact = not any(isinstance(v, float) for v in (start, end, step))
        dtype = dtypes.int64 if exact else dtypes.get_default_dtype()
    check_range("arange", start, end, step, dtype)
    if dtype is dtypes.int64:
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero")
        count = -((start - end) // step)
    else:
        count = ceil((float(end) - float(start)) / step)
    k, target = place(device)
    array = steps_from(k, start, step, max(count, 0), dtype)
    return deliver("arange", out, finish(k, array, target, requires_grad))


def three_numbers(name: str, start: Any, end: Any, step: Any) -> list[Any]:
    """The bounds and the step of a range, as real numbers."""
    found = []
    for key, value in (("start", start), ("end", end), ("step", step)):
        value = number(name, key, value)
        if isinstance(value, complex):
            raise RuntimeError(
                f"{name}: value {value} cannot be converted to double without overflow"
            )
        found.append(value)
    return found


def check_range(name: str, start: Any, end: Any, step: Any, d: dtype) -> None:
    """Raise if there is no such range."""
    if d.kind in "bc":
        raise not_implemented(name, d)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (isfinite(start) and isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError(
            "upper bound and lower bound inconsistent with step sign: "
            f"{start} -> {end} in steps of {step}"
        )


@computing
def steps_from(k: Backend, start: Any, step: Any, count: int, d: dtype) -> Array:
    """`count` numbers, `start` the first."""
    native = k.native(d)
    if d.kind in "iu":
        start, step = int(start), int(step)
        if step:
            array = k.arange(
                start, start + count * step, step, dtype=k.native(dtypes.int64)
            )
            return array if d is dtypes.int64 else k.astype(array, native)
    array = k.arange(0, count, dtype=k.native(dtypes.float64))
    if step != 1:
        array = array * float(step)
    if start != 0:
        array = array + float(start)
    return array if d is dtypes.float64 else k.astype(array, native)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included.

    >>> import plugrad
    >>> plugrad.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_options("linspace", layout, pin_memory)
    k, target = place(device)
    start, end, steps, dtype = spaced("linspace", start, end, steps, dtype, out)
    array = spaced_numbers(k, start, end, steps, dtype)
    array = k.astype(array, k.native(dtype))
    return deliver("linspace", out, finish(k, array, target, requires_grad))


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """`base` to the powers of `linspace(start, end, steps)`.

    >>> import plugrad
    >>> plugrad.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    check_options("logspace", layout, pin_memory)
    k, target = place(device)
    start, end, steps, dtype = spaced("logspace", start, end, steps, dtype, out)
    powers = spaced_numbers(k, start, end, steps, dtype, whole=False)
    array = k.pow(k.asarray(base, dtype=powers.dtype), powers)
    array = k.astype(array, k.native(dtype))
    return deliver("logspace", out, finish(k, array, target, requires_grad))


def spaced(
    name: str, start: Any, end: Any, steps: Any, dtype: Any, out: Tensor | None
) -> tuple[Any, Any, int, dtype]:
    """The checked arguments of `linspace` and `logspace`."""
    for key, value in (("start", start), ("end", end)):
        if isinstance(value, Tensor) and value.ndim:
            raise RuntimeError(
                f"{name} only supports 0-dimensional start and end tensors, but got "
                f"{key} with {value.ndim} dimension(s)."
            )
    start, end = number(name, "start", start), number(name, "end", end)
    steps = integer(name, "steps", steps)
    if steps < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {steps}")
    d = dtype_argument(name, dtype, out)
    inferred = dtypes.get_default_dtype()
    if isinstance(start, complex) or isinstance(end, complex):
        inferred = inferred.to_complex()
        if d is not None and d.kind != "c":
            raise RuntimeError(
                f"plugrad.{name}(): inferred dtype {inferred} can't be safely cast to "
                f"passed dtype {d}"
            )
    d = d or inferred
    if d is dtypes.bool_:
        raise not_implemented(name, d)
    return start, end, steps, d


@computing
def spaced_numbers(
    k: Backend, start: Any, end: Any, steps: int, d: dtype, whole: bool = True
) -> Array:
    """Evenly spaced numbers; counted from the nearer end, so that both are exact."""
    kind = dtypes.complex128 if d.kind == "c" else dtypes.float64
    native = k.native(kind)
    if d.kind in "iu":
        start, end = int(start), int(end)
    if steps == 1:
        return k.full((1,), start, dtype=native)
    step = (end - start) / max(steps - 1, 1)
    if d.kind in "iu" and whole:  # PyTorch has a float32 step here, and cuts off
        step = k.asarray(step, dtype=k.native(dtypes.float32))
        step = k.astype(step, native)
    i = k.astype(k.arange(0, steps, dtype=k.native(dtypes.int64)), native)
    half = k.arange(0, steps, dtype=k.native(dtypes.int64)) < steps // 2
    return k.where(half, i * step + start, (i - (steps - 1)) * step + end)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A matrix with ones on the diagonal and zeros elsewhere.

    >>> import plugrad
    >>> plugrad.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    n = integer("eye", "n", n)
    m = n if m is None else integer("eye", "m", m)
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"eye: {name} must be greater or equal to 0, got {size}")
    check_options("eye", layout, pin_memory)
    k, target = place(device)
    dtype = dtype_argument("eye", dtype, out) or dtypes.get_default_dtype()
    array = k.eye(n, m, dtype=k.native(dtype))
    return deliver("eye", out, finish(k, array, target, requires_grad))


# --- The indices of triangles -------------------------------------------------------


def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The positions (2 rows: row and column) on and below a diagonal, row by row.

    >>> import plugrad
    >>> plugrad.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return triangle("tril_indices", row, col, offset, dtype, device, layout)


def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The positions (2 rows: row and column) on and above a diagonal, row by row.

    >>> import plugrad
    >>> plugrad.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return triangle("triu_indices", row, col, offset, dtype, device, layout)


@computing
def triangle(
    name: str, row: Any, col: Any, offset: int, dtype: Any, device: Any, layout: Any
) -> Tensor:
    """The positions of one of the two triangles."""
    row, col = integer(name, "row", row), integer(name, "col", col)
    for key, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{name}: {key} must be non-negative, got {size}")
    check_options(name, layout, False)
    dtype = dtype_argument(name, dtype) or dtypes.int64
    if dtype not in (dtypes.int32, dtypes.int64):
        raise not_implemented(name, dtype)
    k, target = place(device)
    long = k.native(dtypes.int64)
    i = k.reshape(k.arange(0, row, dtype=long), (row, 1))
    j = k.reshape(k.arange(0, col, dtype=long), (1, col))
    mask = j - i <= offset if name == "tril_indices" else j - i >= offset
    array = k.astype(k.stack(k.nonzero(mask), axis=0), k.native(dtype))
    return finish(k, array, target)


def range(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Like `arange`, but with `end` included; PyTorch advises against it.

    >>> import plugrad
    >>> plugrad.range(1, 3)
    tensor([1., 2., 3.])
    """
    if end is None:
        start, end = 0, start
    check_options("range", layout, pin_memory)
    start, end, step = three_numbers("range", start, end, step)
    dtype = dtype_argument("range", dtype, out) or dtypes.get_default_dtype()
    check_range("range", start, end, step, dtype)
    k, target = place(device)
    count = floor((end - start) / step) + 1
    array = steps_from(k, start, step, count, dtype)
    return deliver("range", out, finish(k, array, target, requires_grad))
