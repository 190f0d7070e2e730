"""Arithmetic, elementary functions and comparisons, element by element.

- A ufunc stands for the op wherever it does just what the op does.
- A function stands where integers, divisors of zero or NaN need a word, or where a few
  ufuncs do better than the op's own body.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .activation import ZERO
from .blas import WORTH, axpy
from .blas import axpby as combine  # which is no kernel, as names here are

# --- Arithmetic ---------------------------------------------------------------------

add = np.add
sub = np.subtract
mul = np.multiply
div = np.true_divide
neg = np.negative
reciprocal = np.reciprocal
square = np.square


def add_(x: Any, b: Any, alpha: Any = 1) -> Any:
    """x += alpha * b."""
    if alpha is DEFAULT_ALPHA:
        return np.add(x, b, x)
    if x.size > WORTH:
        if type(alpha) is float and axpy(x, b, alpha):
            return x
        if x.size > LARGE and dense_pair(x, b):
            return update(np.add, x, b, alpha)
    return np.add(x, scaled(b, alpha), x)


def sub_(x: Any, b: Any, alpha: Any = 1) -> Any:
    """x -= alpha * b."""
    if x.dtype.kind == "b":
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported"
        )
    if alpha is DEFAULT_ALPHA:
        return np.subtract(x, b, x)
    if x.size > WORTH:
        if type(alpha) is float and axpy(x, b, -alpha):
            return x
        if x.size > LARGE and dense_pair(x, b):
            return update(np.subtract, x, b, alpha)
    return np.subtract(x, scaled(b, alpha), x)


def axpby_(x: Any, other: Any, alpha: Any = 1, beta: Any = 1) -> Any:
    """x = beta * x + alpha * other."""
    large = x.size > WORTH // 4  # what it saves is two passes
    if large and type(alpha) in REAL and type(beta) in REAL:
        if combine(x, other, alpha, beta):
            return x
        if beta is DEFAULT_ALPHA:
            return add_(x, other, alpha)
    b = other if alpha is DEFAULT_ALPHA else scaled(other, alpha)
    if beta is DEFAULT_ALPHA:
        return np.add(x, b, x)
    if large and b.shape == x.shape and not np.may_share_memory(b, x):
        return np.add(scaled(x, beta, x), b, x)
    return np.add(scaled(x, beta), b, x)


REAL = (float, int)
BLOCK = 65536  # elements at a time, so that what is scaled stays in the cache
LARGE = 1 << 20  # elements; below, one temporary is faster than blocks


def dense_pair(x: Any, b: Any) -> bool:
    """Whether two arrays lie in memory in the same order, without gaps."""
    return x.shape == b.shape and x.flags.c_contiguous and b.flags.c_contiguous


def update(ufunc: Any, x: Any, b: Any, alpha: Any) -> Any:
    """ufunc(x, alpha * b) written into `x`, without a temporary of its size."""
    to, source = x.reshape(-1), b.reshape(-1)
    for start in range(0, x.size, BLOCK):
        piece = to[start : start + BLOCK]
        ufunc(piece, scaled(source[start : start + BLOCK], alpha), piece)
    return x


def scaled(b: Any, alpha: Any, out: Any = None) -> Any:
    """alpha * b; an alpha of another kind than `b` raises."""
    dtype = b.dtype
    if type(alpha) is float and alpha:  # as a 0-d array, half the time for small ones
        kept = ALPHAS.get((alpha, dtype.num))
        if kept is not None and b.ndim:  # NumPy makes scalars of 0-d arrays
            return np.multiply(b, kept, out)
    kind = dtype.kind
    if isinstance(alpha, bool) and kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if not isinstance(alpha, int) and kind in "biu":
        raise RuntimeError(
            f"alpha={alpha!r} does not fit tensors of dtype {dtype}: it must be an "
            "integer for them"
        )
    if type(alpha) is float and alpha:
        if len(ALPHAS) > 1000:  # rates that change in every step
            ALPHAS.clear()
        ALPHAS[alpha, dtype.num] = np.array(alpha, dtype)
    return np.multiply(b, alpha, out, dtype=dtype)


# multipliers as arrays without dimensions, by value and dtype
ALPHAS: dict[tuple[float, int], Any] = {}
DEFAULT_ALPHA = 1


def div_(x: Any, b: Any, rounding_mode: str | None = None) -> Any:
    """x /= b, and perhaps rounded."""
    if rounding_mode == "floor":
        return np.floor_divide(x, b, x)
    np.true_divide(x, b, x)
    return x if rounding_mode is None else np.trunc(x, x)


def divisor(a: Any, b: Any) -> Any:
    """The divisor of `a`, which holds no zero if it holds integers."""
    if b.dtype.kind in "iu" and not b.all() and a.size:
        raise RuntimeError("ZeroDivisionError: integers cannot be divided by zero")
    return b


def rdiv(a: Any, b: Any) -> Any:
    """b / a."""
    return np.true_divide(b, a)


def floor_divide(a: Any, b: Any) -> Any:
    """a / b rounded down."""
    return np.floor_divide(a, divisor(a, b))


div_floor = floor_divide


def remainder(a: Any, b: Any) -> Any:
    """What `floor_divide` leaves."""
    return np.remainder(a, divisor(a, b))


def fmod(a: Any, b: Any) -> Any:
    """What a division rounded towards zero leaves."""
    return np.fmod(a, divisor(a, b))


def pow(a: Any, b: Any) -> Any:
    """a to the power b; `np.power` takes 560 ns and 20 ns an element, a square 200."""
    whole = a.dtype.kind in "iu"
    if b.ndim == 0 and not whole:
        simple = POWERS.get(b.item())
        if simple is not None:
            return simple(a)
    if whole and (b < 0).any():
        unit = np.where(a == 1, 1, np.where(a == -1, 1 - 2 * (b % 2), 0))
        y = np.power(a, np.maximum(b, 0))
        return np.where(b < 0, unit.astype(a.dtype), y)
    return np.power(a, b)


POWERS = {
    -1: np.reciprocal,
    0.5: np.sqrt,
    1: lambda a: a.copy(),
    2: np.square,
    3: lambda a: a * a * a,
}


def lowered(b: Any) -> Any:
    """b - 1, or 0 where b is 0."""
    if b.ndim:
        return b - (b != 0)
    value = b.item()
    return np.array(value - 1 if value else value, b.dtype)


# --- Elementary functions -----------------------------------------------------------

exp = np.exp
expm1 = np.expm1
log = np.log
log2 = np.log2
log10 = np.log10
log1p = np.log1p
logaddexp2 = np.logaddexp2
sqrt = np.sqrt
hypot = np.hypot
sin = np.sin
cos = np.cos
tan = np.tan
asin = np.arcsin
acos = np.arccos
atan = np.arctan
atan2 = np.arctan2
sinh = np.sinh
cosh = np.cosh
tanh = np.tanh
asinh = np.arcsinh
acosh = np.arccosh
atanh = np.arctanh
deg2rad = np.deg2rad
rad2deg = np.rad2deg
abs = np.absolute
copysign = np.copysign


def exp2(x: Any) -> Any:
    """2 to the power x."""
    return np.exp(x * math.log(2)) if x.dtype.kind == "c" else np.exp2(x)


def floor(x: Any) -> Any:
    """Rounded down; integers stay what they are in every version of NumPy."""
    return x.copy() if x.dtype.kind in "iu" else np.floor(x)


def ceil(x: Any) -> Any:
    """Rounded up."""
    return x.copy() if x.dtype.kind in "iu" else np.ceil(x)


def trunc(x: Any) -> Any:
    """Rounded towards zero."""
    return x.copy() if x.dtype.kind in "iu" else np.trunc(x)


def round(x: Any) -> Any:
    """Rounded to the nearest integer, of two as near to the even one."""
    return x.copy() if x.dtype.kind in "iu" else np.rint(x)


# --- Comparisons, logic and bits ------------------------------------------------------

eq = np.equal
ne = np.not_equal
lt = np.less
le = np.less_equal
gt = np.greater
ge = np.greater_equal
logical_and = np.logical_and
logical_or = np.logical_or
logical_xor = np.logical_xor
logical_not = np.logical_not
bitwise_and = np.bitwise_and
bitwise_or = np.bitwise_or
bitwise_xor = np.bitwise_xor
bitwise_not = np.invert
bitwise_left_shift = np.left_shift
bitwise_right_shift = np.right_shift
isnan = np.isnan
isinf = np.isinf
isfinite = np.isfinite
signbit = np.signbit

# --- Complex numbers ------------------------------------------------------------------


def sgn(x: Any) -> Any:
    """The sign; 0 for NaN, which `np.sign` keeps."""
    if x.dtype.kind in "biuc":
        return np.sign(x) if x.dtype.kind != "b" else x.copy()
    zero = ZERO[x.dtype]
    return (x > zero).astype(x.dtype) - (x < zero).astype(x.dtype)


sign = sgn
conj = np.conjugate


def conj_physical(x: Any) -> Any:
    """The conjugate, in memory of its own; NumPy's makes integers of bools."""
    return np.conjugate(x) if x.dtype.kind == "c" else x.copy()


def real(x: Any) -> Any:
    """The real part: a view."""
    return x.real


def imag(x: Any) -> Any:
    """The imaginary part: a view."""
    return x.imag


def complex(real: Any, imag: Any) -> Any:
    """real + imag * i, infinities and all."""
    shape = np.broadcast_shapes(real.shape, imag.shape)
    y = np.empty(shape, np.result_type(real.dtype, np.complex64))
    y.real = real
    y.imag = imag
    return y


def view_as_real(x: Any) -> Any:
    """Each complex number as two reals: a view."""
    return x[..., None].view(x.real.dtype)


def view_as_complex(x: Any) -> Any:
    """Each two reals as one complex number: a view."""
    if x.strides[-1] != x.itemsize and x.size:
        raise RuntimeError(
            "view_as_complex: the tensor must have a last dimension with stride 1; "
            "call contiguous() first"
        )
    return x.view(np.result_type(x.dtype, np.complex64))[..., 0]
