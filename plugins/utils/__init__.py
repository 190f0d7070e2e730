"""What is around the training: `data` loads what is learned from.

A package in here is loaded on its first use.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    full = f"{__name__}.{name}"
    if not name.startswith("_") and find_spec(full) is not None:
        return import_module(full)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
