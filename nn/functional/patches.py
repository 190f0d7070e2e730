"""Windows of images as columns, and the sums of columns as images.

Each is the gradient of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

from .grids import counts, offsets, size_of, spaced, steps, widened

__all__ = ["fold", "unfold"]

Ints = int | Sequence[int]


@op(promote="equal", kinds="iufc", method=False, oracle="torch.nn.functional.unfold")
def im2col(
    k: Any,
    x: Tensor,
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Tensor:
    """All windows of images: (batch, channels * kernel, windows).

    >>> import plugrad
    >>> from plugrad.nn.functional.patches import im2col
    >>> x = plugrad.arange(6).reshape(1, 1, 2, 3)
    >>> im2col(x, (2, 2), (1, 1), (0, 0), (1, 1))
    tensor([[[0, 1],
             [1, 2],
             [3, 4],
             [4, 5]]])
    """
    count = counts(x.shape[2:], kernel, stride, padding, dilation)
    batch, channels = x.shape[:2]
    x = widened(k, x, padding, padding)
    found = [
        k.reshape(steps(x, offset, stride, count), (batch, channels, size_of(count)))
        for offset in offsets(kernel, dilation)
    ]
    shape = batch, channels * len(found), size_of(count)
    return k.reshape(k.stack(found, axis=2), shape)


@op(promote="equal", kinds="iufc", method=False, oracle="torch.nn.functional.fold")
def col2im(
    k: Any,
    x: Tensor,
    size: Sequence[int],
    kernel: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Tensor:
    """The images of a size in which each element is the sum of those that `im2col` made
    of it.

    >>> import plugrad
    >>> from plugrad.nn.functional.patches import col2im
    >>> columns = plugrad.ones(1, 4, 2)
    >>> col2im(columns, (2, 3), (2, 2), (1, 1), (0, 0), (1, 1))
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    count = counts(size, kernel, stride, padding, dilation)
    batch, places = x.shape[0], size_of(kernel)
    channels = x.shape[1] // places
    x = k.reshape(x, (batch, channels, places, *count))
    y = k.zeros((batch, channels, *size), dtype=x.dtype)
    whole = [n + 2 * p for n, p in zip(size, padding)]
    for i, low in enumerate(offsets(kernel, dilation)):
        part = spaced(k, x[:, :, i, :, :], stride)
        high = [n - a - m for n, a, m in zip(whole, low, part.shape[2:])]
        before = tuple(a - p for a, p in zip(low, padding))
        after = tuple(a - p for a, p in zip(high, padding))
        y = y + placed(k, part, before, after)
    return y


def placed(k: Any, x: Any, low: Any, high: Any) -> Any:
    """`widened`, where what is cut off may be all there is."""
    for i, (before, after) in enumerate(zip(low, high)):
        axis = i + 2
        total = x.shape[axis] + before + after
        if -before >= x.shape[axis] or -after >= x.shape[axis]:
            x = k.zeros((*x.shape[:axis], total, *x.shape[axis + 1 :]), dtype=x.dtype)
            low = (*low[:i], 0, *low[i + 1 :])
            high = (*high[:i], 0, *high[i + 1 :])
    return widened(k, x, low, high)


im2col.grad(
    x=lambda k, g, x_shape, kernel, dilation, padding, stride: k.col2im(
        g, x_shape[2:], kernel, dilation, padding, stride
    )
)

col2im.grad(
    x=lambda k, g, kernel, dilation, padding, stride: k.im2col(
        g, kernel, dilation, padding, stride
    )
)

CASES = (
    ((2, 3, 4, 5), (2, 2), (1, 1), (0, 0), (1, 1)),
    ((2, 1, 4, 5), (2, 3), (1, 1), (1, 2), (1, 1)),
    ((1, 2, 6, 5), (2, 2), (2, 1), (0, 1), (2, 3)),
    ((1, 1, 3, 3), (3, 3), (1, 1), (0, 0), (1, 1)),
    ((1, 2, 3, 4), (1, 1), (1, 1), (0, 0), (2, 2)),
    ((1, 1, 2, 2), (2, 2), (1, 1), (2, 2), (1, 1)),
    ((0, 2, 4, 4), (2, 2), (1, 1), (0, 0), (1, 1)),
    ((1, 1, 7, 7), (3, 2), (2, 3), (1, 1), (2, 1)),
    ((3, 2, 4, 4), (1, 4), (1, 1), (0, 0), (1, 1)),
    ((1, 1, 1, 1), (1, 1), (1, 1), (1, 1), (3, 3)),
)


