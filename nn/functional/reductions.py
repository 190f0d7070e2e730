"""How a loss becomes one number: its mean, its sum, or not at all.

The ops take the reduction's name; `share` is the first step of their rules. PyTorch's
old arguments `size_average` and `reduce` are read here.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

from plugrad import Tensor, no_grad

__all__: list[str] = []

NAMES = ("none", "mean", "sum")


def old_arguments(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that PyTorch's old arguments ask for, with its warning."""
    if reduce is not None and not reduce:
        found = "none"
    else:
        found = "mean" if size_average is None or size_average else "sum"
    warnings.warn(
        "size_average and reduce args will be deprecated, please use "
        f"reduction='{found}' instead.",
        stacklevel=4,
    )
    return found


def read_reduction(
    reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> str:
    """A reduction's name, once it is known to be one."""
    if size_average is not None or reduce is not None:
        return old_arguments(size_average, reduce)
    if reduction not in NAMES:
        if reduction == "elementwise_mean":
            warnings.warn(
                "reduction='elementwise_mean' is deprecated. Please use "
                "reduction='mean' instead.",
                stacklevel=3,
            )
            return "mean"
        raise ValueError(
            f"{reduction} is not a valid value for reduction: give 'mean', 'sum' or "
            "'none'"
        )
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean or the sum of a loss, or the loss itself."""
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def reduced_array(k: Any, loss: Any, reduction: str) -> Any:
    """The same within an op."""
    if reduction == "mean":
        if 0 not in loss.shape:
            return k.mean(loss)
        nothing = k.sum(loss)
        return nothing / nothing  # NaN, in the dtype of the loss
    return k.sum(loss) if reduction == "sum" else loss


def share(g: Any, shape: tuple[int, ...], reduction: str) -> Any:
    """The gradient of each element of a loss of a shape, from that of the reduction."""
    if reduction != "mean":
        return g
    n = prod(shape)
    return g * (1 / n) if n else g


def passing_clamp(x: Tensor, low: float) -> Tensor:
    """`x`, but not below `low`, with the gradient of `x`."""
    y = x.clone()
    with no_grad():
        y.clamp_(min=low)
    return y


def common_shape(*arrays: Any) -> tuple[int, ...]:
    """The shape of what comes of several arrays together; None is passed over."""
    found: list[int] = []
    for each in arrays:
        if each is None:
            continue
        shape = list(each.shape)
        n = max(len(shape), len(found))
        shape = [1] * (n - len(shape)) + shape
        found = [1] * (n - len(found)) + found
        found = [b if a == 1 else a for a, b in zip(found, shape)]
    return tuple(found)


def constant(name: str, weight: Tensor | None) -> None:
    """Raise if somebody wants the gradient of a loss with respect to its weight."""
    if weight is not None and weight.requires_grad:
        raise RuntimeError(
            f"the derivative for '{name}' is not implemented: give {name}.detach()"
        )
