"""The library's own normalizations, as kinds of `normalization`: of layers, and of
batches whose channels it has in sixteens."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_float, c_uint
from math import prod
from typing import Any

import numpy as np

from .library import (
    BY_SIXTEEN,
    DIFF_SCALE,
    DIFF_SHIFT,
    DIFF_SOURCE,
    DIFF_TARGET,
    FORWARD_TRAINING,
    MEAN,
    SCALE,
    SHIFT,
    SOURCE,
    TARGET,
    VARIANCE,
)
from .programs import FLOAT32, Kept, Program, dense, kept, library, plain

Array = Any
Sizes = tuple[int, ...]

BACKWARD = 128
OPTIONS = c_uint(2 | 4)  # with a scale and a shift
SIXTEEN = 16


class Served:
    """A normalization by the library's programs: which they are, how many weights
    there are, and the shape of the means, by `how` it is asked for."""

    def __init__(self, place: Callable[[Any], Any]) -> None:
        self.place = place

    def forward(self, x: Array, weight: Array, bias: Array, how: Any) -> Any:
        """(x - mean) / sqrt(variance + eps) * weight + bias, and what is kept."""
        (ahead, _), many, lanes = self.place(how)
        x, y, w, b = prepared(x, weight, bias, many)
        mean, variance = np.empty((2, *lanes), FLOAT32)
        ahead.run(x, y, w, b, mean, variance)
        return (y, mean, variance), x

    def vjp(
        self, g: Array, x: Array, weight: Array, mean: Array, variance: Array, how: Any,
        wanted: Any,
    ) -> Any:  # fmt: skip
        """The gradients to x, the weight and the bias."""
        (_, back), many, _ = self.place(how)
        x, to_x, w, b = prepared(x, weight, None, many)
        to_weight, to_bias = np.empty((2, many), FLOAT32)
        back.run(plain(g), x, to_x, w, b, mean, variance, to_weight, to_bias)
        return to_x, to_weight, to_bias


def by_rows(how: Any) -> Any:
    """Of one with a mean for each row, and a weight for each place of a row."""
    (n, length), _, _, eps, _ = how
    return of_layers(n, length, eps), length, (n, 1)


def by_channels(how: Any) -> Any:
    """Of one with a mean for each channel, in batches brought into another order."""
    shape, _, lanes, eps, _ = how
    return of_blocks(tuple(shape), eps), shape[1], lanes


Layers, Blocks = Served(by_rows), Served(by_channels)


def prepared(x: Array, weight: Array, bias: Array, many: int) -> Any:
    """x, room for what is like it, and a weight and a bias if there are none."""
    w = np.ones(many, FLOAT32) if weight is None else plain(weight)
    b = np.zeros(many, FLOAT32) if bias is None else plain(bias)
    return plain(x), np.empty(x.shape, FLOAT32), w, b


# --- Their programs -------------------------------------------------------------------


@kept
def of_layers(n: int, length: int, eps: float) -> tuple[Kept, Kept]:
    """Forward and backward, for rows of some length."""
    rest = c_float(eps), OPTIONS

    def computation(back: bool) -> Any:
        x, make = dense((n, length)), library().computation
        row = dense((n,))
        ahead = make("layer_normalization_forward", FORWARD_TRAINING, x, x, row, *rest)
        if not back:
            return ahead
        given = BACKWARD, x, x, x, row, *rest, ahead
        return make("layer_normalization_backward", *given)

    return both(computation, (n, length), (length,), (n,))


@kept
def of_blocks(shape: Sizes, eps: float) -> tuple[Kept, Kept]:
    """Forward and backward, for (batch, channels, places)."""
    rest = c_float(eps), OPTIONS

    def computation(back: bool) -> Any:
        x, make = library().layout(shape, BY_SIXTEEN), library().computation
        ahead = make("batch_normalization_forward", FORWARD_TRAINING, x, x, *rest)
        if not back:
            return ahead
        return make("batch_normalization_backward", BACKWARD, x, x, x, *rest, ahead)

    return both(computation, shape, shape[1:2], shape[1:2])


@kept
def are_quick(shape: Sizes) -> bool:
    """Whether the library has more than a reference for blocks of channels."""
    x = library().layout(shape, BY_SIXTEEN)
    given = FORWARD_TRAINING, x, x, c_float(0), OPTIONS
    what = library().computation("batch_normalization_forward", *given)
    return not what.implementation().startswith("ref")


def both(
    computation: Callable[[bool], Any], shape: Sizes, lane: Sizes, stats: Sizes
) -> tuple[Kept, Kept]:
    """The programs of both ways: of arrays of a shape, weights and statistics."""

    def layouts(like: str, lanes: str, few: str) -> dict[str, Any]:
        sizes = {shape: like, lane: lanes, stats: few}
        if lane == stats:
            sizes[lane] = lanes + few
        return {name: dense(size) for size in sizes for name in sizes[size]}

    def forward() -> Program:
        roles = {SOURCE: "x", SCALE: "w", SHIFT: "b", TARGET: "Y"}
        roles |= {MEAN: "M", VARIANCE: "V"}
        return Program(layouts("xY", "wb", "MV"), [(computation(False), roles)])

    def backward() -> Program:
        what = computation(True)
        roles = {DIFF_TARGET: "g", SOURCE: "x", SCALE: "w", MEAN: "m", VARIANCE: "v"}
        roles |= {DIFF_SOURCE: "X", DIFF_SCALE: "W", DIFF_SHIFT: "B"}
        if what.inputs() > len("gxwmv"):  # of layers, by the library's version
            roles[SHIFT] = "b"
        arrays = {**layouts("gxX", "wb", ""), **layouts("", "", "mv")}
        return Program(arrays | layouts("", "WB", ""), [(what, roles)])

    return Kept(forward, prod(shape)), Kept(backward, prod(shape))
