"""What surrounds computing on raw arrays, for the backends that need something."""

from __future__ import annotations

from _thread import _local

from .graph import AROUND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

TRACING: list[None] = []  # empty while no thread compiles a function


class _Local(_local):
    depth = 0  # of the functions that this thread is compiling, one within another


local = _Local()


def tracing() -> bool:
    """Whether this thread runs a function in order to compile it."""
    return bool(TRACING) and local.depth > 0


class Tracing:
    """Marks that a function is run in order to compile it."""

    def __enter__(self) -> None:
        TRACING.append(None)
        local.depth += 1

    def __exit__(self, *exc_info: object) -> None:
        local.depth -= 1
        TRACING.pop()


def computing(function: F) -> F:
    """`function`, called in the contexts that the backends in use compute in; most have
    none (`Backend.around`)."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if not AROUND:
            return function(*args, **kwargs)
        from contextlib import ExitStack

        with ExitStack() as stack:
            for around in AROUND:
                stack.enter_context(around())
            return function(*args, **kwargs)

    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        setattr(call, name, getattr(function, name))
    call.__wrapped__ = function  # type: ignore[attr-defined]
    call.__annotations__ = function.__annotations__
    return call  # type: ignore[return-value]
