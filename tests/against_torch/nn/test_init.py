"""First values of parameters: PyTorch's distributions, and its errors."""

from __future__ import annotations

import pytest
import torch

import plugrad
from tests.against_torch.same import cases, same

SHAPE = (60, 40, 3)


@cases(
    *[lambda m, name=name: m.nn.init.calculate_gain(name) for name in
      "linear conv1d conv_transpose3d sigmoid tanh relu leaky_relu selu gelu".split()],
    lambda m: m.nn.init.calculate_gain("leaky_relu", 0.3),
    lambda m: m.nn.init.calculate_gain("leaky_relu", "x"),
    lambda m: m.nn.init._calculate_fan_in_and_fan_out(m.ones(2, 3, 4, 5)),
    lambda m: m.nn.init._calculate_fan_in_and_fan_out(m.ones(2)),
    lambda m: m.nn.init.kaiming_uniform_(m.ones(2, 3), mode="fan"),
    lambda m: m.nn.init.constant_(m.ones(2, 3), 2.5),
    lambda m: m.nn.init.ones_(m.zeros(2, 3, requires_grad=True)),
    lambda m: m.nn.init.zeros_(m.ones(2, 3)),
    lambda m: m.nn.init.eye_(m.ones(3, 2)),
    lambda m: m.nn.init.eye_(m.ones(3)),
    *[lambda m, shape=shape, groups=groups: m.nn.init.dirac_(m.ones(*shape), groups)
      for shape in ((4, 2, 3), (2, 3, 2, 2), (4, 4, 3, 3, 3), (3, 3), (6, 1, 3))
      for groups in (1, 2, 4)],
    lambda m: m.nn.init.orthogonal_(m.ones(3)),
    lambda m: m.nn.init.sparse_(m.ones(3), 0.1),
    lambda m: m.nn.init.xavier_normal_(m.ones(3)),
    lambda m: m.nn.init.kaiming_normal_(m.ones(0, 3)).shape,
    lambda m: m.nn.init.constant(m.ones(2), 3.0),
    lambda m: m.nn.init.eye(m.ones(2, 2)),
)  # fmt: skip
def test_what_is_not_random(call):
    same(call)


DRAWS = {
    "uniform_": [{}, {"a": -2.0, "b": 3.0}],
    "normal_": [{}, {"mean": 1.0, "std": 0.2}],
    "trunc_normal_": [{}, {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 3.0}],
    "xavier_uniform_": [{}, {"gain": 2.0}],
    "xavier_normal_": [{}, {"gain": 2.0}],
    "kaiming_uniform_": [{}, {"a": 0.5}, {"mode": "fan_out", "nonlinearity": "relu"}],
    "kaiming_normal_": [{}, {"a": 0.5}, {"mode": "fan_out", "nonlinearity": "relu"}],
}


@pytest.mark.parametrize(
    "name, options", [(name, each) for name, every in DRAWS.items() for each in every]
)
def test_distributions(name, options):
    """Mean, deviation and the extremes of 7,200 draws are those of torch's."""
    found = []
    for m in (torch, plugrad):
        m.manual_seed(0)
        x = getattr(m.nn.init, name)(m.empty(*SHAPE), **options)
        found.append([float(f) for f in (x.mean(), x.std(), x.min(), x.max())])
    (mean, std, low, high), (our_mean, our_std, our_low, our_high) = found
    width = 5 * std / 7200**0.5
    assert abs(mean - our_mean) < 2 * width
    assert abs(std - our_std) < 2 * width
    bounded = "normal" not in name or "trunc" in name
    room = 0.02 if bounded else 1.5
    assert abs(low - our_low) < room * std and abs(high - our_high) < room * std


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (3, 2, 4)])
def test_orthogonal(shape):
    w = plugrad.nn.init.orthogonal_(plugrad.empty(*shape).double(), gain=2.0)
    w = w.reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    eye = 4 * plugrad.eye(len(product), dtype=plugrad.float64)
    plugrad.testing.assert_close(product, eye)


def test_sparse():
    for m in (torch, plugrad):
        w = m.nn.init.sparse_(m.empty(100, 4), 0.25)
        assert (w == 0).sum(0).tolist() == [25] * 4
        assert 0.005 < float(w.std()) < 0.015


def test_a_generator_decides():
    def draw(seed):
        g = plugrad.Generator().manual_seed(seed)
        return plugrad.nn.init.kaiming_normal_(plugrad.empty(3, 3), generator=g)

    assert draw(1).equal(draw(1)) and not draw(1).equal(draw(2))


def test_values_are_filled_without_a_graph():
    w = plugrad.nn.Parameter(plugrad.empty(3, 3))
    assert plugrad.nn.init.xavier_uniform_(w) is w and w.is_leaf
