"""Norms of vectors and matrices, and distances."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import conjugate, is_floating, reduced, restored, several
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Dim = int | tuple[int, ...] | None

__all__ = ["dist", "norm"]

INF = float("inf")


@op(promote="same", inplace=False, method=False, oracle="torch.linalg.vector_norm")
def vector_norm(
    k: Kernels,
    x: Tensor,
    ord: float = 2,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """(abs(x) ** ord).sum(dim) ** (1 / ord), and its limits for `ord` 0 and inf.

    >>> import plugrad
    >>> x = plugrad.tensor([3.0, -4.0])
    >>> plugrad.linalg.vector_norm(x), plugrad.linalg.vector_norm(x, plugrad.inf)
    (tensor(5.), tensor(4.))
    """
    if not is_floating(k, x):
        raise RuntimeError(
            "linalg.vector_norm: expected a floating point or complex tensor as input; "
            "give dtype=, or cast with .float()"
        )
    dims = several(x.ndim, dim)
    size = k.abs(x)
    if abs(ord) == INF:
        extreme = k.max if ord > 0 else k.min
        return extreme(size, axis=dims, keepdims=keepdim)
    if ord == 0:
        size = k.astype(size != 0, size.dtype)
    elif ord == 2:
        size = size * size
    elif ord != 1:
        size = size**ord
    total = k.sum(size, axis=dims, keepdims=keepdim)
    if ord == 2:
        return k.sqrt(total)
    return total if ord in (0, 1) else total ** (1 / ord)


@vector_norm.joint
def _vector_norm_rule(
    k: Any, g: Any, x: Any, y: Any, ord: Any, dim: Any, keepdim: Any
) -> tuple[Any | None]:
    """Zero wherever the norm has no slope, as PyTorch's."""
    if ord == 0:
        return (None,)
    g = restored(k, g, x.shape, dim, keepdim)
    y = restored(k, y, x.shape, dim, keepdim)
    if ord == 2:
        flat = y == 0
        scale = k.where(flat, k.zeros_like(g), g / k.where(flat, k.ones_like(y), y))
        return (conjugate(k, x) * scale,)
    direction = conjugate(k, k.sign(x))
    if ord == 1:
        return (direction * g,)
    size = k.abs(x)
    if abs(ord) == INF:
        chosen = k.astype(size == y, y.dtype)
        total = k.sum(chosen, axis=several(x.ndim, dim), keepdims=True)
        return (direction * (chosen * g / total),)
    zero = size == 0
    ratio = k.where(zero, k.ones_like(size), size) / k.where(y == 0, k.ones_like(y), y)
    power = k.where(zero, k.zeros_like(size), ratio ** (ord - 1))
    return (typed_as(k, direction * (power * g), x),)


@vector_norm.samples
def _(make: Any) -> Iterator[Sample]:
    for sample in reduced(make):
        x, *rest = sample.args
        yield Sample(x, 2, *rest, **sample.kwargs)
    for p in (0, 1, 2, 3, 1.5, 0.5, -1, -2.5, INF, -INF):
        yield Sample(make(2, 3), p)
        yield Sample(make(2, 3), p, 1)
        yield Sample(make(2, 3, 2), p, (0, -1), True)
    for p in (0, 1, 2, 3, 1.5, INF):
        x = make.tensor(make.filled((2, 3), [0, 0, 0, 1, 0, -1], make.dtype))
        yield Sample(x, p, 1).named(f"zeros {p}", smooth=False)


def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dim = None,
    keepdim: bool = False,
    out: Tensor | None = None,
    dtype: Any = None,
) -> Tensor:
    """The norm of all elements, or over `dim`: "fro" and 2 the root of the sum of
    squares, another number that norm of vectors, "nuc" the sum of singular values.

    >>> import plugrad
    >>> plugrad.tensor([3.0, 4.0]).norm()
    tensor(5.)
    """
    if p == "nuc":
        from .decompositions import svdvals

        if isinstance(dim, (tuple, list)) and len(dim) == 2:
            input = input.movedim(tuple(dim), (-2, -1))
        elif dim is not None or input.ndim != 2:
            raise RuntimeError("the nuclear norm is that of matrices: give two dims")
        return svdvals(input).sum(-1)
    if p is None or p == "fro":
        p = 2
    elif isinstance(p, str):
        raise RuntimeError(f"norm: p must be 'fro', 'nuc' or a number, not {p!r}")
    if out is not None:
        return vector_norm.op.apply(input, p, dim, keepdim, dtype=dtype, out=out)
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of input - other.

    >>> import plugrad
    >>> plugrad.dist(plugrad.tensor([1.0, 1.0]), plugrad.tensor([4.0, 5.0]))
    tensor(5.)
    """
    return vector_norm(input - other, p)


METHODS = [dist, norm]
