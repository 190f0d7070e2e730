"""Softmax and its relatives, products of matrices, and running sums."""

from __future__ import annotations

from typing import Any

from .pointwise import is_real


class Rows:
    """Kernels that combine the elements along a dimension."""

    k: Any
    cp: Any
    fused: Any
    default: Any

    # --- Softmax: two reductions and two fused kernels --------------------------------

    def softmax(self, x: Any, dim: int) -> Any:
        """exp(x) over its sum."""
        if not (is_real(x) and x.ndim and x.size):
            return self.default("softmax", x, dim)
        if x.itemsize == 2:
            return self.softmax(x.astype("f"), dim).astype(x.dtype)
        y = self.fused.exp_below(x, x.max(dim, keepdims=True))
        return self.cp.true_divide(y, y.sum(dim, keepdims=True), out=y)

    def log_softmax(self, x: Any, dim: int) -> Any:
        """x - log(sum(exp(x)))."""
        if not (is_real(x) and x.ndim and x.size):
            return self.default("log_softmax", x, dim)
        if x.itemsize == 2:
            return self.log_softmax(x.astype("f"), dim).astype(x.dtype)
        top = x.max(dim, keepdims=True)
        y = self.fused.exp_below(x, top)
        return self.fused.log_share(x, top, y.sum(dim, keepdims=True), y)

    def softmax_back(self, x: Any, result: Any, dim: int) -> Any:
        """result * (x - sum(x * result))."""
        if not (is_real(x) and x.ndim and x.size):
            return self.default("softmax_back", x, result, dim)
        total = (x * result).sum(dim, keepdims=True)
        return self.fused.softmax_slope(x, result, total)

    def log_softmax_back(self, x: Any, result: Any, dim: int) -> Any:
        """x - exp(result) * sum(x)."""
        if not (is_real(x) and x.ndim and x.size):
            return self.default("log_softmax_back", x, result, dim)
        return self.fused.log_softmax_slope(x, result, x.sum(dim, keepdims=True))

    # --- Products ---------------------------------------------------------------------

    def matmul(self, a: Any, b: Any) -> Any:
        """`a @ b`; batches times one matrix are one product of tall matrices."""
        if not a.ndim or not b.ndim:
            raise RuntimeError(
                "both arguments need to be at least 1D, but they are "
                f"{a.ndim}D and {b.ndim}D"
            )
        if a.ndim > 2 and b.ndim == 2 and a.size and a.flags.c_contiguous:
            rows = a.reshape(-1, a.shape[-1])
            return self.cp.matmul(rows, b).reshape(*a.shape[:-1], b.shape[1])
        return self.cp.matmul(a, b)

    def linear(self, x: Any, weight: Any, bias: Any = None) -> Any:
        """x @ weight.T + bias, the bias added in place."""
        y = self.matmul(x, weight.T)
        return y if bias is None else self.cp.add(y, bias, out=y)

    # --- Running sums and products ----------------------------------------------------

    def cumsum(self, x: Any, dim: int) -> Any:
        """Running sums."""
        return self.scanned(self.cp.cumsum, x, dim)

    def cumprod(self, x: Any, dim: int) -> Any:
        """Running products."""
        return self.scanned(self.cp.cumprod, x, dim)

    def scanned(self, function: Any, x: Any, dim: int) -> Any:
        """A scan in the dtype of `x`, of 16-bit floats in 32 bits."""
        if not x.ndim:
            return self.scanned(function, x.reshape(1), dim).reshape(())
        if x.itemsize == 2 and is_real(x):
            return function(x.astype("f"), dim).astype(x.dtype)
        return function(x, dim, dtype=x.dtype)
