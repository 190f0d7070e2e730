"""`torch.version`: which PyTorch this is in the place of."""

from __future__ import annotations

from .names import VERSION

__version__ = VERSION
debug = False
cuda: str | None = None  # plugrad is not built for one; CuPy brings its own
hip: str | None = None
xpu: str | None = None
git_version = ""
