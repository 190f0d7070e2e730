"""A tensor cut into parts.

The parts are views, made by one recorded call: the way back joins all their gradients
at once, so that a loop over many parts stays linear.
"""

from __future__ import annotations

from ..declare import Sample, op
from .axes import along
from .dims import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor


__all__ = [
    "chunk",
    "dsplit",
    "hsplit",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unbind",
    "vsplit",
]


@op(view=True, multiple="tuple")
def unbind(k: Kernels, x: Tensor, dim: int = 0) -> Sequence[Tensor]:
    """All positions along a dimension, which goes away.

    >>> import plugrad
    >>> plugrad.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    if not x.ndim:
        raise IndexError("unbind: a tensor without dimensions cannot be cut")
    before = (slice(None),) * one(x.ndim, dim)
    return [k.getitem(x, (*before, i)) for i in range(x.shape[len(before)])]


def _joined(k: Any, g: Any, x_shape: Any, dim: int) -> Any:
    """The gradients of all positions together; missing ones are zeros."""
    if not g:
        return None
    known = next(each for each in g if each is not None)
    return k.stack(
        [k.zeros_like(known) if each is None else each for each in g],
        axis=one(len(x_shape), dim),
    )


unbind.grad(x=lambda k, g, x_shape, dim: _joined(k, g, x_shape, dim))


@unbind.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, 2, -1, -2, -3]:
        yield Sample(make(2, 3, 2), dim)
    yield Sample(make(3))
    yield Sample(make(1), -1)
    yield Sample(make(2, 0))
    yield Sample(make.strided(2, 3), dim=1)


@op(view=True, multiple="tuple")
def split_with_sizes(
    k: Kernels, x: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> Sequence[Tensor]:
    """Parts of given sizes along a dimension.

    >>> import plugrad
    >>> plugrad.split_with_sizes(plugrad.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    if not x.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    at = one(x.ndim, dim)
    total = 0
    for n in split_sizes:
        total += n
    if total != x.shape[at] or any(n < 0 for n in split_sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {x.shape[at]} "
            f"(input tensor's size at dimension {dim}), but got split_sizes="
            f"{list(split_sizes)}"
        )
    parts: list[Any] = []
    start = 0
    for n in split_sizes:
        parts.append(k.getitem(x, (slice(None),) * at + (slice(start, start + n),)))
        start += n
    return parts


def _rejoined(k: Any, g: Any, x_shape: Any, sizes: Any, dim: int) -> Any:
    """The gradients of all parts together; missing ones are zeros."""
    if not g:
        return None
    at = one(len(x_shape), dim)
    known = next(each for each in g if each is not None)
    parts = [
        k.zeros((*x_shape[:at], n, *x_shape[at + 1 :]), dtype=known.dtype)
        if each is None
        else each
        for each, n in zip(g, sizes)
    ]
    return k.concat(parts, axis=at)


split_with_sizes.grad(
    x=lambda k, g, x_shape, split_sizes, dim: _rejoined(k, g, x_shape, split_sizes, dim)
)


@split_with_sizes.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes in [[4], [1, 3], (2, 2), [0, 4], [1, 1, 1, 1], [4, 0, 0]]:
        yield Sample(make(4), sizes)
    yield Sample(make(2, 3), [1, 2], 1)
    yield Sample(make(2, 3), [1, 2], -1)
    yield Sample(make(0, 2), [0, 0])
    yield Sample(make.strided(2, 3), [2, 1], dim=1)


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> Sequence[Tensor]:
    """Parts of one size (the last may be smaller), or of given sizes.

    >>> import plugrad
    >>> plugrad.split(plugrad.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    if isinstance(split_size_or_sections, float):
        raise TypeError(
            "split(): argument 'split_size_or_sections' must be int or a list of ints, "
            f"not float ({split_size_or_sections})"
        )
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(tensor, tuple(split_size_or_sections), dim)
    step = split_size_or_sections
    n = _length(tensor, dim, "split")
    if step < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={step}"
        )
    if not step and n:
        raise RuntimeError(
            "split_size can only be 0 if dimension size is 0, but got dimension size "
            f"of {n}"
        )
    sizes = [step] * (n // step) if step else [0]
    if step and (n % step or not n):
        sizes.append(n % step)
    return split_with_sizes(tensor, sizes, dim)


def _length(x: Tensor, dim: int, name: str) -> int:
    """The size of a dimension that is to be cut."""
    if not x._a.ndim:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    return x._a.shape[one(x._a.ndim, dim)]


def chunk(input: Tensor, chunks: int, dim: int = 0) -> Sequence[Tensor]:
    """At most `chunks` parts of one size, the last perhaps smaller.

    >>> import plugrad
    >>> [len(part) for part in plugrad.chunk(plugrad.arange(6), 4)]  # 3 parts, not 4
    [2, 2, 2]
    """
    n = _length(input, dim, "chunk")
    if chunks <= 0:
        raise RuntimeError(
            f"chunk expects `chunks` to be greater than 0, got: {chunks}"
        )
    if not n:
        return split_with_sizes(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


def tensor_split(
    input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0
) -> Sequence[Tensor]:
    """Parts that differ by one at most, or parts cut at given positions.

    >>> import plugrad
    >>> plugrad.tensor_split(plugrad.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> plugrad.tensor_split(plugrad.arange(5), [1, 3])
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    n = _length(input, dim, "tensor_split")
    if hasattr(indices_or_sections, "tolist"):
        indices_or_sections = indices_or_sections.tolist()  # type: ignore[union-attr]
    cuts: Any = indices_or_sections
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        sizes = [n // cuts + (i < n % cuts) for i in range(cuts)]
        return split_with_sizes(input, sizes, dim)
    at = one(input._a.ndim, dim)
    ends = zip((0, *cuts), (*cuts, n))
    return tuple(along(input, at, slice(start, end)) for start, end in ends)


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Sequence[Tensor]:
    """`tensor_split` along dimension 1, or 0 where that is the only one.

    >>> import plugrad
    >>> plugrad.hsplit(plugrad.tensor([[1, 2, 3, 4]]), 2)
    (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    if input._a.ndim < 1:
        raise RuntimeError("hsplit requires a tensor with at least 1 dimension")
    return _even(input, indices_or_sections, min(input._a.ndim - 1, 1), "hsplit")


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Sequence[Tensor]:
    """`tensor_split` along dimension 0.

    >>> import plugrad
    >>> plugrad.vsplit(plugrad.tensor([[1, 2], [3, 4]]), 2)
    (tensor([[1, 2]]), tensor([[3, 4]]))
    """
    if input._a.ndim < 2:
        raise RuntimeError("vsplit requires a tensor with at least 2 dimensions")
    return _even(input, indices_or_sections, 0, "vsplit")


def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Sequence[Tensor]:
    """`tensor_split` along dimension 2.

    >>> import plugrad
    >>> [part.shape for part in plugrad.dsplit(plugrad.ones(1, 2, 4), [3])]
    [plugrad.Size([1, 2, 3]), plugrad.Size([1, 2, 1])]
    """
    if input._a.ndim < 3:
        raise RuntimeError("dsplit requires a tensor with at least 3 dimensions")
    return _even(input, indices_or_sections, 2, "dsplit")


def _even(x: Tensor, sections: Any, dim: int, name: str) -> Sequence[Tensor]:
    """`tensor_split` into parts that must all be equal."""
    n = x._a.shape[dim]
    if isinstance(sections, int) and (sections <= 0 or n % sections):
        raise RuntimeError(
            f"{name} attempted to split along dimension {dim}, but the size of the "
            f"dimension {n} is not divisible by the split_size {sections}!"
        )
    return tensor_split(x, sections, dim)


METHODS = [chunk, dsplit, hsplit, split, tensor_split, vsplit]