@im2col.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "b":
        return
    for x, *rest in CASES:
        yield Sample(make(*x), *rest)
    yield Sample(make.strided(2, 3, 4, 5), *CASES[0][1:])
    yield Sample(make.expanded(2, 3, 4, 5), *CASES[0][1:])


@col2im.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "b":
        return
    for x, kernel, dilation, padding, stride in CASES:
        count = counts(x[2:], kernel, stride, padding, dilation)
        shape = x[0], x[1] * size_of(kernel), size_of(count)
        yield Sample(make(*shape), x[2:], kernel, dilation, padding, stride)
    yield Sample(make.strided(2, 12, 12), (4, 5), *CASES[0][1:])
    yield Sample(make.expanded(2, 12, 12), (4, 5), *CASES[0][1:])


# --- The functions --------------------------------------------------------------------


def pair(name: str, value: Any, least: int) -> tuple[int, int]:
    """A number for each of two dimensions."""
    found = tuple(value) if isinstance(value, (list, tuple)) else (value, value)
    if any(not hasattr(each, "__index__") for each in found):
        raise TypeError(f"{name} has to be an integer or two of them, not {value!r}")
    if len(found) != 2:
        raise RuntimeError(
            f"It is expected {name} equals to 2 numbers, but got {len(found)}: {value}"
        )
    if min(found) < least:
        raise RuntimeError(f"{name} should be at least {least}, but got {value}")
    return int(found[0]), int(found[1])


def unfold(
    input: Tensor,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """All windows of images: (batch, channels * kernel, windows), batch or not.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.unfold(plugrad.zeros(2, 5, 3, 4), kernel_size=(2, 3)).shape
    plugrad.Size([2, 30, 4])
    """
    kernel = pair("kernel_size", kernel_size, 1)
    around = pair("padding", padding, 0)
    apart = pair("dilation", dilation, 1)
    step = pair("stride", stride, 1)
    shape = list(input.shape)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and "
            f"other non-zero dimensions for input, but got: {shape}"
        )
    count = counts(shape[-2:], kernel, step, around, apart)
    if min(count) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(shape[-2:])}, kernel_size={kernel}, "
            f"dilation={apart}, padding={around}, calculated shape of the array of "
            f"sliding blocks as {count}, but its components must be at least one."
        )
    if len(shape) == 3:
        x = input.unsqueeze(0)
        return im2col(x, kernel, apart, around, step).squeeze(0)
    return im2col(input, kernel, apart, around, step)


def fold(
    input: Tensor,
    output_size: Ints,
    kernel_size: Ints,
    dilation: Ints = 1,
    padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:
    """The images that windows, (batch, channels * kernel, windows), add up to.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.ones(1, 1, 2, 3)
    >>> F.fold(F.unfold(x, 2), (2, 3), 2)
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    size = pair("output_size", output_size, 1)
    kernel = pair("kernel_size", kernel_size, 1)
    around = pair("padding", padding, 0)
    apart = pair("dilation", dilation, 1)
    step = pair("stride", stride, 1)
    shape = list(input.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch "
            f"size and non-zero dimensions, but got: {shape}"
        )
    count = counts(size, kernel, step, around, apart)
    if shape[-2] % size_of(kernel):
        raise RuntimeError(
            "Expected the dimension before the last to be divisible by the product of "
            f"kernel_size={kernel}, but got input of size {shape}"
        )
    if min(count) < 1 or shape[-1] != size_of(count):
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={apart}, "
            f"padding={around}, stride={step}, expected the last dimension to match "
            f"the number of sliding blocks, {count}, but got input of size {shape}"
        )
    if len(shape) == 2:
        x = input.unsqueeze(0)
        return col2im(x, size, kernel, apart, around, step).squeeze(0)
    return col2im(input, size, kernel, apart, around, step)
