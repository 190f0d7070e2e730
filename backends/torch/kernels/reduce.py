"""Sums, running sums, sorting and softmax."""

from __future__ import annotations

from typing import Any

import torch

from .default import default

cumsum, cumprod = torch.cumsum, torch.cumprod
softmax, log_softmax = torch.softmax, torch.log_softmax
isin = torch.isin


def sum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum over dimensions."""
    return torch.sum(x, dim, keepdim)


def mean(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The mean over dimensions."""
    return torch.mean(x, dim, keepdim)


def amax(x: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest elements."""
    if x.is_complex():
        torch.amax(x.real, dim)  # that there are no elements is said first
    return torch.amax(ordered("amax", x), dim, keepdim)


def amin(x: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest elements."""
    if x.is_complex():
        torch.amin(x.real, dim)
    return torch.amin(ordered("amin", x), dim, keepdim)


def logcumsumexp(x: Any, dim: int) -> Any:
    """log(cumsum(exp(x))), of real numbers."""
    if x.is_complex():
        return default("logcumsumexp", x, dim)
    return torch.logcumsumexp(x, dim)


def cummax(x: Any, dim: int) -> Any:
    """The largest element up to each place, and where it last was."""
    return tuple(torch.cummax(ordered("cummax", x), dim))


def cummin(x: Any, dim: int) -> Any:
    """The smallest element up to each place, and where it last was."""
    return tuple(torch.cummin(ordered("cummin", x), dim))


def ordered(name: str, x: Any) -> Any:
    """`x`, whose elements have an order."""
    if x.is_complex():
        raise RuntimeError(
            f"{name}: not implemented for complex numbers, which have no order"
        )
    return x


def softmax_back(x: Any, result: Any, dim: int) -> Any:
    """result * (x - sum(x * result))."""
    return (x - (x * result).sum(dim, True)).mul_(result)


def log_softmax_back(x: Any, result: Any, dim: int) -> Any:
    """x - exp(result) * sum(x)."""
    return x - result.exp().mul_(x.sum(dim, True))


def logsumexp(x: Any, dim: Any, keepdim: bool = False) -> Any:
    """log(sum(exp(x)))."""
    if dim == () or x.is_complex():
        return default("logsumexp", x, dim, keepdim)
    return torch.logsumexp(x, dim, keepdim)


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Sorted values, and where they were; equal elements stay in order."""
    found = torch.sort(x, stable=True, dim=dim, descending=descending)
    return found.values, found.indices


sort_both = sort


def topk(
    x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Any:
    """The k largest or smallest; of short rows the first of equal elements."""
    if not x.ndim or x.shape[dim] < 64:
        return default("topk", x, k, dim, largest, sorted)
    found = torch.topk(x, k, dim, largest, sorted)
    return found.values, found.indices


def find_sorted(sequence: Any, values: Any, right: bool = False) -> Any:
    """Where values would go in sequences sorted along the last dimension."""
    return torch.searchsorted(sequence.contiguous(), values.contiguous(), right=right)
