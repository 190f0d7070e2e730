"""Softmax and its relatives, from their inputs' maximum, so that nothing overflows."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import along, kept, reduced, scanned, several

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Dim = int | tuple[int, ...] | None

__all__ = ["log_softmax", "logsumexp", "softmax"]


def need_floats(k: Any, x: Any, name: str) -> None:
    """Raise unless `x` holds real floating-point numbers."""
    if not k.isdtype(x.dtype, "real floating"):
        raise NotImplementedError(
            f"{name} is not implemented for {x.dtype}; give dtype=, or cast with "
            ".float()"
        )


@op(promote="same", inplace=False)
def softmax(k: Kernels, x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """exp(x) / exp(x).sum(dim): positive numbers that sum to 1.

    >>> import plugrad
    >>> plugrad.tensor([0.0, 0.0, 0.0, 0.0]).softmax(0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def body(x: Array, dim: int) -> Array:
        if 0 in x.shape:
            return k.zeros_like(x)
        need_floats(k, x, "softmax")
        e = k.exp(x - k.max(x, axis=dim, keepdims=True))
        return e / k.sum(e, axis=dim, keepdims=True)

    return along(body, k, x, dim)


softmax.grad(x=lambda k, g, y, dim: k.softmax_back(g, y, dim))


@op(promote="equal", method=False, oracle=None)
def softmax_back(k: Kernels, x: Tensor, result: Tensor, dim: int) -> Tensor:
    """The gradient of `softmax`, from the one that comes in."""
    return result * (x - k.sum(x * result, axis=several(x.ndim, dim), keepdims=True))


@softmax_back.joint
def _softmax_back_rule(k: Any, g: Any, x: Any, result: Any, dim: Any, need: Any) -> Any:
    to_x = to_result = None
    if need[0]:
        to_x = k.softmax_back(g, result, dim)
    if need[1]:
        dims = several(x.ndim, dim)
        to_result = g * (x - k.sum(x * result, axis=dims, keepdims=True))
        to_result = to_result - x * k.sum(g * result, axis=dims, keepdims=True)
    return to_x, to_result


@op(promote="same", inplace=False)
def log_softmax(k: Kernels, x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """log(softmax(x, dim)), exact where that would be log(0).

    >>> import plugrad
    >>> x = plugrad.tensor([0.0, 200.0])
    >>> plugrad.log_softmax(x, 0), plugrad.softmax(x, 0).log()
    (tensor([-200.,    0.]), tensor([-inf, 0.]))
    """

    def body(x: Array, dim: int) -> Array:
        if 0 in x.shape:
            return k.zeros_like(x)
        need_floats(k, x, "log_softmax")
        x = x - k.max(x, axis=dim, keepdims=True)
        return x - k.log(k.sum(k.exp(x), axis=dim, keepdims=True))

    return along(body, k, x, dim)


log_softmax.grad(x=lambda k, g, y, dim: k.log_softmax_back(g, y, dim))


@op(promote="equal", method=False, oracle=None)
def log_softmax_back(k: Kernels, x: Tensor, result: Tensor, dim: int) -> Tensor:
    """The gradient of `log_softmax`, from the one that comes in."""
    return x - k.exp(result) * k.sum(x, axis=several(x.ndim, dim), keepdims=True)


@log_softmax_back.joint
def _log_softmax_back_rule(
    k: Any, g: Any, x: Any, result: Any, dim: Any, need: Any
) -> Any:
    to_x = to_result = None
    dims = several(x.ndim, dim)
    e = k.exp(result)
    if need[0]:
        to_x = g - k.sum(g * e, axis=dims, keepdims=True)
    if need[1]:
        to_result = -g * e * k.sum(x, axis=dims, keepdims=True)
    return to_x, to_result


@softmax_back.samples
@log_softmax_back.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind not in "fc":
        return
    for shape, dim in (
        ((), 0),
        ((3,), -1),
        ((2, 3), 0),
        ((2, 3), 1),
        ((0, 3), 1),
        ((2, 3, 4), 1),
        ((2, 40), 1),
        ((3, 2, 40), -1),
    ):
        yield Sample(make(*shape), make(*shape, low=-0.1, high=0.1), dim)
    yield Sample(make.strided(3, 4), make.strided(3, 4), 1)
    yield Sample(make.expanded(3, 4), make(3, 4), 1)
    x = make(2, 3)
    yield Sample(x, x, 1)


@softmax.samples
@log_softmax.samples
def _(make: Any) -> Iterator[Sample]:
    yield from scanned(make)
    yield Sample(make.large(2, 3), 1)
    if make.dtype.kind == "f":
        inf = float("inf")
        values = [0.0, -inf, 1.0, -inf, -inf, -inf, 2.0, 1.0, inf]
        x = make.tensor(make.filled((3, 3), values, make.dtype))
        yield Sample(x, 1).named("infinite", smooth=False)


@op(promote="float", inplace=False)
def logsumexp(k: Kernels, x: Tensor, dim: Dim, keepdim: bool = False) -> Tensor:
    """log(exp(x).sum(dim)), without overflow.

    >>> import plugrad
    >>> plugrad.logsumexp(plugrad.tensor([100.0, 100.0]), 0)
    tensor(100.6931)
    """
    dims = several(x.ndim, dim)
    if any(not x.shape[d] for d in dims):  # no elements have no largest
        return k.log(k.sum(x, axis=dims, keepdims=keepdim))
    real = k.real(x) if k.isdtype(x.dtype, "complex floating") else x
    m = k.max(real, axis=dims, keepdims=True)
    m = k.where(k.isfinite(m), m, k.zeros_like(m))
    m = k.astype(m, x.dtype)
    y = k.log(k.sum(k.exp(x - m), axis=dims, keepdims=True)) + m
    return y if keepdim else k.squeeze(y, axis=dims)


@logsumexp.joint
def _logsumexp_rule(k: Any, g: Any, x: Any, y: Any, dim: Any, keepdim: Any) -> Any:
    if y.ndim and not keepdim:
        shape = kept(x.shape, dim)
        y, g = k.reshape(y, shape), k.reshape(g, shape)
    return (g * k.exp(x - y),)


@logsumexp.samples
def _(make: Any) -> Iterator[Sample]:
    yield from reduced(make, many=False)
    yield Sample(make(2, 3, 4), (0, 2))
    yield Sample(make(2, 3, 4), (0, -1), True)
    yield Sample(make.large(2, 3), 1)
    if make.dtype.kind == "f":
        inf = float("inf")
        values = [0.0, -inf, 1.0, -inf, -inf, -inf, 2.0, 1.0, inf]
        x = make.tensor(make.filled((3, 3), values, make.dtype))
        yield Sample(x, 1).named("infinite", smooth=False)
