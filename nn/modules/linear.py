"""Layers that multiply by a weight."""

from __future__ import annotations

from math import sqrt
from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from .. import functional as F
from ..parameter import UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module

__all__ = ["Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """Gives its input back; arguments are taken and ignored.

    >>> import plugrad
    >>> plugrad.nn.Identity(54, unused=True)(plugrad.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """input @ weight.T + bias.

    The weight has shape (out_features, in_features); weight and bias start from a
    uniform distribution within 1 / sqrt(in_features).

    >>> import plugrad
    >>> layer = plugrad.nn.Linear(20, 30)
    >>> layer(plugrad.zeros(128, 20)).shape
    plugrad.Size([128, 30])
    """

    in_features: int
    out_features: int
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        shape = out_features, in_features
        self.weight = Parameter(plugrad.empty(shape, device=device, dtype=dtype))
        if bias:
            empty = plugrad.empty(out_features, device=device, dtype=dtype)
            self.bias = Parameter(empty)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        bound = 1 / sqrt(self.in_features) if self.in_features > 0 else 0
        with plugrad.no_grad():
            self.weight.uniform_(-bound, bound)
            if self.bias is not None:
                self.bias.uniform_(-bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class LazyLinear(LazyModuleMixin, Linear):  # type: ignore[misc]
    """A `Linear` that takes `in_features` from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyLinear(2)
    >>> y = layer(plugrad.zeros(4, 3))
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    cls_to_become = Linear

    def __init__(
        self: Any,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew, once they are there."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self: Any, input: Tensor) -> None:
        """Take the number of features from `input`."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()
        self.in_features = self.weight.shape[-1]
