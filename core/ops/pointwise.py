"""Arithmetic and elementary functions, element by element."""

from __future__ import annotations

from ..declare import op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Number = bool | int | float | complex

__all__ = ["add", "div", "exp", "log", "mul", "neg", "relu", "rsub", "sub", "tanh"]


@op(promote="same")
def add(k: Kernels, a: Tensor, b: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """a + alpha * b, elementwise, broadcast."""
    return k.add(a, b if alpha == 1 else b * alpha)


add.grad(
    a=lambda k, g: g,
    b=lambda k, g, alpha: g if alpha == 1 else g * alpha,
)


@op(promote="same")
def sub(k: Kernels, a: Tensor, b: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """a - alpha * b, elementwise, broadcast."""
    return k.subtract(a, b if alpha == 1 else b * alpha)


sub.grad(
    a=lambda k, g: g,
    b=lambda k, g, alpha: -g if alpha == 1 else g * -alpha,
)


@op(promote="same")
def rsub(k: Kernels, a: Tensor, b: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """b - alpha * a, elementwise, broadcast."""
    return k.subtract(b, a if alpha == 1 else a * alpha)


rsub.grad(
    a=lambda k, g, alpha: -g if alpha == 1 else g * -alpha,
    b=lambda k, g: g,
)


@op(promote="same")
def mul(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """a * b, elementwise, broadcast."""
    return k.multiply(a, b)


mul.grad(a=lambda k, g, b: g * b, b=lambda k, g, a: g * a)


@op(promote="float")
def div(
    k: Kernels, a: Tensor, b: Tensor | Number, *, rounding_mode: str | None = None
) -> Tensor:
    """a / b, elementwise, broadcast."""
    return k.divide(a, b)


div.grad(a=lambda k, g, b: g / b, b=lambda k, g, a, b: -g * a / (b * b))


@op(inplace=True)
def neg(k: Kernels, x: Tensor) -> Tensor:
    """-x, elementwise."""
    return k.negative(x)


neg.grad(x=lambda k, g: -g)


@op(promote="float")
def exp(k: Kernels, x: Tensor) -> Tensor:
    """e to the power of x, elementwise."""
    return k.exp(x)


exp.grad(x=lambda k, g, y: g * y)


@op(promote="float")
def log(k: Kernels, x: Tensor) -> Tensor:
    """The natural logarithm, elementwise."""
    return k.log(x)


log.grad(x=lambda k, g, x: g / x)


@op(promote="float")
def tanh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise."""
    return k.tanh(x)


tanh.grad(x=lambda k, g, y: g - g * y * y)


@op(inplace=True)
def relu(k: Kernels, x: Tensor) -> Tensor:
    """max(x, 0), elementwise."""
    return k.maximum(x, k.zeros_like(x))


relu.grad(x=lambda k, g, y: k.where(y > 0, g, k.zeros_like(g)))
