"""Convolutions over one, two or three dimensions, and transposed ones.

One op is below all of them; here is what a call may leave out: a batch, numbers for
each dimension, padding by a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugrad import Tensor

from . import convolution_samples  # noqa: F401  (gives the ops their samples)
from .convolution_op import convolution
from .grids import per_dim, reach
from .padding import constant_pad_nd

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]

Ints = int | Sequence[int]


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """Slide a kernel over one dimension of `input`, with sums of products as results.

    `input` is (batch, channels, ...) or without a batch, `weight` (out, channels /
    groups, ...). With `padding="same"` the result has the input's sizes.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, weight = plugrad.ones(1, 2, 8), plugrad.ones(4, 2, 3)
    >>> F.conv1d(x, weight).shape
    plugrad.Size([1, 4, 6])
    >>> F.conv1d(x, weight, padding="same").shape
    plugrad.Size([1, 4, 8])
    """
    return forward(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """Slide a kernel over two dimensions of `input`, with sums of products as results.

    `input` is (batch, channels, ...) or without a batch, `weight` (out, channels /
    groups, ...). With `padding="same"` the result has the input's sizes.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, weight = plugrad.ones(1, 2, 8, 8), plugrad.ones(4, 2, 3, 3)
    >>> F.conv2d(x, weight).shape
    plugrad.Size([1, 4, 6, 6])
    >>> F.conv2d(x, weight, padding="same").shape
    plugrad.Size([1, 4, 8, 8])
    """
    return forward(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """Slide a kernel over three dimensions of `input`, with sums of products as result.

    `input` is (batch, channels, ...) or without a batch, `weight` (out, channels /
    groups, ...). With `padding="same"` the result has the input's sizes.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, weight = plugrad.ones(1, 2, 8, 8, 8), plugrad.ones(4, 2, 3, 3, 3)
    >>> F.conv3d(x, weight).shape
    plugrad.Size([1, 4, 6, 6, 6])
    >>> F.conv3d(x, weight, padding="same").shape
    plugrad.Size([1, 4, 8, 8, 8])
    """
    return forward(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """Lay a kernel, times each element of `input`, over one dimension, and add up.

    This is how a gradient runs back through `conv1d` of the same stride, padding and
    dilation. `weight` is (channels, out / groups, ...).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, weight = plugrad.ones(1, 2, 4), plugrad.ones(2, 3, 2)
    >>> F.conv_transpose1d(x, weight).shape
    plugrad.Size([1, 3, 5])
    >>> F.conv_transpose1d(x, weight, stride=2).shape
    plugrad.Size([1, 3, 8])
    """
    rest = stride, padding, output_padding, groups, dilation
    return backward(1, input, weight, bias, *rest)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """Lay a kernel, times each element of `input`, over two dimensions, and add up.

    This is how a gradient runs back through `conv2d` of the same stride, padding and
    dilation. `weight` is (channels, out / groups, ...).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, weight = plugrad.ones(1, 2, 4, 4), plugrad.ones(2, 3, 2, 2)
    >>> F.conv_transpose2d(x, weight).shape
    plugrad.Size([1, 3, 5, 5])
    >>> F.conv_transpose2d(x, weight, stride=2).shape
    plugrad.Size([1, 3, 8, 8])
    """
    rest = stride, padding, output_padding, groups, dilation
    return backward(2, input, weight, bias, *rest)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    groups: int = 1,
    dilation: Ints = 1,
) -> Tensor:
    """Lay a kernel, times each element of `input`, over three dimensions, and add up.

    This is how a gradient runs back through `conv3d` of the same stride, padding and
    dilation. `weight` is (channels, out / groups, ...).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, weight = plugrad.ones(1, 2, 4, 4, 4), plugrad.ones(2, 3, 2, 2, 2)
    >>> F.conv_transpose3d(x, weight).shape
    plugrad.Size([1, 3, 5, 5, 5])
    >>> F.conv_transpose3d(x, weight, stride=2).shape
    plugrad.Size([1, 3, 8, 8, 8])
    """
    rest = stride, padding, output_padding, groups, dilation
    return backward(3, input, weight, bias, *rest)


# --- What they have in common ---------------------------------------------------------


def numbers(n: int, name: str, value: Any, least: int) -> tuple[int, ...]:
    """One number for all of n dimensions, or one for each, as a tuple."""
    if value.__class__ is int:
        found = (value,)
    elif isinstance(value, (list, tuple)):
        found = tuple([whole(name, each) for each in value])
        if len(found) not in (1, n):
            raise RuntimeError(
                f"expected {name} to be a single integer or a list of {n} integers, "
                f"one for each dimension, but got {name}={list(value)}"
            )
    else:
        found = (whole(name, value),)
    for each in found:
        if each < least:
            kind = "non-positive" if least else "negative"
            raise RuntimeError(f"{kind} {name} is not supported: {name}={value}")
    return found


def whole(name: str, value: Any) -> int:
    """A number of any integer type as Python's."""
    try:
        return value.__index__()
    except (AttributeError, TypeError):
        raise TypeError(
            f"{name} has to be an integer or a tuple of integers, not {value!r}"
        ) from None


