"""Rows of a table: one for each index, or several put together."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from math import prod
from typing import Any

import plugrad
from plugrad import Tensor, op
from plugrad.testing import Sample

__all__ = ["embedding", "embedding_bag", "one_hot"]


@op(method=False, oracle="torch.nn.functional.one_hot")
def one_hot(k: Any, x: Tensor, num_classes: int = -1) -> Tensor:
    """A 1 at the place that each number names in a new last dimension, 0 elsewhere.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.one_hot(plugrad.tensor([2, 0]))
    tensor([[0, 0, 1],
            [1, 0, 0]])
    """
    if k.dtype_of(x).name != "int64":
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type int64, not {x.dtype}"
        )
    empty = not prod(x.shape)
    if empty and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if not empty and int(k.min(x)) < 0:
        raise RuntimeError("Class values must be non-negative.")
    highest = -1 if empty else int(k.max(x))
    if num_classes == -1:
        num_classes = highest + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    elif highest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    classes = k.arange(num_classes, dtype=k.int64)
    return k.astype(k.expand_dims(x, axis=-1) == classes, k.int64)


@one_hot.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(), (1,), (5,), (2, 3), (2, 1, 2)]:
        yield Sample(make.integers(*shape, high=4))
        yield Sample(make.integers(*shape, high=4), 6)
    yield Sample(make.integers(0), 3)


# --- One row for each index -----------------------------------------------------------


def row_of(padding_idx: int | None, weight: Tensor, error: Any) -> int:
    """The row that is not trained, or -1 for none."""
    if padding_idx is None:
        return -1
    n = weight.shape[0]
    if not -n <= padding_idx < n and padding_idx:
        raise error(
            f"padding_idx must be within num_embeddings, but is {padding_idx} with "
            f"{n} rows"
        )
    return padding_idx + n if padding_idx < 0 else padding_idx


def renorm(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Shorten those of the named rows of `weight` whose norm is above `max_norm`."""
    with plugrad.no_grad():
        rows = indices.unique()
        part = weight.index_select(0, rows)
        norms = part.norm(norm_type, 1, keepdim=True)
        scale = plugrad.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0)
        weight.index_copy_(0, rows, part * scale.to(part.dtype))


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that the indices in `input` name.

    The row `padding_idx` gets no gradient; rows with a norm above `max_norm` are
    shortened first, in `weight` itself; `scale_grad_by_freq` divides the gradient of a
    row by how often it was taken; with `sparse` the gradient is a sparse tensor.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> weight = plugrad.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> F.embedding(plugrad.tensor([2, 0]), weight)
    tensor([[5., 6.],
            [1., 2.]])
    """
    padding = row_of(padding_idx, weight, AssertionError)
    if max_norm is not None:
        renorm(weight, input, max_norm, norm_type)
    return plugrad.embedding(weight, input, padding, scale_grad_by_freq, sparse)


# --- Bags of rows ---------------------------------------------------------------------


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or maximum of several rows of `weight`: those that a row of `input`
    names, or, if `input` has one dimension, those from one offset to the next.

    Rows that are `padding_idx` do not count. `per_sample_weights`, of the shape of
    `input`, multiply the rows of a sum. See `embedding` for the rest.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> weight = plugrad.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> F.embedding_bag(plugrad.tensor([[0, 1], [2, 2]]), weight)
    tensor([[2., 3.],
            [5., 6.]])
    >>> bags = plugrad.tensor([0, 1, 2, 2]), weight, plugrad.tensor([0, 1])
    >>> F.embedding_bag(*bags, mode="sum")
    tensor([[ 1.,  2.],
            [13., 16.]])
    """
    if weight.dtype == plugrad.int64 and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage "
            "`embedding_bag(weight, input, ...)` is deprecated, and should now be "
            "`embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        weight, input = input, weight
    check_bags(input, weight, offsets, per_sample_weights)
    check_mode(mode, scale_grad_by_freq, sparse)
    if max_norm is not None:
        renorm(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}')"
        )
    padding = row_of(padding_idx, weight, RuntimeError)
    options = padding, scale_grad_by_freq, sparse
    if offsets is None:
        kept = None if padding < 0 else input != padding
        rows = taken(weight, input, *options)
        return pooled(rows, kept, per_sample_weights, mode)
    starts, lengths = bounds(input, offsets, include_last_offset)
    if mode == "max":
        input, kept = squared(input, starts, lengths)
        if padding >= 0:
            kept = kept & (input != padding)
        return pooled(taken(weight, input, *options), kept, None, mode)
    rows = taken(weight, input, *options)
    ones = plugrad.ones_like(input, dtype=rows.dtype)
    if padding >= 0:
        ones = ones * (input != padding)
    if per_sample_weights is not None:
        ones = ones * per_sample_weights
    if padding >= 0 or per_sample_weights is not None:
        rows = rows * ones.unsqueeze(-1)
    count = starts.shape[0]
    bag = plugrad.arange(count, device=input.device).repeat_interleave(lengths)
    total = rows.new_zeros(count, weight.shape[1]).index_add(0, bag, rows)
    if mode == "sum":
        return total
    counts = rows.new_zeros(count).index_add(0, bag, ones)
    return total / counts.clamp_min(1).unsqueeze(-1)


