"""Convolution as an op, and its gradients.

- `convolution` is below all of the functions: any number of dimensions, groups,
  either direction. Its gradient to the input is itself, the other way round.
- `convolution_weight` is its gradient to the weight. The two say each other's
  gradients, so that they can be differentiated any number of times.
- The default bodies add up, for each element of the kernel, the product of its weights
  with a slice of the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugrad import Tensor, op

from .grids import (
    counts,
    cropped,
    missing,
    offsets,
    per_dim,
    reach,
    size_of,
    spaced,
    steps,
    widened,
)

__all__ = ["convolution"]


@op(promote="equal", kinds="iufc", method=False, oracle="torch.convolution")
def convolution(
    k: Any,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    transposed: bool = False,
    output_padding: Sequence[int] = (0,),
    groups: int = 1,
) -> Tensor:
    """The sums of products of a weight with all windows of `x`; or, transposed, the
    sums of what `x` times the weight says of each place.

    `x` is (batch, channels, *sizes), `weight` (out, channels / groups, *kernel), or
    (channels, out / groups, *kernel) where it is transposed. Sizes are a number for
    each dimension, or one for all.

    >>> import plugrad
    >>> from plugrad.nn.functional.convolution_op import convolution
    >>> x, weight = plugrad.ones(1, 1, 4), plugrad.tensor([[[1.0, 2.0]]])
    >>> convolution(x, weight)
    tensor([[[3., 3., 3.]]])
    >>> convolution(x, weight, None, (2,), (0,), (1,), True)
    tensor([[[1., 2., 1., 2., 1., 2., 1., 2.]]])
    """
    n = x.ndim - 2
    stride, padding = per_dim(n, stride), per_dim(n, padding)
    dilation = per_dim(n, dilation)
    if 0 in (weight.shape[0], *weight.shape[2:], *x.shape[2:]):
        raise ValueError("a weight or an input of no elements")
    if transposed:
        weight = turned(k, weight, groups)
        ends = reach(weight.shape[2:], dilation)
        low = tuple(span - 1 - p for span, p in zip(ends, padding))
        high = tuple(a + b for a, b in zip(low, per_dim(n, output_padding)))
        x, stride = widened(k, spaced(k, x, stride), low, high), (1,) * n
    else:
        x = widened(k, x, padding, padding)
    kernel = weight.shape[2:]
    count = counts(x.shape[2:], kernel, stride, (0,) * n, dilation)
    batch, places = x.shape[0], size_of(count)
    if x.shape[1] != weight.shape[1] * groups or min(count) < 1:
        raise ValueError("a convolution of these shapes is not possible")
    shape = (groups, weight.shape[0] // groups, weight.shape[1])
    weight = k.reshape(weight, (*shape, size_of(kernel)))
    y = k.zeros((batch, *shape[:2], places), dtype=x.dtype)
    for i, offset in enumerate(offsets(kernel, dilation)):
        part = steps(x, offset, stride, count)
        part = k.reshape(part, (batch, groups, shape[2], places))
        y = y + k.matmul(weight[:, :, :, i], part)
    y = k.reshape(y, (batch, shape[0] * shape[1], *count))
    return y if bias is None else y + k.reshape(bias, (-1, *(1,) * n))


def turned(k: Any, weight: Any, groups: int) -> Any:
    """The weight with which a transposed convolution is an ordinary one."""
    into, out, *kernel = weight.shape
    weight = k.reshape(weight, (groups, into // groups, out, *kernel))
    order = (0, 2, 1, *range(3, weight.ndim))
    weight = k.flip(k.permute_dims(weight, order), axis=tuple(range(3, weight.ndim)))
    return k.reshape(weight, (groups * out, into // groups, *kernel))


@op(promote="equal", kinds="iufc", method=False, oracle=None)
def convolution_weight(
    k: Any,
    x: Tensor,
    other: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Tensor:
    """The gradient of `convolution` to its weight, from the input and the gradient that
    comes in."""
    x = widened(k, x, padding, padding)
    batch, out, *count = other.shape
    inner = x.shape[1] // groups
    places = size_of(count)
    other = k.reshape(other, (batch, groups, out // groups, places))
    found = []
    for offset in offsets(kernel, dilation):
        part = steps(x, offset, stride, tuple(count))
        part = k.reshape(part, (batch, groups, inner, places))
        products = k.matmul(other, k.matrix_transpose(part))
        found.append(k.sum(products, axis=0, dtype=x.dtype))
    if not found:
        return k.zeros((out, inner, *kernel), dtype=x.dtype)
    return k.reshape(k.stack(found, axis=-1), (out, inner, *kernel))


def to_input(
    k: Any,
    g: Any,
    x_shape: Any,
    weight: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    groups: int,
) -> Any:
    """The gradient of a convolution to an input of a shape."""
    n = len(x_shape) - 2
    stride, padding = per_dim(n, stride), per_dim(n, padding)
    dilation = per_dim(n, dilation)
    none = (0,) * n
    if transposed:
        found = k.convolution(
            g, weight, None, stride, padding, dilation, False, none, groups
        )
        return cropped(found, x_shape[2:])
    ends = reach(weight.shape[2:], dilation)
    extra = missing(g, x_shape[2:], stride, padding, ends)
    return k.convolution(
        g, weight, None, stride, padding, dilation, True, extra, groups
    )


def to_weight(
    k: Any,
    g: Any,
    x: Any,
    weight_shape: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    groups: int,
) -> Any:
    """The gradient of a convolution to a weight of a shape."""
    n = x.ndim - 2
    stride, padding = per_dim(n, stride), per_dim(n, padding)
    dilation = per_dim(n, dilation)
    if transposed:
        x, g = g, x
    kernel = tuple(weight_shape[2:])
    return k.convolution_weight(x, g, kernel, stride, padding, dilation, groups)


convolution.grad(
    x=to_input,
    weight=to_weight,
    bias=lambda k, g: k.sum(g, axis=(0, *range(2, g.ndim))),
)

convolution_weight.grad(
    x=lambda k, g, x_shape, other, stride, padding, dilation, groups: to_input(
        k, other, x_shape, g, stride, padding, dilation, False, groups
    ),
    other=lambda k, g, x, other_shape, stride, padding, dilation, groups: cropped(
        k.convolution(x, g, None, stride, padding, dilation, False, (0,), groups),
        other_shape[2:],
    ),
)


# --- What the shapes have to be -------------------------------------------------------


@convolution.before()
def _check(values: dict[str, Any]) -> None:
    """Raise unless the shapes go together; asked where a kernel did not go well."""
    x, weight, bias = (values[name] for name in ("x", "weight", "bias"))
    transposed, groups = values["transposed"], values["groups"]
    shape, sizes = list(weight.shape), list(x.shape)
    n = weight.ndim - 2
    if n < 1:
        raise RuntimeError(
            f"weight should have at least three dimensions, but has shape {shape}"
        )
    if type(groups) is not int or groups < 1:
        raise RuntimeError(f"groups has to be a positive integer, not {groups!r}")
    if x.ndim != weight.ndim:
        raise RuntimeError(
            f"Expected {weight.ndim}-dimensional input for {weight.ndim}-dimensional "
            f"weight {shape}, but got input of size {sizes}"
        )
    if shape[0] < groups or shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected the first dimension of the weight to be "
            f"a positive multiple of {groups}, but got weight of size {shape}"
        )
    into = shape[0] if transposed else shape[1] * groups
    if sizes[1] != into:
        raise RuntimeError(
            f"Given groups={groups}, transposed={transposed} and weight of size "
            f"{shape}, expected input{sizes} to have {into} channels, not {sizes[1]}"
        )
    out = shape[1] * groups if transposed else shape[0]
    if bias is not None and tuple(bias.shape) != (out,):
        raise RuntimeError(
            f"Given weight of size {shape}, expected bias to be 1-dimensional with "
            f"{out} elements, but got bias of size {list(bias.shape)}"
        )
    check_sizes(sizes, shape, values, n)


def check_sizes(sizes: Any, shape: Any, values: dict[str, Any], n: int) -> None:
    """Raise unless there is room for the kernel."""
    names = "stride", "padding", "dilation", "output_padding"
    stride, padding, dilation, extra = (per_dim(n, values[name]) for name in names)
    kernel, sizes = shape[2:], sizes[2:]
    if min(kernel) < 1 or min(sizes) < 1:
        raise RuntimeError(
            f"a convolution needs at least one element in each dimension; the kernel "
            f"is {kernel}, the input {sizes}"
        )
    spans = reach(kernel, dilation)
    if values["transposed"]:
        out = [
            (size - 1) * s - 2 * p + span + more
            for size, s, p, span, more in zip(sizes, stride, padding, spans, extra)
        ]
        if min(out) < 1:
            raise RuntimeError(
                f"Given input of size {sizes}, kernel {kernel}, stride {list(stride)} "
                f"and padding {list(padding)}, the output would be {out}: too small"
            )
        return
    padded = [size + 2 * p for size, p in zip(sizes, padding)]
    if any(span > size for span, size in zip(spans, padded)):
        raise RuntimeError(
            f"Calculated padded input size per channel: {padded}. Kernel size: "
            f"{list(spans)}, dilation included. Kernel size can't be greater than "
            "actual input size"
        )
