"""Copy batches to pinned memory, from which a GPU reads without a detour.

With workers a thread does it, so that the next batches are copied while the last is
computed with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from warnings import warn

import plugrad
from plugrad import Tensor

from .collating import mapped


def find_pin(wanted: bool, device: str) -> Callable[[Any], Any] | None:
    """The function that pins a batch; None if that is not wanted, or, with a warning,
    if there is no device that would read it."""
    if not wanted:
        return None
    if not plugrad.cuda.is_available():
        warn(
            "pin_memory=True, but there is no GPU: batches stay in ordinary memory",
            stacklevel=4,
        )
        return None
    return lambda data: pinned(data, device or None)


def pinned(data: Any, device: str | None) -> Any:
    """The batch with all its tensors in pinned memory; parts with a method `pin_memory`
    of their own are asked for it."""
    if isinstance(data, Tensor):
        return data.pin_memory(device) if data.is_cpu else data
    if callable(getattr(data, "pin_memory", None)):
        return data.pin_memory()
    return mapped(lambda part: pinned(part, device), data)
