"""Losses of scores beside yes and no: 0 and 1, or -1 and 1."""

from __future__ import annotations

import plugrad
from plugrad import Tensor

from . import regression_ops as ops
from .activation_ops import logsigmoid
from .reductions import constant, read_reduction, reduced

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "hinge_embedding_loss",
    "soft_margin_loss",
]


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of -(target * log(input) + (1 - target) * log(1 - input)), with
    logarithms not below -100, for probabilities `input`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.binary_cross_entropy(plugrad.tensor([0.5]), plugrad.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if weight is None:
        return ops.binary_cross_entropy(input, target, None, reduction)
    constant("weight", weight)
    # a weight broadcasts to the target, not the other way around
    weight = weight.expand(plugrad.broadcast_tensors(target, weight)[0].shape)
    return ops.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """The binary cross entropy of the probabilities sigmoid(input), however near to 0
    and 1 they are. `pos_weight` is the weight of yes beside no.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([0.0, -200.0])
    >>> F.binary_cross_entropy_with_logits(x, plugrad.tensor([1.0, 0.0]))
    tensor(0.3466)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size "
            f"({input.shape})"
        )
    constant("weight", weight)
    constant("pos_weight", pos_weight)
    return ops.bce_with_logits(input, target, weight, pos_weight, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of log(1 + exp(-target * input)), for targets -1 and 1.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.soft_margin_loss(plugrad.tensor([0.0]), plugrad.tensor([-1.0]))
    tensor(0.6931)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    return reduced(-logsigmoid(input * target), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of the input where the target is 1, and of max(0, margin - input) where
    it is -1: for distances of what is alike, or not.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hinge_embedding_loss(plugrad.tensor([0.5, 0.2]), plugrad.tensor([1, -1]))
    tensor(0.6500)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    apart = plugrad.where(target != 1, (margin - input).clamp(min=0), 0.0)
    alike = plugrad.where(target != -1, input, 0.0)
    return reduced(apart + alike, reduction)
