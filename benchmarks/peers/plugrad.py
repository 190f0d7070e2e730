"""Chains in plugrad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad

from . import Case, torchlike

numbers = torchlike.numbers


def chain(case: Case) -> Callable[[], Any]:
    return torchlike.chain(plugrad, case)
