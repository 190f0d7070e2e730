"""Picking and putting by index arrays.

- CuPy wraps an index that is out of bounds around; here it is an error, as it is on
  other backends. To know costs a reduction, and the wait for its result.
- Adding at repeated positions is done by atomic operations, in no certain order: float
  sums can differ in their last bits from run to run.
"""

from __future__ import annotations

from typing import Any

# dtypes that CuPy adds to atomically, and compares atomically
ADDED = frozenset(
    ("int32", "uint32", "uint64", "float16", "float32", "float64"),
)
COMPARED = frozenset(("int32", "int64", "uint32", "uint64", "float32", "float64"))


class Indexing:
    """Kernels that pick and put."""

    k: Any
    cp: Any
    cupyx: Any
    default: Any

    def check_range(self, index: Any, n: int, dim: int) -> None:
        """Raise unless all indices lie in [-n, n)."""
        if not index.size:
            return
        found = getattr(self, "_outside", None)
        if found is None:
            found = self._outside = self.cp.ReductionKernel(
                "S index, int64 size",
                "int64 count",
                "(long long)index < -size || (long long)index >= size ? 1 : 0",
                "a + b",
                "count = a",
                "0",
                "plugrad_out_of_range",
            )
        if found(index, n).item():
            raise IndexError(
                f"an index is out of bounds for dimension {dim} with size {n}"
            )

    def picked(self, x: Any, indices: Any) -> tuple[Any, ...]:
        """An index for CuPy, after checks."""
        for dim, each in enumerate(indices):
            if each is not None:
                self.check_range(each, x.shape[dim], dim)
        return tuple(slice(None) if each is None else each for each in indices)

    # --- Picking ----------------------------------------------------------------------

    def index(self, x: Any, indices: Any) -> Any:
        """The elements at index arrays."""
        return x[self.picked(x, indices)]

    def pick(self, x: Any, index: Any, dim: int) -> Any:
        """`x` with one dimension replaced by those of an index."""
        self.check_range(index, x.shape[dim], dim)
        return x.take(index, dim)

    def masked_select(self, x: Any, mask: Any) -> Any:
        """The elements where a mask is true."""
        if mask.dtype.kind != "b" or x.shape != mask.shape or not x.ndim:
            return self.default("masked_select", x, mask)
        return x[mask]

    # --- Putting ----------------------------------------------------------------------

    def add_at(self, y: Any, where: Any, values: Any) -> None:
        """y[where] += values, repeated positions adding up."""
        name = y.dtype.name
        if name in ADDED:
            self.cupyx.scatter_add(y, where, values)
        elif name == "int64":  # two's complement: the sums of unsigned ones are its
            self.cupyx.scatter_add(y.view("u8"), where, values.astype("i8").view("u8"))
        elif y.dtype.kind == "c":
            real = self.cp.asarray(values).astype(y.dtype)
            self.cupyx.scatter_add(y.real, where, real.real)
            self.cupyx.scatter_add(y.imag, where, real.imag)
        else:  # small integers, bools and bfloat16, in a wider dtype that has it
            wide = y.astype("f" if y.dtype.kind == "V" else "u4")
            self.cupyx.scatter_add(wide, where, values.astype(wide.dtype))
            y[...] = wide.astype(y.dtype)

    def put_flat(self, x: Any, flat: Any, values: Any, accumulate: bool) -> Any:
        """A copy of a vector with values put, or added, at positions."""
        y = x.copy()
        if flat.size and x.size:
            if accumulate:
                self.add_at(y, flat, self.cp.broadcast_to(values, flat.shape))
            else:
                y[flat] = values
        return y

    def combine_flat(self, x: Any, flat: Any, values: Any, reduce: str) -> Any:
        """A copy of a vector with values combined into it at positions."""
        if x.dtype.name not in COMPARED or reduce == "prod" or not flat.size:
            return self.default("combine_flat", x, flat, values, reduce)
        y = x.copy()
        at = self.cupyx.scatter_max if reduce == "amax" else self.cupyx.scatter_min
        at(y, flat, values)
        if x.dtype.kind == "f":  # the atomic operations drop NaN
            nan = values != values
            hit = self.cp.zeros(y.shape, "u4")
            self.cupyx.scatter_add(hit, flat, nan.astype("u4"))
            y[(hit > 0) | (x != x)] = float("nan")
        return y

    def index_put(
        self, x: Any, indices: Any, values: Any, accumulate: bool = False
    ) -> Any:
        """A copy with values put, or added, at index arrays."""
        return self.index_put_(x.copy(order="C"), indices, values, accumulate)

    def index_put_(
        self, x: Any, indices: Any, values: Any, accumulate: bool = False
    ) -> Any:
        """Values put, or added, at index arrays."""
        where = self.picked(x, indices)
        if isinstance(values, self.cp.ndarray):
            if values.dtype.kind == "c" != x.dtype.kind:
                values = values.real
        elif accumulate:
            values = self.cp.asarray(values, dtype=x.dtype)
        if not accumulate:
            x[where] = values
        elif x.size and values.size:
            self.add_at(x, where, values)
        return x

    # --- Basic indices ----------------------------------------------------------------

    def embed(self, x: Any, index: Any, shape: tuple[int, ...]) -> Any:
        """Zeros with `x` at a basic index."""
        y = self.cp.zeros(shape, x.dtype)
        y[index] = x
        return y

    def getitem_(self, x: Any, index: Any, value: Any) -> None:
        """Write at a basic index."""
        if isinstance(value, self.cp.ndarray) and value.ndim:
            if value.dtype.kind == "c" != x.dtype.kind:
                value = value.real
            extra = value.ndim - x[index].ndim
            if extra > 0:
                value = value.reshape(value.shape[extra:])
        x[index] = value
