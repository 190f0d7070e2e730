"""`torch.cuda.amp`: what old programs call of `plugrad.amp`, for CUDA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad
import plugrad.amp

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(plugrad.amp.autocast):
    """`plugrad.amp.autocast("cuda")`, which casts nothing.

    >>> import plugrad
    >>> with plugrad.cuda.amp.autocast(enabled=False):
    ...     pass
    """

    def __init__(
        self,
        enabled: bool = True,
        dtype: plugrad.dtype | None = None,
        cache_enabled: bool = True,
    ) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(plugrad.amp.GradScaler):
    """`plugrad.amp.GradScaler("cuda")`.

    >>> import plugrad
    >>> plugrad.cuda.amp.GradScaler(enabled=False).get_scale()
    1.0
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("cuda", *args, **kwargs)


def custom_fwd(fwd: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
    """A decorator for the `forward` of an `autograd.Function`; it changes nothing.

    >>> from plugrad.cuda.amp import custom_fwd
    >>> custom_fwd(abs) is abs
    True
    """
    return plugrad.amp.custom_fwd(fwd, device_type="cuda", **kwargs)


def custom_bwd(bwd: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator for the `backward` of an `autograd.Function`; it changes nothing.

    >>> from plugrad.cuda.amp import custom_bwd
    >>> custom_bwd(abs) is abs
    True
    """
    return plugrad.amp.custom_bwd(bwd)
