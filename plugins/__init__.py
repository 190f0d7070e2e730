"""The plugins that come with plugrad and are not backends, such as data loading.

None is here yet.
"""

from __future__ import annotations

__all__: list[str] = []
