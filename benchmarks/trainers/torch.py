"""Steps in torch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from . import torchlike


def step(name: str) -> Callable[[], float]:
    return torchlike.step(torch, name)
