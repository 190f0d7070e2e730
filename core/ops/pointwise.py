"""Arithmetic, element by element.

- Integers stay integers except in division; bools are added and multiplied as "or" and
  "and", and refuse to be subtracted or negated, as in PyTorch.
- The forms with `r` in front serve Python's reversed operators.
"""

from __future__ import annotations

from .. import dtypes
from ..declare import Sample, op
from ..interface import OPS
from ..limits import iinfo
from ..params import ALL_KINDS
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "add",
    "addcdiv",
    "addcmul",
    "axpby",
    "div",
    "floor_divide",
    "fmod",
    "mul",
    "neg",
    "positive",
    "reciprocal",
    "remainder",
    "rsub",
    "sub",
]


def is_bool(k: Kernels, x: Array) -> bool:
    """Whether the elements are truth values."""
    return k.isdtype(x.dtype, "bool")


def is_whole(k: Kernels, x: Array) -> bool:
    """Whether the elements are integers."""
    return k.isdtype(x.dtype, "integral")


def scaled(k: Kernels, x: Array, factor: Number) -> Array:
    """factor * x, where the factor is of a kind that the dtype allows."""
    if factor == 1 and not isinstance(factor, bool):
        return x
    kind = k.dtype_of(x).kind
    if isinstance(factor, bool) and kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(factor, float) and kind in "biu":
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point "
            "number."
        )
    if isinstance(factor, complex) and kind != "c":
        raise RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex "
            "number."
        )
    if kind == "b":
        return x if factor else k.zeros_like(x)
    return x * factor


# --- Sums and differences -----------------------------------------------------------


@op(promote="same")
def add(
    k: Kernels, a: Tensor | Number, b: Tensor | Number, *, alpha: Number = 1
) -> Tensor:
    """a + alpha * b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.add(plugrad.tensor([1.0, 2.0]), 10, alpha=2)
    tensor([21., 22.])
    """
    b = scaled(k, b, alpha)
    return k.logical_or(a, b) if is_bool(k, a) else k.add(a, b)


add.grad(
    a=lambda k, g: g,
    b=lambda k, g, alpha: g if alpha == 1 else g * alpha,
)


@op(promote="same")
def sub(
    k: Kernels, a: Tensor | Number, b: Tensor | Number, *, alpha: Number = 1
) -> Tensor:
    """a - alpha * b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.sub(plugrad.tensor([10, 20]), plugrad.tensor([1, 2]), alpha=3)
    tensor([ 7, 14])
    """
    return k.subtract(a, scaled(k, b, alpha))


sub.grad(
    a=lambda k, g: g,
    b=lambda k, g, alpha: -g if alpha == 1 else g * -alpha,
)


@op(promote="same", inplace=False, method=False)
def rsub(k: Kernels, a: Tensor, b: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """b - alpha * a, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.rsub(plugrad.tensor([1, 2]), 10)
    tensor([9, 8])
    """
    return k.subtract(b, scaled(k, a, alpha))


rsub.grad(
    a=lambda k, g, alpha: -g if alpha == 1 else g * -alpha,
    b=lambda k, g: g,
)


@sub.before()
@rsub.before()
def _no_bools(values: dict[str, Any]) -> None:
    for value in (values["a"], values["b"]):
        if isinstance(value, bool) or getattr(value, "dtype", None) is dtypes.bool:
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported. "
                "To invert a mask, use the `~` or `logical_not()` operator; for what "
                "differs, `^` or `logical_xor()`"
            )


@op(promote="same")
def neg(k: Kernels, x: Tensor) -> Tensor:
    """-x, elementwise.

    >>> import plugrad
    >>> plugrad.neg(plugrad.tensor([1, -2]))
    tensor([-1,  2])
    """
    if k.isdtype(x.dtype, "unsigned integer"):
        return k.subtract(k.zeros_like(x), x)
    return k.negative(x)


neg.grad(x=lambda k, g: -g)


@neg.before("b")
def _(values: dict[str, Any]) -> None:
    if values["x"].dtype is dtypes.bool:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. To invert "
            "a mask, use the `~` or `logical_not()` operator"
        )


