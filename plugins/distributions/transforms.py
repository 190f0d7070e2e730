"""Invertible functions of samples, with what they do to densities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Tensor
from plugrad.nn.functional import softplus

from . import constraints
from .constraints import Constraint
from .distribution import sum_rightmost

__all__ = [
    "AffineTransform",
    "ComposeTransform",
    "ExpTransform",
    "SigmoidTransform",
    "TanhTransform",
    "Transform",
]


class Transform:
    """An invertible function; `inv` is its inverse.

    >>> import plugrad
    >>> exp = plugrad.distributions.transforms.ExpTransform()
    >>> exp.inv(exp(plugrad.tensor(2.0)))
    tensor(2.)
    """

    codomain: Constraint = constraints.real
    event_dim = 0

    def __init__(self, cache_size: int = 0) -> None:
        self.cache: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        y = self.forward(x)
        self.cache = x, y  # tanh loses digits that its inverse cannot find again
        return y

    def inverse(self, y: Tensor) -> Tensor:
        """The x of which y is the function."""
        if self.cache is not None and self.cache[1] is y:
            return self.cache[0]
        return self.backward(y)

    @property
    def inv(self) -> Inverse:
        """The inverse transform."""
        return Inverse(self)

    def forward(self, x: Tensor) -> Tensor:
        """The function."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def backward(self, y: Tensor) -> Tensor:
        """Its inverse."""
        raise NotImplementedError(f"{type(self).__name__} has no backward()")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |dy/dx|."""
        name = type(self).__name__
        raise NotImplementedError(f"{name} has no log_abs_det_jacobian()")

    @property
    def sign(self) -> int | Tensor:
        """1 where it increases, -1 where it decreases."""
        return 1

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Inverse(Transform):
    """The inverse of a transform."""

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self.transform = transform
        self.event_dim = transform.event_dim

    def forward(self, x: Tensor) -> Tensor:
        return self.transform.inverse(x)

    def backward(self, y: Tensor) -> Tensor:
        return self.transform(y)

    @property
    def inv(self) -> Any:
        return self.transform

    @property
    def sign(self) -> int | Tensor:
        return self.transform.sign

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self.transform.log_abs_det_jacobian(y, x)


class ExpTransform(Transform):
    """exp(x).

    >>> from plugrad.distributions.transforms import ExpTransform
    >>> import plugrad
    >>> ExpTransform()(plugrad.tensor(0.0))
    tensor(1.)
    """

    codomain = constraints.positive

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()

    def backward(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class SigmoidTransform(Transform):
    """1 / (1 + exp(-x)).

    >>> from plugrad.distributions.transforms import SigmoidTransform
    >>> import plugrad
    >>> SigmoidTransform()(plugrad.tensor(0.0))
    tensor(0.5000)
    """

    codomain = constraints.unit_interval

    def forward(self, x: Tensor) -> Tensor:
        info = plugrad.finfo(x.dtype)
        return plugrad.sigmoid(x).clamp(min=info.tiny, max=1 - info.eps)

    def backward(self, y: Tensor) -> Tensor:
        info = plugrad.finfo(y.dtype)
        y = y.clamp(min=info.tiny, max=1 - info.eps)
        return y.log() - plugrad.log1p(-y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class TanhTransform(Transform):
    """tanh(x), as bounded actions are drawn.

    >>> from plugrad.distributions.transforms import TanhTransform
    >>> import plugrad
    >>> TanhTransform()(plugrad.tensor(0.0))
    tensor(0.)
    """

    codomain = constraints.interval(-1.0, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        return x.tanh()

    def backward(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2 * (math.log(2) - x - softplus(-2 * x))


class AffineTransform(Transform):
    """loc + scale * x.

    >>> from plugrad.distributions.transforms import AffineTransform
    >>> import plugrad
    >>> AffineTransform(1.0, 2.0)(plugrad.tensor(3.0))
    tensor(7.)
    """

    def __init__(
        self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.loc = loc
        self.scale = scale
        self.event_dim = event_dim

    def forward(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def backward(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = plugrad.as_tensor(self.scale).to(x)
        found = scale.abs().log().expand(x.shape)
        return sum_rightmost(found, self.event_dim)

    @property
    def sign(self) -> int | Tensor:
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return 1 if self.scale > 0 else -1


class ComposeTransform(Transform):
    """Several transforms, the first one first.

    >>> from plugrad.distributions.transforms import ComposeTransform, ExpTransform
    >>> import plugrad
    >>> ComposeTransform([ExpTransform(), ExpTransform().inv])(plugrad.tensor(3.0))
    tensor(3.)
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = list(parts)
        self.event_dim = max((each.event_dim for each in self.parts), default=0)
        self.codomain = self.parts[-1].codomain if self.parts else constraints.real

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def backward(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part.inverse(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        found: Any = plugrad.zeros_like(sum_rightmost(x, self.event_dim))
        for part in self.parts:
            after = part(x)
            one = part.log_abs_det_jacobian(x, after)
            found = found + sum_rightmost(one, self.event_dim - part.event_dim)
            x = after
        return found

    @property
    def sign(self) -> int | Tensor:
        found: Any = 1
        for part in self.parts:
            found = found * part.sign
        return found
