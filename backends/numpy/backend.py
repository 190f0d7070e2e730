"""What NumPy has to say to be a backend.

The kernels that NumPy does better than the default bodies stand in `kernels.py`; the
methods here replace functions of NumPy's own namespace that are slow on small arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from plugrad import Backend, hookimpl

from . import kernels

try:
    import ml_dtypes
except ImportError:  # bfloat16 is then a dtype that this backend does not have
    ml_dtypes = None


class NumpyBackend(Backend):
    """Arrays of NumPy, on the CPU."""

    name = "numpy"
    array_type = np.ndarray
    namespace = np
    kernels = kernels

    def find_dtype(self, each: Any) -> Any:
        if each.name == "bfloat16":
            return np.dtype(ml_dtypes.bfloat16) if ml_dtypes else None
        return np.dtype(each.name)

    def dtype_of(self, array: Any) -> Any:
        try:
            return self.by_native[array.dtype]
        except KeyError:
            return super().dtype_of(array)

    def find_kernel(self, name: str) -> Any:
        found = super().find_kernel(name)
        if found is None:  # a ufunc can write into its first argument
            ufunc = getattr(kernels, name.rstrip("_"), None)
            if isinstance(ufunc, np.ufunc) and ufunc.nout == 1:
                if ufunc.nin == 1:
                    return lambda x: ufunc(x, x)
                return lambda x, b: ufunc(x, b, x)
        return found

    # --- arrays in and out ----------------------------------------------------------

    def wrap(self, value: Any) -> Any:
        return np.asarray(value)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        return np.array(data, dtype=dtype, copy=copy)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, (np.ndarray, np.generic))

    def to_numpy(self, array: Any) -> Any:
        return array

    def to_list(self, array: Any) -> Any:
        return array.tolist()

    def item(self, array: Any) -> Any:
        return array.item()

    # --- memory ---------------------------------------------------------------------

    def copy(self, array: Any) -> Any:
        return np.array(array, order="C", copy=True)

    def owns(self, array: Any) -> bool:
        return array.base is None and array.flags.c_contiguous

    def aliases(self, view: Any, array: Any) -> bool:
        base = view.base
        return base is not None and (base is array or base is array.base)

    def strides(self, array: Any) -> tuple[int, ...]:
        size = array.itemsize
        return tuple(step // size for step in array.strides)

    def address(self, array: Any) -> int:
        return array.ctypes.data

    # --- functions that NumPy has faster ways for -----------------------------------

    matmul = staticmethod(kernels.matmul)

    @staticmethod
    def matrix_transpose(x: Any) -> Any:
        return x.mT

    @staticmethod
    def reshape(x: Any, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    @staticmethod
    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.add.reduce(x, axis, None, None, keepdims)

    @staticmethod
    def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
        return kernels.broadcast_to(x, shape)

    @staticmethod
    def isdtype(dtype: Any, kind: Any) -> bool:
        return kernels.isdtype(dtype, kind)


@hookimpl
def plugrad_backend(name: str) -> NumpyBackend | None:
    """The backend, for plugrad's plugin manager."""
    return NumpyBackend() if name == "numpy" else None
