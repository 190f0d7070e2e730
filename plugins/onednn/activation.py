"""Activation functions, in one pass each way where NumPy takes several.

Forward, relu is NumPy's: the library's makes 0 of NaN, which has to be seen. Its
gradient is a product with 0 or 1, so that NaN comes out for an infinite gradient that
has to end there; where something in it is not finite, NumPy's is taken.
"""

from __future__ import annotations

from ctypes import c_float
from math import isfinite
from typing import Any

import numpy as np

from plugrad import Overrides, get_backend

from .library import DIFF_SOURCE, DIFF_TARGET, FORWARD_TRAINING, SOURCE, TARGET
from .programs import FLOAT32, Kept, Program, dense, kept, library, plain

Array = Any

RELU_BY_RESULT, SWISH, LOGISTIC = 256, 44, 41
GELU = {"none": 49, "tanh": 43}
SMALL = 1 << 16  # elements: below, a pair costs what it gains
SMALL_RELU = 1 << 19
SMALL_SIGMOID = 1 << 14
SMALL_GELU = 1 << 13


@kept
def programs(kind: int, size: int) -> tuple[Kept, Kept]:
    """Forward and backward of a function; backward is by its result where the number
    of the function says so, else by its argument."""
    numbers = c_float(1 if kind == SWISH else 0), c_float(0)
    known = TARGET if kind == RELU_BY_RESULT else SOURCE

    def ahead(flat: Any) -> Any:
        return library().computation(
            "eltwise_forward", FORWARD_TRAINING, kind, flat, flat, *numbers
        )

    def forward() -> Program:
        flat = dense((size,))
        arrays = {"x": flat, "Y": dense((size,))}
        return Program(arrays, [(ahead(flat), {SOURCE: "x", TARGET: "Y"})])

    def backward() -> Program:
        flat = dense((size,))
        what = library().computation(
            "eltwise_backward", kind, flat, flat, flat, *numbers, ahead(flat)
        )
        arrays = {name: dense((size,)) for name in "gxX"}
        roles = {DIFF_TARGET: "g", known: "x", DIFF_SOURCE: "X"}
        return Program(arrays, [(what, roles)])

    passes = 1 if kind == RELU_BY_RESULT else 4  # that take as long
    return Kept(forward, passes * size), Kept(backward, passes * size)


def ahead(kind: int, x: Array) -> Array:
    """The function of x."""
    y = np.empty(x.shape, FLOAT32)
    programs(kind, x.size)[0].run(plain(x), y)
    return y


def back(kind: int, g: Array, known: Array) -> Array:
    """The gradient, from the argument or the result."""
    found = np.empty(known.shape, FLOAT32)
    programs(kind, known.size)[1].run(plain(g), plain(known), found)
    return found


# --- The ops --------------------------------------------------------------------------


def accepts(x: Array, *_: Any) -> bool:
    """Whether the library is the faster."""
    return x.dtype is FLOAT32 and x.size >= SMALL


def accepts_relu(x: Array) -> bool:
    """Whether the library is the faster."""
    return x.dtype is FLOAT32 and x.size >= SMALL_RELU


def relu(x: Array) -> tuple[Array, Any]:
    """max(x, 0)."""
    y = get_backend("numpy").find_kernel("relu")(x)
    return y, (y,)


def relu_back(g: Array, state: Any, need: Any) -> list[Array]:
    """The gradient, where the result is above 0."""
    (y,) = state
    found = back(RELU_BY_RESULT, g, y)
    if not isfinite(np.vdot(found, found)):
        found = get_backend("numpy").find_kernel("gate")(g, y)
    return [found]


def accepts_gelu(x: Array, approximate: str = "none") -> bool:
    """Whether the library is the faster."""
    return x.dtype is FLOAT32 and x.size >= SMALL_GELU and approximate in GELU


def gelu(x: Array, approximate: str = "none") -> tuple[Array, Any]:
    """x times the chance that a normal number is below x."""
    return ahead(GELU[approximate], x), (x, approximate)


def gelu_back(g: Array, state: Any, need: Any) -> list[Array]:
    """The gradient of gelu."""
    x, approximate = state
    return [back(GELU[approximate], g, x)]


def silu(x: Array) -> tuple[Array, Any]:
    """x * sigmoid(x)."""
    return ahead(SWISH, x), (x,)


def silu_back(g: Array, state: Any, need: Any) -> list[Array]:
    """The gradient of silu."""
    return [back(SWISH, g, state[0])]


def accepts_sigmoid(x: Array) -> bool:
    """Whether the library is the faster."""
    return x.dtype is FLOAT32 and x.size >= SMALL_SIGMOID


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x))."""
    return ahead(LOGISTIC, x)


def give(kernels: Overrides) -> None:
    """Add the kernels of activations."""
    kernels.pair("relu", relu, relu_back, accepts=accepts_relu)
    kernels.pair("gelu", gelu, gelu_back, accepts=accepts_gelu)
    kernels.pair("silu", silu, silu_back, accepts=accepts)
    kernels.add("sigmoid", accepts=accepts_sigmoid)(sigmoid)
