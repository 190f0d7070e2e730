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
    from sys import modules

    from ..errors import BackendError, unknown_name

    full = f"{__name__}.{name}"
    if not name.startswith("_"):
        try:
            if find_spec(full) is not None:
                return import_module(full)
        except ImportError as error:
            if not isinstance(error.__cause__, BackendError):
                raise
            # a plugin has that name and cannot be used
            raise AttributeError(str(error), name=name) from error
    raise unknown_name(name, modules[__name__])
