"""What sparse tensors answer, and the ways from dense to sparse and back.

These are methods of every Tensor; one of another layout hears which is expected.
"""

from __future__ import annotations

from . import layouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .tensor import Tensor


def expect(name: str, x: Any, *wanted: str) -> Any:
    """The pattern of `x`, whose layout has to be one of some."""
    found = x._a.layout if x._k.is_sparse else "strided"
    if found not in wanted:
        raise RuntimeError(
            f"{name} expected {NAMES[wanted[0]]} tensor layout but got {KINDS[found]}"
        )
    return x._a.pattern


NAMES = {
    "coo": "sparse coordinate",
    "csr": "sparse row compressed",
    "csc": "sparse column compressed",
}
KINDS = {"coo": "Sparse", "csr": "SparseCsr", "csc": "SparseCsc", "strided": "Strided"}


def to_sparse(
    self: Tensor, sparse_dim: Any = None, *, layout: Any = None, **unused: Any
) -> Tensor:
    """The tensor without its zeros, in coordinates unless `layout` says otherwise;
    the dimensions after the first `sparse_dim` stay dense."""
    if layout is None and isinstance(sparse_dim, layouts.layout):
        sparse_dim, layout = None, sparse_dim
    short = "coo" if layout is None else layouts.SHORT.get(getattr(layout, "name", ""))
    if short is None or unused.get("blocksize") is not None:
        raise NotImplementedError(f"to_sparse: no layout {layout} with blocks here")
    from .sparse.ops import built, gathered, like, sparse_backend

    if self._k.is_sparse:
        if layout is None and self._a.layout == "coo":
            return self
        return like(self, short)
    k: Any = sparse_backend(self._k)
    n = self.ndim if sparse_dim is None else sparse_dim
    if short != "coo" and self.ndim != 2:
        raise RuntimeError(
            f"to_sparse_{short}: a matrix has 2 dimensions, not {self.ndim}"
        )
    if not (0 < n <= self.ndim or n == self.ndim):
        raise RuntimeError(
            f"to_sparse: sparse_dim must lie between 1 and {self.ndim}, not {n}"
        )
    pattern = k.nonzero(self._a, n)
    return like(built(gathered(self, pattern), pattern), short)


def to_sparse_coo(self: Tensor) -> Tensor:
    """The tensor without its zeros, in coordinates."""
    return to_sparse(self, layout=layouts.sparse_coo)


def to_sparse_csr(self: Tensor, dense_dim: int | None = None) -> Tensor:
    """The matrix without its zeros, by rows."""
    return to_sparse(self, layout=layouts.sparse_csr)


def to_sparse_csc(self: Tensor, dense_dim: int | None = None) -> Tensor:
    """The matrix without its zeros, by columns."""
    return to_sparse(self, layout=layouts.sparse_csc)


def to_dense(
    self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None
) -> Tensor:
    """The tensor with its zeros. A gradient reaches the values alone."""
    if masked_grad is False:
        raise NotImplementedError(
            "to_dense(masked_grad=False): gradients of sparse tensors are sparse here"
        )
    y = self
    if self._k.is_sparse:
        from .sparse.ops import densified

        y = densified(self)
    return y if dtype is None else y.to(dtype)


def coalesce(self: Tensor) -> Tensor:
    """The tensor with each position once, in order: values of one are added up."""
    expect("coalesce", self, "coo")
    from .sparse.ops import coalesced

    return coalesced(self)


def is_coalesced(self: Tensor) -> bool:
    """Whether each position is there once, and in order."""
    return expect("is_coalesced", self, "coo").is_coalesced


def indices(self: Tensor) -> Tensor:
    """The index of each value in each sparse dimension."""
    pattern = expect("indices", self, "coo")
    return own_indices(self, need_coalesced("indices", pattern).indices)


def _indices(self: Tensor) -> Tensor:
    """`indices` of a tensor that need not be coalesced."""
    return own_indices(self, expect("_indices", self, "coo").indices)


def values(self: Tensor) -> Tensor:
    """The values, in the order of the indices; gradients flow through them."""
    pattern = expect("values", self, "coo", "csr", "csc")
    need_coalesced("values", pattern)
    from .sparse.ops import values_of

    return values_of(self)


def _values(self: Tensor) -> Tensor:
    """The values of a tensor that need not be coalesced, without history."""
    expect("_values", self, "coo", "csr", "csc")
    return own_indices(self, self._a.values)


