"""Random numbers: one stream serves all devices.

What `plugrad.manual_seed` starts, tensors on GPUs draw from as well, so that a program
draws the same numbers wherever it runs. The functions here are PyTorch's names for it.
Without a GPU, those that seed do nothing, as PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import plugrad

from .devices import device_count, index_of, is_available

__all__ = [
    "get_rng_state",
    "get_rng_state_all",
    "initial_seed",
    "manual_seed",
    "manual_seed_all",
    "seed",
    "seed_all",
    "set_rng_state",
    "set_rng_state_all",
]


def manual_seed(seed: int) -> None:
    """`plugrad.manual_seed`, where there is a GPU.

    >>> import plugrad
    >>> plugrad.cuda.manual_seed(0)
    """
    if is_available():
        plugrad.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """`plugrad.manual_seed`, where there is a GPU.

    >>> import plugrad
    >>> plugrad.cuda.manual_seed_all(0)
    """
    manual_seed(seed)


def seed() -> None:
    """`plugrad.seed`, where there is a GPU.

    >>> import plugrad
    >>> plugrad.cuda.seed()
    """
    if is_available():
        plugrad.seed()


def seed_all() -> None:
    """`plugrad.seed`, where there is a GPU.

    >>> import plugrad
    >>> plugrad.cuda.seed_all()
    """
    seed()


def initial_seed() -> int:
    """The seed that the stream was started from.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     assert plugrad.cuda.initial_seed() == plugrad.initial_seed()
    """
    index_of()
    return plugrad.initial_seed()


def get_rng_state(device: Any = "cuda") -> plugrad.Tensor:
    """The state of the stream, as a tensor of bytes on the CPU.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.set_rng_state(plugrad.cuda.get_rng_state())
    """
    index_of(device)
    return plugrad.get_rng_state()


def get_rng_state_all() -> list[plugrad.Tensor]:
    """The state, once for each device.

    >>> import plugrad
    >>> len(plugrad.cuda.get_rng_state_all()) == plugrad.cuda.device_count()
    True
    """
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state(new_state: plugrad.Tensor, device: Any = "cuda") -> None:
    """Put the stream where it was when it gave `new_state`.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.set_rng_state(plugrad.cuda.get_rng_state())
    """
    if is_available():
        index_of(device)
        plugrad.set_rng_state(new_state)


def set_rng_state_all(new_states: Iterable[plugrad.Tensor]) -> None:
    """Put the stream where it was when it gave `new_states`, which are all one.

    >>> import plugrad
    >>> plugrad.cuda.set_rng_state_all(plugrad.cuda.get_rng_state_all())
    """
    for i, state in enumerate(new_states):
        set_rng_state(state, i)
