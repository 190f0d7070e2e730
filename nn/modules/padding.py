"""Layers that put more elements around a tensor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from plugrad import Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class Padding(Module):
    """A layer that pads the last dimensions; `padding` is one size for all sides, or
    (before, after) for each dimension, the last one first."""

    mode = "constant"
    dims = 0

    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__()
        self.padding: Any
        if isinstance(padding, Iterable):
            self.padding = tuple(padding)
        else:
            self.padding = (padding,) * (2 * self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class Constant(Padding):
    """A layer that pads with one value."""

    def __init__(self, padding: int | Iterable[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class Circular(Padding):
    """A layer that pads with the elements of the other end."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (self.dims + 1, self.dims + 2):
            raise ValueError(
                f"{self._get_name()}: expected an input of {self.dims + 1} or "
                f"{self.dims + 2} dimensions, but got shape {list(input.shape)}"
            )
        return F.pad(input, self.padding, self.mode)


class CircularPad1d(Circular):
    """Pads the last dimension with the elements of the other end.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.CircularPad1d((1, 1))(plugrad.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    dims = 1


class CircularPad2d(Circular):
    """Pads the last two dimensions with the elements of the other end.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.CircularPad2d(1)(plugrad.ones(1, 2, 2)).shape
    plugrad.Size([1, 4, 4])
    """

    dims = 2


class CircularPad3d(Circular):
    """Pads the last three dimensions with the elements of the other end.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.CircularPad3d(1)(plugrad.ones(1, 2, 2, 2)).shape
    plugrad.Size([1, 4, 4, 4])
    """

    dims = 3


class ConstantPad1d(Constant):
    """Pads the last dimension with one value.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ConstantPad1d((1, 1), 7.0)(plugrad.tensor([[1.0, 2.0, 3.0]]))
    tensor([[7., 1., 2., 3., 7.]])
    """

    dims = 1


class ConstantPad2d(Constant):
    """Pads the last two dimensions with one value.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ConstantPad2d(1, 7.0)(plugrad.ones(1, 2, 2)).shape
    plugrad.Size([1, 4, 4])
    """

    dims = 2


class ConstantPad3d(Constant):
    """Pads the last three dimensions with one value.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ConstantPad3d(1, 7.0)(plugrad.ones(1, 2, 2, 2)).shape
    plugrad.Size([1, 4, 4, 4])
    """

    dims = 3


class ReflectionPad1d(Padding):
    """Pads the last dimension with its elements, mirrored at the outermost ones.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ReflectionPad1d((1, 1))(plugrad.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2.]])
    """

    mode = "reflect"
    dims = 1


class ReflectionPad2d(Padding):
    """Pads the last two dimensions with its elements, mirrored at the outermost ones.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ReflectionPad2d(1)(plugrad.ones(1, 2, 2)).shape
    plugrad.Size([1, 4, 4])
    """

    mode = "reflect"
    dims = 2


class ReflectionPad3d(Padding):
    """Pads the last three dimensions with its elements, mirrored at the outermost ones.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ReflectionPad3d(1)(plugrad.ones(1, 2, 2, 2)).shape
    plugrad.Size([1, 4, 4, 4])
    """

    mode = "reflect"
    dims = 3


class ReplicationPad1d(Padding):
    """Pads the last dimension with its outermost elements.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ReplicationPad1d((1, 1))(plugrad.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 2., 3., 3.]])
    """

    mode = "replicate"
    dims = 1


class ReplicationPad2d(Padding):
    """Pads the last two dimensions with its outermost elements.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ReplicationPad2d(1)(plugrad.ones(1, 2, 2)).shape
    plugrad.Size([1, 4, 4])
    """

    mode = "replicate"
    dims = 2


class ReplicationPad3d(Padding):
    """Pads the last three dimensions with its outermost elements.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ReplicationPad3d(1)(plugrad.ones(1, 2, 2, 2)).shape
    plugrad.Size([1, 4, 4, 4])
    """

    mode = "replicate"
    dims = 3


class ZeroPad1d(ConstantPad1d):
    """Pads the last dimension with zeros.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ZeroPad1d((1, 1))(plugrad.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 1., 2., 3., 0.]])
    """

    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pads the last two dimensions with zeros.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ZeroPad2d(1)(plugrad.ones(1, 2, 2)).shape
    plugrad.Size([1, 4, 4])
    """

    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pads the last three dimensions with zeros.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.ZeroPad3d(1)(plugrad.ones(1, 2, 2, 2)).shape
    plugrad.Size([1, 4, 4, 4])
    """

    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
