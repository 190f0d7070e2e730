"""`plugrad predict`: what a trained network says of pictures.

It reads a checkpoint of `plugrad train`, which says all that is needed: the network,
its classes, and the size and scale of its pictures (docs/train.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugrad import hookimpl

__all__: list[str] = []


@hookimpl
def plugrad_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad predict` runs."""
    from .command import main

    return main
