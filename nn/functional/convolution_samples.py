"""Sample calls of the convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugrad.testing import Sample

from .convolution_op import convolution, convolution_weight


@convolution.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "b":
        return
    one = ((1,), (0,), (1,))
    for x, w in (
        ((2, 3, 5), (4, 3, 2)),
        ((1, 2, 4, 3), (3, 2, 3, 2)),
        ((2, 2, 3, 2, 3), (1, 2, 2, 1, 2)),
        ((0, 3, 5), (4, 3, 2)),
        ((2, 3, 4), (2, 3, 1)),
    ):
        yield Sample(make(*x), make(*w), make(w[0]), *one, False, (0,), 1)
        w = (w[1], w[0], *w[2:])
        yield Sample(make(*x), make(*w), None, *one, True, (0,), 1)
    for stride, padding, dilation, extra in (
        ((2,), (1,), (1,), (1,)),
        ((1,), (1,), (2,), (1,)),
        ((3, 2), (0, 1), (1, 2), (2, 1)),
        ((1, 2), (2, 0), (2, 1), (0, 1)),
        ((2, 1), (3, 2), (1, 1), (0, 0)),
    ):
        rest = stride, padding, dilation
        x, w = make(2, 4, 6, 5), make(4, 2, 2, 3)
        yield Sample(x, w, None, *rest, False, (0,), 2)
        yield Sample(x, w, make(4), *rest, True, extra, 2)
    x, w = make(2, 4, 5, 4), make(4, 1, 3, 2)
    yield Sample(x, w, make(4), (1,), (1,), (1,), False, (0,), 4)
    yield Sample(x, w, make(4), (2,), (1,), (1,), True, (1,), 4)
    yield Sample(make(1, 2, 4), make(6, 1, 2), None, *one, False, (0,), 2)
    x, w = make.strided(2, 3, 4), make.strided(3, 3, 2)
    yield Sample(x, w, make.strided(3), *one, False, (0,), 1)
    yield Sample(make.expanded(2, 3, 4), w, None, *one, True, (0,), 1)
    yield from _wrong(make)


def _wrong(make: Any) -> Iterator[Sample]:
    for name, x, w, args in (
        ("channels", (1, 2, 4), (2, 3, 2), ((1,), (0,), (1,), False, (0,), 1)),
        ("too large", (1, 2, 4), (2, 2, 5), ((1,), (0,), (1,), False, (0,), 1)),
        ("dimensions", (2, 4), (2, 2, 2), ((1,), (0,), (1,), False, (0,), 1)),
        ("groups", (1, 4, 4), (3, 2, 2), ((1,), (0,), (1,), False, (0,), 2)),
        ("too small", (1, 2, 1), (2, 2, 2), ((1,), (2,), (1,), True, (0,), 1)),
        ("no elements", (1, 2, 0), (2, 2, 2), ((1,), (0,), (1,), True, (0,), 1)),
    ):
        yield Sample(make(*x), make(*w), None, *args).named(name, smooth=False)


@convolution_weight.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "b":
        return
    for x, other, kernel, stride, padding, dilation, groups in (
        ((2, 3, 5), (2, 4, 4), (2,), (1,), (0,), (1,), 1),
        ((2, 3, 5), (2, 4, 3), (2,), (2,), (1,), (1,), 1),
        ((2, 4, 5), (2, 2, 3), (2,), (1,), (0,), (2,), 2),
        ((0, 3, 5), (0, 4, 4), (2,), (1,), (0,), (1,), 1),
        ((1, 2, 4, 3), (1, 3, 2, 2), (3, 2), (1, 1), (0, 0), (1, 1), 1),
        ((2, 2, 4, 5), (2, 4, 2, 3), (2, 2), (2, 2), (0, 1), (1, 2), 2),
        ((2, 4, 4, 3), (2, 4, 4, 3), (3, 3), (1, 1), (1, 1), (1, 1), 4),
        ((2, 2, 3, 2, 3), (2, 1, 2, 2, 2), (2, 1, 2), (1,) * 3, (0,) * 3, (1,) * 3, 1),
        ((1, 2, 6), (1, 2, 2), (2,), (1,), (0,), (1,), 1),
        ((1, 2, 4), (1, 2, 4), (1,), (1,), (0,), (1,), 1),
    ):
        rest = kernel, stride, padding, dilation, groups
        yield Sample(make(*x), make(*other), *rest)
    x = make.strided(2, 2, 4)
    yield Sample(x, make.expanded(2, 3, 3), (2,), (1,), (0,), (1,), 1)
