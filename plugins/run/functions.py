"""Functions at the top of PyTorch that plugrad lacks, made of those that it has."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import plugrad
from plugrad import Size, Tensor

BITS = {plugrad.float32: plugrad.int32, plugrad.float64: plugrad.int64}


def broadcast_shapes(*shapes: int | Sequence[int]) -> Size:
    """The shape that tensors of these shapes have after broadcasting.

    >>> broadcast_shapes((2, 1), (3,), 1)
    plugrad.Size([2, 3])
    """
    found: list[int] = []
    for shape in shapes:
        sizes = [shape] if isinstance(shape, int) else list(shape)
        found = [1] * (len(sizes) - len(found)) + found
        for i in range(1, len(sizes) + 1):
            if found[-i] == 1:
                found[-i] = sizes[-i]
            elif sizes[-i] not in (1, found[-i]):
                raise RuntimeError(
                    f"broadcast_shapes: the shapes {shapes} do not broadcast: "
                    f"{found[-i]} and {sizes[-i]} differ in dimension {-i}"
                )
    return Size(found)


def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next number after `input` in the direction of `other`, elementwise.

    >>> import plugrad
    >>> nextafter(plugrad.tensor(1.0), plugrad.tensor(2.0)) - 1
    tensor(1.1921e-07)
    """
    dtype = plugrad.result_type(input, other)
    if dtype not in BITS:
        raise NotImplementedError(f"nextafter: not for {dtype}, only {list(BITS)}")
    both = input.detach().to(dtype), other.detach().to(dtype)
    x, to = plugrad.broadcast_tensors(*both)
    # As integers, positive numbers are in order, and negative ones in the other.
    bits = x.clone().view(BITS[dtype])
    away = (to > x) == (x > 0)
    stepped = (bits + plugrad.where(away, 1, -1).to(bits.dtype)).view(dtype)
    smallest = plugrad.ones_like(bits).view(dtype).copysign(to)
    found = plugrad.where(x == 0, smallest, stepped)
    found = plugrad.where(x == to, to, found)
    return plugrad.where(x.isnan() | to.isnan(), x + to, found)


def into_default(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function that makes a tensor of an array, such as `from_numpy`, so that it ends
    in the default backend: a program could not compute with tensors of two."""

    @functools.wraps(function)
    def made(*args: Any, requires_grad: bool = False, **kwargs: Any) -> Tensor:
        found = function(*args, **kwargs)
        backend = plugrad.default_backend().name
        if found.backend != backend:
            found = found.to(backend=backend)
        return found.requires_grad_() if requires_grad else found

    return made
