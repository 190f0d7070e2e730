"""oneDNN's kernels for NumPy arrays."""

from __future__ import annotations

from plugrad import Overrides, hookimpl


@hookimpl
def plugrad_kernels(name: str) -> Overrides | None:
    """The kernels, for `use_kernels("numpy", "onednn")`."""
    return None