def apply(n: int, name: str, x: Tensor, *args: Any) -> Tensor:
    """Convolve a batch, or what is not one, over n dimensions."""
    if x.ndim == n + 2:
        return convolution(x, *args)
    if x.ndim != n + 1:
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but "
            f"got input of size: {list(x.shape)}"
        )
    return convolution(x.unsqueeze(0), *args).squeeze(0)


def forward(
    n: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    """An ordinary convolution; `padding` may be a word."""
    stride = numbers(n, "stride", stride, 1)
    dilation = numbers(n, "dilation", dilation, 1)
    if isinstance(padding, str):
        x, padding = by_word(n, x, weight, stride, padding, per_dim(n, dilation))
    else:
        padding = numbers(n, "padding", padding, 0)
    if weight.ndim != n + 2:
        raise RuntimeError(
            f"conv{n}d needs a weight of {n + 2} dimensions, (out, in / groups, "
            f"*kernel), but got one of shape {list(weight.shape)}"
        )
    args = weight, bias, stride, padding, dilation, False, (0,), groups
    return apply(n, f"conv{n}d", x, *args)


def by_word(
    n: int, x: Tensor, weight: Tensor, stride: Any, padding: str, dilation: Any
) -> tuple[Tensor, tuple[int, ...]]:
    """The input and the padding that "same" or "valid" asks for."""
    if padding == "valid":
        return x, (0,)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: {padding!r}; give same or valid")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [span - 1 for span in reach(tuple(weight.shape[2:]), dilation)]
    if any(each % 2 for each in total):  # one more at the end
        pads = [n for each in reversed(total) for n in (0, each % 2)]
        x = constant_pad_nd(x, tuple(pads))
    return x, tuple(each // 2 for each in total)


def backward(
    n: int,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    """A transposed convolution."""
    stride = numbers(n, "stride", stride, 1)
    padding = numbers(n, "padding", padding, 0)
    dilation = numbers(n, "dilation", dilation, 1)
    extra = numbers(n, "output_padding", output_padding, 0)
    if extra != (0,) and any(
        more >= max(s, d)
        for more, s, d in zip(*(per_dim(n, each) for each in (extra, stride, dilation)))
    ):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but "
            f"output_padding={extra}, stride={stride}, dilation={dilation}"
        )
    if weight.ndim != n + 2:
        raise RuntimeError(
            f"conv_transpose{n}d needs a weight of {n + 2} dimensions, (in, out / "
            f"groups, *kernel), but got one of shape {list(weight.shape)}"
        )
    args = weight, bias, stride, padding, dilation, True, extra, groups
    return apply(n, f"conv_transpose{n}d", x, *args)
