"""Products of matrices, and convolutions."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from .default import default

linear = functional.linear


def matmul(a: Any, b: Any) -> Any:
    """The matrix product."""
    if a.dtype != b.dtype:
        return default("matmul", a, b)
    return torch.matmul(a, b)


def convolution(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = (1,),
    padding: Any = (0,),
    dilation: Any = (1,),
    transposed: bool = False,
    output_padding: Any = (0,),
    groups: int = 1,
) -> Any:
    """Convolutions of real numbers over up to three dimensions."""
    sizes = stride, padding, dilation, transposed, output_padding, groups
    far = transposed and max(output_padding) >= max(min(stride), min(dilation))
    if far or not x.is_floating_point() or x.ndim > 5:
        return default("convolution", x, weight, bias, *sizes)
    return torch.convolution(x, weight, bias, *sizes)
