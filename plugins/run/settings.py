"""Settings at the top of PyTorch that plugrad keeps, and that change nothing in it."""

from __future__ import annotations

from typing import Any

import plugrad

precision = "highest"


def set_float32_matmul_precision(value: str) -> None:
    """Remember how exact matrix products must be; plugrad's are always "highest"."""
    global precision
    if value not in ("highest", "high", "medium"):
        raise RuntimeError(
            f"set_float32_matmul_precision: {value!r} is not 'highest', 'high' or "
            "'medium'"
        )
    precision = value


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told."""
    return precision


deterministic = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Remember the choice: on the CPU, plugrad has no other algorithms."""
    global deterministic
    deterministic = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was told."""
    return deterministic


def set_flush_denormal(mode: bool) -> bool:
    """False: plugrad cannot change how the processor treats the smallest numbers."""
    return False


def typename(value: Any) -> str:
    """The name of a type: torch.FloatTensor for a tensor."""
    if isinstance(value, plugrad.Tensor):
        return value.type()
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"
