"""`autocast`, for programs written for PyTorch: it casts nothing.

Results have the dtypes that they have without it, and are at least as exact.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import plugrad

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

DEVICES = ("cpu", "cuda", "mps", "xpu")


def is_autocast_available(device_type: str) -> bool:
    """Whether products are computed in another dtype on a type of device: never.

    >>> from plugrad.amp import is_autocast_available
    >>> is_autocast_available("cpu")
    False
    """
    return False


class autocast:
    """A context in which PyTorch would compute products in 16 bits; here it warns, and
    changes nothing. With `enabled=False` it does not warn.

    >>> import plugrad
    >>> with plugrad.amp.autocast("cpu", enabled=False):
    ...     (plugrad.ones(2, 2) @ plugrad.ones(2, 2)).dtype
    plugrad.float32
    """

    def __init__(
        self,
        device_type: str,
        dtype: plugrad.dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            kind = type(device_type).__name__
            raise ValueError(f"autocast: device_type must be a string, not {kind}")
        if device_type not in DEVICES:
            raise RuntimeError(
                f"autocast: there is no type of device {device_type!r}; there are "
                f"{', '.join(DEVICES)}"
            )
        self.device = device_type
        self.fast_dtype = dtype
        if enabled:
            warnings.warn(
                "autocast casts nothing in plugrad: the program computes in the dtypes "
                "that its tensors have",
                stacklevel=2 if type(self) is autocast else 3,
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *error: Any) -> None:
        """There is nothing to take back."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: decorated with `autocast` it runs as without."""
        return function


def custom_fwd(
    fwd: Callable[..., Any] | None = None,
    *,
    device_type: str = "cuda",
    cast_inputs: plugrad.dtype | None = None,
) -> Callable[..., Any]:
    """A decorator for the `forward` of an `autograd.Function`; it changes nothing.

    >>> from plugrad.amp import custom_fwd
    >>> @custom_fwd(device_type="cuda")
    ... def forward(ctx, x):
    ...     return x * 2
    >>> forward(None, 3)
    6
    """
    if fwd is None:
        return functools.partial(
            custom_fwd, device_type=device_type, cast_inputs=cast_inputs
        )
    return fwd


def custom_bwd(
    bwd: Callable[..., Any] | None = None, *, device_type: str = "cuda"
) -> Callable[..., Any]:
    """A decorator for the `backward` of an `autograd.Function`; it changes nothing.

    >>> from plugrad.amp import custom_bwd
    >>> custom_bwd(abs) is abs
    True
    """
    return (
        functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd
    )
