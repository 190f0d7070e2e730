"""PyTorch's old names for dtypes: `FloatTensor` and the like, and `Tensor(...)`.

- Calling such a class gives a tensor of its dtype: of the sizes given, or of data.
- `isinstance(x, plugrad.FloatTensor)` asks for the dtype and the CPU.
- `x.type()`, in `plugrad.convert`, is the class's name.
"""

from __future__ import annotations

from .. import dtypes
from ..devices import place
from ..tensor import Size, Tensor
from .data import finish, from_anything
from .filled import checked_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype

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
    "set_default_tensor_type",
]


class TensorType(type):
    """The class of `FloatTensor` and the like, which have no instances."""

    dtype: dtype

    def __instancecheck__(cls, value: object) -> bool:
        if not isinstance(value, Tensor) or value.dtype is not cls.dtype:
            return False
        return value.device.type == "cpu"

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        x = args[0] if len(args) == 1 else None
        if isinstance(x, Tensor) and x.dtype is not cls.dtype:
            raise TypeError(
                f"{cls.__name__}() takes a tensor of {cls.dtype}, not {x.dtype}; "
                f"use x.to({cls.dtype})"
            )
        return legacy_tensor(cls.dtype, args, kwargs)


def _define(name: str, d: dtype) -> TensorType:
    text = f"""Tensors of {d} on the CPU; use `plugrad.tensor(..., dtype={d})` instead.

    >>> import plugrad
    >>> plugrad.{name}([0, 1]).type()
    'plugrad.{name}'
    """
    return TensorType(name, (), {"dtype": d, "__doc__": text, "__module__": "plugrad"})


BFloat16Tensor = _define("BFloat16Tensor", dtypes.bfloat16)
BoolTensor = _define("BoolTensor", dtypes.bool_)
ByteTensor = _define("ByteTensor", dtypes.uint8)
CharTensor = _define("CharTensor", dtypes.int8)
DoubleTensor = _define("DoubleTensor", dtypes.float64)
FloatTensor = _define("FloatTensor", dtypes.float32)
HalfTensor = _define("HalfTensor", dtypes.float16)
IntTensor = _define("IntTensor", dtypes.int32)
LongTensor = _define("LongTensor", dtypes.int64)
ShortTensor = _define("ShortTensor", dtypes.int16)


def legacy_tensor(d: dtype, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """What `Tensor(*args)` means: sizes make a tensor whose elements are anything, a
    sequence or an array is data, a tensor is shared."""
    device = kwargs.pop("device", None)
    args = (*args, *(kwargs.pop(key) for key in ("data", "size") if key in kwargs))
    if kwargs:
        raise TypeError(
            f"new() got an unexpected keyword argument {next(iter(kwargs))!r}; use "
            "plugrad.tensor, which takes dtype and requires_grad"
        )
    if len(args) == 1:
        data = args[0]
        if isinstance(data, Tensor) and (data.ndim or data.dtype.kind not in "iu"):
            return data.detach()
        if isinstance(data, Size):
            args = tuple(data)
        elif isinstance(data, float):
            raise TypeError("new(): data must be a sequence (got float)")
        elif not hasattr(data, "__index__") or getattr(data, "ndim", 0):
            return finish(*from_anything(data, d, device, True))
    k, target = place(device)
    shape = tuple(checked_size("new", n) for n in args) if args else (0,)
    return finish(k, k.empty(shape, dtype=k.native(d)), target)


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by its old name; use `set_default_dtype`.

    >>> import plugrad
    >>> plugrad.set_default_tensor_type("plugrad.FloatTensor")
    """
    from ..convert import read_type

    d = read_type(t)[-1]
    if d.kind != "f":
        raise TypeError("only floating-point types are supported as the default type")
    dtypes.set_default_dtype(d)
