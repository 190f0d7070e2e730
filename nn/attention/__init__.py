"""Which way attention is computed: names that PyTorch's programs choose by.

Backends have one kernel of `scaled_dot_product_attention`, which keeps no probabilities
and is exact; a choice here is accepted, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """PyTorch's ways to compute attention.

    >>> from plugrad.nn.attention import SDPBackend
    >>> SDPBackend.FLASH_ATTENTION.name
    'FLASH_ATTENTION'
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(
    backends: list[SDPBackend] | SDPBackend, set_priority: bool = False
) -> Iterator[dict[str, Any]]:
    """Within the block, the way of PyTorch's that is preferred; results are the same.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> from plugrad.nn.attention import SDPBackend, sdpa_kernel
    >>> x = plugrad.ones(1, 2, 4)
    >>> with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
    ...     F.scaled_dot_product_attention(x, x, x).shape
    plugrad.Size([1, 2, 4])
    """
    chosen = backends if isinstance(backends, list) else [backends]
    if not all(isinstance(each, SDPBackend) for each in chosen):
        raise AssertionError(
            "sdpa_kernel takes an SDPBackend or a list of them, but got "
            f"{type(backends).__name__}"
        )
    yield {}
