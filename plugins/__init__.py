"""The plugins that come with plugrad and are not backends, such as data loading.

- Other distributions may put theirs here too, as plugrad-vision does.
- The package can be called: `plugrad.plugins()` lists every plugin.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from plugrad import Listing


class Plugins(ModuleType):
    """This package, which can be called."""

    def __call__(self) -> Listing:
        """The plugins that are installed, with their states."""
        from plugrad import list_plugins

        return list_plugins()


sys.modules[__name__].__class__ = Plugins

__all__: list[str] = []
