"""A layer that multiplies two inputs by one weight."""

from __future__ import annotations

from math import sqrt
from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from .. import functional as F
from .module import Module

__all__ = ["Bilinear"]


class Bilinear(Module):
    """input1 @ weight[o] @ input2 + bias[o], for each output o.

    The weight has shape (out_features, in1_features, in2_features); weight and bias
    start from a uniform distribution within 1 / sqrt(in1_features).

    >>> import plugrad
    >>> layer = plugrad.nn.Bilinear(20, 30, 40)
    >>> layer(plugrad.zeros(128, 20), plugrad.zeros(128, 30)).shape
    plugrad.Size([128, 40])
    """

    in1_features: int
    in2_features: int
    out_features: int
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = out_features, in1_features, in2_features
        self.weight = Parameter(plugrad.empty(shape, device=device, dtype=dtype))
        if bias:
            empty = plugrad.empty(out_features, device=device, dtype=dtype)
            self.bias = Parameter(empty)
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        if self.in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but is {self.in1_features}")
        bound = 1 / sqrt(self.in1_features)
        with plugrad.no_grad():
            self.weight.uniform_(-bound, bound)
            if self.bias is not None:
                self.bias.uniform_(-bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
