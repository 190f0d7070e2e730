"""Tensors that a module counts as its own.

- A Parameter is a leaf that requires a gradient, and prints as one. Everything computed
  from it is a plain Tensor.
- A Buffer is part of a module's state and no parameter.
"""

from __future__ import annotations

from .protocols import with_array
from .storage import share
from .tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self


class Parameter(Tensor):
    """A tensor that is a parameter of the module it is assigned to.

    >>> import plugrad
    >>> plugrad.nn.Parameter(plugrad.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()
    _copies_grad = False

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        if data is None:
            data = Tensor()
        elif not isinstance(data, Tensor):
            raise TypeError(
                f"{cls.__name__}() takes a Tensor, not {type(data).__name__}; make one "
                "with plugrad.tensor(...)"
            )
        if requires_grad and data.dtype.kind not in "fc":
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require "
                f"gradients; this one has dtype {data.dtype}: give requires_grad=False"
            )
        self: Any = with_array(cls, data._k, data._a, requires_grad)
        share(data, self)
        if requires_grad:
            self._node.s = self._s
        return self

    def _text_before(self) -> str:
        return "Parameter containing:\ntensor("


class Buffer(Tensor):
    """A tensor that is a buffer of the module it is assigned to; where it is not
    `persistent`, the module's `state_dict` leaves it out.

    >>> import plugrad
    >>> m = plugrad.nn.Module()
    >>> m.mean = plugrad.nn.Buffer(plugrad.zeros(2))
    >>> list(m.state_dict())
    ['mean']
    """

    __slots__ = ("persistent",)
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        data = Tensor() if data is None else data
        self: Any = with_array(cls, data._k, data._a, data.requires_grad)
        share(data, self)
        self.persistent = persistent
        return self
