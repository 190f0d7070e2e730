"""The backends that come with plugrad; each is a plugin like anybody's.

The package can be called: `plugrad.backends()` lists them and all others.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from plugrad import Listing


class Backends(ModuleType):
    """This package, which can be called."""

    def __call__(self) -> Listing:
        """The backends that are installed, with their states."""
        from plugrad import list_backends

        return list_backends()


sys.modules[__name__].__class__ = Backends

__all__: list[str] = []
