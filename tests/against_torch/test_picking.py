"""Functions around gathering, scattering and sorting that are no ops themselves, and
the exceptions of those that are."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad

SIDES = (plugrad, torch)

# x: floats (4, 5); v: floats (5); i: integers (4, 5) below 4; j: integers (3) below 4;
# m: a mask (4, 5); n: integers (6) with repeats.
CALLS = """
x.scatter(0, i, 1.5)
x.scatter(0, i, value=2)
x.detach().scatter(0, i[:1], x.detach(), reduce="add")
x.detach().scatter(1, i % 4, x.detach(), reduce="multiply")
torch.scatter(x, 0, i[:1], x[:1])
x.scatter_reduce(0, i, x, "amax")
x.scatter_reduce(0, i, x, reduce="mean", include_self=False)
x.clone().scatter_(0, i[:1], x[2:3])
x.clone().scatter_(0, i, 3)
x.detach().clone().scatter_(0, i, 3, reduce="add")
x.clone().scatter_add_(0, i, x)
x.clone().scatter_reduce_(0, i, x, "sum")
x.clone().index_add_(0, j, x[:3], alpha=2)
x.clone().index_copy_(0, torch.tensor([2, 0]), x[:2])
x.clone().index_fill_(1, torch.tensor([0, -1]), 7)
x.clone().index_put_((j, j), x[0, 0])
x.clone().index_put_((j,), x[:3], accumulate=True)
x.clone().index_put_((m,), x[0, 0])
x.clone().put_(torch.tensor([1, -1]), v[:2])
x.clone().masked_scatter_(m, x)
x.index_put((j, j), v[:3], accumulate=True)
x.take_along_dim(i[:, :2], 1)
x.take_along_dim(i[:1, :], dim=0)
x.take_along_dim(torch.tensor([[3]]), 1)
torch.take_along_dim(x, torch.tensor([0, 19, 3]))
torch.gather(x, 1, i)
torch.index_select(x, 0, j)
torch.select(x, 1, 2)
torch.narrow(x, 1, 1, 2)
torch.take(x, i)
torch.masked_select(x, m)
torch.embedding(x, i)
torch.nn.functional.one_hot(i)
torch.nonzero(m)
torch.nonzero(m, as_tuple=True)
x.nonzero()
torch.nonzero(x[0, 0], as_tuple=True)
torch.argwhere(m)
torch.sort(x)
torch.sort(x, 0, True)
torch.sort(x, dim=0, descending=True, stable=True)
x.sort(descending=True).values
torch.argsort(x, 0)
x.argsort(descending=True)
torch.argsort(n, stable=True, descending=True)
torch.msort(x)
torch.topk(x, 2)
torch.topk(x, k=3, dim=0, largest=False)
torch.kthvalue(x, 2, 0, keepdim=True)
torch.kthvalue(v, 3)
torch.searchsorted(v.sort().values, x)
torch.searchsorted(v.sort().values, x, right=True)
torch.searchsorted(v.sort().values, x, side="right", out_int32=True)
torch.searchsorted(v, x, sorter=v.argsort())
torch.searchsorted(x.sort().values, x)
torch.searchsorted(x.sort().values, x[:, :2], right=True)
torch.searchsorted(v.sort().values, 0.5)
torch.searchsorted(torch.tensor([1.0, 2.0]), torch.tensor([float("nan"), 3.0]))
torch.bucketize(x, v.sort().values)
torch.bucketize(0.1, v.sort().values, right=True)
torch.isin(n, torch.tensor([0, 2]))
torch.isin(n, 2)
torch.isin(2, n, invert=True)
torch.isin(n, torch.tensor([0, 2]), invert=True)
torch.repeat_interleave(n)
torch.repeat_interleave(x, torch.tensor([2]), dim=1)
x.select_scatter(v, 0, 1)
x.slice_scatter(x[:2], 0, 1, 3)
torch.sort(torch.tensor([2.0, float("nan"), 1.0, float("inf")]))
torch.sort(torch.tensor([2.0, float("nan"), 1.0, -float("inf")]), descending=True)
torch.topk(torch.tensor([2.0, float("nan"), 1.0]), 2)
torch.flip(x, dims=[0, 1])
torch.flip(x, (1,))
x.flip(0, 1)
x.flip([0])
x.flip(dims=(1,))
x.permute(dims=(1, 0))
torch.permute(x, dims=(1, 0))
torch.reshape(x, shape=(5, 4))
x.expand(size=(2, 4, 5))
x.repeat(repeats=(1, 2))
torch.tile(x, dims=(2,))
torch.stack([x, x], axis=1)
torch.sort(x, axis=0)
""".split("\n")[1:-1]

EXCEPTIONS = """
x.gather(0, j)
x.gather(2, i)
x.gather(0, i + 9)
x.gather(0, i - 9)
x.gather(1, torch.zeros(5, 1, dtype=torch.int64))
x.gather(0, x)
x.scatter(0, i + 9, 1.0)
x.scatter(0, i, x[:1])
x.scatter(0, i, i)
x.scatter(0, i, 1.0, reduce="max")
x.scatter_add(0, i, i)
x.scatter_add(0, j, x)
x.scatter_reduce(0, i, x, "most")
x.index_select(0, j + 9)
x.index_select(0, -1 - j)
x.index_select(0, i)
x.index_select(0, v)
x.index_select(2, j)
x.index_add(0, j, x)
x.index_add(0, j + 9, x[:3])
v.index_add(0, j + 9, v[:3])
x.index_add(0, j, i[:3])
x.index_copy(0, j, x)
x.index_copy(0, j + 9, x[:3])
x.index_fill(0, j + 9, 1)
x.index_fill(0, i, 1)
x.index_fill(0, j, v)
x.index_put((j,), i[:3])
x.index_put((j + 9,), x[:3])
x.index_put((j, j), x[:2])
x.take(i + 99)
x.take(x)
x.put(j, x)
x.put(j, i[0, :3])
x.put(j + 99, v[:3])
x.masked_select(x)
x.masked_select(m[:, :3])
x.masked_scatter(m, v[:1])
x.masked_scatter(m, i)
x.topk(6)
x.topk(-1)
x.topk(2, 2)
x.kthvalue(0)
x.kthvalue(6)
x.sort(2)
x.argsort(-3)
torch.embedding(x, i + 9)
torch.embedding(x, i - 9)
torch.embedding(v, i)
torch.embedding(x, x)
x.take_along_dim(j, 0)
x.take_along_dim(x, 0)
torch.searchsorted(x, v)
torch.searchsorted(v, v, right=True, side="left")
torch.searchsorted(v, v, side="middle")
torch.searchsorted(v, v, sorter=j)
torch.bucketize(v, x)
torch.repeat_interleave(x, torch.tensor([-1]), 0)
x.select_scatter(v[:2], 0, 1)
x.requires_grad_().scatter_(0, i, 1.0)
x.requires_grad_().index_put_((j,), x[:3])
x[:, :1].expand(4, 5).index_add_(1, j, x[:, :3])
""".split("\n")[1:-1]


def names(side, requires_grad=False):
    rng = np.random.default_rng(0)
    return {
        "torch": side,
        "x": side.tensor(rng.standard_normal((4, 5)), requires_grad=requires_grad),
        "v": side.tensor(rng.standard_normal(5), requires_grad=requires_grad),
        "i": side.tensor(rng.permuted(np.tile(np.arange(4), (5, 1)), axis=1).T.copy()),
        "j": side.tensor(np.array([3, 0, 2])),
        "m": side.tensor(rng.standard_normal((4, 5)) > 0),
        "n": side.tensor(np.array([2, 0, 1, 2, 0, 2])),
    }


def run(call, side, requires_grad=False):
    given = names(side, requires_grad)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return given, eval(call, given)


def array(x):
    return x.detach().numpy()


def flattened(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("call", CALLS)
def test_values_and_gradients(call):
    found = []
    for side in SIDES:
        given, result = run(call, side, requires_grad=True)
        outputs = flattened(result)
        found.append([array(y) for y in outputs])
        wanted = [y for y in outputs if y.requires_grad]
        found[-1].append(len(wanted))
        if not wanted:
            continue
        leaves = given["x"], given["v"]
        total = sum((y * y * y).sum() for y in wanted)
        first = side.autograd.grad(total, leaves, create_graph=True, allow_unused=True)
        used = [g for g in first if g is not None]
        again = side.autograd.grad(
            sum((g * g).sum() for g in used), leaves, allow_unused=True
        )
        found[-1] += [None if g is None else array(g) for g in (*first, *again)]
    ours, theirs = found
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        if a is None or b is None:
            assert a is None and b is None
            continue
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("call", EXCEPTIONS)
def test_exceptions(call):
    found = []
    for side in SIDES:
        with pytest.raises(Exception) as raised:
            run(call, side)
        found.append(raised.value)
    ours, theirs = found
    wanted = next(c for c in type(theirs).__mro__ if c.__module__ == "builtins")
    assert isinstance(ours, wanted), f"{ours!r} where torch raises {theirs!r}"


def test_embedding_does_not_train_its_padding():
    for freq in (False, True):
        found = []
        for side in SIDES:
            given, _ = run("x", side, requires_grad=True)
            where = side.tensor([1, 1, 0, 3])
            y = side.embedding(given["x"], where, 0, freq)
            (y * y).sum().backward()
            found.append(array(given["x"].grad))
        np.testing.assert_allclose(*found, rtol=1e-12)
        assert (found[0][0] == 0).all()


def test_long_rows():
    """Past 64 elements topk takes another way; so does adding more than 64 values."""
    rng = np.random.default_rng(0)
    values = rng.permutation(3000).reshape(3, 1000).astype(np.float32)
    for k, dim, largest in [(5, 1, True), (5, 1, False), (2, 0, True), (600, 1, True)]:
        ours = plugrad.tensor(values).topk(k, dim, largest)
        theirs = torch.tensor(values).topk(k, dim, largest)
        np.testing.assert_array_equal(array(ours.values), array(theirs.values))
        np.testing.assert_array_equal(array(ours.indices), array(theirs.indices))
    where = rng.integers(0, 50, 1000)
    found = []
    for side in SIDES:
        w = side.tensor(rng.standard_normal((50, 8)) * 0 + 1, requires_grad=True)
        g = side.tensor(np.arange(8000.0).reshape(1000, 8))
        (w[side.tensor(where)] * g).sum().backward()
        found.append(array(w.grad))
    np.testing.assert_allclose(*found, rtol=1e-12)
