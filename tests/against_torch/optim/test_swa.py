"""Means of models beside torch's, and batch normalization brought up to date."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.optim.both import (
    LIBRARIES,
    arrays,
    assert_close,
    assert_same_error,
)


def network(m):
    net = m.nn.Sequential(
        m.nn.Linear(3, 4), m.nn.BatchNorm1d(4), m.nn.Tanh(), m.nn.Linear(4, 2)
    ).to(m.float64)
    fill(m, net, np.random.default_rng(0))
    return net


def fill(m, net, rng):
    """New values, as training would bring them."""
    with m.no_grad():
        for p in net.parameters():
            p.copy_(m.tensor(rng.standard_normal(tuple(p.shape))))
        for b in net.buffers():
            if b.is_floating_point():
                b.copy_(m.tensor(rng.standard_normal(tuple(b.shape)) ** 2))
            else:
                b.add_(3)


def swa(m):
    return m.optim.swa_utils


AVERAGES = {
    "default": lambda m: {},
    "swa": lambda m: {"avg_fn": swa(m).get_swa_avg_fn()},
    "swa of many": lambda m: {"multi_avg_fn": swa(m).get_swa_multi_avg_fn()},
    "ema": lambda m: {"avg_fn": swa(m).get_ema_avg_fn(0.9)},
    "ema of many": lambda m: {"multi_avg_fn": swa(m).get_ema_multi_avg_fn(0.9)},
    "own": lambda m: {"avg_fn": lambda mean, new, n: (mean * n + 2 * new) / (n + 2)},
}


# torch's own mean of many takes no integers, which are among the buffers
CASES = [
    (a, b) for a in AVERAGES for b in (False, True) if (a, b) != ("swa of many", 1)
]


@pytest.mark.parametrize(("average", "use_buffers"), CASES)
def test_averages(average, use_buffers):
    """To float32 where torch makes the count a tensor of that."""

    def run(m):
        net, rng = network(m), np.random.default_rng(1)
        options = AVERAGES[average](m)
        averaged = swa(m).AveragedModel(net, use_buffers=use_buffers, **options)
        found = []
        for _ in range(6):
            fill(m, net, rng)
            averaged.update_parameters(net)
            found.append(arrays(dict(averaged.state_dict())))
        x = m.tensor(rng.standard_normal((5, 3)))
        found.append(arrays(averaged.eval()(x)))
        copied = copy.deepcopy(net)
        copied.load_state_dict(averaged.module.state_dict())
        found.append(arrays(copied.eval()(x)))
        return found

    tolerance = 1e-6 if average == "swa of many" else 1e-10
    assert_close(run(plugrad), run(torch), tolerance, tolerance)


def test_update_bn():
    """Of a mean's layers, from batches of several kinds; modes and momenta stay."""

    def run(m):
        rng = np.random.default_rng(0)
        averaged = swa(m).AveragedModel(network(m))
        averaged.eval()
        averaged.module[1].momentum = 0.3
        xs = [m.tensor(rng.standard_normal((6, 3))) for _ in range(4)]
        loader = [xs[0], (xs[1], 1), [xs[2]], xs[3]]
        swa(m).update_bn(loader, averaged, device="cpu")
        layer = averaged.module[1]
        swa(m).update_bn(iter([]), m.nn.Linear(2, 2))  # without any such layer
        return arrays(dict(averaged.state_dict())), layer.momentum, averaged.training

    assert_close(run(plugrad), run(torch))


def test_only_batch_normalization():
    def run(m):
        net = m.nn.InstanceNorm1d(3, track_running_stats=True).to(m.float64)
        x = m.tensor(np.random.default_rng(0).standard_normal((2, 3, 4)))
        net(x)
        swa(m).update_bn([x], net)
        return arrays(dict(net.state_dict()))

    assert_close(run(plugrad), run(torch))


def both_functions(m):
    net = network(m)
    swa(m).AveragedModel(net, avg_fn=lambda *_: 0, multi_avg_fn=lambda *_: 0)


@pytest.mark.parametrize(
    "call",
    [
        both_functions,
        lambda m: swa(m).get_ema_avg_fn(1.5),
        lambda m: swa(m).get_ema_multi_avg_fn(-0.5),
    ],
)
def test_errors(call):
    assert_same_error(call)


def test_training_with_a_mean():
    """The whole of it: train, average, anneal the rate, and compare."""

    def run(m):
        rng = np.random.default_rng(0)
        net = network(m)
        optimizer = m.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        mean = swa(m).AveragedModel(net)
        scheduler = swa(m).SWALR(optimizer, swa_lr=0.01, anneal_epochs=5)
        xs = [m.tensor(rng.standard_normal((8, 3))) for _ in range(10)]
        for x in xs:
            optimizer.zero_grad()
            (net(x) - x[:, :2]).pow(2).mean().backward()
            optimizer.step()
            scheduler.step()
            mean.update_parameters(net)
        swa(m).update_bn(xs, mean)
        mean.eval()
        return arrays([mean(x) for x in xs])

    ours, theirs = (run(m) for m in LIBRARIES)
    assert_close(ours, theirs, 1e-9, 1e-9)
