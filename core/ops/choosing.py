"""Choosing and filling, element by element: what is larger, within limits, masked."""

from __future__ import annotations

from ..declare import Sample, op
from ..limits import finfo, iinfo
from ..params import SCALARS
from .pointwise import is_bool
from .shape import _cast_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex
    Mask = Tensor

__all__ = [
    "clamp",
    "clamp_max",
    "clamp_min",
    "fill",
    "fmax",
    "fmin",
    "lerp",
    "masked_fill",
    "maximum",
    "minimum",
    "nan_to_num",
    "where",
]


# --- The larger and the smaller -----------------------------------------------------


def pick(k: Kernels, g: Array, wanted: Array) -> Array:
    """`g` where wanted, else 0."""
    return k.where(wanted, g, k.zeros_like(g))


def share(k: Kernels, g: Array, lost: Array, tied: Array) -> Array:
    """The gradient of one of two rivals: none if it lost, half if both are equal."""
    return k.where(lost, k.zeros_like(g), k.where(tied, g / 2, g))


@op(promote="same", kinds="biuf", inplace=False)
def maximum(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The larger of a and b, elementwise, broadcast; NaN if either is.

    >>> import plugrad
    >>> a, b = plugrad.tensor([1.0, plugrad.nan]), plugrad.tensor([2.0, 3.0])
    >>> plugrad.maximum(a, b)
    tensor([2., nan])
    """
    return k.logical_or(a, b) if is_bool(k, a) else k.maximum(a, b)


maximum.grad(
    a=lambda k, g, a, b: share(k, g, a < b, a == b),
    b=lambda k, g, a, b: share(k, g, b < a, a == b),
)


@op(promote="same", kinds="biuf", inplace=False)
def minimum(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The smaller of a and b, elementwise, broadcast; NaN if either is.

    >>> import plugrad
    >>> a, b = plugrad.tensor([1.0, plugrad.nan]), plugrad.tensor([2.0, 3.0])
    >>> plugrad.minimum(a, b)
    tensor([1., nan])
    """
    return k.logical_and(a, b) if is_bool(k, a) else k.minimum(a, b)


minimum.grad(
    a=lambda k, g, a, b: share(k, g, a > b, a == b),
    b=lambda k, g, a, b: share(k, g, b > a, a == b),
)


@op(promote="same", kinds="biuf", inplace=False)
def fmax(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The larger of a and b, elementwise, broadcast; the other one if one is NaN.

    >>> import plugrad
    >>> a, b = plugrad.tensor([1.0, plugrad.nan]), plugrad.tensor([2.0, 3.0])
    >>> plugrad.fmax(a, b)
    tensor([2., 3.])
    """
    if is_bool(k, a):
        return k.logical_or(a, b)
    return k.where(a != a, b, k.where(b != b, a, k.maximum(a, b)))


fmax.grad(
    a=lambda k, g, a, b: pick(k, g, k.logical_or(a >= b, b != b)),
    b=lambda k, g, a, b: pick(k, g, k.logical_not(k.logical_or(a >= b, b != b))),
)


@op(promote="same", kinds="biuf", inplace=False)
def fmin(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The smaller of a and b, elementwise, broadcast; the other one if one is NaN.

    >>> import plugrad
    >>> a, b = plugrad.tensor([1.0, plugrad.nan]), plugrad.tensor([2.0, 3.0])
    >>> plugrad.fmin(a, b)
    tensor([1., 3.])
    """
    if is_bool(k, a):
        return k.logical_and(a, b)
    return k.where(a != a, b, k.where(b != b, a, k.minimum(a, b)))


fmin.grad(
    a=lambda k, g, a, b: pick(k, g, k.logical_or(a <= b, b != b)),
    b=lambda k, g, a, b: pick(k, g, k.logical_not(k.logical_or(a <= b, b != b))),
)


# --- Within limits ------------------------------------------------------------------


@op(promote="same", kinds="biuf")
def clamp(
    k: Kernels,
    x: Tensor,
    min: Tensor | Number | None = None,
    max: Tensor | Number | None = None,
) -> Tensor:
    """x, but not below `min` nor above `max`, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.tensor([-2.0, 0.5, 7.0]).clamp(min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("clamp: at least one of 'min' or 'max' must not be None")
    whole = is_bool(k, x)
    if min is not None:
        x = k.logical_or(x, min) if whole else k.maximum(x, min)
    if max is not None:
        x = k.logical_and(x, max) if whole else k.minimum(x, max)
    return x


def inside(k: Kernels, x: Array, min: Array | None, max: Array | None) -> Array:
    """Where x is within its limits."""
    if min is None:
        return x <= max
    return x >= min if max is None else k.logical_and(x >= min, x <= max)


def below(k: Kernels, x: Array, min: Array, max: Array | None) -> Array:
    """Where `min` is the result."""
    return x < min if max is None else k.logical_and(x < min, min < max)


def above(k: Kernels, x: Array, min: Array | None, max: Array) -> Array:
    """Where `max` is the result."""
    return x > max if min is None else k.logical_or(x > max, max < min)


clamp.grad(
    x=lambda k, g, x, min, max: pick(k, g, inside(k, x, min, max)),
    min=lambda k, g, x, min, max: pick(k, g, below(k, x, min, max)),
    max=lambda k, g, x, min, max: pick(k, g, above(k, x, min, max)),
)


@clamp.samples
def _(make: Any) -> Iterator[Sample]:
    yield Sample(make(), -0.5, 1)
    yield Sample(make(0), 0, 1)
    yield Sample(make(3), min=0)
    yield Sample(make(3), max=0.5)
    yield Sample(make(2, 3), 1, -1)
    yield Sample(make(2, 3), make(3), make(2, 1))
    yield Sample(make(3), make(2, 3))
    yield Sample(make(2, 3), None, make(2, 3))
    yield Sample(make.strided(2, 3), make(), make(3))
    yield Sample(make.expanded(2, 3), -1, 1)
    yield Sample(make.large(6), -100, 100).named("large", smooth=False)
    if make.dtype.kind == "f":
        yield Sample(make.special(6), -1, 1).named("special", smooth=False)
    yield Sample(make(2, 3)).named("no limits")


@op(promote="same", kinds="biuf")
def clamp_min(k: Kernels, x: Tensor, min: Tensor | Number) -> Tensor:
    """x, but not below `min`, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.clamp_min(plugrad.tensor([1.0, 5.0, plugrad.nan]), 3)
    tensor([3., 5., nan])
    """
    return k.logical_or(x, min) if is_bool(k, x) else k.maximum(x, min)


clamp_min.grad(
    x=lambda k, g, x, min: pick(k, g, x >= min),
    min=lambda k, g, x, min: pick(k, g, x < min),
)


@op(promote="same", kinds="biuf")
def clamp_max(k: Kernels, x: Tensor, max: Tensor | Number) -> Tensor:
    """x, but not above `max`, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.clamp_max(plugrad.tensor([1.0, 5.0, plugrad.nan]), 3)
    tensor([1., 3., nan])
    """
    return k.logical_and(x, max) if is_bool(k, x) else k.minimum(x, max)


clamp_max.grad(
    x=lambda k, g, x, max: pick(k, g, x <= max),
    max=lambda k, g, x, max: pick(k, g, x > max),
)


@op(promote="same")
def nan_to_num(
    k: Kernels,
    x: Tensor,
    nan: float | None = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """x with NaN and the infinities replaced, elementwise: by default with 0 and the
    largest numbers of the dtype.

    >>> import plugrad
    >>> x = plugrad.tensor([plugrad.nan, 1.0, -plugrad.inf])
    >>> plugrad.nan_to_num(x, neginf=-9.0)
    tensor([ 0.,  1., -9.])
    """
    if k.isdtype(x.dtype, "complex floating"):
        re = finite(k, k.real(x), nan, posinf, neginf)
        im = finite(k, k.imag(x), nan, posinf, neginf)
        return k.astype(re, x.dtype) + k.astype(im, x.dtype) * 1j
    if not k.isdtype(x.dtype, "real floating"):
        return k.asarray(x, copy=True)
    return finite(k, x, nan, posinf, neginf)


def finite(
    k: Kernels, x: Array, nan: float | None, posinf: float | None, neginf: float | None
) -> Array:
    """A real floating array with finite numbers only."""
    largest = finfo(k.dtype_of(x)).max
    inf = float("inf")
    for found, value in (
        (x != x, nan or 0.0),
        (x == inf, largest if posinf is None else posinf),
        (x == -inf, -largest if neginf is None else neginf),
    ):
        x = k.where(found, k.full_like(x, value), x)
    return x


nan_to_num.grad(x=lambda k, g, x: pick(k, g, k.isfinite(x)))


# --- One or the other ---------------------------------------------------------------


def checked_mask(k: Kernels, name: str, mask: Array) -> Array:
    """A mask, which has to be of bools."""
    if not k.isdtype(mask.dtype, "bool"):
        raise RuntimeError(
            f"{name}: expected a mask of bools, but got {k.dtype_of(mask)}; compare "
            "with `!= 0` first"
        )
    return mask


@op(promote="same", method=False)
def where(
    k: Kernels,
    condition: Mask,
    input: Tensor | Number | None = None,
    other: Tensor | Number | None = None,
) -> Tensor:
    """`input` where the condition holds, else `other`, elementwise, broadcast.

    With the condition alone: the indices where it holds, one tensor for each dimension.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, -2.0])
    >>> plugrad.where(x > 0, x, 0.0)
    tensor([1., 0.])
    """
    if other is None:
        raise TypeError("where(): missing required argument 'other'")
    return k.where(checked_mask(k, "where", condition), input, other)


where.grad(
    input=lambda k, g, condition: pick(k, g, condition),
    other=lambda k, g, condition: k.where(condition, k.zeros_like(g), g),
)


@where.before()
def _(values: dict[str, Any]) -> Any:
    if values["input"] is None and values["other"] is None:
        return values["condition"].nonzero(as_tuple=True)
    if values["input"] is None:
        raise TypeError("where(): missing required argument 'input'")
    return None


@where.samples
def _(make: Any) -> Iterator[Sample]:
    c = make.bools(2, 3)
    same = make(2, 3)
    yield Sample(c, same, same)
    yield Sample(c, make(2, 3), make(2, 3))
    yield Sample(c, make(3), make(2, 1))
    yield Sample(make.bools(3), make(2, 3), make())
    yield Sample(make.bools(), make(2, 3), make(3))
    yield Sample(make.bools(), make(), make())
    yield Sample(make.bools(0), make(0), make(0))
    yield Sample(c, make(2, 3), 1)
    yield Sample(c, 1.5, make(2, 3))
    yield Sample(c, 1, 2)
    yield Sample(c, make.strided(2, 3), make.expanded(2, 3))
    yield Sample(c, make(2, 3), make.integers(2, 3))
    yield Sample(make.integers(3), make(3), make(3)).named("not a mask")
    yield Sample(c, make(4), make(3)).named("mismatch")


def where_(input: Tensor, condition: Tensor, other: Tensor | Number) -> Tensor:
    """This tensor where the condition holds, else `other`, elementwise, broadcast."""
    return where(condition, input, other)


where_.__name__ = "where"


@op(promote="equal", kinds="fc", broadcast=True, inplace=True)
def lerp(k: Kernels, x: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """x + weight * (end - x), elementwise, broadcast; exact at both ends.

    >>> import plugrad
    >>> plugrad.lerp(plugrad.tensor([0.0, 10.0]), plugrad.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    step = end - x
    near, far = x + weight * step, end - step * (1 - weight)
    if type(weight) in SCALARS:
        return near if abs(weight) < 0.5 else far
    return k.where(k.abs(weight) < 0.5, near, far)


lerp.grad(
    x=lambda k, g, weight: g * (1 - weight),
    end=lambda k, g, weight: g * weight,
    weight=lambda k, g, x, end: g * (end - x),
)


@lerp.samples
def _(make: Any) -> Iterator[Sample]:
    same = make(2, 3)
    yield Sample(same, same, 0.7)
    yield Sample(make(2, 3), make(2, 3), 0.3)
    yield Sample(make(3), make(2, 3), 1)
    yield Sample(make(2, 1), make(3), make(2, 3))
    yield Sample(make(), make(), make())
    yield Sample(make(2, 3), make(3), make())
    yield Sample(make(0), make(0), 0.5)
    yield Sample(make.strided(2, 3), make.expanded(2, 3), -1.5)
    yield Sample(make(3), make(3), make.strided(3))
    yield Sample(make.large(6), make.large(6), make(6)).named("large", smooth=False)
    yield Sample(make(3), make(3), make.integers(3)).named("another dtype")
    yield Sample(make(3), make(4), 0.5).named("mismatch")


# --- Filled -------------------------------------------------------------------------


def filling(k: Kernels, name: str, x: Array, value: Any) -> Array:
    """The number, or tensor without dimensions, to fill `x` with, in its dtype."""
    if type(value) in SCALARS:
        return k.make_scalar(value, k.dtype_of(x))
    if value.ndim:
        raise RuntimeError(
            f"{name} only supports a value tensor without dimensions, but got one with "
            f"{value.ndim} dimension(s)"
        )
    return _cast_back(k, value, x.dtype)


def check_fits(values: dict[str, Any]) -> None:
    """Raise if the number to fill with is beyond the range of the tensor's dtype."""
    dtype, value = values["x"].dtype, values["value"]
    if type(value) not in SCALARS or dtype.kind in "bc":
        return
    fits = not isinstance(value, complex)
    if fits and dtype.kind in "iu" and value - value == 0:  # it is finite
        highest = iinfo(dtype).max
        lowest = -highest if dtype.kind == "u" else -highest - 1
        fits = lowest <= int(value) <= highest
    if not fits:
        raise RuntimeError(
            f"value {value!r} cannot be converted to type {dtype} without overflow"
        )


@op(broadcast=True, inplace=True)
def masked_fill(k: Kernels, x: Tensor, mask: Mask, value: Tensor | Number) -> Tensor:
    """x with `value` where the mask holds, broadcast.

    >>> import plugrad
    >>> x = plugrad.tensor([1, 2, 3])
    >>> x.masked_fill(x > 1, 0)
    tensor([1, 0, 0])
    """
    mask = checked_mask(k, "masked_fill", mask)
    return k.where(mask, filling(k, "masked_fill", x, value), x)


masked_fill.before("biu")(check_fits)
masked_fill.grad(
    x=lambda k, g, mask: k.where(mask, k.zeros_like(g), g),
    value=lambda k, g, mask, value_dtype: _cast_back(k, pick(k, g, mask), value_dtype),
)


@masked_fill.samples
def _(make: Any) -> Iterator[Sample]:
    mask = make.bools(2, 3)
    yield Sample(make(2, 3), mask, 2)
    yield Sample(make(2, 3), mask, 1.5)
    yield Sample(make(2, 3), mask, make())
    yield Sample(make(2, 3), make.bools(3), float("-inf")).named("-inf", smooth=False)
    yield Sample(make(3), mask, make())
    yield Sample(make(2, 1), make.bools(3), 0)
    yield Sample(make(), make.bools(), make())
    yield Sample(make(), mask, 1)
    yield Sample(make(0), make.bools(0), 1)
    yield Sample(make.strided(2, 3), mask, make())
    yield Sample(make.expanded(2, 3), mask, 1)
    yield Sample(make(2, 3), make.integers(2, 3), 1).named("not a mask")
    yield Sample(make(2, 3), mask, make(1)).named("value with a dimension")


@op(method=False, inplace=True)
def fill(k: Kernels, x: Tensor, value: Tensor | Number) -> Tensor:
    """A tensor like x, with `value` everywhere.

    >>> import plugrad
    >>> plugrad.fill(plugrad.tensor([1, 2]), 7)
    tensor([7, 7])
    """
    value = k.broadcast_to(filling(k, "fill", x, value), x.shape)
    return k.asarray(value, copy=True)


fill.before("biu")(check_fits)
fill.grad(
    x=lambda k, g: k.zeros_like(g),
    value=lambda k, g, value_dtype: _cast_back(k, k.sum(g), value_dtype),
)


@fill.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (3,), (2, 3)):
        yield Sample(make(*shape), 2)
        yield Sample(make(*shape), make())
    yield Sample(make.strided(2, 3), make())
    yield Sample(make.expanded(2, 3), -1)
    yield Sample(make(2, 3), 1.5)
    yield Sample(make(2, 3), 1j)
    yield Sample(make(3), make(3)).named("value with a dimension")