def taken(weight: Tensor, indices: Tensor, *options: Any) -> Tensor:
    """The rows of `weight`; PyTorch has another error here for a row that is not."""
    try:
        return plugrad.embedding(weight, indices, *options)
    except IndexError as error:
        raise RuntimeError(f"embedding_bag: {error}") from error


def pooled(
    rows: Tensor, kept: Tensor | None, weights: Tensor | None, mode: str
) -> Tensor:
    """The sum, mean or maximum over the second of three dimensions."""
    if mode == "max":
        if not rows.shape[1]:
            return rows.sum(1)
        if kept is None:
            return rows.max(1).values
        lowest = float("-inf")
        most = plugrad.where(kept.unsqueeze(-1), rows, lowest).max(1).values
        return plugrad.where(kept.any(1, keepdim=True), most, 0.0)
    if weights is not None:
        rows = rows * weights.unsqueeze(-1)
    if kept is not None:
        rows = rows * kept.unsqueeze(-1)
    if mode == "sum":
        return rows.sum(1)
    n: Any = max(rows.shape[1], 1)
    if kept is not None:
        n = kept.sum(1, keepdim=True).clamp_min(1)
    return rows.sum(1) / n


def bounds(input: Tensor, offsets: Tensor, include_last: bool) -> tuple[Tensor, Tensor]:
    """Where each bag starts, and how many indices it has."""
    n = input.shape[0]
    if not include_last:
        starts = offsets
        ends = plugrad.cat([offsets[1:], offsets.new_full((1,), n)])
        ends = ends[: offsets.shape[0]]
    elif not offsets.shape[0]:
        raise RuntimeError("include_last_offset: numBags should be at least 1")
    else:
        starts, ends = offsets[:-1], offsets[1:]
    if offsets.shape[0]:
        first, last = int(offsets[0]), int(offsets[-1])
        if first != 0:
            raise RuntimeError(
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch "
                f"has to start from position 0. However, got {first}"
            )
        if last > n:
            raise RuntimeError(
                f"offsets[-1] can not be greater than input's length {n}, but got "
                f"offsets[-1] of {last}"
            )
    return starts, ends - starts


def squared(input: Tensor, starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The bags as rows, filled up to one length, and which elements are theirs."""
    longest = int(lengths.max()) if lengths.numel() else 0
    step = plugrad.arange(longest, device=input.device)
    kept = step < lengths.unsqueeze(-1)
    place = (starts.unsqueeze(-1) + step).clamp_max(max(input.shape[0] - 1, 0))
    if not longest:
        return place.to(input.dtype), kept
    return input.take(place.to(plugrad.int64)), kept


def check_bags(
    input: Tensor, weight: Tensor, offsets: Tensor | None, samples: Tensor | None
) -> None:
    """Raise unless the shapes go together."""
    if samples is not None and input.shape != samples.shape:
        raise ValueError(
            f"embedding_bag: per_sample_weights of shape {list(samples.shape)} must "
            f"have the same shape as the input, {list(input.shape)}"
        )
    if weight.ndim != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}"
        )
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated as a "
                "batch of sequences of one length"
            )
    elif input.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    elif offsets is None or offsets.ndim != 1:
        raise ValueError(
            "offsets has to be a 1D Tensor but got "
            f"{offsets if offsets is None else list(offsets.shape)}"
        )
    if samples is not None and samples.dtype is not weight.dtype:
        raise RuntimeError(
            f"expected per_sample_weights of dtype {weight.dtype}, that of weight, but "
            f"got {samples.dtype}"
        )


def check_mode(mode: str, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Raise unless this can be computed."""
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, not {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError(
            "max mode does not support scaling the gradient by the frequency"
        )
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
