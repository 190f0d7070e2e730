"""A few seconds of each campaign, so that none of them rots between whole runs."""

from __future__ import annotations

import pytest

from tests.campaigns.registry import CAMPAIGNS
from tests.campaigns.runner import load, run_one


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_sample_of_the_campaign_passes(name):
    outcome = run_one(name, load(name), seed=0, budget=5.0)
    assert outcome.report.failures == []