@op(view=True)
def positive(k: Kernels, x: Tensor) -> Tensor:
    """The tensor itself: what `+x` means.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, -2.0])
    >>> plugrad.positive(x) is x
    True
    """
    return x


positive.grad(x=lambda k, g: g)


@positive.before(ALL_KINDS)
def _(values: dict[str, Any]) -> Any:
    if values["x"].dtype is dtypes.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return values["x"]


# --- Products and quotients ---------------------------------------------------------


@op(promote="same")
def mul(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """a * b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.mul(plugrad.tensor([[1], [2]]), plugrad.tensor([1, 10, 100]))
    tensor([[  1,  10, 100],
            [  2,  20, 200]])
    """
    return k.logical_and(a, b) if is_bool(k, a) else k.multiply(a, b)


mul.grad(a=lambda k, g, b: g * b, b=lambda k, g, a: g * a)


@op(promote="float")
def div(
    k: Kernels,
    a: Tensor | Number,
    b: Tensor | Number,
    *,
    rounding_mode: str | None = None,
) -> Tensor:
    """a / b, elementwise, broadcast.

    `rounding_mode` "floor" or "trunc" rounds the quotient down or towards zero, and
    leaves integers integers.

    >>> import plugrad
    >>> plugrad.div(plugrad.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    return k.divide(a, b)


# of a and not of the result, which many programs go on to write: `x = x / n; x += c`
div.grad(a=lambda k, g, b: g / b, b=lambda k, g, a, b: -g * (a / b / b))


@div.before()
def _(values: dict[str, Any]) -> Any:
    mode = values["rounding_mode"]
    if mode is None:
        return None
    if mode not in ("trunc", "floor"):
        raise RuntimeError(
            "div expected rounding_mode to be one of None, 'trunc', or 'floor' but "
            f"found {mode!r}"
        )
    return OPS["div_" + mode].function(values["a"], values["b"])


@op(promote="float", method=False, oracle=None)
def rdiv(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """b / a, elementwise, broadcast."""
    return k.divide(b, a)


rdiv.grad(a=lambda k, g, a, b: -g * (b / a / a), b=lambda k, g, a: g / a)


@op(promote="float")
def reciprocal(k: Kernels, x: Tensor) -> Tensor:
    """1 / x, elementwise.

    >>> import plugrad
    >>> plugrad.reciprocal(plugrad.tensor([4, 0]))
    tensor([0.2500,    inf])
    """
    return 1.0 / x


reciprocal.grad(x=lambda k, g, y: -g * y * y)


# --- Quotients rounded, and what they leave -----------------------------------------


def checked(k: Kernels, a: Array, b: Array) -> Array:
    """The divisor of `a`; for integers, none may be zero, unless nothing is divided."""
    if is_whole(k, b) and 0 not in a.shape and not k.all(b != 0):
        raise RuntimeError("ZeroDivisionError: integers cannot be divided by zero")
    return b


def quotient_down(k: Kernels, a: Array, b: Array) -> Array:
    """a / b rounded down."""
    return k.floor_divide(a, checked(k, a, b))


@op(promote="same", kinds="iuf", method=False, oracle=None)
def div_floor(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """a / b rounded down, elementwise; flat, so that its gradient is zero."""
    return quotient_down(k, a, b)


@op(promote="same", kinds="iuf", method=False, oracle=None)
def div_trunc(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """a / b rounded towards zero, elementwise; flat, so that its gradient is zero."""
    if not is_whole(k, a):
        return k.trunc(k.divide(a, b))
    down = quotient_down(k, a, b)
    inexact = k.astype(down * b != a, a.dtype)
    return k.where((a < 0) == (b < 0), down, down + inexact)  # type: ignore[operator]


FLAT = {"a": lambda k, g: k.zeros_like(g), "b": lambda k, g: k.zeros_like(g)}
div_floor.grad(**FLAT)
div_trunc.grad(**FLAT)


@op(promote="same", kinds="iuf", no_grad_reason="PyTorch gives it no derivative")
def floor_divide(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """a / b rounded down, elementwise, broadcast; integers stay integers.

    >>> import plugrad
    >>> plugrad.floor_divide(plugrad.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    return quotient_down(k, a, b)


@op(
    promote="same",
    kinds="iuf",
    method=False,
    oracle=None,
    no_grad_reason="PyTorch gives it no derivative",
)
def rfloor_divide(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """b / a rounded down, elementwise, broadcast."""
    return quotient_down(k, b, a)


@op(promote="same", kinds="iuf")
def remainder(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """What `a / b` rounded down leaves, with the sign of `b`: Python's `a % b`.

    >>> import plugrad
    >>> plugrad.remainder(plugrad.tensor([7, -7]), 3)
    tensor([1, 2])
    """
    return k.remainder(a, checked(k, a, b))


remainder.grad(
    a=lambda k, g: g,
    b=lambda k, g, a, b: -g * k.floor_divide(a, b),
)


@op(promote="same", kinds="iuf", domain=(0.6, 5), method=False, oracle=None)
def rremainder(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """`b % a`, elementwise, broadcast."""
    return k.remainder(b, checked(k, b, a))


rremainder.grad(
    a=lambda k, g, a, b: -g * k.floor_divide(b, a),
    b=lambda k, g: g,
)


@op(promote="same", kinds="iuf")
def fmod(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """What `a / b` rounded towards zero leaves, with the sign of `a`: C's `fmod`.

    >>> import plugrad
    >>> plugrad.fmod(plugrad.tensor([7, -7]), 3)
    tensor([ 1, -1])
    """
    checked(k, a, b)
    if k.isdtype(a.dtype, "unsigned integer"):
        return k.remainder(a, b)
    if k.isdtype(a.dtype, "signed integer"):  # of which the lowest has no abs
        rest = k.remainder(a, b)  # which has the sign of b
        other = k.logical_and(rest != 0, (a < 0) != (b < k.zeros_like(b)))
        return k.where(other, rest - b, rest)
    return k.sign(a) * k.remainder(k.abs(a), k.abs(b))


fmod.grad(
    a=lambda k, g: g,
    b=lambda k, g, a, b: -g * k.trunc(a / b),
)


# --- Two at once --------------------------------------------------------------------


@op(promote="same", kinds="iufc")
def addcmul(
    k: Kernels, x: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1
) -> Tensor:
    """x + value * tensor1 * tensor2, elementwise, broadcast.

    >>> import plugrad
    >>> x, a, b = plugrad.tensor([1.0]), plugrad.tensor([6.0]), plugrad.tensor([3.0])
    >>> plugrad.addcmul(x, a, b, value=-0.5)
    tensor([-8.])
    """
    if is_whole(k, x):
        value = whole(value, k.dtype_of(x))
    product = tensor1 * tensor2
    return x + (product if value == 1 else typed_as(k, product * value, x))


def whole(value: Number, dtype: Any) -> int:
    """A number as an integer that a dtype holds. As PyTorch's unsigned ones, they wrap
    negative integers around, but no other negative numbers."""
    limits = iinfo(dtype)
    low = -limits.max if not limits.min and isinstance(value, int) else limits.min
    if not low <= value <= limits.max:  # type: ignore[operator]
        raise RuntimeError(f"value={value} does not fit into {dtype}")
    value = int(value)  # type: ignore[arg-type]
    return value if limits.min else value % (limits.max + 1)


addcmul.grad(
    x=lambda k, g: g,
    tensor1=lambda k, g, tensor2, value: typed_as(k, g * tensor2 * value, g),
    tensor2=lambda k, g, tensor1, value: typed_as(k, g * tensor1 * value, g),
)


@op(promote="same", kinds="iufc", oracle=None)
def axpby(
    k: Kernels, x: Tensor, other: Tensor, *, alpha: Number = 1, beta: Number = 1
) -> Tensor:
    """beta * x + alpha * other, elementwise, broadcast.

    `x.axpby_(other, alpha=..., beta=...)` is `x.mul_(beta).add_(other, alpha=alpha)`,
    in one pass over the memory where a backend has that.

    >>> import plugrad
    >>> x, y = plugrad.tensor([1.0, 2.0]), plugrad.tensor([10.0, 20.0])
    >>> plugrad.axpby(x, y, alpha=0.5, beta=3)
    tensor([ 8., 16.])
    """
    return k.add(scaled(k, x, beta), scaled(k, other, alpha))


axpby.grad(
    x=lambda k, g, beta: g if beta == 1 else g * beta,
    other=lambda k, g, alpha: g if alpha == 1 else g * alpha,
)


@axpby.samples
def _(make: Any) -> Iterator[Sample]:
    x = make(2, 3)
    yield Sample(make(), make())
    yield Sample(make(0, 2), make(2), beta=2)
    yield Sample(make(3, 4), make(3, 4), alpha=3, beta=2)
    yield Sample(make(2, 3), make(3), alpha=2)
    yield Sample(make(3), make(2, 3), beta=3)
    yield Sample(x, x, alpha=2, beta=3)
    yield Sample(make.strided(2, 3), make.expanded(2, 3), alpha=2, beta=3)
    yield Sample(make(3), make.integers(3), alpha=2)
    if make.floating:
        yield Sample(make(2, 3), make(2, 3), alpha=-0.5, beta=0.25)
    if make.dtype.kind == "f":
        yield Sample(make.special(6), make(6)).named("special", smooth=False)
    yield Sample(make(3), make(4)).named("mismatch")


@op(promote="same", kinds="fc")
def addcdiv(
    k: Kernels, x: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1
) -> Tensor:
    """x + value * tensor1 / tensor2, elementwise, broadcast.

    >>> import plugrad
    >>> x, a, b = plugrad.tensor([1.0]), plugrad.tensor([6.0]), plugrad.tensor([3.0])
    >>> plugrad.addcdiv(x, a, b, value=-0.5)
    tensor([0.])
    """
    quotient = tensor1 / tensor2
    return x + (quotient if value == 1 else typed_as(k, quotient * value, x))


addcdiv.grad(
    x=lambda k, g: g,
    tensor1=lambda k, g, tensor2, value: typed_as(k, g / tensor2 * value, g),
    tensor2=lambda k, g, tensor1, tensor2, value: typed_as(
        k, -g * value * (tensor1 / tensor2) / tensor2, g
    ),
)


@addcdiv.before()
def _(values: dict[str, Any]) -> None:
    kinds = {values["tensor1"].dtype.kind, values["tensor2"].dtype.kind}
    if kinds <= {"b", "i", "u"}:
        raise RuntimeError(
            "Integer division with addcdiv is not supported; write "
            "x + value * tensor1 / tensor2, or use rounding_mode= of div"
        )


@addcmul.samples
@addcdiv.samples
def _(make: Any) -> Iterator[Sample]:
    def of(*shape: int) -> Tensor:
        return make(*shape, low=0.5)

    x = of(2, 3)
    yield Sample(make(), of(), of())
    yield Sample(make(0), of(0), of(0))
    yield Sample(make(3), of(3), of(3), value=2)
    yield Sample(make(2, 3), of(3), of(2, 1), value=-0.5)
    yield Sample(make(3), of(2, 3), of())
    yield Sample(make(), of(3), of(2, 3))
    yield Sample(x, x, x)
    yield Sample(make.strided(2, 3), of(2, 3), of(2, 3))
    yield Sample(make(2, 3), make.strided(2, 3, low=0.5), make.expanded(2, 3, low=0.5))
    yield Sample(make(3), make.integers(3, low=1), of(3))
    yield Sample(make(3), of(3), make.integers(3, low=1))
    yield Sample(make(3), make.integers(3, low=1), make.integers(3, low=1))
    if make.dtype.kind == "f":
        yield Sample(make.special(6), of(6), of(6)).named("special", smooth=False)
    yield Sample(make(3), of(4), of(3)).named("mismatch")
