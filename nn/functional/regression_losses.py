"""Losses of numbers beside numbers, and of distributions beside what came of them."""

from __future__ import annotations

import warnings
from math import log, pi

import plugrad
from plugrad import Tensor

from . import regression_ops as ops
from .reductions import passing_clamp, read_reduction, reduced

__all__ = [
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def warn_of_sizes(input: Tensor, target: Tensor) -> None:
    """Warn where the two sizes differ."""
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to "
            "broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )


def weighed(
    loss: Tensor, weight: Tensor, input: Tensor, reduction: str, by_weight: bool
) -> Tensor:
    """A loss of elements times their weights; the mean is over elements, or, with
    `by_weight`, weights."""
    if weight.shape != input.shape:
        raise ValueError(
            "Weights and input must have the same size: they have "
            f"{list(weight.shape)} and {list(input.shape)}"
        )
    loss = loss * weight
    if reduction == "mean" and by_weight:
        return loss.sum() / weight.sum()
    return reduced(loss, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean of (input - target) ** 2.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.mse_loss(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(2.)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    warn_of_sizes(input, target)
    if weight is None:
        return ops.mse_loss(input, target, reduction)
    return weighed((input - target) ** 2, weight, input, reduction, True)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The mean of abs(input - target).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.l1_loss(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(1.)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    warn_of_sizes(input, target)
    if weight is not None:
        return weighed((input - target).abs(), weight, input, reduction, True)
    if input.dtype.kind == "f" and target.dtype.kind == "f":
        return ops.l1_loss(input, target, reduction)
    return reduced((input - target).abs(), reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """The mean of d ** 2 / (2 * beta) for the difference d, and abs(d) - beta / 2 from
    abs(d) = beta on.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.smooth_l1_loss(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]))
    tensor(0.7500)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    warn_of_sizes(input, target)
    if beta == 0:
        return ops.l1_loss(input, target, reduction)
    if beta < 0:
        raise RuntimeError(
            f"smooth_l1_loss does not support negative values for beta: {beta}"
        )
    return ops.bent_loss(input, target, beta, 1 / beta, reduction)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """The mean of d ** 2 / 2 for the difference d, and delta * (abs(d) - delta / 2)
    from abs(d) = delta on.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.huber_loss(plugrad.tensor([1.0, 2.0]), plugrad.tensor([1.0, 4.0]), delta=0.5)
    tensor(0.4375)
    """
    reduction = read_reduction(reduction)
    warn_of_sizes(input, target)
    if delta <= 0:
        raise RuntimeError(
            f"huber_loss does not support non-positive values for delta: {delta}"
        )
    if weight is None:
        return ops.bent_loss(input, target, delta, 1.0, reduction)
    loss = ops.bent_loss(input, target, delta, 1.0, "none")
    return weighed(loss, weight, input, reduction, False)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The mean of target * (log(target) - input): how far the distribution with the
    log-probabilities `input` is from that of the target. With `log_target` that is
    given by logarithms, too. "batchmean" divides the sum by the size of the batch.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> p, q = plugrad.tensor([[0.5, 0.5]]), plugrad.tensor([[0.25, 0.75]])
    >>> F.kl_div(p.log(), q, reduction="batchmean")
    tensor(0.1308)
    """
    if size_average is not None or reduce is not None:
        reduction = read_reduction(reduction, size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the "
            "support size.'batchmean' divides only by the batch size, and aligns with "
            "the KL div math definition.'mean' will be changed to behave the same as "
            "'batchmean' in the next major release.",
            stacklevel=2,
        )
    elif reduction != "batchmean":
        reduction = read_reduction(reduction)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = plugrad.xlogy(target, target) - target * input
    if reduction == "batchmean":
        total = loss.sum()
        return total / input.shape[0] if input.ndim else total
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target * input: minus the logarithm of a Poisson distribution's
    probability of the target, without what depends on that alone. Not `log_input`: the
    input is the rate, and the loss input - target * log(input + eps). `full` adds
    Stirling's formula of log(target!) where the target is above 1.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.poisson_nll_loss(plugrad.tensor([0.0]), plugrad.tensor([3.0]))
    tensor(1.)
    """
    reduction = read_reduction(reduction, size_average, reduce)
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        rest = target * target.log() - target + 0.5 * (2 * pi * target).log()
        loss = loss + plugrad.where(target > 1, rest, 0.0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log(var) + (input - target) ** 2 / var) / 2: minus the logarithm of a normal
    distribution's density at the target, without what is constant; with that if `full`.
    Variances count as `eps` at least, and their gradient passes as if they did not.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> one = plugrad.ones(1)
    >>> F.gaussian_nll_loss(one, 3 * one, 4 * one)
    tensor(1.1931)
    """
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError(f"var has negative entry/entries: {var}")
        var = plugrad.full_like(input, var)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    shape, given = tuple(input.shape), tuple(var.shape)
    if given != shape:
        if shape[:-1] == given:
            var = var.unsqueeze(-1)
        elif len(shape) != len(given) or [
            b for a, b in zip(shape, given) if a != b
        ] != [1]:
            raise ValueError(
                f"var is of incorrect size: {list(given)} for an input of size "
                f"{list(shape)}"
            )
    reduction = read_reduction(reduction)
    var = passing_clamp(var, eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * log(2 * pi)
    return reduced(loss, reduction)
