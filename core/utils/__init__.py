"""What stands around the training, each package a plugin: it is imported when it is
first asked for.

>>> import plugrad
>>> loader = plugrad.utils.data.DataLoader(range(4), batch_size=2)
>>> list(loader)
[tensor([0, 1]), tensor([2, 3])]
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    from importlib import import_module
    from importlib.util import find_spec

    full = f"{__name__}.{name}"
    if not name.startswith("_") and find_spec(full) is not None:
        return import_module(full)
    from sys import modules

    from ..errors import unknown_name

    raise unknown_name(name, modules[__name__])
