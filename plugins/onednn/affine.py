"""Passes over arrays of (batch, channels, places) with numbers for each channel, and
the means of their rows. All is in NumPy's order, and nothing is brought into another.
"""

from __future__ import annotations

from ctypes import c_float, c_uint
from math import prod
from typing import Any

import numpy as np

from .library import (
    ADD,
    FORWARD_TRAINING,
    FUSED,
    MEAN,
    MULTIPLY,
    SOURCE,
    SOURCE_1,
    TARGET,
    VARIANCE,
)
from .programs import FLOAT32, Kept, Program, dense, kept, library

Array = Any
Sizes = tuple[int, ...]

SUM_OF = 0x2FFF4
FAR = 1000.0  # times the variance: what the square of a mean may be


@kept
def rows(many: int, length: int) -> Kept:
    """Of each row of an array, the mean and the variance. The normalized rows, which
    the library writes as well, have to go somewhere."""

    def make() -> Program:
        x, row = dense((many, length)), dense((many,))
        what = library().computation(
            "layer_normalization_forward", FORWARD_TRAINING, x, x, row,
            c_float(1e-5), c_uint(0),
        )  # fmt: skip
        arrays = {"x": x, "Y": x, "M": row, "V": row}
        roles = {SOURCE: "x", TARGET: "Y", MEAN: "M", VARIANCE: "V"}
        return Program(arrays, [(what, roles)])

    return Kept(make, many * length)


@kept
def scaled(shape: Sizes) -> Kept:
    """Y = x * a + b."""

    def make() -> Program:
        x, lane = dense(shape), dense((1, shape[1], 1))
        what = library().computation(
            "binary", MULTIPLY, x, lane, x, fused=[(ADD, lane)]
        )
        arrays = {"x": x, "a": lane, "b": lane, "Y": x}
        roles = {SOURCE: "x", SOURCE_1: "a", FUSED | SOURCE_1: "b", TARGET: "Y"}
        return Program(arrays, [(what, roles)])

    return Kept(make, prod(shape))


@kept
def mixed(shape: Sizes) -> Kept:
    """Y = (x * a + b + g) * c."""

    def make() -> Program:
        x, lane = dense(shape), dense((1, shape[1], 1))
        fused = [(ADD, lane), (ADD, x), (MULTIPLY, lane)]
        what = library().computation("binary", MULTIPLY, x, lane, x, fused=fused)
        arrays = {"x": x, "a": lane, "b": lane, "g": x, "c": lane, "Y": x}
        roles = {SOURCE: "x", SOURCE_1: "a", TARGET: "Y"}
        roles |= {FUSED * (i + 1) | SOURCE_1: name for i, name in enumerate("bgc")}
        return Program(arrays, [(what, roles)])

    return Kept(make, prod(shape))


@kept
def summed(many: int, length: int) -> Kept:
    """Of rows, the sums of g, T, and those of x * g, D; the products Y are between."""

    def make() -> Program:
        x, row = dense((many, length)), dense((many, 1))
        make = library().computation
        add = make("reduction", SUM_OF, x, row, c_float(0), c_float(0))
        times = make("binary", MULTIPLY, x, x, x)
        nodes = [
            (times, {SOURCE: "x", SOURCE_1: "g", TARGET: "Y"}),
            (add, {SOURCE: "g", TARGET: "T"}),
            (add, {SOURCE: "Y", TARGET: "D"}),
        ]
        return Program({"x": x, "g": x, "Y": x, "T": row, "D": row}, nodes)

    return Kept(make, many * length)


def sums(g: Array, x: Array, mean: Array, variance: Array, room: Array) -> Array:
    """Over the places, the sums of g and of g * (x - mean). There is room for as many
    numbers as g has, which are overwritten.

    The sum of g * mean is taken off afterwards, which saves a pass, unless the mean is
    so large that little would be left of what was computed.
    """
    total, dots = found = np.empty((2, *g.shape[:-1]), FLOAT32)
    far = (mean * mean > FAR * variance).any()
    if far:
        x = np.subtract(x, mean[..., None], room.reshape(x.shape))
    summed(total.size, g.shape[-1]).run(x, g, room, total, dots)
    if not far:
        dots -= total * mean
    return found
