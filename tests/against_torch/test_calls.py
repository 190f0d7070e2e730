"""Functions that are no ops themselves: each call below, on torch and on plugrad.

`m` is either library; a to e are the same numbers in both. Compared are values, dtypes,
shapes, the type of the exception where torch raises one, and the gradients of all
inputs, the results being multiplied by fixed numbers and summed.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.forms import Raised, compare, outcome

RANDOM = np.random.default_rng(0)
ARRAYS = {
    "a": RANDOM.normal(size=(3, 4)),
    "b": RANDOM.normal(size=(4, 5)),
    "c": RANDOM.normal(size=(2, 3, 4)),
    "d": RANDOM.normal(size=(2, 4, 3)),
    "s": RANDOM.normal(size=(3, 3)),
    "v": RANDOM.normal(size=4),
    "w": RANDOM.normal(size=3),
    "o": RANDOM.normal(size=()),
    "e": np.zeros((0, 3)),
    "i": RANDOM.integers(-3, 4, size=(3, 4)),
    "n": np.array([[1.0, np.nan, 2.0], [np.nan, np.nan, 4.0]]),
}

CALLS = """
a.max()
a.max(0)
a.max(dim=-1, keepdim=True)
m.max(a)
m.max(a, 1)
m.max(a, 1, True)
m.max(a, v)
m.max(a, other=v)
m.max(input=a, dim=0)
e.max()
e.max(0)
i.max()
i.max(1)
i.min(1).values
a.min()
a.min(0).indices
m.min(a, v)
m.min(a, dim=1)
a.aminmax()
a.aminmax(dim=1)
a.aminmax(dim=0, keepdim=True)
i.aminmax()
v.median()
a.median()
a.median(0)
a.median(dim=1, keepdim=True)
i.median()
e.median()
n.median()
n.nanmedian()
n.nanmedian(1)
a.quantile(0.3)
a.quantile(0.3, 0)
a.quantile(0.3, dim=1, keepdim=True)
a.quantile(0.3, keepdim=True)
a.quantile(v.new_tensor([0.0, 0.25, 1.0]), 1)
a.quantile(v.new_tensor([0.2, 0.9]), 0, True)
m.quantile(a, 0.5, interpolation="lower")
m.quantile(a, 0.4, 1, interpolation="higher")
m.quantile(a, 0.4, 1, interpolation="nearest")
m.quantile(a, 0.4, 1, interpolation="midpoint")
m.quantile(n, 0.5, 1)
m.nanquantile(n, 0.5, 1)
m.nanquantile(n, 0.25)
m.quantile(a, 1.5)
m.quantile(i, 0.5)
a.var()
a.var(0)
a.var(0, False)
a.var(0, True, True)
a.var(False)
a.var(unbiased=False)
a.var(dim=1, unbiased=False, keepdim=True)
a.var(1, correction=0)
a.var(correction=2)
a.var((0, 1))
a.std()
a.std(0, False)
a.std(False)
a.std(-1, keepdim=True)
a.std(axis=1, keepdims=True)
m.std(a, dim=1, correction=0)
i.std()
m.var_mean(a)
m.var_mean(a, 1)
m.var_mean(a, dim=0, unbiased=False, keepdim=True)
m.std_mean(a, 1, correction=0)
m.std_mean(a, False)
i.float().mean()
i.mean()
i.mean(dtype=m.float64)
a.mean(dtype=m.float32)
a.sum(dtype=m.float32)
a.sum(0, dtype=m.float32)
i.sum(dtype=m.int32)
i.sum(dtype=m.float64)
a.prod(1, dtype=m.float32)
a.sum([0, 1])
a.sum([-1], True)
a.sum(axis=1, keepdims=True)
a.sum(2)
a.sum((0, 0))
o.sum(0)
o.sum((0,))
o.sum(1)
o.mean(-1)
o.amax(0)
a.amax([0, 1])
c.softmax(-1, dtype=m.float32)
i.softmax(0, dtype=m.float64)
m.softmax(a, dim=1)
a.softmax()
m.log_softmax(a, 0)
a.cumsum(0, dtype=m.float32)
m.nansum(n)
m.nansum(n, 1, True)
m.nanmean(n)
m.nanmean(n, 1)
m.nanmean(n, 1, keepdim=True)
m.nanmean(i)
a.norm()
a.norm(2, 0)
a.norm(1)
a.norm(p=1, dim=1)
a.norm("fro")
a.norm("fro", dim=(0, 1))
a.norm("nuc")
a.norm(float("inf"))
a.norm(-float("inf"), 1, True)
a.norm(0)
a.norm(3.5, dim=0)
a.float().norm(dtype=m.float64)
i.norm()
m.norm(c, dim=(0, 2), keepdim=True)
m.dist(a, v)
m.dist(a, v, 1)
a.dist(v, float("inf"))
m.diff(a)
m.diff(a, 2, 0)
m.diff(a, n=0)
m.diff(v, prepend=v, append=w)
m.diff(i.bool())
m.diff(o)
m.diff(a, 9)
m.trapezoid(a)
m.trapezoid(a, dx=0.5, dim=0)
m.trapezoid(a, v)
m.trapz(v, v)
m.cumulative_trapezoid(a, dim=0)
m.cumulative_trapezoid(a, v)
m.count_nonzero(i)
m.count_nonzero(i, 0)
m.all(i, 1)
i.any()
m.unique(i)
m.unique(i, return_inverse=True, return_counts=True)
m.unique(i > 0, return_counts=True)
m.unique(i.bool(), dim=0)
m.unique(i // 3, dim=1, return_inverse=True, return_counts=True)
m.unique(n.detach(), return_inverse=True)
m.unique_consecutive(i.sort(1).values)
m.unique_consecutive(i // 3, return_inverse=True, return_counts=True)
m.unique_consecutive(i // 3, return_counts=True, dim=0)
i.unique()
m.mm(a, b)
a.mm(b)
m.mm(a, v)
m.mm(a, a)
m.mm(a, b.float())
m.bmm(c, d)
m.bmm(c, d[:1])
m.bmm(a, b)
m.mv(a, v)
m.mv(a, w)
m.dot(v, v)
m.dot(v, w)
m.dot(a, v)
v.vdot(v)
m.inner(v, v)
m.inner(a, c)
m.inner(a, o)
m.inner(a, w)
m.outer(v, w)
m.ger(v, w)
m.outer(a, v)
m.addmm(w[:, None], a, b, beta=0.5, alpha=2)
m.addmm(b[0], a, b)
m.addmv(w, a, v)
m.addmv(w, a, v, beta=0)
m.addr(a, w, v, alpha=3)
m.baddbmm(s, c, d)
m.baddbmm(w, c, d, beta=2, alpha=0.5)
m.addbmm(s, c, d)
a @ b
a @ v
w @ a
c @ v
w @ c
c @ b
v @ d
m.matmul(o, v)
i @ i.T
m.tensordot(a, b, 1)
m.tensordot(c, d, dims=([1, 2], [2, 1]))
m.tensordot(v, w, 0)
m.tensordot(c, a, 2)
m.tensordot(c, a, ([1], [1]))
m.einsum("ij,jk->ik", a, b)
m.einsum("ij,jk", a, b)
m.einsum("ij->ji", a)
m.einsum("ij->", a)
m.einsum("ij->j", a)
m.einsum("ii", s)
m.einsum("ii->i", s)
m.einsum("ij,ij->ij", s, s)
m.einsum("i,j->ij", v, w)
m.einsum("i,i", v, v)
m.einsum("bij,bjk->bik", c, d)
m.einsum("bij,bjk->ki", c, d)
m.einsum("bij,bjk,k->b", c, d, w)
m.einsum("...ij,jk->...ik", c, b)
m.einsum("...i,...i->...", c, v)
m.einsum("...", a)
m.einsum("b...->...b", c)
m.einsum("i...,...->i", a, v)
m.einsum("ij,j", a, v)
m.einsum("ba", a)
m.einsum("bA,Bb", s, s)
m.einsum("i j, j k -> i k", a, b)
m.einsum("iij->j", s[:, :, None] * v)
m.einsum("iji,jk->k", s[:, :, None] * w, s)
m.einsum("ij,kj->ik", a, v[None])
m.einsum("ij,ij->i", a, a[:1])
m.einsum("ij,jk,kl->il", s, a, b)
m.einsum("ij,jk,kl,lm->im", s, s, s, a)
m.einsum("ijk,ijk->", c, c)
m.einsum("ijk,ikj->j", c, d)
m.einsum("ij,j->ij", a, v)
m.einsum("ab,cd->abcd", a, s)
m.einsum(a, [0, 1], b, [1, 2], [0, 2])
m.einsum(a, [0, 1], b, [1, 2])
m.einsum(c, [..., 0, 1], b, [1, 2], [..., 0, 2])
m.einsum("ij,jk", [a, b])
m.einsum("i,i", i[0], i[1])
m.einsum("ij,jk", a, a)
m.einsum("ij,jk->iz", a, b)
m.einsum("ij,jk->iki", a, b)
m.einsum("ijk", a)
m.einsum("i1", a)
m.einsum("ij,jk", a)
m.tril(a)
a.triu(1)
m.tril(v)
m.diag(v)
m.diag(v, 1)
m.diag(a)
m.diag(a, -1)
m.diag(c)
a.diagonal()
c.diagonal(1, -1, 0)
m.diagonal(c, 0, 0, 0)
m.diag_embed(a)
m.diag_embed(a, 1)
m.diag_embed(a, -2, 0, 2)
m.diag_embed(c, 0, 1, -1)
m.trace(s)
m.trace(a)
i.trace()
m.trace(c)
m.kron(a, b)
m.kron(a, v)
m.kron(c, s)
m.cross(s, a[:, :3])
m.cross(w, s)
m.cross(s, s.T, dim=1)
m.cross(a, a)
m.linalg.cross(s, w)
m.linalg.cross(s, s.T, dim=0)
m.cdist(a, v[None])
m.cdist(a, a)
m.cdist(c, c[:1])
m.cdist(a, c, p=1)
m.cdist(a, a[:2], p=3.0)
m.cdist(a, a[:2], p=float("inf"))
m.cdist(a, a[:2], p=0.0)
m.cdist(a, s)
m.block_diag(a, s)
m.block_diag(v, o, a)
m.cartesian_prod(v, w)
m.cartesian_prod(v)
m.cartesian_prod(v, w, w)
m.chain_matmul(s, a, b)
m.linalg.multi_dot([s, a, b])
m.linalg.multi_dot([w, a, b])
m.linalg.multi_dot([w, a, v])
m.linalg.multi_dot([v, v])
m.matrix_power(s, 3)
m.matrix_power(s.detach(), 0)
m.matrix_power(s, -2)
s.matrix_power(5)
m.matrix_power(a, 2)
m.cov(a)
m.cov(v)
m.cov(a, correction=0)
m.cov(a, fweights=i[0].abs() + 1)
m.cov(a, aweights=v.detach().abs())
m.corrcoef(a)
m.corrcoef(v)
m.inverse(s)
s.inverse()
m.linalg.inv(a)
m.linalg.inv(s * 0)
m.det(s)
m.logdet(s @ s.T)
m.logdet(s - 5 * m.eye(3, dtype=m.float64))
m.slogdet(s)
m.linalg.solve(s, w)
m.linalg.solve(s, a)
m.linalg.solve(s * 0, a)
m.linalg.cholesky(s @ s.T)
m.linalg.cholesky(-s @ s.T)
m.linalg.eigh(s + s.T).eigenvalues
m.linalg.eigvalsh(s + s.T)
m.linalg.svdvals(a)
m.linalg.svd(a, full_matrices=False).S
m.linalg.svd(a)[1]
m.svd(a).S
m.linalg.qr(a.T)[1].abs()
m.linalg.qr(a)[0].abs().detach()
m.linalg.pinv(a)
m.pinverse(a)
m.linalg.matrix_rank(a)
m.linalg.matrix_rank(m.ones(3, 3))
m.linalg.cond(s)
m.linalg.cond(s.detach(), 1)
m.linalg.norm(a)
m.linalg.norm(a, 1)
m.linalg.norm(a, "nuc")
m.linalg.norm(a, 2)
m.linalg.norm(a, -2)
m.linalg.norm(a, float("inf"))
m.linalg.norm(v, 3)
m.linalg.norm(a, 3, 1)
m.linalg.norm(c, dim=(0, 2))
m.linalg.norm(c, 2, (0, 2), True)
m.linalg.norm(c, 2)
m.linalg.matrix_norm(c)
m.linalg.matrix_norm(c, 1, (0, 1))
m.linalg.matrix_norm(c, -1, keepdim=True)
m.linalg.matrix_norm(a, 5)
m.linalg.vector_norm(c, 2.5, (0, 1))
m.linalg.vecdot(a, v)
m.linalg.vecdot(c, a, dim=1)
m.linalg.diagonal(c)
m.linalg.diagonal(c, offset=1)
m.linalg.solve_triangular(s, a, upper=True)
m.linalg.solve_triangular(s, a.T, upper=False, left=False)
m.linalg.solve_triangular(s, a, upper=False, unitriangular=True)
m.linalg.solve_triangular(m.stack([s] * 3), s, upper=True)
m.cholesky_inverse(m.linalg.cholesky(s @ s.T))
m.cholesky_solve(a, m.linalg.cholesky(s @ s.T + m.eye(3, dtype=m.float64)))
m.cholesky_solve(a.detach(), s.detach())
m.cholesky_solve(a.detach(), s.detach(), upper=True)
m.triangular_solve(a, s)
m.triangular_solve(a, s, upper=False)
m.triangular_solve(a, s, True, True).solution
m.triangular_solve(a, s, False, True, True).solution
m.geqrf(s.detach())
m.geqrf(a.detach())
m.geqrf(c.detach()).tau
m.geqrf(e.detach())
m.geqrf(m.eye(3))
m.geqrf(a.detach().to(m.complex64) * (1 + 2j) + 1j)
m.orgqr(d[0], w)
m.orgqr(d, d[:, 0])
m.orgqr(a, w)
m.linalg.householder_product(d[0], w[:2])
m.linalg.householder_product(d[0], w.float())
m.ormqr(d[0], w, a.T)
m.ormqr(d[0], w, a, left=False)
m.ormqr(d[0], w, a, False, True)
m.ormqr(d[0].detach(), w.detach(), a.T, True, True)
m.ormqr(d[0], w, a)
a.clone().addmm_(s, a)
a.clone().addmm_(s, a, beta=0.5, alpha=2)
w.clone().addmv_(a, v)
a.clone().addr_(w, v, alpha=3)
c.clone().baddbmm_(c @ d, c)
a.clone().addbmm_(c @ d, c)
a.addmm_(s, a)
v.addmm_(s, a)
w.ger(v)
m.bincount(i.reshape(-1).abs())
m.histc(a, 4, -2, 2)
"""


def inputs(library, as_tensor):
    """The tensors of one library, those of floats with gradients."""
    found = {name: as_tensor(array.copy()) for name, array in ARRAYS.items()}
    for tensor in found.values():
        if tensor.is_floating_point():
            tensor.requires_grad_()
    return {"m": library, **found}


def floats(value):
    """All floating tensors of a result that have gradients."""
    if isinstance(value, (tuple, list)):
        return [t for each in value for t in floats(each)]
    return [value] if getattr(value, "requires_grad", False) else []


def gradients(space, result):
    """The inputs' gradients of the weighted sum of a result."""
    total = 0
    for y in floats(result):
        weights = np.cos(np.arange(y.numel())).reshape(tuple(y.shape)) + 0.5
        weights = space["v"].detach().new_tensor(weights.tolist()).to(y.dtype)
        total = total + (y * weights.reshape(y.shape)).sum().to(space["v"].dtype)
    if not isinstance(total, int):
        total.backward()
    return {name: getattr(space[name], "grad", None) for name in ARRAYS}


@pytest.mark.parametrize("call", CALLS.strip().splitlines())
def test_call(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sides = (
            inputs(plugrad, plugrad.tensor),
            inputs(torch, lambda array: torch.tensor(array)),
        )
        ours, theirs = (outcome(eval, (call, dict(side)), {}) for side in sides)
        assert compare(ours, theirs) is None
        if isinstance(theirs, Raised):
            return
        grads = [gradients(side, y) for side, y in zip(sides, (ours, theirs))]
    for name in ARRAYS:
        mine, other = (side[name] for side in grads)
        if mine is None or other is None:  # none, for the one, is zero for the other
            found = mine if other is None else other
            assert found is None or not bool((found != 0).any()), name
        else:
            assert compare(mine, other) is None, name