def crow_indices(self: Tensor) -> Tensor:
    """Where each row of a CSR tensor begins among the values."""
    return own_indices(self, expect("crow_indices", self, "csr").compressed)


def col_indices(self: Tensor) -> Tensor:
    """The column of each value of a CSR tensor."""
    return own_indices(self, expect("col_indices", self, "csr").plain)


def ccol_indices(self: Tensor) -> Tensor:
    """Where each column of a CSC tensor begins among the values."""
    return own_indices(self, expect("ccol_indices", self, "csc").compressed)


def row_indices(self: Tensor) -> Tensor:
    """The row of each value of a CSC tensor."""
    return own_indices(self, expect("row_indices", self, "csc").plain)


def _compressed(self: Tensor) -> Tensor:
    """The compressed indices of a CSR or CSC tensor."""
    return own_indices(self, expect("_compressed", self, "csr", "csc").compressed)


def _plain(self: Tensor) -> Tensor:
    """The other indices of a CSR or CSC tensor."""
    return own_indices(self, expect("_plain", self, "csr", "csc").plain)


def own_indices(x: Tensor, array: Any) -> Tensor:
    """An array of a sparse tensor as a dense tensor."""
    from .sparse.ops import dense

    return dense(x, array)


def need_coalesced(name: str, pattern: Any) -> Any:
    """Raise for a tensor that may have a position twice."""
    if not pattern.is_coalesced:
        raise RuntimeError(
            f"Cannot get {name} on an uncoalesced tensor, please call .coalesce() first"
        )
    return pattern


def _nnz(self: Tensor) -> int:
    """How many values a sparse tensor keeps."""
    return expect("_nnz", self, "coo", "csr", "csc").nnz


def sparse_dim(self: Tensor) -> int:
    """How many dimensions are sparse."""
    return self._a.pattern.sparse_dim if self._k.is_sparse else 0


def dense_dim(self: Tensor) -> int:
    """How many dimensions are dense."""
    return self._a.pattern.dense_dim if self._k.is_sparse else self.ndim


def sparse_mask(self: Tensor, mask: Tensor) -> Tensor:
    """The elements at the positions of a sparse tensor."""
    from .sparse.ops import at_pattern, is_sparse

    if not is_sparse(mask):
        raise RuntimeError("sparse_mask: expected a sparse mask")
    if mask.shape != self.shape:
        raise RuntimeError(
            "sparse_mask(): operands have incompatible sizes; self has size "
            f"{list(self.shape)} but mask has size {list(mask.shape)}"
        )
    if is_sparse(self) and self._a.layout == "coo":
        self = coalesce(self)
    return at_pattern(self, mask._a.pattern)


def sparse_resize_(
    self: Tensor, size: Sequence[int], sparse_dim: int, dense_dim: int
) -> Tensor:
    """Change the size in place; positions and values stay, and must have room."""
    pattern = expect("sparse_resize_", self, "coo")
    size = tuple(map(int, size))
    if len(size) != sparse_dim + dense_dim:
        raise RuntimeError(
            f"number of dimensions must be sparse_dim ({sparse_dim}) + dense_dim "
            f"({dense_dim}), but got {len(size)}"
        )
    same = (sparse_dim, dense_dim) == (pattern.sparse_dim, pattern.dense_dim)
    room = same and all(a >= b for a, b in zip(size, pattern.shape))
    if pattern.nnz and not (room and size[sparse_dim:] == pattern.dense_shape):
        raise RuntimeError(
            f"sparse_resize_: a tensor with {pattern.nnz} values of size "
            f"{list(pattern.shape)} can only grow, in its sparse dimensions, not become"
            f" {list(size)}"
        )
    from .storage import written

    k: Any = self._k
    at, values = pattern.indices, self._a.values
    if not pattern.nnz:
        at = k.dense.zeros((sparse_dim, 0), dtype=at.dtype)
        values = k.dense.zeros((0, *size[sparse_dim:]), dtype=values.dtype)
    k.write(self._a, k.make(values, k.coo(at, size, pattern.is_coalesced)))
    written(self)
    return self


METHODS = [
    to_sparse,
    to_sparse_coo,
    to_sparse_csr,
    to_sparse_csc,
    to_dense,
    coalesce,
    is_coalesced,
    indices,
    _indices,
    values,
    _values,
    crow_indices,
    col_indices,
    ccol_indices,
    row_indices,
    _compressed,
    _plain,
    _nnz,
    sparse_dim,
    dense_dim,
    sparse_mask,
    sparse_resize_,
]
