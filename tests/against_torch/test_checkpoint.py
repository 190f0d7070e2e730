"""`utils.checkpoint`: what a network gives, computed twice, is what it gives."""

from __future__ import annotations

import warnings
from importlib import import_module

import pytest

import plugrad
from plugrad.utils.checkpoint import checkpoint, checkpoint_sequential
from tests.against_torch.programs import normal, same


def library(m):
    return import_module(f"{m.__name__}.utils.checkpoint")


def network(m):
    nn = m.nn
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.Linear(4, 2))
    with m.no_grad():
        for i, p in enumerate(net.parameters()):
            p.copy_(normal(m, *p.shape, start=9 * i, dtype="float32"))
    return net


@same
def test_gradients_of_inputs_and_weights(m):
    net, x = network(m), normal(m, 5, 3, dtype="float32", requires_grad=True)
    y = library(m).checkpoint(net, x, use_reentrant=False)
    y.sin().sum().backward()
    return y, x.grad, [p.grad for p in net.parameters()]


@same
def test_inputs_that_want_no_gradient(m):
    net, x = network(m), normal(m, 5, 3, dtype="float32")
    y = library(m).checkpoint(net, x * 2, use_reentrant=False)
    grads = m.autograd.grad(y.sum(), list(net.parameters()))
    return y, x.grad, list(grads)


@same
def test_twice_on_one_network_and_arguments_by_name(m):
    net, x = network(m), normal(m, 5, 3, dtype="float32", requires_grad=True)
    check = library(m).checkpoint

    def part(x, factor, *, shift):
        return net(x * factor) + shift

    shift = (x * 3).sum()
    first = check(part, x, 2.0, shift=shift, use_reentrant=False)
    second = check(net, x + 1, use_reentrant=False)
    (first * second).sum().backward()
    return first, x.grad, [p.grad for p in net.parameters()]


@same
def test_without_gradients_it_is_the_call(m):
    net, x = network(m), normal(m, 5, 3, dtype="float32")
    with m.no_grad():
        return library(m).checkpoint(net, x, use_reentrant=False).requires_grad


@pytest.mark.parametrize("segments", [1, 2, 3, 4])
@same
def test_sequences(m, segments):
    net, x = network(m), normal(m, 5, 3, dtype="float32", requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = library(m).checkpoint_sequential(net, segments, x, use_reentrant=False)
    y.sum().backward()
    return y, x.grad, [p.grad for p in net.parameters()]


def test_random_numbers_are_the_same_both_times():
    x = plugrad.ones(200, requires_grad=True)
    y = checkpoint(lambda x: plugrad.nn.functional.dropout(x, 0.5), x)
    after = plugrad.rand(3)
    y.sum().backward()
    assert (x.grad == y.detach()).all() and 0 < (y == 0).sum() < 200
    assert not (plugrad.rand(3) == after).any()  # the stream went on


def test_the_function_runs_twice_and_its_graph_is_not_kept():
    calls = []

    def counted(x):
        calls.append(plugrad.is_grad_enabled())
        return (x * 2).exp()

    x = plugrad.ones(3, requires_grad=True)
    y = checkpoint(counted, x)
    assert calls == [True] and "Recomputed" in y.grad_fn.name()
    y.sum().backward()
    assert calls == [True, True]


def test_results_must_be_tensors():
    with pytest.raises(TypeError, match="must return a tensor"):
        checkpoint(lambda x: x.item(), plugrad.ones(1, requires_grad=True))
    assert checkpoint_sequential([plugrad.exp], 1, plugrad.zeros(1)).item() == 1
