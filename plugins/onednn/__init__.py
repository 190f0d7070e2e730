"""oneDNN's kernels for NumPy's arrays, for what takes most of a training step's time.

    plugrad.use_kernels("numpy", "onednn")

The library is called through ctypes; nothing is compiled. Calls that it does not have,
or that are so small that NumPy is as fast, are left to the NumPy backend.
"""

from __future__ import annotations

import plugrad.nn.functional  # noqa: F401  (declares the ops)
from plugrad import Overrides, hookimpl

from . import (
    activation,
    attention,
    averages,
    convolution,
    gated,
    normalization,
    pooling,
    products,
    programs,
    recurrent,
    softmax,
)

kernels = Overrides("onednn", backend="numpy", threads=True)


@hookimpl
def plugrad_kernels(name: str) -> Overrides | None:
    """The kernels, for plugrad's plugin manager."""
    if name != "onednn":
        return None
    if not kernels.entries:
        found = programs.library()
        kernels.notes = [f"oneDNN {found.version} for {found.isa()}, {found.path}"]
        for each in (
            activation,
            attention,
            averages,
            convolution,
            gated,
            normalization,
            pooling,
            products,
            recurrent,
            softmax,
        ):
            each.give(kernels)
    return kernels
