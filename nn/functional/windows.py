"""Where the windows of pooling lie.

A `Window` is (kernel, stride, padding, dilation, size), each with an entry for every
pooled dimension; `size` is how many windows there are along it. Position `i` of the
kernel sees, along one dimension, the elements `i * dilation - padding` and every
`stride` further.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from plugrad import Tensor

__all__: list[str] = []

Ints = tuple[int, ...]
Window = tuple[Ints, Ints, Ints, Ints, Ints]


def ints(name: str, what: str, value: Any, dims: int) -> Ints:
    """One int for each of `dims` dimensions, from one int or a sequence."""
    if type(value) is int:
        return (value,) * dims
    try:
        if hasattr(value, "__index__"):
            return (value.__index__(),) * dims
        found = tuple([n.__index__() for n in value])
    except (AttributeError, TypeError):
        raise TypeError(
            f"{name}: {what} must be an int or a tuple of {dims}, not {value!r}"
        ) from None
    if len(found) == 1:
        return found * dims
    if len(found) != dims:
        raise RuntimeError(
            f"{name}: {what} must be an int or a tuple of {dims}, but got {found}"
        )
    return found


def check_input(name: str, x: Tensor, dims: int) -> None:
    """Raise unless `x` is (C, ...) or (N, C, ...) with `dims` dimensions more, of
    which only N may be 0."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: input must be a Tensor, not {type(x).__name__}")
    check_shape(name, x.shape, dims)


def check_shape(name: str, shape: Ints, dims: int) -> None:
    """The same of the shape alone."""
    if len(shape) - dims not in (1, 2) or 0 in shape[-dims - 1 :]:
        names = ", ".join(("L",) if dims == 1 else ("D", "H", "W")[-dims:])
        raise RuntimeError(
            f"{name}: expected an input of shape (C, {names}) or (N, C, {names}) of "
            f"which only N may be 0, but got {list(shape)}"
        )


def find_window(
    name: str,
    x: Tensor,
    dims: int,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Window:
    """The windows over the last `dims` dimensions of `x`; errors name the function."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: input must be a Tensor, not {type(x).__name__}")
    if type(kernel) is not int:
        kernel = ints(name, "kernel_size", kernel, dims)
    if stride is None or stride == () or stride == []:
        stride = kernel
    elif type(stride) is not int:
        stride = ints(name, "stride", stride, dims)
    if type(padding) is not int:
        padding = ints(name, "padding", padding, dims)
    if type(dilation) is not int:
        dilation = ints(name, "dilation", dilation, dims)
    up = bool(ceil_mode)
    return checked(name, x.shape, dims, kernel, stride, padding, dilation, up)


@lru_cache(512)
def checked(name: str, shape: Ints, dims: int, *numbers: Any) -> Window:
    """Check the shape and count the windows; a call of a layer is like its last."""
    check_shape(name, shape, dims)
    return make_window(name, tuple(shape[-dims:]), *numbers)


def make_window(
    name: str,
    sizes: Ints,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    up: bool,
) -> Window:
    """Check the numbers, and count the windows; with `up` also those that only begin
    inside."""
    n = len(sizes)
    kernel, stride, padding, dilation = (
        (each,) * n if type(each) is int else each
        for each in (kernel, stride, padding, dilation)
    )
    for what, each, least in (
        ("kernel_size", kernel, 1),
        ("stride", stride, 1),
        ("dilation", dilation, 1),
        ("padding", padding, 0),
    ):
        if min(each) < least:
            raise RuntimeError(f"{name}: {what} must be at least {least}, not {each}")
    size = []
    for length, k, s, p, d in zip(sizes, kernel, stride, padding, dilation):
        reach = (k - 1) * d + 1
        if 2 * p > reach:
            raise RuntimeError(
                f"{name}: padding must be at most half of the window of {reach} "
                f"elements (kernel_size {k}, dilation {d}), but is {p}"
            )
        count = (length + 2 * p - reach + (s - 1 if up else 0)) // s + 1
        if up and (count - 1) * s >= length + p:
            count -= 1  # the last window would lie beyond the input
        if count < 1:
            raise RuntimeError(
                f"{name}: windows of {reach} elements do not fit into the {length} of "
                f"the input, padded by {p} on both sides"
            )
        size.append(count)
    return kernel, stride, padding, dilation, tuple(size)


def margins(sizes: Ints, window: Window) -> Ints:
    """The padding, as `constant_pad_nd` takes it, that all windows lie within."""
    found: list[int] = []
    for n, k, s, p, d, count in reversed(list(zip(sizes, *window))):
        found += [p, max((count - 1) * s + (k - 1) * d + 1 - n - p, 0)]
    return tuple(found)


def offsets(window: Window) -> list[tuple[Ints, tuple[Any, ...]]]:
    """The positions of the kernel in row-major order, each with the index of what it
    sees in an input that `margins` are around."""
    kernel, stride, _, dilation, size = window
    found: list[tuple[Ints, tuple[Any, ...]]] = [((), ())]
    for k, s, d, count in zip(kernel, stride, dilation, size):
        found = [
            ((*at, i), (*index, slice(i * d, i * d + (count - 1) * s + 1, s)))
            for at, index in found
            for i in range(k)
        ]
    return found
