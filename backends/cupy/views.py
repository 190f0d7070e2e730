"""Views that the array API standard has no functions for."""

from __future__ import annotations

from typing import Any


class Views:
    """Kernels whose results share memory with their argument."""

    k: Any
    cp: Any
    default: Any

    def as_view(self, x: Any, shape: Any, strides: Any, first: int = 0) -> Any:
        """A view by its shape and its steps in bytes, from an element on. What lies
        without gaps is cut out: only so does CuPy note whose memory it is."""
        count, dense = 1, True
        for n, step in zip(reversed(shape), reversed(strides)):
            dense = dense and (n == 1 or step == count * x.itemsize)
            count *= n
        if dense and x.flags.c_contiguous:
            return x.reshape(-1)[first : first + count].reshape(tuple(shape))
        start = x.reshape(-1)[first:] if first else x
        strided = self.cp.lib.stride_tricks.as_strided
        return strided(start, tuple(shape), tuple(strides))

    def view_as_dtype(self, x: Any, dtype: Any) -> Any:
        """The same memory read as another dtype."""
        return x.view(self.k.native(dtype))

    def transpose(self, x: Any, dim0: int, dim1: int) -> Any:
        """Two dimensions exchanged."""
        return self.k.swapaxes(x, dim0, dim1)

    swapaxes = transpose

    def real(self, x: Any) -> Any:
        """The real part."""
        return x.real

    def imag(self, x: Any) -> Any:
        """The imaginary part."""
        return x.imag

    def view_as_real(self, x: Any) -> Any:
        """Each complex number as two reals."""
        return x[..., None].view(x.real.dtype)

    def view_as_complex(self, x: Any) -> Any:
        """Each two reals as one complex number."""
        if x.size and x.strides[-1] != x.itemsize:
            raise RuntimeError(
                "view_as_complex: the tensor must have a last dimension with stride "
                "1; call contiguous() first"
            )
        return x.view("F" if x.itemsize == 4 else "D")[..., 0]

    def diagonal(self, x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
        """The diagonals of matrices."""
        n = x.ndim or 1
        if not (-n <= dim1 < n and -n <= dim2 < n) or dim1 % n == dim2 % n:
            return self.default("diagonal", x, offset, dim1, dim2)
        return x.diagonal(offset, dim1, dim2)

    def unfold(self, x: Any, dimension: int, size: int, step: int) -> Any:
        """All windows along a dimension."""
        n = x.shape[dimension] if x.ndim else 1
        if step <= 0 or not 0 <= size <= n or not x.size:
            return self.default("unfold", x, dimension, size, step)
        if not x.ndim:
            return x.reshape(1)[:size]
        at, steps = dimension % x.ndim, x.strides
        count = (n - size) // step + 1
        shape = (*x.shape[:at], count, *x.shape[at + 1 :], size)
        strides = (*steps[:at], step * steps[at], *steps[at + 1 :], steps[at])
        return self.as_view(x, shape, strides)

    def as_strided(
        self, x: Any, size: Any, stride: Any, storage_offset: Any = None
    ) -> Any:
        """A view by steps through the memory of a contiguous array."""
        first = storage_offset or 0
        last = first + sum((n - 1) * step for n, step in zip(size, stride))
        fits = len(size) == len(stride) and all(step >= 0 for step in stride)
        if not (fits and x.flags.c_contiguous and 0 <= first <= last < x.size):
            return self.default("as_strided", x, size, stride, storage_offset)
        if 0 in size:
            return self.default("as_strided", x, size, stride, storage_offset)
        return self.as_view(x, size, [n * x.itemsize for n in stride], first)
