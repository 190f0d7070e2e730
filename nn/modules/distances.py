"""Distances and similarities of vectors, and losses of them."""

from __future__ import annotations

from collections.abc import Callable

from plugrad import Tensor

from .. import functional as F
from .losses import _Loss
from .module import Module

__all__ = [
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "MarginRankingLoss",
    "PairwiseDistance",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps along the last dimension.

    >>> import plugrad
    >>> from plugrad import nn
    >>> nn.PairwiseDistance()(plugrad.zeros(1, 2), plugrad.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """

    def __init__(
        self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
    ) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`.

    >>> import plugrad
    >>> from plugrad import nn
    >>> a, b = plugrad.tensor([[1.0, 0.0]]), plugrad.tensor([[1.0, 1.0]])
    >>> nn.CosineSimilarity()(a, b)
    tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class CosineEmbeddingLoss(_Loss):
    """The mean of 1 - cos where the target is 1, and of max(0, cos - margin) where it
    is -1, for the cosine of the two inputs.

    >>> import plugrad
    >>> from plugrad import nn
    >>> a, b = plugrad.tensor([[1.0, 0.0]]), plugrad.tensor([[1.0, 1.0]])
    >>> nn.CosineEmbeddingLoss()(a, b, plugrad.tensor([1]))
    tensor(0.2929)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class MarginRankingLoss(_Loss):
    """The mean of max(0, -target * (input1 - input2) + margin): which of two scores
    should be larger, the first for 1, the second for -1.

    >>> import plugrad
    >>> from plugrad import nn
    >>> a, b = plugrad.tensor([1.0]), plugrad.tensor([3.0])
    >>> nn.MarginRankingLoss()(a, b, plugrad.tensor([1.0]))
    tensor(2.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin), for the
    distance of the p-norm.

    >>> import plugrad
    >>> from plugrad import nn
    >>> a, b, c = plugrad.zeros(1, 1), plugrad.ones(1, 1), 1.5 * plugrad.ones(1, 1)
    >>> nn.TripletMarginLoss()(a, b, c)
    tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        check_margin("TripletMarginLoss", margin)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """`TripletMarginLoss` with a distance of one's own.

    >>> import plugrad
    >>> from plugrad import nn
    >>> a, b, c = plugrad.zeros(1, 1), plugrad.ones(1, 1), 1.5 * plugrad.ones(1, 1)
    >>> def largest(a, b):
    ...     return (a - b).abs().amax(-1)
    >>> nn.TripletMarginWithDistanceLoss(distance_function=largest)(a, b, c)
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_margin("TripletMarginWithDistanceLoss", margin)
        # a module among the distances becomes a child
        self.distance_function = distance_function or PairwiseDistance()
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


def check_margin(name: str, margin: float) -> None:
    """Raise unless a margin is positive."""
    if margin <= 0:
        raise ValueError(
            f"{name}: expected margin to be greater than 0, got {margin} instead"
        )
