"""Functions of each element: the name is the op's, the function torch's own.

torch's function stands for itself where it takes what the op takes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import special
from torch.nn import functional

from .default import by_bits, default

exp, exp2, expm1 = torch.exp, torch.exp2, torch.expm1
log, log2, log10, log1p = torch.log, torch.log2, torch.log10, torch.log1p
logaddexp, logaddexp2, xlogy = torch.logaddexp, torch.logaddexp2, torch.xlogy
sqrt, rsqrt, hypot = torch.sqrt, torch.rsqrt, torch.hypot
reciprocal = torch.reciprocal

sin, cos, tan = torch.sin, torch.cos, torch.tan
asin, acos, atan, atan2 = torch.asin, torch.acos, torch.atan, torch.atan2
sinh, cosh, tanh = torch.sinh, torch.cosh, torch.tanh
asinh, acosh, atanh = torch.asinh, torch.acosh, torch.atanh
deg2rad, rad2deg = torch.deg2rad, torch.rad2deg

erf, erfc, erfinv = torch.erf, torch.erfc, torch.erfinv
logit, sigmoid, relu = torch.logit, torch.sigmoid, torch.relu
logsigmoid, silu, elu = functional.logsigmoid, functional.silu, functional.elu
softplus, leaky_relu = functional.softplus, functional.leaky_relu

lgamma, digamma, sinc = torch.lgamma, torch.digamma, torch.sinc
i0, i0e = torch.i0, special.i0e
i1, i1e = special.i1, special.i1e
entr, xlog1py, erfcx = special.entr, special.xlog1py, special.erfcx
ndtr, log_ndtr, ndtri = special.ndtr, special.log_ndtr, special.ndtri

abs, sign, sgn = torch.abs, torch.sign, torch.sgn
neg, square = by_bits(torch.neg), by_bits(torch.square)
add, sub, rsub = by_bits(torch.add), by_bits(torch.sub), by_bits(torch.rsub)
copysign, signbit = torch.copysign, torch.signbit
floor, ceil, trunc, frac = torch.floor, torch.ceil, torch.trunc, torch.frac

mul, fmod, remainder = torch.mul, torch.fmod, torch.remainder
maximum, minimum = torch.maximum, torch.minimum
fmax, fmin, lerp = torch.fmax, torch.fmin, torch.lerp

isnan, isinf, isfinite = torch.isnan, torch.isinf, torch.isfinite
isposinf, isneginf, isreal = torch.isposinf, torch.isneginf, torch.isreal
eq, ne, lt, le, gt, ge = torch.eq, torch.ne, torch.lt, torch.le, torch.gt, torch.ge
logical_and, logical_or = torch.logical_and, torch.logical_or
logical_xor, logical_not = torch.logical_xor, torch.logical_not
bitwise_and, bitwise_or = torch.bitwise_and, torch.bitwise_or
bitwise_xor, bitwise_not = torch.bitwise_xor, by_bits(torch.bitwise_not)

angle = torch.angle
conj_physical = torch.conj_physical


def conj(x: Any) -> Any:
    """The conjugate, computed now: torch would put it off."""
    return torch.conj_physical(x) if x.is_complex() else x


def complex(real: Any, imag: Any) -> Any:
    """real + imag * 1j; of float16, torch would make a dtype that plugrad has not."""
    if real.dtype is torch.float16:
        return default("complex", real, imag)
    return torch.complex(real, imag)


def polar(abs: Any, angle: Any) -> Any:
    """abs * exp(angle * 1j)."""
    if abs.dtype is torch.float16:
        return default("polar", abs, angle)
    return torch.polar(abs, angle)


def axpby_(x: Any, other: Any, alpha: Any = 1, beta: Any = 1) -> Any:
    """x = beta * x + alpha * other, in two steps where the first writes `x` alone."""
    apart = x.untyped_storage().data_ptr() != other.untyped_storage().data_ptr()
    if apart and x.is_floating_point() and x.shape == other.shape:
        return x.mul_(beta).add_(other, alpha=alpha)
    return x.copy_(default("axpby", x, other, alpha=alpha, beta=beta))


def gelu(x: Any, approximate: str = "none") -> Any:
    """x * Phi(x)."""
    return functional.gelu(x, approximate=approximate)


# Ops of which torch has the form that writes its first argument, given that alone or
# with one more.
INPLACE = frozenset(
    "abs acos acosh add asin asinh atan atanh ceil clamp_max clamp_min copysign cos "
    "cosh deg2rad div erf erfc erfinv exp exp2 expm1 fill floor fmod frac log log10 "
    "log1p log2 logical_not logit mul neg rad2deg reciprocal relu remainder rsqrt "
    "sgn sigmoid sign sin sinh sqrt square sub tan tanh trunc xlogy".split()
)
