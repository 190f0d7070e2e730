"""What Dask has to say to be a backend.

- Nothing is computed until values are asked for: by `tolist()`, `item()`, `numpy()`,
  `bool()`, printing, or an op whose checks need them. Gradients are graphs, too.
- Arrays are never written: Dask's item assignment makes a new graph, which views do not
  see. So core gives tensors new arrays, as it does for JAX.
- A shape that depends on values is not known before these are computed. What would have
  such a shape raises UnsupportedOpError, and so does what Dask cannot do in pieces.
"""

from __future__ import annotations

from math import isnan
from typing import Any

import dask.array as da
import numpy as np
from array_api_compat.dask import array as namespace

from plugrad import UnsupportedOpError, hookimpl
from plugrad.backends.array_api import ArrayAPIBackend

from . import kernels, linalg

__all__ = ["DaskBackend", "plugrad_backend"]


class DaskBackend(ArrayAPIBackend):
    """Arrays of Dask, in chunks, on the CPU."""

    lazy = True
    kernels = kernels
    leaves_out = kernels.LEAVES_OUT

    linalg = linalg
    eye = staticmethod(kernels.eye)
    matmul = staticmethod(kernels.matmul)
    max = staticmethod(kernels.extreme("max"))
    min = staticmethod(kernels.extreme("min"))
    reshape = staticmethod(kernels.reshape)
    swapaxes = staticmethod(kernels.swapaxes)
    take_along_axis = staticmethod(kernels.take_along_axis)
    tril = staticmethod(kernels.triangle("tril"))
    triu = staticmethod(kernels.triangle("triu"))

    def __init__(self) -> None:
        super().__init__("dask", namespace)

    def try_writing(self) -> bool:
        return False

    def find_devices(self) -> tuple[tuple[str, ...], dict[str, list[Any]]]:
        return ("cpu",), {}

    def find_dtype(self, each: Any) -> Any:
        known = getattr(np, each.name, None)
        return None if known is None else np.dtype(known)

    def find_kernel(self, name: str) -> Any:
        found = super().find_kernel(name)
        return None if found is None else sized(name, found)

    # --- arrays in and out ------------------------------------------------------------

    def wrap(self, value: Any) -> Any:
        return da.from_array(np.asarray(value), name=False)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        if isinstance(data, da.Array):
            return data.astype(dtype or data.dtype).copy()
        # always a copy: a write to the array that was given would change what is
        # computed later
        return da.from_array(np.array(data, dtype=dtype), name=False)

    def from_dlpack(self, value: Any) -> Any:
        """An array of the values of another library's, copied."""
        return self.from_data(np.from_dlpack(value), None)

    def from_buffer(self, data: memoryview, dtype: Any) -> Any:
        return self.from_data(np.frombuffer(data, dtype), dtype)

    def to_numpy(self, array: Any) -> Any:
        return np.asarray(array.compute())

    def copy(self, array: Any) -> Any:
        return array.copy()


def sized(name: str, kernel: Any) -> Any:
    """`kernel`, but for results whose shape is not known yet."""

    def run(*args: Any) -> Any:
        y = kernel(*args)
        for each in y if isinstance(y, (tuple, list)) else (y,):
            if any(isnan(n) for n in getattr(each, "shape", ())):
                raise UnsupportedOpError(
                    f"{name}: the shape of the result depends on values that backend "
                    "'dask' has not computed; move the tensor with "
                    ".to(backend='numpy') first"
                )
        return y

    return run


@hookimpl
def plugrad_backend(name: str) -> DaskBackend | None:
    """The backend, for plugrad's plugin manager."""
    return DaskBackend() if name == "dask" else None
