"""What NumPy has to say to be a backend.

The kernels that NumPy does better than the default bodies stand in `kernels.py`; the
methods here replace functions of NumPy's own namespace that are slow on small arrays.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from plugrad import Backend, hookimpl, register_threads

from . import kernels
from .openblas import notes
from .pool import pool

try:
    import ml_dtypes
except ImportError:  # bfloat16 is then a dtype that this backend does not have
    ml_dtypes = None

register_threads(pool.set_number)

# GNU's allocator gives large arrays back to the system when they are freed, and pays
# for new pages each time, until it has seen one of such a size come and go. A training
# step took 5 to 40 % longer before. The pages of this array are never touched.
np.empty(31 << 20, np.uint8)

# log(0) and 1 / 0 are -inf and inf here, without a word. One filter on plugrad's own
# modules costs nothing per call, where an errstate takes 830 ns.
warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"plugrad(\.|$)")


class NumpyBackend(Backend):
    """Arrays of NumPy, on the CPU."""

    name = "numpy"
    array_type = np.ndarray
    namespace = np
    kernels = kernels
    basic_views = True
    sparse = "sparse"
    replaceable = ("fuse", "matmul")
    dtype_hints = {"bfloat16": "it comes with: pip install 'plugrad[bfloat16]'"}

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
                return lambda x, b: ufunc(x, b, out=x)
        return found

    def notes(self) -> list[str]:
        return notes()

    def rest(self, resting: bool) -> None:
        pool.rest(resting)

    # --- arrays in and out ----------------------------------------------------------

    def wrap(self, value: Any) -> Any:
        return np.asarray(value)

    def home(self, value: Any) -> tuple[Backend, Any]:
        return self, np.asarray(value)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        return np.array(data, dtype=dtype, copy=copy)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, (np.ndarray, np.generic))

    def from_array(self, value: Any) -> Any:
        array = np.asarray(value)
        if array.dtype.isnative:
            return array
        return array.astype(array.dtype.newbyteorder("="))

    def from_buffer(self, data: memoryview, dtype: Any) -> Any:
        return np.frombuffer(data, dtype)

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
        if base is None:
            return False
        if base is array or base is array.base:
            return True
        under = getattr(base, "base", None)  # as_strided puts an object between
        return under is not None and (under is array or under is array.base)

    def strides(self, array: Any) -> tuple[int, ...]:
        if not array.size:  # NumPy's are 0 then
            return super().strides(array)
        size = array.itemsize
        steps = [step // size for step in array.strides]
        if 0 in steps:  # a new dimension of size 1 has the step 0 in NumPy alone
            inner = 1
            for i in range(len(steps) - 1, -1, -1):
                if not steps[i] and array.shape[i] == 1:
                    steps[i] = inner
                inner = array.shape[i] * steps[i]
        return tuple(steps)

    def dense_order(self, array: Any) -> tuple[int, ...] | None:
        return None if array.flags.c_contiguous else super().dense_order(array)

    def is_dense(self, array: Any) -> bool:
        return array.flags.c_contiguous

    def address(self, array: Any) -> int:
        return array.__array_interface__["data"][0]  # half the time of `ctypes.data`

    def extent(self, array: Any) -> tuple[int, int]:
        array = root(array)
        return self.address(array), array.nbytes

    def whole(self, array: Any) -> Any:
        return root(array).ravel(order="K").view(array.dtype)

    # --- functions that NumPy has faster ways for -----------------------------------

    matmul = staticmethod(kernels.matmul)
    pow = staticmethod(kernels.pow)

    swapaxes = staticmethod(kernels.swapaxes)
    permute_dims = staticmethod(kernels.permute)

    @staticmethod
    def matrix_transpose(x: Any) -> Any:
        return x.mT

    @staticmethod
    def reshape(x: Any, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    @staticmethod
    def sum(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        if x.itemsize == 2:
            return kernels.sum(x, axis, keepdims)
        return np.add.reduce(x, axis, dtype, None, keepdims)

    broadcast_to = staticmethod(kernels.broadcast_to)

    @staticmethod
    def cumulative_sum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
        return np.cumsum(x, axis, dtype)  # NumPy 2.0 does not have the other name

    @staticmethod
    def zeros_like(x: Any) -> Any:
        return np.zeros(x.shape, x.dtype)  # 130 ns where np.zeros_like takes 690

    @staticmethod
    def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
        return x.astype(dtype, copy=copy)

    @staticmethod
    def isdtype(dtype: Any, kind: Any) -> bool:
        return kernels.isdtype(dtype, kind)


def root(array: Any) -> Any:
    """The array that allocated, or was given, the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@hookimpl
def plugrad_backend(name: str) -> NumpyBackend | None:
    """The backend, for plugrad's plugin manager."""
    return NumpyBackend() if name == "numpy" else None
