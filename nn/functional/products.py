"""Products with a weight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

__all__ = ["bilinear", "linear"]


@op(promote="equal", method=False, oracle="torch.nn.functional.linear")
def linear(k: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ weight.T + bias, for rows `x` of any number of dimensions.

    `weight` is (out, in), `bias` is (out), as in `plugrad.nn.Linear`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.linear(plugrad.ones(2, 3), plugrad.ones(1, 3), plugrad.ones(1))
    tensor([[4.],
            [4.]])
    """
    y = k.matmul(x, k.matrix_transpose(weight) if weight.ndim > 1 else weight)
    return y if bias is None else y + bias


@linear.joint
def _linear_rule(k: Any, g: Any, x: Any, weight: Any, need: Any) -> Any:
    gx = gw = gb = None
    if weight.ndim == 1:
        gx = k.expand_dims(g, axis=-1) * weight if need[0] else None
        rows, g = k.reshape(x, (-1, x.shape[-1])), k.reshape(g, (-1,))
        gw = k.matmul(g, rows) if need[1] else None
        return gx, gw, k.sum(g) if need[2] else None
    if need[0]:
        gx = k.matmul(g, weight)
    if x.ndim != 2:
        rows = 1
        for n in x.shape[:-1]:
            rows *= n
        x, g = k.reshape(x, (rows, x.shape[-1])), k.reshape(g, (rows, g.shape[-1]))
    if need[1]:
        gw = k.matmul(k.matrix_transpose(g), x)
    if need[2]:
        gb = k.sum(g, axis=0)
    return gx, gw, gb


@linear.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((3,), (2, 3), (0, 3), (4, 2, 3), (2, 1, 2, 3), (2, 0, 3)):
        yield Sample(make(*shape), make(5, 3))
        yield Sample(make(*shape), make(5, 3), make(5))
    if make.dtype.kind in "fc":
        yield Sample(make(2, 0), make(5, 0), make(5))
    yield Sample(make(2, 3), make(1, 3), bias=make(1))
    yield Sample(make.strided(2, 3), make.strided(5, 3), make.strided(5))
    yield Sample(make.expanded(2, 3), make.expanded(5, 3), make(5))
    yield Sample(make(2, 3), make(3))
    x = make(3, 3)
    yield Sample(x, x)
    yield Sample(make(2, 4), make(5, 3)).named("mismatch", smooth=False)


def bilinear(
    input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """input1 @ weight[o] @ input2 + bias[o] for each output o, for rows of any number
    of dimensions.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x, y = plugrad.tensor([[1.0, 2.0]]), plugrad.tensor([[3.0]])
    >>> F.bilinear(x, y, plugrad.ones(4, 2, 1))
    tensor([[9., 9., 9., 9.]])
    """
    sizes = input1.shape[-1:] + input2.shape[-1:]
    if weight.ndim != 3 or weight.shape[1:] != sizes:
        raise RuntimeError(
            f"bilinear: weight must have shape (out, in1, in2), but it is "
            f"{list(weight.shape)}, with inputs of shapes {list(input1.shape)} and "
            f"{list(input2.shape)}"
        )
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            "bilinear: the inputs must have the same dimensions but for the last, but "
            f"have shapes {list(input1.shape)} and {list(input2.shape)}"
        )
    out = weight.shape[0]
    if bias is not None and tuple(bias.shape) != (out,):
        raise RuntimeError(
            f"bilinear: bias must have shape [{out}], not {list(bias.shape)}"
        )
    flat = weight.permute(1, 0, 2).reshape(sizes[0], out * sizes[1])
    half = (input1 @ flat).reshape(*input1.shape[:-1], out, sizes[1])
    y = (half @ input2.unsqueeze(-1)).squeeze(-1)
    return y if bias is None else y + bias
