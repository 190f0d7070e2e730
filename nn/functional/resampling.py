"""A new size along one dimension: each new element is a weighted sum of old ones.

Which ones, and with what weights, is said by two tensors of the shape (terms, size):
interpolation takes one to four terms, adaptive averages and antialiasing more. All of
it is linear, so that one op and its transpose are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

__all__: list[str] = []


def matrix(k: Any, indices: Any, weights: Any, size: int) -> Any:
    """The matrix (new size, `size`) of all terms."""
    place = k.expand_dims(indices, axis=-1) == k.arange(size, dtype=indices.dtype)
    return k.sum(
        k.astype(place, weights.dtype) * k.expand_dims(weights, axis=-1), axis=0
    )


def multiplied(k: Any, x: Any, table: Any, dim: int) -> Any:
    """`x` times the transpose of a matrix, along `dim`."""
    n = x.ndim
    if dim == n - 1:
        return k.matmul(x, k.matrix_transpose(table))
    if dim == n - 2:
        return k.matmul(table, x)
    lead, rest = tuple(x.shape[:dim]), tuple(x.shape[dim + 1 :])
    size = 1
    for each in rest:
        size *= each
    y = k.matmul(table, k.reshape(x, (*lead, x.shape[dim], size)))
    return k.reshape(y, (*lead, table.shape[0], *rest))


@op(kinds="f", promote=None, method=False, oracle=None)
def resample(k: Any, x: Tensor, indices: Tensor, weights: Tensor, dim: int) -> Tensor:
    """Weighted sums of elements along `dim`, which is not negative: element i is the
    sum of weights[:, i] times those at indices[:, i].

    >>> import plugrad
    >>> from plugrad.nn.functional import resampling
    >>> indices, weights = plugrad.tensor([[0, 1], [1, 2]]), plugrad.full((2, 2), 0.5)
    >>> resampling.resample(plugrad.tensor([1.0, 3.0, 5.0]), indices, weights, 0)
    tensor([2., 4.])
    """
    return multiplied(k, x, matrix(k, indices, weights, x.shape[dim]), dim)


@op(kinds="f", promote=None, method=False, oracle=None)
def resample_back(
    k: Any, x: Tensor, indices: Tensor, weights: Tensor, dim: int, size: int
) -> Tensor:
    """The transpose of `resample`: element i along `dim` goes to indices[:, i] of
    `size` elements, weighted.

    >>> import plugrad
    >>> from plugrad.nn.functional import resampling
    >>> indices, weights = plugrad.tensor([[0, 1], [1, 2]]), plugrad.full((2, 2), 0.5)
    >>> resampling.resample_back(plugrad.tensor([2.0, 4.0]), indices, weights, 0, 3)
    tensor([1., 3., 2.])
    """
    table = k.matrix_transpose(matrix(k, indices, weights, size))
    return multiplied(k, x, table, dim)


resample.grad(
    x=lambda k, g, x_shape, indices, weights, dim: k.resample_back(
        g, indices, weights, dim, x_shape[dim]
    )
)
resample_back.grad(
    x=lambda k, g, indices, weights, dim: k.resample(g, indices, weights, dim)
)


def terms(make: Any, count: int, size: int, new: int) -> tuple[Tensor, Tensor]:
    """Indices and weights for a sample."""
    indices = make.integers(count, new, high=size)
    return indices, make(count, new, requires_grad=False)


@resample.samples
def _(make: Any) -> Iterator[Sample]:
    for count, new in ((1, 4), (2, 5), (2, 1), (4, 3)):
        for dim in range(3):
            shape = [3, 2, 4]
            given = terms(make, count, shape[dim], new)
            yield Sample((make.strided if dim else make)(*shape), *given, dim)
    yield Sample(make(3), *terms(make, 2, 3, 4), 0)
    yield Sample(make(0, 3), *terms(make, 2, 3, 4), 1)
    for dim in (0, 1, 2):  # enough elements for a kernel to pick them one by one
        shape = [2, 2, 2]
        shape[dim] = 40
        yield Sample(make(*shape), *terms(make, 1, 40, 50), dim)


@resample_back.samples
def _(make: Any) -> Iterator[Sample]:
    for count, size in ((1, 4), (2, 5), (2, 1), (4, 3)):
        for dim in range(3):
            shape = [3, 2, 4]
            given = terms(make, count, size, shape[dim])
            yield Sample((make.strided if dim else make)(*shape), *given, dim, size)
    yield Sample(make(4), *terms(make, 2, 3, 4), 0, 3)
    yield Sample(make(0, 4), *terms(make, 2, 3, 4), 1, 3)
    for dim in (0, 1, 2):
        shape = [2, 2, 2]
        shape[dim] = 40
        yield Sample(make(*shape), *terms(make, 1, 50, 40), dim, 50)
