"""Views and other changes of shape."""

from __future__ import annotations

from ..declare import op, sum_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype
    from ..declare import Kernels
    from ..tensor import Tensor

__all__ = ["expand", "getitem", "matmul", "reshape", "to_dtype"]


@op(view=True)
def reshape(k: Kernels, x: Tensor, *shape: int) -> Tensor:
    """The same elements in another shape: a view where possible, else a copy."""
    return k.reshape(x, shape)


reshape.grad(x=lambda k, g, x_shape: k.reshape(g, x_shape))


@op
def to_dtype(k: Kernels, x: Tensor, dtype: dtype) -> Tensor:
    """The same values in another dtype."""
    return k.astype(x, k.native(dtype))


def _cast_back(k: Any, g: Any, x_dtype: Any) -> Any:
    """A gradient in the input's dtype; of a complex one a real input gets the real
    part."""
    if k.isdtype(g.dtype, "complex floating") and not k.isdtype(
        x_dtype, "complex floating"
    ):
        g = k.real(g)
    return k.astype(g, x_dtype)


to_dtype.grad(x=lambda k, g, x_dtype: _cast_back(k, g, x_dtype))


@op(view=True)
def expand(k: Kernels, x: Tensor, *size: int) -> Tensor:
    """Repeat dimensions of size 1 without copying; -1 keeps a size."""
    added = len(size) - x.ndim
    shape = tuple(x.shape[i - added] if n == -1 else n for i, n in enumerate(size))
    return k.broadcast_to(x, shape)


expand.grad(x=lambda k, g, x_shape: sum_to(k, g, x_shape))


@op(promote="same", broadcast=True)
def matmul(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The matrix product, of batches too."""
    return k.matmul(a, b)


matmul.grad(
    a=lambda k, g, b: k.matmul(g, k.matrix_transpose(b)),
    b=lambda k, g, a: k.matmul(k.matrix_transpose(a), g),
)


@op(view=True)
def getitem(k: Kernels, x: Tensor, index: Any) -> Tensor:
    return x[index]


getitem.grad(x=lambda k, g, x_shape, index: k.embed(g, index, x_shape))


@op
def embed(k: Kernels, x: Tensor, index: Any, shape: Any) -> Tensor:
    y = k.zeros(shape, dtype=x.dtype)
    y[index] = x
    return y


embed.grad(x=lambda k, g, index: g[index])
