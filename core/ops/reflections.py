"""Products of Householder reflections, the form in which LAPACK keeps the Q of a QR.

A matrix holds the vectors of the reflections below its diagonal, the ones on its
diagonal left out, and `tau` their weights: Q is the product of all
I - tau[i] * v[i] @ v[i]^H. The steps are ops, so that gradients of any order follow;
only `geqrf` has none, as in PyTorch.
"""

from __future__ import annotations

from .. import modes
from .equations import need_floats, need_matrices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..tensor import Tensor

__all__ = ["geqrf", "orgqr", "ormqr"]


def reflected(x: Tensor, a: Tensor, tau: Tensor, which: Iterable[int]) -> Tensor:
    """`x` after the reflections `which` of `a`, one after the other."""
    from .. import eye

    vectors = a.tril(-1) + eye(*a.shape[-2:], dtype=a.dtype, device=a.device)
    for i in which:
        v = vectors[..., i : i + 1]  # (..., m, 1)
        x = x - tau[..., i, None, None] * (v @ (v.mH @ x))
    return x


def check(name: str, a: Tensor, tau: Tensor) -> None:
    """Raise unless `a` and `tau` can be reflections."""
    need_matrices(a)
    m, n = a.shape[-2:]
    if m < n:
        raise RuntimeError(
            f"{name}: expected input.shape[-2] to be greater than or equal to "
            f"input.shape[-1], but the shape is {list(a.shape)}"
        )
    if tau.shape[-1:] > (n,) or tau.shape[:-1] != a.shape[:-2]:
        raise RuntimeError(
            f"{name}: shapes {list(a.shape)} of input and {list(tau.shape)} of tau do "
            "not belong together"
        )
    if tau.dtype is not a.dtype:
        raise RuntimeError(
            f"{name}: tau has dtype {tau.dtype}, but input has dtype {a.dtype}"
        )


def householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first columns, as many as `input` has, of the product of reflections.

    >>> import plugrad
    >>> a, tau = plugrad.geqrf(plugrad.tensor([[3.0, 1.0], [4.0, 2.0]]))
    >>> Q = plugrad.linalg.householder_product(a, tau)
    >>> plugrad.allclose(Q.mT @ Q, plugrad.eye(2), atol=1e-6)
    True
    """
    from .. import eye

    check("householder_product", input, tau)
    one = eye(*input.shape[-2:], dtype=input.dtype, device=input.device)
    one = one.expand(*input.shape)
    return reflected(one, input, tau, reversed(range(tau.shape[-1])))


def orgqr(input: Tensor, tau: Tensor) -> Tensor:
    """The first columns of the product of reflections, from what `geqrf` returns.

    >>> import plugrad
    >>> a = plugrad.tensor([[3.0, 1.0], [4.0, 2.0]])
    >>> packed, tau = plugrad.geqrf(a)
    >>> plugrad.allclose(plugrad.orgqr(packed, tau) @ packed.triu(), a)
    True
    """
    return householder_product(input, tau)


def ormqr(
    input: Tensor,
    tau: Tensor,
    other: Tensor,
    left: bool = True,
    transpose: bool = False,
) -> Tensor:
    """The product Q @ other (or other @ Q) of the whole Q of reflections; of its
    conjugate transpose, if asked.

    >>> import plugrad
    >>> A = plugrad.tensor([[3.0, 1.0], [4.0, 2.0]])
    >>> a, tau = plugrad.geqrf(A)
    >>> plugrad.allclose(plugrad.ormqr(a, tau, a.triu()), A)  # Q @ R
    True
    """
    check("ormqr", input, tau)
    if other.shape[-2 if left else -1] != input.shape[-2]:
        raise RuntimeError(
            f"ormqr: Q has {input.shape[-2]} rows and columns, which does not fit "
            f"'other' of shape {list(other.shape)}"
        )
    if not left:  # the transposed product
        return ormqr(input, tau, other.mH, True, not transpose).mH
    if transpose:
        return reflected(other, input, tau.conj(), range(tau.shape[-1]))
    return reflected(other, input, tau, reversed(range(tau.shape[-1])))


def geqrf(input: Tensor) -> Any:
    """R in the upper triangle, the reflections of Q below it; and their weights.

    >>> import plugrad
    >>> A = plugrad.tensor([[3.0, 1.0], [4.0, 2.0]])
    >>> a, tau = plugrad.geqrf(A)
    >>> plugrad.allclose(plugrad.linalg.householder_product(a, tau) @ a.triu(), A)
    True
    """
    from collections import namedtuple

    from .. import stack

    need_matrices(input)
    need_floats(input._k, input._a)
    with modes.no_grad():
        a = input.clone()
        weights = []
        for i in range(min(input.shape[-2:])):
            v, tau, end = reflection(a[..., i:, i])
            rest, column = a[..., i:, i + 1 :], v.unsqueeze(-1)
            moved = column @ (column.mH @ rest)
            a[..., i:, i + 1 :] = rest - tau.conj()[..., None, None] * moved
            a[..., i, i] = end
            a[..., i + 1 :, i] = v[..., 1:]
            weights.append(tau)
        none = a.new_zeros((*a.shape[:-2], 0))
        tau = stack(weights, -1) if weights else none
    return namedtuple("geqrf", ("a", "tau"))(a, tau)


def reflection(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """v, tau and the first element of the only one not zero, such that the reflection
    takes `x` there; no reflection (tau = 0) where `x` is there."""
    from .. import where

    first = x[..., 0]
    real = first.real
    there = (x[..., 1:] == 0).all(-1) & (first == real)
    end = -x.norm(dim=-1).copysign(real)  # the sign that loses no digits
    v = x / where(there, 1, first - end).unsqueeze(-1)
    v[..., 0] = 1
    tau = where(there, 0, (end - first) / where(there, 1, end))
    return v, tau, where(there, first, end.to(x.dtype))


METHODS = [geqrf, orgqr, ormqr]
