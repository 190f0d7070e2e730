"""Losses of scores for classes."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Tensor

from . import class_ops as ops
from .activation_ops import logsigmoid
from .reductions import constant, read_reduction, reduced

__all__ = [
    "cross_entropy",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
]


# --- One class of several -------------------------------------------------------------


def check_target(name: str, input: Tensor, target: Tensor) -> None:
    """Raise unless there is one class index for each element of the batch."""
    shape, given = tuple(input.shape), tuple(target.shape)
    if not shape:
        raise ValueError(
            f"{name}: expected an input of 1 dimension or more, of classes"
        )
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    if given != expected:
        kind = ValueError if len(given) <= 1 and len(shape) <= 2 else RuntimeError
        raise kind(
            f"{name}: expected a target of shape {list(expected)} for an input of "
            f"shape {list(shape)}, one class index for each, but got {list(given)}"
        )
    if target.dtype.kind not in "iu":
        raise RuntimeError(
            f"{name}: class indices are integers, not {target.dtype}: cast with "
            ".long(); probabilities have the shape of the input"
        )


def check_weight(name: str, input: Tensor, weight: Tensor | None) -> None:
    """Raise unless there is one weight for each class."""
    if weight is None:
        return
    constant("weight", weight)
    n = input.shape[1 if input.ndim > 1 else 0]
    if tuple(weight.shape) != (n,):
        raise RuntimeError(
            f"{name}: weight tensor should be defined either for all {n} classes or no "
            f"classes but got weight tensor of shape: {list(weight.shape)}"
        )
    if weight.dtype != input.dtype:
        raise RuntimeError(
            f"{name}: the weight is {weight.dtype} and the input {input.dtype}: give "
            f"both the same dtype"
        )


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log(softmax(input)) at the target: class indices, or probabilities of classes.

    The classes are dimension 1 of the input, or the only one.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([[2.0, 0.0], [0.0, 2.0]])
    >>> F.cross_entropy(x, plugrad.tensor([0, 1]))
    tensor(0.1269)
    >>> F.cross_entropy(x, plugrad.tensor([[0.5, 0.5], [0.0, 1.0]]), reduction="none")
    tensor([1.1269, 0.1269])
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if input.shape == target.shape and input.ndim:
        return soft_cross_entropy(
            input, target, weight, ignore_index, reduction, label_smoothing
        )
    check_target("cross_entropy", input, target)
    if weight is not None:
        check_weight("cross_entropy", input, weight)
    if label_smoothing == 0.0:
        return ops.cross_entropy(input, target, weight, ignore_index, reduction)
    check_smoothing(label_smoothing)
    return smoothed(input, target, weight, ignore_index, reduction, label_smoothing)


def check_smoothing(label_smoothing: float) -> None:
    """Raise unless the share of smoothing is one."""
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}"
        )


def along_classes(weight: Tensor, input: Tensor) -> Tensor:
    """Weights of classes, in the shape that multiplies the input."""
    return weight.reshape((-1,) + (1,) * (input.ndim - 2)) if input.ndim > 2 else weight


def soft_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    """The cross entropy with probabilities of classes."""
    if target.dtype.kind not in "f":
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype}"
        )
    if ignore_index >= 0:
        raise RuntimeError(
            "ignore_index is not supported for floating point target: there is no "
            "class to ignore among probabilities"
        )
    check_weight("cross_entropy", input, weight)
    check_smoothing(label_smoothing)
    dim = 1 if input.ndim > 1 else 0
    n = input.shape[dim]
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / n
    loss = plugrad.log_softmax(input, dim) * target
    if weight is not None:
        loss = loss * along_classes(weight, input)
    if reduction == "mean":
        return -loss.sum() / (input.numel() / n if n else 1)
    return -loss.sum() if reduction == "sum" else -loss.sum(dim)


def smoothed(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    """The cross entropy with a share of each target spread over all classes."""
    dim = 1 if input.ndim > 1 else 0
    logp = plugrad.log_softmax(input, dim)
    at_target = ops.nll_loss(logp, target, weight, ignore_index, reduction)
    if weight is not None:
        logp = logp * along_classes(weight, input)
    counts = target != ignore_index
    spread = plugrad.where(counts, -logp.sum(dim), 0.0)
    if reduction != "none":
        spread = spread.sum()
    if reduction == "mean":
        if weight is None:
            total: Any = counts.sum()
        else:
            total = weight[plugrad.where(counts, target, 0)] * counts
            total = total.sum()
        spread = spread / total
    share = label_smoothing / input.shape[dim]
    return at_target * (1 - label_smoothing) + spread * share


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative of what the input, log-probabilities, has at each target class.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> logp = plugrad.log_softmax(plugrad.tensor([[2.0, 0.0]]), 1)
    >>> F.nll_loss(logp, plugrad.tensor([0]))
    tensor(0.1269)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    check_target("nll_loss", input, target)
    check_weight("nll_loss", input, weight)
    return ops.nll_loss(input, target, weight, ignore_index, reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean, over the other classes, of how far each score comes closer than
    `margin` to that of the target class, to the power `p`, 1 or 2.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.multi_margin_loss(plugrad.tensor([[1.0, 0.5, 2.0]]), plugrad.tensor([0]))
    tensor(0.8333)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"only p == 1 and p == 2 supported, not {p}")
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"weight must be one-dimensional, not of {weight.ndim}")
    if input.ndim not in (1, 2) or not input.shape[-1]:
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but "
            f"got: {list(input.shape)}"
        )
    rows = input.reshape(-1, input.shape[-1])
    classes = target.reshape(-1)
    if len(classes) != len(rows) or target.ndim > 1:
        raise RuntimeError(
            f"inconsistent target size, expected {len(rows)} but got "
            f"{list(target.shape)}"
        )
    check_weight("multi_margin_loss", input, weight)
    at = classes[:, None]
    distance = (rows - rows.gather(1, at) + margin).clamp(min=0)
    if p == 2:
        distance = distance * distance
    loss = distance.scatter(1, at, 0.0)
    if weight is not None:
        loss = loss * weight[at]
    loss = loss.sum(1) / input.shape[-1]
    return reduced(loss.reshape(()) if input.ndim == 1 else loss, reduction)


# --- Several classes at once ----------------------------------------------------------


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """How far the scores of other classes come closer than 1 to those of the target's
    classes, summed and divided by the number of classes. A row of the target names its
    classes, up to the first -1.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([[0.1, 0.2, 0.4, 0.8]])
    >>> F.multilabel_margin_loss(x, plugrad.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if input.ndim > 2 or (input.ndim and not input.shape[-1]):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but "
            f"got: {list(input.shape)}"
        )
    if input.shape != target.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for an input of size "
            f"{list(input.shape)}"
        )
    n = input.shape[-1] if input.ndim else 1
    rows, classes = input.reshape(-1, n), target.reshape(-1, n)
    named = (classes < 0).cumsum(1) == 0
    at = plugrad.where(named, classes, 0)
    is_target = plugrad.zeros_like(rows).scatter_add(1, at, named.to(rows.dtype)) > 0
    pairs = named[:, :, None] & ~is_target[:, None, :]
    distance = (1 - rows.gather(1, at)[:, :, None] + rows[:, None, :]).clamp(min=0)
    loss = plugrad.where(pairs, distance, 0.0).sum((1, 2)) / n
    return reduced(loss.reshape(()) if input.ndim < 2 else loss, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The cross entropy of each class being there or not, averaged over classes.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.multilabel_soft_margin_loss(plugrad.zeros(1, 3), plugrad.ones(1, 3))
    tensor(0.6931)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(loss.sum(-1) / input.shape[-1], reduction)
