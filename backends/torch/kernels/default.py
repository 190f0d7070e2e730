"""What several kernels need: an op's own body; unsigned integers as signed ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from plugrad import get_backend

SIGNED = {
    torch.uint16: torch.int16,
    torch.uint32: torch.int32,
    torch.uint64: torch.int64,
}


def default(name: str, *args: Any, **options: Any) -> Any:
    """What the op's own body makes of the arguments, where a kernel does not."""
    k = get_backend("torch")
    return k.ops[name].body(k, *args, **options)


def by_bits(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """`kernel`, which moves or adds up elements, of unsigned integers too. torch has
    few kernels for these; signed ones of the same size have the same bits, and the same
    sums."""

    @wraps(kernel)
    def run(x: Any, *args: Any, **options: Any) -> Any:
        signed, dtype = SIGNED.get(x.dtype), x.dtype
        if signed is None:
            return kernel(x, *args, **options)
        rest = [
            each.view(signed) if getattr(each, "dtype", None) is dtype else each
            for each in args
        ]
        return kernel(x.view(signed), *rest, **options).view(dtype)

    return run
