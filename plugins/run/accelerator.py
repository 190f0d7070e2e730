"""`torch.accelerator`: the GPUs that plugrad.cuda sees."""

from __future__ import annotations

import plugrad


def is_available() -> bool:
    """Whether there is a GPU."""
    return plugrad.cuda.is_available()


def device_count() -> int:
    """How many there are."""
    return plugrad.cuda.device_count()


def current_accelerator(check_available: bool = False) -> plugrad.device | None:
    """The type of device that is faster than the processor; None if there is none."""
    return plugrad.device("cuda") if is_available() else None


def synchronize(device: plugrad.device | str | int | None = None) -> None:
    """Wait until a GPU has done what it was given."""
    if is_available():
        plugrad.cuda.synchronize(device)
