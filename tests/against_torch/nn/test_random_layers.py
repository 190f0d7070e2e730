"""The comparison of random layers sees what is wrong; `tests/campaigns/layers.py` runs
it, and a sample of that runs in `test_campaign_samples.py`."""

from __future__ import annotations

from random import Random

import pytest

import plugrad
from tests.against_torch.nn.random_layers import KINDS, compare


@pytest.mark.parametrize("kind", KINDS)
def test_most_are_compared(kind):
    """Torch refuses less than half of what is drawn."""
    random = Random(kind)
    found = [compare(KINDS[kind](random), "float64") for _ in range(20)]
    assert found.count(None) < 10
    assert not any(found)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wrong_is_seen(kind, monkeypatch):
    """A layer that gives a little more than it should."""
    random = Random(kind)
    layers = [KINDS[kind](random) for _ in range(5)]

    call = plugrad.nn.Module.__call__

    def wrong(self, *args, **kwargs):
        found = call(self, *args, **kwargs)
        if isinstance(found, tuple):
            return (found[0] * 1.001, *found[1:])
        return found * 1.001

    for name in {layer.name for layer in layers}:
        monkeypatch.setattr(getattr(plugrad.nn, name), "__call__", wrong)
    assert any(compare(layer, "float64") for layer in layers)
