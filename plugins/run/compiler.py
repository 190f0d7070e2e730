"""`torch.compiler`: what functions ask that may be compiled, and are not here."""

from __future__ import annotations

from typing import Any


def is_compiling() -> bool:
    """False: functions run as Python."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, **kwargs: Any) -> Any:
    """The function itself, or a decorator that returns it."""
    return fn if fn is not None else same


def same(value: Any) -> Any:
    """What it is given."""
    return value


allow_in_graph = assume_constant_result = same


def cudagraph_mark_step_begin() -> None:
    """Nothing is recorded."""


def reset() -> None:
    """Nothing was compiled."""
