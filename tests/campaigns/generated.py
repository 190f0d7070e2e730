"""Batches of examples that Hypothesis makes, for campaigns.

A batch depends on its seed alone: nothing is kept from earlier runs. Where a check
fails, Hypothesis looks for the smallest example that still does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st


def falsified(
    check: Callable[..., None],
    arguments: dict[str, Any],  # strategies, or values that stay
    seed: int,
    examples: int,
) -> str:
    """The smallest example that fails of a batch, with the failure, or ''."""
    strategies = {
        name: each if isinstance(each, st.SearchStrategy) else st.just(each)
        for name, each in arguments.items()
    }
    settings = hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run = hypothesis.seed(seed)(settings(given(**strategies)(check)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run()
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        return f"{notes}\n{type(error).__name__}: {error}".strip()
    return ""
