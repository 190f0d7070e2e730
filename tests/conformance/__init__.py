"""The suite that tells a backend's author what works; installed with plugrad.

Nothing is here yet. Until then `plugrad.testing` has the parts it will be made of: the
sample inputs of every op, and comparison with tolerances by dtype.
"""

from __future__ import annotations

__all__: list[str] = []
