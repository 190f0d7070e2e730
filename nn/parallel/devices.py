"""The devices that a batch is divided among.

A device is a GPU's index, or anything `plugrad.device` takes. The CPU may be named
several times: each time is a thread of its own.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import plugrad

__all__: list[str] = []


def all_devices() -> list[Any]:
    """The indices of all GPUs; none on a machine without."""
    return list(range(plugrad.cuda.device_count()))


def device_of(device: Any) -> plugrad.device:
    """The device of an index or a name."""
    if isinstance(device, int):
        return plugrad.device("cuda", device)
    return plugrad.device(device)


def working_on(device: Any) -> Any:
    """A context in which to compute on a device."""
    if device is None or device_of(device).type != "cuda":
        return nullcontext()
    return plugrad.cuda.device(device)
