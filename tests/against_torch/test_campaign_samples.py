"""A few seconds of each campaign, so that none of them rots between whole runs."""

from __future__ import annotations

import pytest

from tests.against_torch.inplace_programs import STEPS, check
from tests.campaigns import cycles
from tests.campaigns.registry import CAMPAIGNS
from tests.campaigns.runner import load, run_one


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_sample_of_the_campaign_passes(name):
    outcome = run_one(name, load(name), seed=0, budget=5.0)
    assert outcome.report.failures == []


def test_a_cycle_is_seen(monkeypatch):
    def note_itself(t, u):
        t.note = t

    monkeypatch.setitem(STEPS, "zero_", (note_itself, "write"))
    cycles.check([("mul", 0, 0, 1)])
    with pytest.raises(AssertionError, match="Tensor"):
        cycles.check([("zero_", 3, 0, 1)])


def test_a_wrong_step_is_seen(monkeypatch):
    def only_ours(t, u):
        return t * 2 if type(t).__module__.startswith("torch") else t * 3

    check([("mul number", 0, 0, 1)])
    monkeypatch.setitem(STEPS, "mul number", (only_ours, "pure"))
    with pytest.raises(AssertionError):
        check([("mul number", 0, 0, 1)])
