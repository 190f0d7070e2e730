"""Steps that gradients flow through: `differentiable=True`.

An update is written with operations in place. A `Recorded` stands for a tensor in such
an update and computes each of them out of place, so that the graph keeps every value
that a gradient needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad
from plugrad import Tensor

OPERATORS = (
    "add radd sub rsub mul rmul truediv rtruediv pow neg gt lt ge le eq ne".split()
)


class Recorded:
    """A tensor whose methods in place change which tensor this stands for."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Tensor) -> None:
        self.value = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        in_place = name.endswith("_")
        if name == "copy_":
            return self.copy_
        found = getattr(self.value, name.removesuffix("_") if in_place else name)
        if not callable(found):
            return found

        def call(*args: Any, out: Recorded | None = None, **options: Any) -> Any:
            args, options = plain(name, args, options)
            result = found(*args, **options)
            target = self if in_place else out
            if target is None:
                return Recorded(result) if isinstance(result, Tensor) else result
            target.value = result
            return target

        return call

    def copy_(self, other: Recorded) -> Recorded:
        self.value = other.value
        return self

    def axpby_(self, other: Recorded, *, alpha: Any = 1, beta: Any = 1) -> Recorded:
        return self.mul_(beta).add_(other, alpha=alpha)


def operator(name: str) -> Callable[..., Any]:
    def call(self: Recorded, *others: Any) -> Recorded:
        others = tuple(v.value if isinstance(v, Recorded) else v for v in others)
        return Recorded(getattr(self.value, name)(*others))

    return call


for each in OPERATORS:
    setattr(Recorded, f"__{each}__", operator(f"__{each}__"))


def plain(name: str, args: Any, options: dict[str, Any]) -> Any:
    """Arguments as tensors; a factor that is one, too, is multiplied in."""
    args = [v.value if isinstance(v, Recorded) else v for v in args]
    for option in ("alpha", "value"):
        if isinstance(options.get(option), Tensor):
            args[0] = args[0] * options.pop(option)
    return args, options


def update_recorded(
    update: Callable[[Any, Any, Any], None],
    p: Tensor,
    g: Tensor,
    state: dict[str, Any],
    elements: list[str],
) -> dict[str, Tensor]:
    """Update a parameter with its history; the new tensors of its state, those named
    in `elements`, have theirs."""
    is_complex = p.is_complex()

    def start(x: Tensor) -> Recorded:
        x = x.clone()
        return Recorded(plugrad.view_as_real(x) if is_complex else x)

    def end(x: Recorded) -> Tensor:
        return plugrad.view_as_complex(x.value) if is_complex else x.value

    new = start(p)
    given = {**state, **{name: start(state[name]) for name in elements}}
    update(new, start(g), given)
    p.copy_(end(new))
    return {name: end(given[name]) for name in elements}
