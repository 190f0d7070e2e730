"""Recurrent networks with oneDNN's kernels: as with the NumPy backend's own."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Thread

import numpy as np
import pytest

import plugrad
from plugrad import nn
from plugrad.plugins.onednn import gated, recurrent, steps
from tests.plugins.onednn_cases import WITH, eager, gradients, random, same

__all__ = ["eager"]
KINDS = ["RNN", "LSTM", "GRU"]
CLOSE = {"rtol": 1e-3, "atol": 1e-4}  # sums over a batch and all steps


@pytest.fixture(params=[1, 2])
def threads(request):
    before = plugrad.get_num_threads()
    plugrad.set_num_threads(request.param)
    yield request.param
    plugrad.set_num_threads(before)


def count_loops(monkeypatch):
    """The loops that were begun, as a list that grows."""
    begun = []
    start = steps.Loop.start
    monkeypatch.setattr(
        steps.Loop, "start", lambda *args: begun.append(args) or start(*args)
    )
    return begun


def network(kind, *sizes, **options):
    """A layer, and a function of an input and its weights that gives all it returns."""
    plugrad.manual_seed(0)
    layer = getattr(nn, kind)(*sizes, **options)

    def call(x, *_):
        y, last = layer(x)
        last = last if isinstance(last, tuple) else (last,)
        return y, *last

    return call, list(layer.parameters())


def all_together(call, *tensors):
    """All that a function returns as a sum, so that gradients come from all of it."""

    def total(*given):
        found = call(*given)
        weights = (plugrad.arange(each.numel()).cos() for each in found)
        return sum((y.flatten() * w).sum() for y, w in zip(found, weights))

    same(call, *tensors, **CLOSE)
    same(total, *tensors, rtol=1e-3, atol=1e-2)


# --- Values and gradients -------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 16, 37, 64])
def test_batches_of_any_size(kind, batch, threads, eager):
    call, weights = network(kind, 5, 24)
    all_together(call, random(6, batch, 5), *weights)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {"bias": False},
        {"batch_first": True},
        {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True, "batch_first": True},
    ],
    ids=lambda options: "-".join(options),
)
def test_layers(kind, options, threads, eager):
    call, weights = network(kind, 7, 16, **options)
    all_together(call, random(33, 33, 7), *weights)


def test_relu(threads, eager):
    call, weights = network("RNN", 4, 32, nonlinearity="relu")
    all_together(call, random(5, 40, 4), *weights)


@pytest.mark.parametrize("width", [255, 256, 257])
def test_rows_that_begin_at_multiples_of_pages(width, eager):
    for kind in KINDS:
        call, weights = network(kind, 3, width)
        same(call, random(3, 32, 3), *weights, **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_to_begin_from(kind, threads, eager):
    layer = getattr(nn, kind)(3, 8)
    states = [random(1, 40, 8, seed=i) for i in range(2 if kind == "LSTM" else 1)]

    def call(x, *first):
        return layer(x, first if kind == "LSTM" else first[0])[0]

    same(call, random(5, 40, 3), *states, **CLOSE)
    turned = [each.detach().mT.contiguous().mT for each in states]
    same(call, random(5, 40, 3), *(t.requires_grad_() for t in turned), **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(kind, eager):
    call, weights = network(kind, 3, 4)

    def second(x, *_):
        (g,) = plugrad.autograd.grad(call(x)[0].square().sum(), x, create_graph=True)
        return g * g

    same(second, random(3, 2, 3), *weights, rtol=1e-3, atol=1e-4)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", [*KINDS, "relu"])
def test_what_is_not_finite(kind, threads, eager):
    options = {"nonlinearity": "relu"} if kind == "relu" else {}
    call, weights = network("RNN" if options else kind, 3, 8, **options)
    values = random(6, 40, 3).detach().numpy().copy()
    values[2, 3] = np.nan
    values[1, 4, 0] = np.inf
    values[3, 5, 1] = -np.inf
    values[0, 6] = 3e38
    x = plugrad.tensor(values, requires_grad=True)
    own = gradients(call, [x, *weights])
    with plugrad.use_kernels(*WITH):
        served = gradients(call, [x, *weights])
    assert own[0].isnan().any() and not own[0].isnan().all()
    for a, b in zip(own, served):
        np.testing.assert_array_equal(b.isnan().numpy(), a.isnan().numpy())
        np.testing.assert_allclose(b.numpy(), a.numpy(), **CLOSE)


# --- What is served -------------------------------------------------------------------


def test_even_batches_of_some_size_are_the_librarys(monkeypatch):
    begun = count_loops(monkeypatch)
    long, short = random(4, 32, 8), random(4, 2, 8)
    packed = nn.utils.rnn.pack_padded_sequence(long, [4] * 31 + [3])
    for kind in KINDS:
        layer = getattr(nn, kind)(8, 128)
        with plugrad.use_kernels(*WITH):
            layer(packed)
            layer(short)
            layer.double()(long.double())
            assert not begun
            layer.float()(long)[0].sum().backward()
        assert begun
        begun.clear()


def test_where_one_loop_forward_is_served_all_are():
    aheads = recurrent.rnn_ahead, recurrent.lstm_ahead, gated.gru_ahead
    assert len({recurrent.fast(each, 32, 128) for each in aheads}) == 1


def test_a_program_is_made_once(eager, monkeypatch):
    made = []
    make = steps.Loop.__init__
    monkeypatch.setattr(
        steps.Loop, "__init__", lambda *args: made.append(args) or make(*args)
    )
    call, _ = network("GRU", 4, 8)
    counts = []
    with plugrad.use_kernels(*WITH):
        for _ in range(3):
            call(random(4, 6, 4))[0].sum().backward()
            counts.append(len(made))
    assert 0 < counts[0] == counts[2]


def test_several_threads_at_a_time(threads, eager):
    call, weights = network("LSTM", 4, 16)
    x = random(8, 40, 4)
    expected = gradients(call, [x, *weights])
    wrong = []

    def work():
        for _ in range(5):
            found = gradients(call, [x, *weights])
            each = zip(found, expected)
            wrong.append(max(float((a - b).abs().max()) for a, b in each))

    with plugrad.use_kernels(*WITH):
        running = [Thread(target=work) for _ in range(4)]
        for each in running:
            each.start()
        for each in running:
            each.join()
    assert len(wrong) == 20 and max(wrong) < 1e-3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_computes():
    program = """
import os, signal, plugrad
from plugrad import nn
plugrad.set_num_threads(2)
layer, x = nn.LSTM(64, 128), plugrad.ones(5, 64, 64, requires_grad=True)
def run():
    (g,) = plugrad.autograd.grad(layer(x)[0].sum(), x)
    return g
def close(found):
    return found.allclose(expected, 1e-3, 1e-5)
expected = run()
child = os.fork()
if not child:
    signal.alarm(50)
    found = run()
    plugrad.set_num_threads(2)
    os._exit(0 if close(found) and close(run()) else 1)
_, status = os.waitpid(child, 0)
print(status, close(run()))
"""
    env = {**os.environ, "PLUGRAD_KERNELS": ":".join(WITH)}
    run = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(run, capture_output=True, text=True, env=env, timeout=100)
    assert done.stdout.split() == ["0", "True"], done.stderr
