"""Losses over classes, with as few large temporaries as there can be."""

from __future__ import annotations

from typing import Any

import numpy as np

from .softmax import softmax

_ROWS: dict[int, Any] = {}  # 0, 1, ..., n - 1 for numbers of rows seen before


def _rows(n: int) -> Any:
    """The numbers of the first n rows."""
    found = _ROWS.get(n)
    if found is None:
        found = np.arange(n)
        if n <= 4096:
            _ROWS[n] = found
    return found


def _as_rows(x: Any) -> Any:
    """The classes last, all else in one dimension before them."""
    if x.ndim == 2:
        return x
    if x.ndim == 1:
        return x.reshape(1, -1)
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def _as_before(rows: Any, shape: tuple[int, ...]) -> Any:
    """Rows of classes in the shape that they had."""
    if len(shape) < 3:
        return rows.reshape(shape)
    return np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


def _weighed(
    x: Any, target: Any, weight: Any, ignore_index: int
) -> tuple[Any, Any, Any]:
    """The class of each row, the rows' weights (None for all 1) and their sum."""
    target = target.reshape(-1)
    if target.dtype != np.int64:
        target = target.astype(np.int64)
    n = x.shape[1]
    if not target.size:
        return target, None, x.dtype.type(0)
    # negative numbers are large ones without a sign: one pass sees both ends
    if target.view(np.uint64).max() < n and not 0 <= ignore_index < n:
        if weight is None:
            return target, None, x.dtype.type(target.size)
        weights = weight[target]
        return target, weights, np.add.reduce(weights)
    counts = target != ignore_index
    target = np.where(counts, target, 0)
    if target.view(np.uint64).max() >= n:
        worst = target.max() if target.max() >= n else target.min()
        raise IndexError(
            f"Target {worst} is out of bounds: there are {n} classes, from 0 to {n - 1}"
        )
    weights = counts.astype(x.dtype)
    if weight is not None:
        weights *= weight[target]
    return target, weights, np.add.reduce(weights)


def _reduced(loss: Any, total: Any, shape: Any, reduction: str) -> Any:
    """The losses of the rows as the reduction wants them."""
    if reduction == "none":
        return loss.reshape(shape)
    found = np.add.reduce(loss)
    return found / total if reduction == "mean" else found


def _without_ignored(loss: Any, weights: Any) -> Any:
    """Losses times weights; 0 for what does not count, even if it is infinite."""
    if weights is None:
        return loss
    loss *= weights
    if not weights.all():
        loss[weights == 0] = 0
    return loss


def nll_loss(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-x at each target class."""
    rows = _as_rows(x)
    at, weights, total = _weighed(rows, target, weight, ignore_index)
    loss = -rows[_rows(len(rows)), at]
    loss = _without_ignored(loss, weights)
    return _reduced(loss, total, target.shape, reduction)


def _shares(incoming: Any, weights: Any, total: Any, dtype: Any, reduction: str) -> Any:
    """The gradient of the loss of each row; a single number where all have the same."""
    each = incoming
    if reduction == "none":
        each = each.reshape(-1)
    elif reduction == "mean":
        each = each / dtype.type(total or 1)  # nothing counts: no gradient
    return each if weights is None else each * weights


def nll_loss_back(
    incoming: Any,
    x_shape: tuple[int, ...],
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-incoming at each target class, zero elsewhere."""
    classes = x_shape[1 if len(x_shape) > 1 else 0]
    rows = np.zeros((target.size, classes), incoming.dtype)
    at, weights, total = _weighed(rows, target, weight, ignore_index)
    each = _shares(incoming, weights, total, incoming.dtype, reduction)
    rows[_rows(len(rows)), at] = -each
    return _as_before(rows, tuple(x_shape))


def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-log(softmax(x)) at each target class; exp(x - max(x)) and its sums.

    To divide by the sums is left to the way back, which multiplies the rows anyway: for
    64 x 1000 that is 10 of 85 us."""
    if x.itemsize == 2:
        if weight is not None:
            weight = weight.astype(np.float32)
        y, p, sums = cross_entropy(
            x.astype(np.float32), target, weight, ignore_index, reduction
        )
        return np.asarray(y).astype(x.dtype), p.astype(x.dtype), sums
    rows = _as_rows(x)
    at, weights, total = _weighed(rows, target, weight, ignore_index)
    places = _rows(len(rows)), at
    if not rows.size:
        p, loss, sums = rows.copy(), rows.sum(1), None
    else:
        p = rows - np.maximum.reduce(rows, 1, None, None, True)
        loss = p[places]
        np.exp(p, p)
        sums = p.dot(np.ones(p.shape[1], p.dtype))
        loss = np.log(sums) - loss
    loss = _without_ignored(loss, weights)
    return _reduced(loss, total, target.shape, reduction), _as_before(p, x.shape), sums


def cross_entropy_back(
    incoming: Any,
    x: Any,
    target: Any,
    weight: Any = None,
    p: Any = None,
    sums: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """(p - 1 at the target class) * incoming."""
    rows = _as_rows(x)
    p = softmax(rows, 1) if p is None else _as_rows(p)
    at, weights, total = _weighed(rows, target, weight, ignore_index)
    each = _shares(incoming, weights, total, x.dtype, reduction)
    by = each if sums is None else (each / sums).astype(x.dtype, copy=False)
    y = p * (by[:, None] if by.ndim else by)
    y[_rows(len(rows)), at] -= each
    return _as_before(y, x.shape)
