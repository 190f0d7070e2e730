"""Normalization, attention, softmax, products of many matrices and averages by oneDNN's
kernels are those of the NumPy backend."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
import plugrad.nn.functional as F
from tests.plugins.onednn_cases import WITH, count_runs, eager, random, same

from plugrad.plugins.onednn import (  # isort: skip
    attention,
    batches,
    normalization,
    normalizing,
)

__all__ = ["eager"]  # a fixture

CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # sums of some thousands
SIZES = {  # so large that they are served
    "batch": [(8, 5, 32, 32), (32, 16, 8, 8), (64, 32, 4, 4), (256, 144), (4, 3, 4000)],
    "layer": [(128, 64), (3, 5, 1000), (40, 300)],
    "group": [(8, 6, 32, 32), (2, 12, 50, 50), (3, 6, 4000)],
    "instance": [(8, 5, 32, 32), (4, 3, 4000)],
}
CASES = [(kind, size) for kind, sizes in SIZES.items() for size in sizes]


def normalize(kind, x, weight=None, bias=None):
    if kind == "batch":
        return F.batch_norm(x, None, None, weight, bias, True)
    if kind == "layer":
        return F.layer_norm(x, x.shape[-1:], weight, bias)
    if kind == "group":
        return F.group_norm(x, 3, weight, bias)
    return F.instance_norm(x, weight=weight, bias=bias)


@pytest.mark.parametrize(("kind", "size"), CASES, ids=str)
@pytest.mark.parametrize("which", ["both", "weight", "bias", "neither"])
def test_normalization(kind, size, which, monkeypatch):
    x = random(*size)
    many = size[-1] if kind == "layer" else size[1]
    weight = random(many, seed=1) if which in ("both", "weight") else None
    bias = random(many, seed=2) if which in ("both", "bias") else None
    runs = count_runs(monkeypatch)
    same(lambda *t: normalize(kind, *t), x, weight, bias, **CLOSE)
    places = x[0, 0].numel()
    if kind != "batch" or places >= normalization.SMALL_ROW:
        served = True
    else:  # in blocks of channels, which not all processors are good at
        served = normalizing.are_quick((*size[:2], places))
    assert (len(runs) > 1) is served  # there and back


@pytest.mark.parametrize("kind", SIZES)
def test_normalization_where_means_are_large(kind):
    """The error is that of the numbers themselves, which are rounded."""
    x = random(*SIZES[kind][0]).detach() + 300
    same(lambda x: normalize(kind, x), x.requires_grad_(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", SIZES)
def test_normalization_with_weights_that_are_zero(kind):
    size = SIZES[kind][0]
    many = size[-1] if kind == "layer" else size[1]
    weight = (plugrad.arange(many) % 2).float().requires_grad_()
    same(lambda *t: normalize(kind, *t), random(*size), weight, **CLOSE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", SIZES)
def test_normalization_of_what_is_not_finite(kind, value):
    x = random(*SIZES[kind][0]).detach()
    x[1, 1] = value
    same(lambda x: normalize(kind, x), x.requires_grad_(), **CLOSE)


# --- Attention ------------------------------------------------------------------------

ATTENTIONS = [
    ((4, 2, 64, 16), (4, 2, 64, 16), (4, 2, 64, 16)),
    ((3, 64, 16), (3, 192, 16), (3, 192, 24)),
    ((3, 192, 16), (3, 64, 16), (3, 64, 8)),
    ((2, 1, 3, 80, 20), (2, 1, 3, 90, 20), (2, 1, 3, 90, 1)),
    ((2, 600, 16), (2, 700, 16), (2, 700, 16)),
]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("sizes", ATTENTIONS, ids=str)
def test_attention(sizes, causal, monkeypatch):
    tensors = [random(*size, seed=i) for i, size in enumerate(sizes)]
    runs = count_runs(monkeypatch)
    same(
        lambda *t: F.scaled_dot_product_attention(*t, is_causal=causal),
        *tensors,
        **CLOSE,
    )
    assert (len(runs) > 1) is batches.are_quick()


@pytest.mark.parametrize("causal", [False, True])
def test_attention_in_small_blocks(causal, eager, monkeypatch):
    monkeypatch.setattr(attention, "CHUNK", 100)
    monkeypatch.setattr(attention, "ROWS", 4)
    tensors = [random(3, 2, n, 5, seed=n) for n in (10, 7, 7)]
    same(
        lambda *t: F.scaled_dot_product_attention(*t, is_causal=causal),
        *tensors,
        **CLOSE,
    )


def test_attention_of_heads_that_are_cut_out(eager):
    def heads(x):
        q, k, v = (part.view(2, 6, 2, 4).transpose(1, 2) for part in x.split(8, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return y.transpose(1, 2).reshape(2, 6, 8)

    same(heads, random(2, 6, 24))
    same(
        lambda q, k: F.scaled_dot_product_attention(q.mT, k.flip(1), k),
        random(2, 4, 6),
        random(2, 6, 4),
    )


def test_second_derivatives_of_attention(eager):
    def second(q, k, v):
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).square().sum()
        (g,) = plugrad.autograd.grad(y, q, create_graph=True)
        return g * g

    same(second, *(random(2, 5, 4, seed=i) for i in range(3)), **CLOSE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("which", range(3))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_attention_to_what_is_not_finite(which, value, eager):
    """A causal mask hides it from what comes before."""
    tensors = [random(2, 6, 4, seed=i).detach() for i in range(3)]
    tensors[which][0, 3, 1] = value
    same(
        lambda *t: F.scaled_dot_product_attention(*t, is_causal=True),
        *(t.requires_grad_() for t in tensors),
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_attention_where_probabilities_vanish(eager):
    """The first key's may be 0, and so may all but one's."""
    tensors = [random(2, 6, 4, seed=i).detach() * 100 for i in range(3)]
    same(
        lambda *t: F.scaled_dot_product_attention(*t, is_causal=True),
        *(t.requires_grad_() for t in tensors),
        rtol=1e-3,
        atol=1e-2,
    )


def test_masks_are_left_to_numpy(monkeypatch):
    runs = count_runs(monkeypatch)
    q, mask = random(8, 128, 16).detach(), plugrad.ones(128, 128, dtype=plugrad.bool)
    with plugrad.use_kernels(*WITH):
        F.scaled_dot_product_attention(q, q, q, mask)
    assert not runs


# --- Softmax, and products of many matrices -------------------------------------------

SOFTMAX = [(64, 500), (2, 3, 100, 70)]


@pytest.mark.parametrize("size", SOFTMAX, ids=str)
def test_softmax(size, monkeypatch):
    runs = count_runs(monkeypatch)
    same(lambda x: F.softmax(x, -1), random(*size))
    same(lambda x: F.log_softmax(x, x.ndim - 1), random(*size))
    assert len(runs) == 3  # there and back, and back
    same(lambda x: F.softmax(x, 0), random(*size))
    assert len(runs) == 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 3, slice(None)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_softmax_of_what_is_not_finite(where, value, eager):
    x = random(5, 40).detach()
    x[2, where] = value
    for function in (F.softmax, F.log_softmax):
        same(lambda x, f=function: f(x, -1), x.requires_grad_())


@pytest.mark.parametrize("turn", [(), (0,), (1,), (0, 1)], ids=str)
@pytest.mark.parametrize(
    "size", [(6, 70, 80, 90), (2, 3, 64, 64, 64), (300, 16, 16, 16)]
)
def test_products_of_many_matrices(size, turn, monkeypatch):
    *front, m, k, n = size
    tensors = [random(*front, m, k), random(*front, k, n, seed=1)]
    for i in turn:
        tensors[i] = tensors[i].mT.contiguous().mT.detach().requires_grad_()
    runs = count_runs(monkeypatch)
    same(lambda a, b: a @ b, *tensors, **CLOSE)
    assert (len(runs) == 3) is batches.are_quick()


def test_products_that_are_left_to_numpy(eager, monkeypatch):
    runs = count_runs(monkeypatch)
    a = random(4, 5, 6).detach()  # gradients are products of as many matrices
    same(lambda a: a @ random(1, 6, 7).detach(), a)
    same(lambda a: a @ random(2, 4, 6, 7).detach(), a)
    same(lambda a: a @ random(6).detach(), a)
    with plugrad.use_kernels(*WITH), pytest.raises(RuntimeError):
        a @ random(4, 5, 6)
    assert not runs


# --- Averages of windows --------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("ceil", [True, False])
@pytest.mark.parametrize(
    ("size", "window"),
    [
        ((4, 3, 2000), (3, 2, 1)),
        ((9, 16, 16, 16), (2, 2, 0)),
        ((3, 5, 45, 37), (3, 2, 1)),
        ((3, 5, 45, 37), ((2, 3), (1, 2), (0, 1))),
        ((2, 3, 16, 15, 17), (3, 2, 1)),
        ((5, 60, 70), (4, 4, 0)),
    ],
    ids=str,
)
def test_averages(size, window, ceil, whole, monkeypatch):
    function = getattr(F, f"avg_pool{max(len(size) - 2, 2) if len(size) > 3 else 1}d")
    if size == (5, 60, 70):  # without a batch
        function = F.avg_pool2d
    runs = count_runs(monkeypatch)
    same(lambda x: function(x, *window, ceil, whole), random(*size))
    assert len(runs) in (0, 2)  # none where windows reach beyond the padding
    assert runs or (ceil and whole)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_averages_of_what_is_not_finite(value, eager):
    x = random(2, 3, 8, 8).detach()
    x[0, 1, 3, 4] = value
    same(lambda x: F.avg_pool2d(x, 3, 2, 1), x.requires_grad_())


def test_averages_that_are_left_to_numpy(eager, monkeypatch):
    runs = count_runs(monkeypatch)
    x = random(2, 3, 8, 8)
    same(lambda x: F.avg_pool2d(x, 8), x)
    same(lambda x: F.avg_pool2d(x, 2, divisor_override=3), x)
    assert not runs
