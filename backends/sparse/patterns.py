"""Where the elements of a sparse array stand.

- A Pattern holds indices, a SparseArray a Pattern and the values in its order. Two
  arrays on one Pattern add and multiply value by value.
- A Pattern never changes. So what is worked out from it (its order by rows, its
  transposed) is kept with it, and a training step that changes values alone finds it.
- Layouts and names are PyTorch's. `coo`: `indices`, one row for each sparse dimension,
  in any order and with repetitions until it is coalesced; dimensions after the sparse
  ones are dense, and belong to the values. `csr` and `csc`: `compressed` says where
  each row (column) begins, `plain` the column (row) of each value.
- Methods that give another Pattern say beside it where the values come from or go to,
  as an array of positions, or None where they stay in place.

`xp` is the module of the arrays: numpy, or one like it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any
from weakref import ref

Array = Any


class Pattern:
    """The positions of the values of a sparse array."""

    def __init__(
        self,
        xp: Any,
        layout: str,
        shape: tuple[int, ...],
        indices: Array = None,
        compressed: Array = None,
        plain: Array = None,
        coalesced: bool = False,
    ) -> None:
        self.xp = xp
        self.layout = layout
        self.shape = tuple(shape)
        self.indices = indices
        self.compressed = compressed
        self.plain = plain
        few = layout == "coo" and indices.shape[1] < 2  # as PyTorch has it
        self.is_coalesced = coalesced or few or layout != "coo"
        self.sparse_dim: int = indices.shape[0] if layout == "coo" else 2
        self.dense_dim = len(self.shape) - self.sparse_dim
        self.nnz: int = indices.shape[1] if layout == "coo" else plain.shape[0]
        self.kept: dict[Any, Any] = {}
        self.origin: tuple[tuple[int, ...], ref[Pattern]] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "xp": self.xp.__name__, "kept": {}, "origin": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from importlib import import_module

        self.__dict__.update(state, xp=import_module(state["xp"]))

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made once."""
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    @property
    def sparse_shape(self) -> tuple[int, ...]:
        """The sizes of the sparse dimensions."""
        return self.shape[: self.sparse_dim]

    @property
    def dense_shape(self) -> tuple[int, ...]:
        """The sizes of the dimensions that belong to the values."""
        return self.shape[self.sparse_dim :]

    def coo(
        self, indices: Array, shape: tuple[int, ...], coalesced: bool = False
    ) -> Pattern:
        """Another pattern on the same library's arrays."""
        return Pattern(self.xp, "coo", shape, indices, coalesced=coalesced)

    # --- Coordinates ------------------------------------------------------------------

    def coordinates(self) -> Array:
        """The index of each value in each sparse dimension, whatever the layout."""
        return self.indices if self.layout == "coo" else self.keep("coo", self.expanded)

    def expanded(self) -> Array:
        """The coordinates of a compressed layout."""
        xp = self.xp
        # where each value stands among the starts; CuPy's `repeat` takes no counts
        places = xp.arange(self.nnz, dtype=self.compressed.dtype)
        major = xp.searchsorted(self.compressed, places, side="right") - 1
        pair = (major, self.plain) if self.layout == "csr" else (self.plain, major)
        return xp.stack(pair).astype(xp.int64)

    def linear(self) -> Array:
        """The position of each value among all elements of the sparse dimensions."""
        return self.keep("linear", lambda: self.linear_in(self.sparse_shape))

    def linear_in(self, shape: tuple[int, ...]) -> Array:
        """The same in an array that broadcasts to the sparse dimensions."""
        xp, found, step = self.xp, 0, 1
        indices = self.coordinates()
        offset = self.sparse_dim - len(shape)
        for dim in range(len(shape) - 1, -1, -1):
            if shape[dim] != 1:
                found = found + indices[offset + dim] * step
            step *= shape[dim]
        return found if step != 1 else xp.zeros((self.nnz,), dtype=xp.int64)

    # --- Other layouts ----------------------------------------------------------------

    def coalesced(self) -> tuple[Pattern, Array | None]:
        """Each position once, in order; and the place among them of each value."""
        if self.is_coalesced:
            return self, None
        return self.keep("coalesced", self.merge)

    def firsts(self) -> Array | None:
        """Where each position of the coalesced pattern stands here first."""
        return None if self.coalesced()[1] is None else self.kept["firsts"]

    def merge(self) -> tuple[Pattern, Array]:
        """What `coalesced` keeps."""
        _, first, inverse = self.xp.unique(
            self.linear(), return_index=True, return_inverse=True
        )
        self.kept["firsts"] = first
        made = self.coo(self.indices[:, first], self.shape, True)
        return made, inverse.reshape(-1)

    def as_coo(self) -> tuple[Pattern, Array | None]:
        """The pattern in coordinates, by rows, and the order of the values there."""
        if self.layout == "coo":
            return self, None
        return self.keep("as_coo", self.to_coo)

    def to_coo(self) -> tuple[Pattern, Array | None]:
        """What `as_coo` keeps."""
        indices, order = self.coordinates(), None
        if self.layout == "csc":
            order = self.xp.argsort(self.linear(), kind="stable")
            indices = indices[:, order]
        return self.coo(indices, self.shape, True), order

    def as_compressed(self, layout: str) -> tuple[Pattern, Array | None]:
        """The pattern by rows ("csr") or columns ("csc"), and the order of the values
        there. Positions that stand twice go on doing so."""
        if self.layout == layout:
            return self, None
        return self.keep(layout, lambda: self.compress(layout))

    def compress(self, layout: str) -> tuple[Pattern, Array | None]:
        """What `as_compressed` keeps."""
        xp, indices, order = self.xp, self.coordinates(), None
        major, minor = indices if layout == "csr" else indices[::-1]
        if not (self.layout == "coo" and self.is_coalesced and layout == "csr"):
            order = xp.lexsort(xp.stack((minor, major)))
            major, minor = major[order], minor[order]
        lines = self.shape[0 if layout == "csr" else 1]
        counts = xp.bincount(major, minlength=lines)
        starts = xp.concatenate((xp.zeros(1, dtype=xp.int64), xp.cumsum(counts)))
        made = Pattern(
            xp, layout, self.shape, compressed=starts.astype(xp.int64), plain=minor
        )
        return made, order

    def index_dtype(self) -> Any:
        """The dtype of the indices."""
        return (self.indices if self.layout == "coo" else self.plain).dtype

    # --- Dimensions -------------------------------------------------------------------

    def permuted(self, dims: tuple[int, ...]) -> Pattern:
        """The pattern with its sparse dimensions in another order. Values stay in
        place, so that rows become columns without any work."""
        if self.origin is not None and self.origin[0] == dims:
            found = self.origin[1]()  # weak, or the two would refer in a circle
            if found is not None:
                return found
        return self.keep(("permuted", dims), lambda: self.permute(dims))

    def permute(self, dims: tuple[int, ...]) -> Pattern:
        """What `permuted` keeps; the way back leads to this very pattern."""
        shape = (*(self.sparse_shape[d] for d in dims), *self.dense_shape)
        back = tuple(sorted(range(len(dims)), key=dims.__getitem__))
        if self.layout == "coo":
            same = dims == tuple(range(len(dims)))
            indices = self.xp.stack([self.indices[d] for d in dims])
            made = self.coo(indices, shape, self.is_coalesced and same)
        elif dims == (0, 1):
            return self
        else:
            turned = "csc" if self.layout == "csr" else "csr"
            made = Pattern(self.xp, turned, shape, None, self.compressed, self.plain)
        made.origin = back, ref(self)
        return made

    def with_dense(self, sizes: tuple[int, ...]) -> Pattern:
        """The same positions, with values of another shape."""
        if tuple(sizes) == self.dense_shape:
            return self
        made = Pattern(self.xp, self.layout, (*self.sparse_shape, *sizes), self.indices)
        made.is_coalesced = self.is_coalesced
        return made

    def grouped(self, dims: tuple[int, ...]) -> tuple[Array, Array]:
        """What is left of the coordinates without some sparse dimensions: each once, in
        order; and for each value the place of its group among them."""
        return self.keep(("grouped", dims), lambda: self.group(dims))

    def group(self, dims: tuple[int, ...]) -> tuple[Array, Array]:
        """What `grouped` keeps."""
        xp = self.xp
        left = [d for d in range(self.sparse_dim) if d not in dims]
        if not left:
            some = min(self.nnz, 1)
            return (
                xp.zeros((0, some), dtype=xp.int64),
                xp.zeros((self.nnz,), dtype=xp.int64),
            )
        kept = self.coo(
            self.coordinates()[xp.asarray(left)],
            tuple(self.shape[d] for d in left),
        )
        merged, inverse = kept.merge()
        return merged.indices, inverse

    def selected(self, dim: int, index: Array) -> tuple[Pattern, Array]:
        """The slices that `index` names along a sparse dimension, and where their
        values come from."""
        xp, size = self.xp, self.shape[dim]
        indices = self.coordinates()
        order = xp.argsort(indices[dim], kind="stable")
        counts = xp.bincount(indices[dim], minlength=size)
        starts = xp.concatenate((xp.zeros(1, dtype=xp.int64), xp.cumsum(counts)))
        each = counts[index]  # how many values each slice has
        before = xp.concatenate((xp.zeros(1, dtype=xp.int64), xp.cumsum(each)))
        places = xp.arange(int(before[-1]), dtype=xp.int64)
        to = xp.searchsorted(before, places, side="right") - 1
        inside = places - before[to]
        source = order[starts[:-1][index][to] + inside]
        found = indices[:, source]
        found[dim] = to
        shape = (*self.shape[:dim], index.shape[0], *self.shape[dim + 1 :])
        return self.coo(found, shape), source

    def picked(self, dim: int, i: int) -> tuple[Pattern, Array]:
        """One slice along a sparse dimension, which it loses."""
        xp, indices = self.xp, self.coordinates()
        source = xp.flatnonzero(indices[dim] == i)
        left = [d for d in range(self.sparse_dim) if d != dim]
        left = xp.asarray(left, dtype=xp.int64)
        shape = (*self.shape[:dim], *self.shape[dim + 1 :])
        return self.coo(indices[left][:, source], shape, self.is_coalesced), source

    def joined(self, others: list[Pattern], dim: int) -> Pattern:
        """The patterns one after the other along a sparse dimension."""
        xp, parts, offset = self.xp, [], 0
        for each in (self, *others):
            part = each.coordinates().astype(xp.int64)
            part[dim] += offset
            parts.append(part)
            offset += each.shape[dim]
        shape = (*self.shape[:dim], offset, *self.shape[dim + 1 :])
        every = all(each.is_coalesced for each in (self, *others))
        return self.coo(xp.concatenate(parts, axis=1), shape, every and dim == 0)

    def merged(self, other: Pattern) -> Pattern:
        """The positions of both, one after the other."""
        both = (self.coordinates(), other.coordinates())
        return self.coo(self.xp.concatenate(both, axis=1), self.shape)

    def shared(self, other: Pattern) -> tuple[Pattern, Array, Array]:
        """The positions that two coalesced patterns have in common, and where they
        stand in each."""
        xp = self.xp
        _, mine, theirs = xp.intersect1d(
            self.linear(), other.linear(), assume_unique=True, return_indices=True
        )
        return self.coo(self.coordinates()[:, mine], self.shape, True), mine, theirs

    def places(self, other: Pattern) -> tuple[Array, Array]:
        """Where each position of a pattern stands in this one, which is coalesced by
        rows, and whether it does."""
        xp, mine, theirs = self.xp, self.linear(), other.linear()
        if not mine.shape[0]:
            return xp.zeros_like(theirs), xp.zeros(theirs.shape, dtype=bool)
        at = xp.clip(xp.searchsorted(mine, theirs), 0, mine.shape[0] - 1)
        return at, mine[at] == theirs


