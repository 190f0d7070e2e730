"""What a backend is compared with.

Every backend is compared with the NumPy backend, whose results are compared with
PyTorch's elsewhere. The NumPy backend itself is compared with the default bodies of the
ops: they run here on NumPy's arrays without any kernel, in all dtypes of NumPy's own.
"""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy as namespace
import numpy as np

import plugrad

NAME = "numpy_without_kernels"


class Plain(plugrad.Backend):
    """NumPy's arrays, with the default body of every op."""

    name = NAME
    array_type = np.ndarray
    namespace = namespace

    def find_dtype(self, each: Any) -> Any:
        return None if each.name == "bfloat16" else np.dtype(each.name)

    def wrap(self, value: Any) -> Any:
        return np.asarray(value)

    def home(self, value: Any) -> tuple[plugrad.Backend, Any]:
        return self, np.asarray(value)

    def to_numpy(self, array: Any) -> Any:
        return array

    def aliases(self, view: Any, array: Any) -> bool:
        return np.shares_memory(view, array)

    @staticmethod
    def swapaxes(x: Any, first: int, second: int) -> Any:
        return np.swapaxes(x, first, second) if x.ndim else x


def reference_for(k: plugrad.Backend) -> plugrad.Backend:
    """The backend to compare `k` with."""
    if k.name != "numpy":
        return plugrad.get_backend("numpy")
    try:
        return plugrad.get_backend(NAME)
    except plugrad.BackendError:
        plugrad.register_backend(NAME, Plain)
        return plugrad.get_backend(NAME)
