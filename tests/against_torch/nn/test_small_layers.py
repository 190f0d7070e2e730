"""Flatten, Unflatten and Bilinear beside torch's."""

from __future__ import annotations

import pytest

from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, same

LAYERS = [
    Layer("Flatten", inputs=[(2, 3, 4)]),
    Layer("Flatten", (0,), inputs=[(2, 3, 4)]),
    Layer("Flatten", (0, 1), inputs=[(2, 3, 4)]),
    Layer("Flatten", (0,), inputs=[()]),
    Layer("Flatten", (-2, -1), inputs=[(2, 3, 4)]),
    Layer("Flatten", inputs=[(0, 3, 4)]),
    Layer("Unflatten", (1, (2, 3)), inputs=[(2, 6)]),
    Layer("Unflatten", (-1, [2, -1]), inputs=[(2, 6)]),
    Layer("Unflatten", (0, (1, 2, 1)), inputs=[(2, 6)]),
    Layer("Bilinear", (2, 3, 4), inputs=[(5, 2), (5, 3)]),
    Layer("Bilinear", (2, 3, 4), {"bias": False}, inputs=[(5, 2), (5, 3)]),
    Layer("Bilinear", (2, 3, 4), inputs=[(2,), (3,)]),
    Layer("Bilinear", (2, 3, 1), inputs=[(2, 5, 2), (2, 5, 3)]),
    Layer("Bilinear", (2, 3, 4), inputs=[(0, 2), (0, 3)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def bilinear(*shapes):
    def call(m):
        return m.nn.functional.bilinear(*(s and m.ones(s) for s in shapes))

    return call


@cases(
    bilinear((5, 2), (5, 3), (4, 2, 3)),
    bilinear((5, 2), (5, 3), (4, 2, 3), (4,)),
    bilinear((5, 2), (5, 3), (4, 2, 3), (3,)),
    bilinear((5, 2), (5, 3), (4, 3, 2)),
    bilinear((5, 2), (5, 3), (2, 3)),
    bilinear((5, 2), (4, 3), (4, 2, 3)),
    bilinear((5, 2), (1, 3), (4, 2, 3)),
    bilinear((5, 2), (3,), (4, 2, 3)),
    lambda m: m.nn.Bilinear(0, 2, 3),
    lambda m: m.nn.Bilinear(2, 0, 3).weight.shape,
    lambda m: m.nn.Bilinear(2, 3, 4, dtype=m.float64).bias.dtype,
    lambda m: m.nn.Flatten()(m.ones(3)),
    lambda m: m.nn.Flatten(1, 0)(m.ones(3, 2)),
    lambda m: m.nn.Unflatten(1, (2, 2))(m.ones(3, 5)),
    lambda m: m.nn.Unflatten(1, 2),
    lambda m: m.nn.Unflatten(1, (2, 2.5)),
    lambda m: m.nn.Unflatten(1, m.ones(3, 5).shape)(m.ones(2, 15)).shape,
)
def test_calls(call):
    same(call)


def test_new_bilinear_weights():
    def call(m):
        layer = m.nn.Bilinear(4, 30, 30)
        bounds = [float(p.abs().max()) for p in (layer.weight, layer.bias)]
        return all(bound <= 0.5 for bound in bounds), bounds[0] > 0.49

    same(call)
