"""Reductions over dimensions."""

from __future__ import annotations

from ..declare import op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Dim = int | tuple[int, ...] | None

__all__ = ["sum"]


def spread(k: Any, g: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    """A reduced gradient over the reduced dimensions again."""
    if dim is not None and dim != () and not keepdim and g.ndim != len(shape):
        dims = {d % len(shape) for d in ((dim,) if isinstance(dim, int) else dim)}
        g = k.reshape(g, tuple(1 if i in dims else n for i, n in enumerate(shape)))
    return k.broadcast_to(g, shape)


@op(promote="sum")
def sum(
    k: Kernels, x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The sum over one, several or all dimensions."""
    if dtype is not None:
        x = k.astype(x, k.native(dtype))
    return k.sum(x, axis=dim if dim != () else None, keepdims=keepdim)


sum.grad(
    x=lambda k, g, x_shape, dim, keepdim: spread(k, g, x_shape, dim, keepdim),
)
