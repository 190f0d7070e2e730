"""The comparison of random runs sees what is wrong; `tests/campaigns/optimizers.py`
runs it, and a sample of that runs in `test_campaign_samples.py`."""

from __future__ import annotations

from random import Random

import pytest

import plugrad
from tests.against_torch.optim.random_runs import Plan, compare


def plans(count, **wanted):
    """So many plans that are as wanted."""
    found, seed = [], 0
    while len(found) < count:
        plan = Plan(Random(seed))
        seed += 1
        if all(getattr(plan, key) == value for key, value in wanted.items()):
            found.append(plan)
    return found


def test_what_is_right_passes():
    for plan in plans(40):
        compare(plan)


def test_a_wrong_update_is_seen(monkeypatch):
    update = plugrad.optim.Adam.update

    def wrong(self, p, g, state, group):
        update(self, p, g * 1.001, state, group)

    monkeypatch.setattr(plugrad.optim.Adam, "update", wrong)
    for plan in plans(3, name="AdamW"):
        with pytest.raises(AssertionError):
            compare(plan)


def test_a_state_that_is_not_loaded_is_seen(monkeypatch):
    def wrong(self, state_dict):
        self.__setstate__({"param_groups": self.param_groups})

    monkeypatch.setattr(plugrad.optim.Adagrad, "load_state_dict", wrong)
    for plan in plans(3, name="Adagrad", saves=True):
        with pytest.raises(AssertionError):
            compare(plan)
