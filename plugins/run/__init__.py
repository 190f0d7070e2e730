"""`plugrad run`: run a PyTorch script with plugrad in PyTorch's place.

- `plugrad run script.py` is the command; docs/run.md is its page.
- `install()` does the same to a Python process: from then on `import torch` means
  plugrad, in this process and in those that multiprocessing starts from it.
- What plugrad lacks is an error that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plugrad import hookimpl

from .finder import install, is_installed, uninstall
from .names import VERSION

__all__ = ["VERSION", "install", "is_installed", "uninstall"]


@hookimpl
def plugrad_command(name: str) -> Callable[[Sequence[str]], int]:
    """What `plugrad run` runs."""
    from .command import main

    return main
