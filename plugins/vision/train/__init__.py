"""`plugrad train`: train a network on pictures, and look at what came out.

- The command (docs/train.md) trains, tests after each epoch, and leaves a checkpoint,
  the curves and the misread pictures in a folder; `--resume` goes on from a checkpoint
  to the very result of a training that was never stopped.
- `load_trained` reads such a checkpoint; `plugrad predict` is made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugrad import hookimpl

from .checkpoints import Trained, load_trained

__all__ = ["Trained", "load_trained"]


@hookimpl
def plugrad_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad train` runs."""
    from .command import main

    return main
