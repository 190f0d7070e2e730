"""PyTorch's old names for tensors on a GPU: `plugrad.cuda.FloatTensor` and the like."""

from __future__ import annotations

from typing import Any

import plugrad

from .devices import index_of

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class CudaTensorType(type):
    """The class of these names, which have no instances of their own."""

    dtype: Any
    device_type = "cuda"

    def __instancecheck__(cls, value: object) -> bool:
        if not isinstance(value, plugrad.Tensor):
            return False
        return value.is_cuda and value.dtype is cls.dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> plugrad.Tensor:
        device = plugrad.device("cuda", index_of(kwargs.pop("device", None)))
        made = getattr(plugrad, cls.__name__)(*args, **kwargs, device=device)
        return made.to(device)


def _define(name: str) -> CudaTensorType:
    dtype = getattr(plugrad, name).dtype
    text = f"""Tensors of {dtype} on a GPU; use `device="cuda"` instead.

    >>> import plugrad
    >>> isinstance(plugrad.zeros(1), plugrad.cuda.{name})
    False
    """
    names = {"dtype": dtype, "__doc__": text, "__module__": "plugrad.cuda"}
    return CudaTensorType(name, (), names)


BFloat16Tensor = _define("BFloat16Tensor")
BoolTensor = _define("BoolTensor")
ByteTensor = _define("ByteTensor")
CharTensor = _define("CharTensor")
DoubleTensor = _define("DoubleTensor")
FloatTensor = _define("FloatTensor")
HalfTensor = _define("HalfTensor")
IntTensor = _define("IntTensor")
LongTensor = _define("LongTensor")
ShortTensor = _define("ShortTensor")
