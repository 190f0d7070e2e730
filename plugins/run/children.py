"""Let `import torch` mean plugrad in processes that multiprocessing starts, too.

A forked process has what its parent has. A spawned one, or one of a fork server, first
reads what its parent prepared for it, before it imports the main module: `Arriving` is
put there, and reading it installs the finder.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.spawn
from collections.abc import Callable
from typing import Any

original: Callable[[str], dict[str, Any]] | None = None
chosen: tuple[str | None, str | None] = (None, None)


def follow(backend: str | None, device: str | None) -> None:
    """From now on, new processes install the finder, with these defaults."""
    global original, chosen
    chosen = (backend or chosen[0], device or chosen[1])
    if original is None:
        original = multiprocessing.spawn.get_preparation_data
        multiprocessing.spawn.get_preparation_data = prepared
        # The fork server itself is not told: it must not import the main module.
        multiprocessing.set_forkserver_preload([])


def leave() -> None:
    """From now on, new processes are as Python starts them."""
    global original, chosen
    if original is not None:
        multiprocessing.spawn.get_preparation_data = original
    original, chosen = None, (None, None)


def prepared(name: str) -> dict[str, Any]:
    """What a new process reads first."""
    assert original is not None
    return {"plugrad run": Arriving(chosen), **original(name)}


class Arriving:
    """Installs the finder where it is unpickled."""

    def __init__(self, chosen: tuple[str | None, str | None]) -> None:
        self.chosen = chosen

    def __reduce__(self) -> Any:
        return arrive, self.chosen


def arrive(backend: str | None, device: str | None) -> None:
    """Install the finder in a process that has just been started."""
    from .finder import install

    install(backend, device)
