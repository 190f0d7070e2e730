"""Distances and similarities of vectors, and losses of them."""

from __future__ import annotations

from collections.abc import Callable

import plugrad
from plugrad import Tensor

from .reductions import passing_clamp, read_reduction, reduced

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "margin_ranking_loss",
    "pairwise_distance",
    "pdist",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.pairwise_distance(plugrad.zeros(1, 2), plugrad.tensor([[3.0, 4.0]]))
    tensor([5.0000])
    """
    return (x1 - x2 + eps).norm(p, -1, keepdim)


def cosine_similarity(
    x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8
) -> Tensor:
    """The cosine of the angle between vectors along `dim`: their product, divided by
    their lengths, which count as `eps` at least.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> a, b = plugrad.tensor([[1.0, 0.0]]), plugrad.tensor([[1.0, 1.0]])
    >>> F.cosine_similarity(a, b)
    tensor([0.7071])
    """
    dtype = plugrad.promote_types(x1.dtype, x2.dtype)
    if dtype.kind not in "fc":
        raise RuntimeError(
            f"cosine_similarity: expected common dtype to be floating point, "
            f"not {dtype}"
        )
    x1, x2 = x1.to(dtype), x2.to(dtype)
    if x1.shape != x2.shape:
        x1, x2 = plugrad.broadcast_tensors(x1, x2)
    a = passing_clamp(x1.norm(2, dim, True), eps)
    b = passing_clamp(x2.norm(2, dim, True), eps)
    return ((x1 / a) * (x2 / b)).sum(dim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of all pairs of rows: of row 0 and the others,
    then of row 1 and those after it, and so on.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.pdist(plugrad.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]]))
    tensor([5., 3., 4.])
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, not {p}")
    n = input.shape[0]
    first, second = input.new_ones(n, n).triu(1).nonzero().unbind(1)
    return (input[first] - input[second]).norm(p, -1)


# --- Losses of them -------------------------------------------------------------------


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of 1 - cos where the target is 1, and of max(0, cos - margin) where it
    is -1, for the cosine of the two inputs.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> a, b = plugrad.tensor([[1.0, 0.0]]), plugrad.tensor([[1.0, 1.0]])
    >>> F.cosine_embedding_loss(a, b, plugrad.tensor([1]))
    tensor(0.2929)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if target.ndim not in (0, 1):
        raise RuntimeError(
            f"0D or 1D target tensor expected, multi-target not supported: "
            f"{target.ndim}D"
        )
    expected = target.ndim + 1
    if input1.ndim != expected or input2.ndim != expected:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {expected}D input tensors, but "
            f"found inputs with sizes {list(input1.shape)} and {list(input2.shape)}"
        )
    product = (input1 * input2).sum(-1)
    sizes = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    cosine = product / sizes.sqrt()
    alike = plugrad.where(target == 1, 1 - cosine, 0.0)
    apart = plugrad.where(target == -1, (cosine - margin).clamp(min=0), 0.0)
    return reduced(alike + apart, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of max(0, -target * (input1 - input2) + margin): which of two scores
    should be larger, the first for 1, the second for -1.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> a, b = plugrad.tensor([1.0]), plugrad.tensor([3.0])
    >>> F.margin_ranking_loss(a, b, plugrad.tensor([1.0]))
    tensor(2.)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but "
            f"got sizes: input1: {input1.shape}, input2: {input2.shape}, target: "
            f"{target.shape} "
        )
    loss = (-target * (input1 - input2) + margin).clamp(min=0)
    return reduced(loss, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin), for the
    distance of the p-norm. With `swap`, the nearer of anchor and positive counts as
    that to the negative.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> a, b, c = plugrad.zeros(1, 1), plugrad.ones(1, 1), 1.5 * plugrad.ones(1, 1)
    >>> F.triplet_margin_loss(a, b, c)
    tensor(0.5000)
    """
    reduction = read_reduction(reduction, size_average, reduce)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return triplet_loss(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> a, b, c = plugrad.zeros(1, 1), plugrad.ones(1, 1), 1.5 * plugrad.ones(1, 1)
    >>> def largest(a, b):
    ...     return (a - b).abs().amax(-1)
    >>> F.triplet_margin_with_distance_loss(a, b, c, distance_function=largest)
    tensor(0.5000)
    """
    reduction = read_reduction(reduction)
    distance = distance_function or pairwise_distance
    return triplet_loss(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    """What the two have in common."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same "
            f"number of dimensions, but got: anchor {anchor.ndim}D, positive "
            f"{positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = plugrad.minimum(far, distance(positive, negative))
    return reduced((near - far + margin).clamp(min=0), reduction)
