"""Layers that multiply by a weight, beside torch's."""

from __future__ import annotations

import pytest

from tests.against_torch.nn.layers import Layer, check

LAYERS = [
    Layer("Linear", (4, 3), inputs=[(2, 4)]),
    Layer("Linear", (4, 3), {"bias": False}, inputs=[(2, 5, 4)]),
    Layer("Linear", (4, 3), inputs=[(4,)]),
    Layer("Linear", (4, 3), inputs=[(0, 4)]),
    Layer("Identity", (54,), {"unused": True}, inputs=[(2, 4)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)
