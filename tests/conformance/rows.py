"""How a layer that is tried is written down: how it is made, and the inputs of a call.

Inputs are shapes of numbers, or functions of a `Make` for anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plugrad


@dataclass(frozen=True)
class Layer:
    """How a layer is made, and what it is called with."""

    make: Callable[[], Any]
    inputs: tuple[Any, ...]


def row(make: Callable[[], Any], *inputs: Any) -> Layer:
    return Layer(make, inputs)


def ids(high: int, *shape: int) -> Callable[[Any], Any]:
    """Integers from 0 to below `high`."""
    return lambda make: make.integers(*shape, high=high)


def between(low: float, high: float, *shape: int) -> Callable[[Any], Any]:
    """Numbers of a range."""
    return lambda make: make(*shape, low=low, high=high)


def given(*values: Any, dtype: str | None = None) -> Callable[[Any], Any]:
    """Numbers as they are, of the tested dtype or another one."""

    def make_them(make: Any) -> Any:
        if dtype is None:
            return make.like(list(values), requires_grad=False)
        wanted = getattr(plugrad, dtype)
        return make.tensor(make.shaped(list(values), (len(values),), wanted), False)

    return make_them


def fixed(spec: tuple[int, ...] | Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An input, such as a target, whose gradient nobody wants."""

    def make_it(make: Any) -> Any:
        x = spec(make) if callable(spec) else make(*spec)
        return x.detach()

    return make_it


def mask(rows: list[list[bool]]) -> Callable[[Any], Any]:
    """Truth values."""

    def make_them(make: Any) -> Any:
        flat = [value for each in rows for value in each]
        return make.tensor(
            make.shaped(flat, (len(rows), len(rows[0])), plugrad.bool), False
        )

    return make_them
