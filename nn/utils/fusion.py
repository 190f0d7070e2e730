"""A layer and the batch normalization behind it as one layer, for use."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeVar

import plugrad
from plugrad import Module, Parameter, Tensor

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

M = TypeVar("M", bound=Module)


def check_both(layer: Module, bn: Any) -> None:
    """Raise unless both are in use, not in training."""
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval! Call .eval() on both")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")


def fuse_conv_bn_eval(conv: M, bn: Any, transpose: bool = False) -> M:
    """A convolution that does what `conv` and then `bn` do; with `transpose`, for
    transposed ones.

    >>> import plugrad
    >>> from plugrad import nn
    >>> conv, bn = nn.Conv1d(2, 3, 1).eval(), nn.BatchNorm1d(3).eval()
    >>> x = plugrad.ones(1, 2, 4)
    >>> nn.utils.fuse_conv_bn_eval(conv, bn)(x).allclose(bn(conv(x)), atol=1e-6)
    True
    """
    check_both(conv, bn)
    fused: Any = deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of `fuse_conv_bn_eval`.

    >>> import plugrad
    >>> from plugrad.nn.utils import fuse_conv_bn_weights
    >>> weight, one = plugrad.ones(1, 1, 1), plugrad.ones(1)
    >>> w, b = fuse_conv_bn_weights(weight, one, one, 3 * one, 1.0, one, one)
    >>> w.item(), b.item()
    (0.5, 1.0)
    """
    bias = plugrad.zeros_like(bn_rm) if conv_b is None else conv_b
    scale = (bn_rv + bn_eps).rsqrt()
    if bn_w is not None:
        scale = scale * bn_w
    shape = [1] * conv_w.ndim
    shape[1 if transpose else 0] = -1
    weight = conv_w * scale.reshape(shape)
    shift = (bias - bn_rm) * scale
    if bn_b is not None:
        shift = shift + bn_b
    dtype = conv_w.dtype if conv_b is None else conv_b.dtype
    wants = bias.requires_grad
    return made(weight, conv_w.dtype, conv_w.requires_grad), made(shift, dtype, wants)


def made(x: Tensor, dtype: Any, requires_grad: bool) -> Parameter:
    """A parameter of what was computed."""
    return Parameter(x.detach().to(dtype), requires_grad)


def fuse_linear_bn_eval(linear: M, bn: Any) -> M:
    """A linear layer that does what `linear` and then `bn` do.

    >>> import plugrad
    >>> from plugrad import nn
    >>> linear, bn = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
    >>> x = plugrad.ones(4, 2)
    >>> nn.utils.fuse_linear_bn_eval(linear, bn)(x).allclose(bn(linear(x)), atol=1e-6)
    True
    """
    check_both(linear, bn)
    fused: Any = deepcopy(linear)
    if bn.num_features not in (fused.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, "
            f"got linear.out_features={fused.out_features} and "
            f"bn.num_features={bn.num_features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight,
        fused.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of `fuse_linear_bn_eval`.

    >>> import plugrad
    >>> from plugrad.nn.utils import fuse_linear_bn_weights
    >>> one = plugrad.ones(1)
    >>> w, b = fuse_linear_bn_weights(one[None], one, one, 3 * one, 1.0, one, one)
    >>> w.item(), b.item()
    (0.5, 1.0)
    """
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
