"""What can be asked of any value: is it a tensor, of which kind, with what result?

Python's mathematical constants stand here too, under PyTorch's names.
"""

from __future__ import annotations

import math

from . import dtypes
from .tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .dtypes import dtype

__all__ = [
    "e",
    "inf",
    "is_complex",
    "is_floating_point",
    "is_tensor",
    "nan",
    "newaxis",
    "numel",
    "pi",
    "result_type",
]

pi, e, inf, nan = math.pi, math.e, math.inf, math.nan
newaxis = None


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor.

    >>> import plugrad
    >>> plugrad.is_tensor(plugrad.zeros(1)), plugrad.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, Tensor)


def checked(name: str, x: Any) -> Tensor:
    """The argument `input`, which has to be a tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not "
            f"{type(x).__name__}"
        )
    return x


def is_floating_point(input: Tensor) -> bool:
    """Whether a tensor's dtype is a real floating-point one.

    >>> import plugrad
    >>> plugrad.is_floating_point(plugrad.zeros(1))
    True
    """
    return checked("is_floating_point", input).dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Whether a tensor's dtype is complex.

    >>> import plugrad
    >>> plugrad.is_complex(plugrad.tensor(1j))
    True
    """
    return checked("is_complex", input).dtype.is_complex


def numel(input: Tensor) -> int:
    """The number of elements of a tensor.

    >>> import plugrad
    >>> plugrad.numel(plugrad.zeros(2, 3))
    6
    """
    return checked("numel", input).shape.numel()


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype of an operation on two tensors or numbers.

    >>> import plugrad
    >>> plugrad.result_type(plugrad.tensor([1, 2]), 1.0)
    plugrad.float32
    """
    groups: list[dtype | None] = [None, None, None]  # dimensions, none, numbers
    for x in (tensor1, tensor2):
        if isinstance(x, Tensor):
            group, each = (0 if x.ndim else 1), x.dtype
        elif isinstance(x, (bool, int, float, complex)):
            group, each = 2, dtypes.scalar_dtype(x)
        else:
            raise TypeError(
                f"result_type() takes tensors and numbers, not {type(x).__name__}"
            )
        before = groups[group]
        groups[group] = each if before is None else dtypes.promote_types(before, each)
    return dtypes.result_dtype(*groups)
