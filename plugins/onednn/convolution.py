"""Convolutions and their gradients.

- A convolution has three primitives: itself, and the gradients to its input and to its
  weight (with that to its bias). A transposed convolution is the same three in other
  roles: it is the gradient of a convolution to its input.
- The two gradients are one program: the gradient that comes in is reordered once.
- A convolution of many numbers is computed for some images after the other, so that
  what was reordered is still in the processor's cache. Its gradients gain from that
  where they are larger still.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from plugrad import Overrides

from .library import (
    BIAS,
    DIFF_BIAS,
    DIFF_SOURCE,
    DIFF_TARGET,
    DIFF_WEIGHTS,
    FORWARD_TRAINING,
    SOURCE,
    TARGET,
    WEIGHTS,
    Dims,
    Unsupported,
)
from .programs import FLOAT32, Kept, Program, dense, free, kept, library, plain

Array = Any
Sizes = tuple[int, ...]
Parts = list[tuple[Any, Any]]  # images, and a Kind

DIRECT = 1
SMALL = 1 << 17  # multiplications: below, the plain kernel's calls cost less
CACHED = 2 << 20  # numbers that go in and come out of one run: 8 MiB
LARGE = 16 << 20  # numbers of both gradients, which are worth runs of their own: 64 MiB


class Problem:
    """A convolution of some sizes: of `source` to `target`, whatever is asked of it."""

    def __init__(
        self, source: Sizes, weight: Sizes, target: Sizes, stride: Sizes,
        padding: Sizes, dilation: Sizes, groups: int,
    ) -> None:  # fmt: skip
        n = len(source) - 2
        stride, padding, dilation = (
            each * n if len(each) == 1 else each for each in (stride, padding, dilation)
        )
        self.source, self.weight, self.target = source, weight, target
        self.groups = groups
        out, inner, *kernel = weight
        self.split = (groups, out // groups, inner, *kernel) if groups > 1 else weight
        high = []
        for size, many, k, s, p, d in zip(
            source[2:], target[2:], kernel, stride, padding, dilation
        ):
            room = size + 2 * p - d * (k - 1) - 1
            if room < 0 or many < 1:
                raise Unsupported
            high.append(p if room // s + 1 == many else (many - 1) * s - room + p)
        self.steps = (
            Dims(*stride), Dims(*(d - 1 for d in dilation)), Dims(*padding), Dims(*high)
        )  # fmt: skip

    def layouts(self, bias: bool) -> tuple[Any, ...]:
        """Those of the input, weight, bias and result that suit the primitive."""
        out = self.target[1]
        shapes = self.source, self.split, (out,), self.target
        found = [free(shape) for shape in shapes]
        found[2] = dense((out,)) if bias else None
        return tuple(found)

    def forward(self, bias: bool) -> Any:
        """The convolution itself."""
        x, w, b, y = self.layouts(bias)
        return library().computation(
            "convolution_forward", FORWARD_TRAINING, DIRECT, x, w, b, y, *self.steps
        )

    def to_source(self) -> Any:
        """The gradient to the input."""
        x, w, _, y = self.layouts(False)
        return library().computation(
            "convolution_backward_data", DIRECT, x, w, y, *self.steps,
            self.forward(False),
        )  # fmt: skip

    def to_weight(self, bias: bool) -> Any:
        """The gradient to the weight, and to the bias."""
        x, w, b, y = self.layouts(bias)
        return library().computation(
            "convolution_backward_weights", DIRECT, x, w, b, y, *self.steps,
            self.forward(bias),
        )  # fmt: skip


class Kind:
    """The programs of a convolution from s to t, with the weight w and the bias b.

    The gradients that they compute are called S, T, W and B.
    """

    def __init__(self, problem: Problem, shape: Sizes) -> None:
        self.problem = problem
        self.shape = shape  # of the result
        # The images of each run and its programs, forward and back.
        self.parts: Parts = [(..., self)]
        self.parts_back: Parts = [(..., self)]
        out = problem.target[1]
        self.shapes = {
            "s": problem.source, "w": problem.split, "b": (out,), "t": problem.target
        }  # fmt: skip
        self.made: dict[str, Kept] = {}

    def run(self, names: str, *arrays: Array) -> None:
        """Compute the arrays whose names are capitals from the others."""
        found = self.made.get(names)
        if found is None:
            found = self.made[names] = Kept(lambda: self.program(names))
        found.run(*arrays)

    def program(self, names: str) -> Program:
        """The program for `run`."""
        problem, nodes = self.problem, []
        if "T" in names:
            roles = {SOURCE: "s", WEIGHTS: "w", TARGET: "T"}
            bias = "b" in names
            if bias:
                roles[BIAS] = "b"
            nodes.append((problem.forward(bias), roles))
        if "S" in names:
            roles = {DIFF_TARGET: "t", WEIGHTS: "w", DIFF_SOURCE: "S"}
            nodes.append((problem.to_source(), roles))
        if "W" in names:
            roles = {SOURCE: "s", DIFF_TARGET: "t", DIFF_WEIGHTS: "W"}
            bias = "B" in names
            if bias:
                roles[DIFF_BIAS] = "B"
            nodes.append((problem.to_weight(bias), roles))
        arrays = {name: dense(self.shapes[name.lower()]) for name in names}
        return Program(arrays, nodes)


@kept
def kind(
    x: Sizes,
    weight: Sizes,
    bias: Sizes | None,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    extra: Sizes,
    groups: int,
) -> Kind | None:
    """The programs for a call on arrays of some shapes, None if it is not taken."""
    n = len(x) - 2
    stride, padding, dilation, extra = (
        each * n if len(each) == 1 else each
        for each in (stride, padding, dilation, extra)
    )
    into, out = weight[0] if transposed else weight[1] * groups, weight[0]
    if transposed:
        out = weight[1] * groups
    if len(weight) != n + 2 or x[1] != into or weight[0] % groups or 0 in (*x, *weight):
        return None
    if bias is not None and bias != (out,):
        return None
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, weight[2:])]
    each = zip(x[2:], spans, stride, padding, extra)
    if transposed:
        sizes = [(m - 1) * s - 2 * p + span + more for m, span, s, p, more in each]
    else:
        sizes = [(m + 2 * p - span) // s + 1 for m, span, s, p, _ in each]
    shape = x[0], out, *sizes
    source, target = (shape, x) if transposed else (x, shape)
    if min(sizes) < 1 or prod(target) * prod(weight[1:]) < SMALL:
        return None
    try:
        problem = Problem(source, weight, target, stride, padding, dilation, groups)
        problem.forward(bias is not None and not transposed)
        problem.to_source()
        problem.to_weight(False)
    except Unsupported:
        return None
    whole = Kind(problem, shape)

    def parts(numbers: int) -> Parts:
        """Runs that bring so many numbers into the library's order and back."""
        options = weight, bias, stride, padding, dilation, transposed, extra, groups
        many = -(-x[0] // -(-numbers // CACHED))
        if many == x[0]:
            return [(..., whole)]
        cuts = [slice(i, min(i + many, x[0])) for i in range(0, x[0], many)]
        found = [(cut, kind((cut.stop - cut.start, *x[1:]), *options)) for cut in cuts]
        return found if all(how for _, how in found) else [(..., whole)]

    whole.parts = parts(prod(x) + prod(shape))
    both = 2 * prod(x) + prod(shape)
    if both > LARGE:
        whole.parts_back = parts(both)
    return whole


def accepts(
    x: Array,
    weight: Array,
    bias: Array = None,
    stride: Sizes = (1,),
    padding: Sizes = (0,),
    dilation: Sizes = (1,),
    transposed: bool = False,
    extra: Sizes = (0,),
    groups: int = 1,
) -> bool:
    """Whether the library is the faster."""
    if x.dtype is not FLOAT32 or weight.dtype is not FLOAT32 or not 2 < x.ndim < 6:
        return False
    shape = None if bias is None else bias.shape
    sizes = stride, padding, dilation, transposed, extra, groups
    return kind(x.shape, weight.shape, shape, *sizes) is not None


def forward(
    x: Array,
    weight: Array,
    bias: Array = None,
    stride: Sizes = (1,),
    padding: Sizes = (0,),
    dilation: Sizes = (1,),
    transposed: bool = False,
    extra: Sizes = (0,),
    groups: int = 1,
) -> tuple[Array, Any]:
    """The convolution, or the transposed one."""
    shape = None if bias is None else bias.shape
    sizes = stride, padding, dilation, transposed, extra, groups
    how = kind(x.shape, weight.shape, shape, *sizes)
    y = np.empty(how.shape, FLOAT32)
    a, others, names = plain(x), [plain(weight)], "twS" if transposed else "swT"
    if bias is not None and not transposed:
        names = "swbT"
        others.append(plain(bias))
    for images, part in how.parts:
        part.run(names, a[images], *others, y[images])
    if bias is not None and transposed:
        y += bias.reshape(-1, *(1,) * (y.ndim - 2))
    return y, (x, weight, shape, sizes)


def vjp(g: Array, state: Any, need: Any) -> list[Array | None]:
    """The gradients to the input, the weight and the bias."""
    x, weight, shape, sizes = state
    how = kind(x.shape, weight.shape, shape, *sizes)
    transposed, g = sizes[3], plain(g)
    names, arrays = ("s", [g]) if transposed else ("t", [g])
    results: list[Array | None] = [None, None, None]
    if need[0]:
        names += "w"
        arrays.append(plain(weight))
    if need[1]:
        names += "t" if transposed else "s"
        arrays.append(plain(x))
    for i, name in enumerate("TW" if transposed else "SWB"):
        if need[i] and (i < 2 or need[1]):
            names += name
            results[i] = np.empty((x, weight, g)[i].shape, FLOAT32)
            if i == 2:
                results[i] = np.empty(shape, FLOAT32)
            arrays.append(results[i])
    if need[0] or need[1]:
        run_back(how, names, arrays)
    if need[2] and results[2] is None:
        results[2] = g.sum((0, *range(2, g.ndim)))
    return results


def run_back(how: Kind, names: str, arrays: list[Array]) -> None:
    """Compute gradients; those to the weight and the bias are sums over the images."""
    sums = [i for i, name in enumerate(names) if name in "WB"]
    for number, (images, part) in enumerate(how.parts_back):
        given = [a[images] if name in "stST" else a for name, a in zip(names, arrays)]
        for i in sums if number else ():
            given[i] = np.empty_like(arrays[i])
        part.run(names, *given)
        for i in sums if number else ():
            arrays[i] += given[i]


def give(kernels: Overrides) -> None:
    """Add the kernels of convolutions."""
    kernels.pair("convolution", forward, vjp, accepts=accepts)
