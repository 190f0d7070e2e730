"""`plugrad predict`: what a trained network says of pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugrad import hookimpl


@hookimpl
def plugrad_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad predict` runs."""
    raise NotImplementedError