def zero_(input: Tensor) -> Tensor:
    """Write zeros into the tensor."""
    return input.fill_(0)  # type: ignore[attr-defined]


@op(broadcast=True, method=False, inplace=True, oracle=None)
def copy(
    k: Kernels, x: Tensor, src: Tensor | Number, non_blocking: bool = False
) -> Tensor:
    """The values of `src`, broadcast to the shape of x and in its dtype."""
    values: Any = filling(k, "copy_", x, src) if type(src) in SCALARS else src
    if values.shape != x.shape:
        values = k.broadcast_to(values, x.shape)
    if values.dtype == x.dtype:
        return k.asarray(values, copy=True)
    return _cast_back(k, values, x.dtype)


copy.grad(
    x=lambda k, g: k.zeros_like(g),
    src=lambda k, g, src_dtype: _cast_back(k, g, src_dtype),
)


@copy.samples
def _(make: Any) -> Iterator[Sample]:
    for a, b in (((), ()), ((0,), (0,)), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), ())):
        yield Sample(make(*a), make(*b))
    yield Sample(make(2, 3), make(2, 1), True)
    yield Sample(make.strided(2, 3), make(2, 3))
    yield Sample(make(2, 3), make.expanded(2, 3))
    yield Sample(make(2, 3), make.strided(2, 3))
    yield Sample(make(2, 3), make.integers(2, 3))
    yield Sample(make(3), make(2, 3)).named("does not fit")


METHODS = [where_, zero_]
