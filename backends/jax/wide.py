"""JAX with 64-bit dtypes, without a change to the process's own setting.

JAX computes in 32 bits unless told otherwise, PyTorch's integers have 64. What decides
is a setting of the process (`jax_enable_x64`), which is the user's, and that of a
thread, inside `with jax.enable_x64(True):`. Everything here computes inside that: a
call pays 0.5 us for it, beside 5 us and more that JAX takes for any operation.
"""

from __future__ import annotations

from functools import wraps
from types import ModuleType
from typing import Any

import jax

__all__ = ["Wide", "wide", "widened"]

if hasattr(jax, "enable_x64"):

    def wide() -> Any:
        """A context in which this thread computes with 64-bit dtypes."""
        return jax.enable_x64(True)

else:  # before JAX 0.8

    def wide() -> Any:
        """A context in which this thread computes with 64-bit dtypes."""
        from jax.experimental import enable_x64

        return enable_x64(True)


def widened(function: Any) -> Any:
    """`function`, computed with 64-bit dtypes."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with wide():
            return function(*args, **kwargs)

    return call


class Wide:
    """A module of JAX with its functions widened, and those of modules in it."""

    def __init__(self, module: Any, instead: dict[str, Any] | None = None) -> None:
        self._module = module
        self.__dict__.update(instead or {})

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if isinstance(found, ModuleType):
            found = Wide(found)
        elif callable(found) and not isinstance(found, type):
            found = widened(found)
        self.__dict__[name] = found
        return found
