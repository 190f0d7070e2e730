"""Chains in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from . import Case, torchlike

numbers = torchlike.numbers


def chain(case: Case) -> Callable[[], Any]:
    return torchlike.chain(torch, case)
