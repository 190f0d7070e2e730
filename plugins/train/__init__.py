"""`plugrad train`: train a network on pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugrad import hookimpl


@hookimpl
def plugrad_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad train` runs."""
    raise NotImplementedError
