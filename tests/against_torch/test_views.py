"""Views: what shares memory in torch shares it here, and writes go through.

Every program is run on both sides. Compared are values, shapes, strides, whether memory
is shared with the base, what a write into the view does to the base and what a write
into the base does to the view, and the gradients of both.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad

SIDES = (plugrad, torch)

# Views of x, a tensor of shape (2, 3, 4), that no other element of them shares memory.
VIEWS = """
x[0]
x[:, 1]
x[..., 2]
x[0, 1, 2]
x[:, ::2]
x[None, :, 1:, None]
x.view(6, 4)
x.view(-1)
x.view(2, 3, 2, 2)
x.view_as(torch.zeros(4, 6))
x.reshape(4, 6)
x.reshape_as(torch.zeros(3, 8))
x.permute(2, 0, 1)
torch.permute(x, (1, 0, 2))
x.transpose(0, 2)
x.swapaxes(0, 1)
x.swapdims(1, 2)
x[0].t()
x[0].T
x.mT
x[:, :1].squeeze(1)
x[:1].squeeze()
x[:1, :, :1].squeeze((0, 2))
x.unsqueeze(1)
x.flatten()
x.flatten(1)
x.unflatten(2, (2, 2))
x.ravel()
x.movedim(0, 2)
x.moveaxis((0, 1), (1, 2))
x.narrow(1, 1, 2)
x.narrow(2, -3, 2)
x.select(1, 2)
x.unfold(2, 2, 2)
x.expand(2, 3, 4)
x.expand_as(x)
x.expand(1, 2, 3, 4)
x.broadcast_to((2, 3, 4))
x.contiguous()
x.unbind(1)[2]
x.split(2, 1)[1]
x.split([1, 3], 2)[1]
x.chunk(2, 2)[0]
x.tensor_split(2, 2)[1]
x.tensor_split((1, 2), 1)[1]
x.hsplit(3)[0]
x.vsplit(2)[1]
x.dsplit((1, 3))[1]
x.as_strided((3, 2), (4, 2))
torch.atleast_3d(x)
torch.atleast_1d(x[0, 0])
torch.atleast_2d(x[0, 0])
x.detach()
x[0][1:].T[2]
""".split("\n")[1:-1]

# Results that do not share memory with x, or share it with themselves.
OTHERS = """
x.transpose(0, 1).reshape(24)
x.transpose(0, 1).flatten()
x.transpose(0, 1).contiguous()
x.clone()
x.flip(0)
x.fliplr()
x.flipud()
x.roll(1, 1)
x.rot90(1, (0, 1))
x.rot90(2)
x.rot90(-1, (1, 2))
x.repeat(2, 1, 1)
x.tile(2)
x.tile((2, 1, 1, 1))
x.repeat_interleave(2, 1)
x.repeat_interleave(2)
x.repeat_interleave(torch.tensor([1, 0, 2]), 1)
x[[0, 1]]
x[x > 0]
x[:1].expand(3, 3, 4)
x[:, :, :1].expand(-1, -1, 5)
x.unfold(2, 3, 1)
torch.cat([x, x], 1)
torch.concat([x, x[:1]])
torch.concatenate([x, x], axis=2)
torch.stack([x, x], -1)
torch.hstack([x, x])
torch.vstack([x, x])
torch.dstack([x, x])
torch.column_stack([x[0, 0], x[1, 1]])
torch.broadcast_tensors(x[:1], x)[0]
torch.meshgrid(x[0, 0], x[0, :, 0], indexing="ij")[0]
torch.meshgrid(x[0, 0], x[0, :, 0], indexing="xy")[1]
x.select_scatter(x[0], 0, 1)
x.slice_scatter(x[:, :1], 1, 2, 3)
""".split("\n")[1:-1]


def quietly(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function()


def run(expression, side, x):
    return quietly(lambda: eval(expression, {"torch": side, "x": x}))


def base(side, requires_grad=False):
    values = np.random.default_rng(0).standard_normal((2, 3, 4))
    return side.tensor(values, requires_grad=requires_grad)


def array(x):
    return x.detach().numpy()


def strides(x):
    return tuple(x.stride())


@pytest.mark.parametrize("expression", VIEWS + OTHERS)
def test_values_strides_and_sharing(expression):
    x, t = base(plugrad), base(torch)
    y, u = run(expression, plugrad, x), run(expression, torch, t)
    np.testing.assert_array_equal(array(y), array(u))
    shared = u.untyped_storage().data_ptr() == t.untyped_storage().data_ptr()
    assert shared or expression in OTHERS
    assert np.shares_memory(array(y), array(x)) == shared
    if shared:
        assert strides(y) == strides(u)
        assert y.data_ptr() - x.data_ptr() == u.data_ptr() - t.data_ptr()


@pytest.mark.parametrize("expression", VIEWS + OTHERS)
def test_gradients(expression):
    found = []
    for side in SIDES:
        x = base(side, requires_grad=True)
        y = run(expression, side, x)
        if not y.requires_grad:
            found.append(np.zeros(1))
            continue
        (g,) = side.autograd.grad((y * y * y).sum(), x, create_graph=True)
        (h,) = side.autograd.grad((g * g).sum(), x)
        found.append(np.stack([array(g), array(h)]))
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize("expression", VIEWS)
def test_writes_go_both_ways(expression):
    found = []
    for side in SIDES:
        x = base(side)
        y = run(expression, side, x)
        y += 1
        after = array(x).copy()
        x *= 2
        found.append((after, array(y).copy()))
    for ours, theirs in zip(*found):
        np.testing.assert_array_equal(ours, theirs)


MULTIPLE = (
    "unbind",
    "split(",
    "chunk",
    "_split",
    "hsplit",
    "vsplit",
    "dsplit",
    "detach",
)


@pytest.mark.parametrize(
    "expression", [v for v in VIEWS if not any(name in v for name in MULTIPLE)]
)
def test_writes_in_the_graph(expression):
    found = []
    for side in SIDES:
        leaf = base(side, requires_grad=True)
        x = leaf * 1
        y = run(expression, side, x)
        y.mul_(3)
        x[0] = x[1] * 2
        z = (x * x).sum() + (y * y * y).sum()
        (g,) = side.autograd.grad(z, leaf)
        found.append((array(x), array(y), array(g)))
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "write",
    [
        "x.squeeze_(0)",
        "x.squeeze_()",
        "x.squeeze_((0, 3))",
        "x.unsqueeze_(1)",
        "x.transpose_(1, 2)",
        "x.swapaxes_(0, 1)",
        "x.swapdims_(0, 2)",
        "x[0, 0].t_()",
    ],
)
def test_tensors_that_change_their_shape(write):
    found = []
    for side in SIDES:
        leaf = side.tensor(np.arange(24.0).reshape(1, 6, 4, 1), requires_grad=True)
        x = leaf * 2
        before = x[:, 1:3]
        y = run(write, side, x)
        assert y is x or "[" in write
        y += 1
        x *= 3
        ((x * x).sum() + (before * before).sum()).backward()
        found.append((array(y), array(x), array(before), array(leaf.grad)))
        assert found[0][0].shape == found[-1][0].shape
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "expression",
    [
        "x.transpose(0, 1).view(-1)",
        "x.view(5)",
        "x.view(-1, -1)",
        "x.view(-2, 12)",
        "x.reshape(7, -1)",
        "x.reshape(-2)",
        "x[:0].reshape(0, -1)",
        "x.expand(-1)",
        "x.expand(-1, 2, 3, 4)",
        "x.expand(2, 3, 5)",
        "x.squeeze(3)",
        "x.squeeze((0, 0))",
        "x.unsqueeze(4)",
        "x.permute(0, 1)",
        "x.permute(0, 1, 1)",
        "x.permute(0, 1, 3)",
        "x.transpose(0, 3)",
        "x.t()",
        "x[0, 0].mT",
        "x.H",
        "x.flatten(2, 1)",
        "x.flatten(0, 3)",
        "x.unflatten(2, (3, 2))",
        "x.movedim(0, 3)",
        "x.movedim((0, 1), (0,))",
        "x.narrow(0, 1, 2)",
        "x.narrow(0, 0, -1)",
        "x.narrow(0, 3, 0)",
        "x.select(0, 2)",
        "x[0, 0, 0].select(0, 0)",
        "x.unfold(0, 3, 1)",
        "x.unfold(0, 1, 0)",
        "x.split(0)",
        "x.split(-1)",
        "x.split([1, 2])",
        "x.chunk(0)",
        "x.tensor_split(0)",
        "x.hsplit(2)",
        "x[0, 0, 0].unbind()",
        "x.unbind(3)",
        "x.flip(3)",
        "x.flip(0, 0)",
        "x.roll(1, (0, 1))",
        "x.repeat(2)",
        "x.repeat(-1, 1, 1)",
        "x.rot90(1, (0,))",
        "x.repeat_interleave(torch.tensor([1, 2]), 1)",
        "x.as_strided((2, 30), (1, 1))",
        "torch.cat([])",
        "torch.cat([x, x[0]])",
        "torch.cat([x[0, 0, 0], x[0, 0, 0]])",
        "torch.cat([x, x[:, :, 1:]])",
        "torch.cat([x], 3)",
        "torch.stack([])",
        "torch.stack([x, x[0]])",
        "torch.stack([x], 4)",
        "torch.meshgrid(x, x, indexing='ij')",
        "torch.meshgrid(x[0, 0], indexing='zz')",
        "torch.broadcast_tensors(x, x[:, :, 1:])",
        "x[:1].expand(3, 3, 4).add_(1)",
        "x.unsqueeze_(5)",
    ],
)
def test_exceptions(expression):
    found = []
    for side in SIDES:
        with pytest.raises(Exception) as raised:
            run(expression, side, base(side))
        found.append(raised.value)
    ours, theirs = found
    wanted = next(c for c in type(theirs).__mro__ if c.__module__ == "builtins")
    assert isinstance(ours, wanted), f"{ours!r} where torch raises {theirs!r}"


def test_as_strided_in_place():
    found = []
    for side in SIDES:
        leaf = base(side, requires_grad=True)
        x = leaf * 2
        x.as_strided_((2, 3), (3, 1))
        x += 1
        (x * x).sum().backward()
        found.append((array(x), array(leaf.grad)))
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_view_as_another_dtype():
    x, t = base(plugrad), base(torch)
    for name in ("int64", "float32", "uint8", "float64"):
        y, u = x.view(getattr(plugrad, name)), t.view(getattr(torch, name))
        assert tuple(y.shape) == tuple(u.shape)
        assert y.tolist() == u.tolist() or name == "float32"
        assert np.shares_memory(array(y), array(x))


def test_contiguous_is_the_tensor_itself():
    x = base(plugrad)
    assert x.contiguous() is x
    assert x.mT.contiguous() is not x
    assert x.mT.contiguous().is_contiguous()


def test_resize():
    for sizes in [(2,), (3, 8), (0,), (), (5, 5)]:
        x, t = base(plugrad), base(torch)
        assert x.resize_(sizes) is x
        t.resize_(sizes)
        assert tuple(x.shape) == tuple(t.shape)
        n = min(t.numel(), 24)
        assert x.reshape(-1).tolist()[:n] == t.reshape(-1).tolist()[:n]


def test_steps_of_a_loop_cost_one_backward_node():
    """A loop over the parts of one unbind sends back one stacked gradient."""
    x = plugrad.zeros(1000, 2, requires_grad=True)
    y = x * 1
    total = plugrad.zeros(2)
    parts = y.unbind()
    for part in parts:
        total = total + part
    calls = []
    node = parts[0].grad_fn.next_functions[0][0] or parts[0].grad_fn
    node.register_hook(lambda *_: calls.append(1))
    total.sum().backward()
    assert len(calls) == 1
    assert x.grad.tolist() == [[1.0, 1.0]] * 1000


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp", "cummax"])
def test_scans_are_contiguous(name):
    found = []
    for side in SIDES:
        y = getattr(base(side).permute(2, 0, 1), name)(1)
        found.append(strides(y if name != "cummax" else y[0]))
    assert found[0] == found[1]
