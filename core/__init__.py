"""Plugrad: PyTorch's API on any array library.

>>> import plugrad
>>> x = plugrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from __future__ import annotations

from . import autograd, creation, dtypes, ops
from .autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .backend import Backend, default_backend, get_backend, set_default_backend
from .creation import *
from .dtypes import *
from .errors import BackendError, UnsupportedOpError
from .declare import op
from .ops import *
from .printing import get_printoptions, set_printoptions
from .tensor import Size, Tensor
from . import attach as _attach  # noqa: E402  (every op is declared by now)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .hookspecs import hookimpl

__all__ = [
    "Backend",
    "BackendError",
    "Size",
    "Tensor",
    "UnsupportedOpError",
    "autograd",
    "default_backend",
    "enable_grad",
    "get_backend",
    "get_printoptions",
    "hookimpl",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "op",
    "set_default_backend",
    "set_grad_enabled",
    "set_printoptions",
]
__all__ += creation.__all__
__all__ += dtypes.__all__
__all__ += ops.__all__


def __getattr__(name: str) -> Any:
    if name == "hookimpl":  # pluggy takes 13 ms to import
        from .hookspecs import hookimpl

        return hookimpl
    if name in dtypes.__all__:  # bool, int and float, which shadow nothing here
        return getattr(dtypes, name)
    raise AttributeError(f"module 'plugrad' has no attribute {name!r}")
