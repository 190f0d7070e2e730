"""What checkpoints may hold, by PyTorch's names; saving and loading stand in
`plugrad.saving`.

>>> import plugrad
>>> plugrad.serialization.get_safe_globals()
[]
"""

from __future__ import annotations

from .saving import load, save
from .saving.trust import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "load",
    "safe_globals",
    "save",
]
