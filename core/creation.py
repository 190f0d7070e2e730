"""Make tensors."""

from __future__ import annotations

from . import dtypes
from .backend import backend_of, default_backend
from .tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


__all__ = ["as_tensor", "ones", "tensor"]


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False) -> Tensor:
    k = default_backend()
    native = None if dtype is None else k.native(dtype)
    if native is None:
        native = k.native(guess(data))
    t = wrap(k, k.from_data(data, native, copy=True))
    return t.requires_grad_() if requires_grad else t

def guess(data):
    if hasattr(data, "dtype"): return dtypes.as_dtype(data.dtype)
    if isinstance(data, (list, tuple)):
        found=None
        for d in data:
            g = guess(d)
            found = g if found is None else dtypes.promote_types(found, g)
        return found or dtypes.get_default_dtype()
    return dtypes.scalar_dtype(data)

def as_tensor(value): 
    return wrap(default_backend(), default_backend().from_data(value, None))

def ones(*size, dtype=None, requires_grad=False):
    k=default_backend()
    t= wrap(k, k.ones(size, dtype=k.native(dtype or dtypes.get_default_dtype())))
    return t.requires_grad_() if requires_grad else t