class SparseArray:
    """The values of an array that are not zero, and their Pattern."""

    __slots__ = ("pattern", "values")
    __array_ufunc__ = None  # NumPy's arrays leave operators to this class

    def __init__(self, pattern: Pattern, values: Array) -> None:
        self.pattern = pattern
        self.values = values

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return self.pattern.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.pattern.shape)

    @property
    def size(self) -> int:
        """The number of elements, most of them zero."""
        return prod(self.pattern.shape)

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values.dtype

    @property
    def layout(self) -> str:
        """How the positions are kept: "coo", "csr" or "csc"."""
        return self.pattern.layout

    def __repr__(self) -> str:
        p = self.pattern
        return f"<{p.layout} array {p.shape}, {p.nnz} values of {self.values.dtype}>"

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError(
            "sparse tensors have no DLPack form: export x.to_dense(), or their indices "
            "and values"
        )

    __dlpack_device__ = __dlpack__

    def __add__(self, other: Any) -> Any:
        """The sum of two gradients; with a dense one it is dense."""
        a = self.pattern
        if not isinstance(other, SparseArray):
            return self.added_to(other)
        b = other.pattern
        if a is b:
            return SparseArray(a, self.values + other.values)
        values = a.xp.concatenate((self.values, other.values))
        both = SparseArray(a.merged(b), values)
        if a.is_coalesced and b.is_coalesced:
            both = both.coalesced()
        if a.layout != "coo" and a.layout == b.layout:
            pattern, order = both.pattern.as_compressed(a.layout)
            values = both.values if order is None else both.values[order]
            return SparseArray(pattern, values)
        return both

    __radd__ = __add__

    def added_to(self, dense: Array) -> Array:
        """A dense array with these values added."""
        pattern = self.pattern
        found = dense.reshape((-1, *pattern.dense_shape)).copy()
        add_at(pattern.xp, found, pattern.linear(), self.values)
        return found.reshape(self.shape)

    def add_into(self, dense: Array, alpha: Any) -> None:
        """Add `alpha` times these values to an array, in place and to no more of it."""
        one = self.coalesced()
        flat = dense.reshape((-1, *one.pattern.dense_shape))
        values = one.values if alpha == 1 else one.values * alpha
        flat[one.pattern.linear()] += values.astype(dense.dtype, copy=False)

    def coalesced(self) -> SparseArray:
        """Values of one position added up."""
        pattern, inverse = self.pattern.coalesced()
        if inverse is None:
            return self
        xp = pattern.xp
        values = xp.zeros((pattern.nnz, *self.values.shape[1:]), self.values.dtype)
        add_at(xp, values, inverse, self.values)
        return SparseArray(pattern, values)


def add_at(xp: Any, into: Array, places: Array, values: Array) -> None:
    """Add values to those that stand in some places, which may repeat."""
    if xp.__name__ == "cupy":
        from cupyx import scatter_add

        scatter_add(into, places, values)
    else:
        xp.add.at(into, places, values)
