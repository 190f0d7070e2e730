"""`plugrad run`: run a PyTorch script with plugrad in PyTorch's place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugrad import hookimpl


@hookimpl
def plugrad_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad run` runs."""
    raise NotImplementedError
