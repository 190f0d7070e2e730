"""How much memory is in use, by CuPy's pool; and giving back what is not.

CuPy counts the bytes in use, but not the most there ever were. That is counted here
from the first call of `reset_peak_memory_stats` on, by a look at the pool after each
allocation, which costs about 0.2 us; before, nobody pays for it.
"""

from __future__ import annotations

from typing import Any

from plugrad.backends.cupy import cupy_library

from .devices import index_of, is_available

__all__ = [
    "empty_cache",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
]

PEAKS: dict[int, list[int]] = {}  # most bytes in use and reserved, by device
COUNTING: list[Any] = []  # the allocator that counts, once it is in place


def pool_bytes(device: Any = None) -> tuple[int, int]:
    """Bytes in use, and in the pool, on a device."""
    index = index_of(device)
    cp = cupy_library()
    pool = cp.get_default_memory_pool()
    with cp.cuda.Device(index):
        return pool.used_bytes(), pool.total_bytes()


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays occupy; 0 where there is no GPU.

    >>> import plugrad
    >>> plugrad.cuda.memory_allocated() >= 0
    True
    """
    return pool_bytes(device)[0] if is_available() else 0


def memory_reserved(device: Any = None) -> int:
    """Bytes that CuPy's pool holds, in use or not; 0 where there is no GPU.

    >>> import plugrad
    >>> plugrad.cuda.memory_reserved() >= plugrad.cuda.memory_allocated()
    True
    """
    return pool_bytes(device)[1] if is_available() else 0


def count_peaks() -> None:
    """Look at the pool after each allocation from now on, in all threads."""
    cp = cupy_library()
    before = cp.cuda.get_allocator()
    if COUNTING and COUNTING[0] is before:
        return
    pool, current = cp.get_default_memory_pool(), cp.cuda.runtime.getDevice

    def counting(size: int) -> Any:
        made = before(size)
        peak = PEAKS.setdefault(current(), [0, 0])
        peak[0] = max(peak[0], pool.used_bytes())
        peak[1] = max(peak[1], pool.total_bytes())
        return made

    COUNTING[:] = [counting]
    cp.cuda.set_allocator(counting)


def reset_peak_memory_stats(device: Any = None) -> None:
    """Count the most memory in use from now on.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.reset_peak_memory_stats()
    """
    PEAKS[index_of(device)] = list(pool_bytes(device))
    count_peaks()


def reset_max_memory_allocated(device: Any = None) -> None:
    """The old name of `reset_peak_memory_stats`.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.reset_max_memory_allocated()
    """
    reset_peak_memory_stats(device)


def peak(device: Any) -> list[int]:
    """The most bytes in use and reserved, at least what there are now."""
    index, now = index_of(device), pool_bytes(device)
    if not COUNTING:
        from warnings import warn

        warn(
            "the most memory in use is counted from now on: call "
            "plugrad.cuda.reset_peak_memory_stats() at the start of the program",
            stacklevel=3,
        )
        reset_peak_memory_stats(device)
    return list(map(max, PEAKS.get(index, (0, 0)), now))


def max_memory_allocated(device: Any = None) -> int:
    """The most bytes in use since `reset_peak_memory_stats`; 0 without a GPU.

    >>> import plugrad
    >>> if not plugrad.cuda.is_available():
    ...     assert plugrad.cuda.max_memory_allocated() == 0
    """
    return peak(device)[0] if is_available() else 0


def max_memory_reserved(device: Any = None) -> int:
    """The most bytes in the pool since `reset_peak_memory_stats`; 0 without a GPU.

    >>> import plugrad
    >>> if not plugrad.cuda.is_available():
    ...     assert plugrad.cuda.max_memory_reserved() == 0
    """
    return peak(device)[1] if is_available() else 0


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Free and total bytes of a device, by CUDA's own account.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     free, total = plugrad.cuda.mem_get_info()
    ...     assert free <= total
    """
    index = index_of(device)
    cuda = cupy_library().cuda
    with cuda.Device(index):
        free, total = cuda.runtime.memGetInfo()
    return free, total


def empty_cache() -> None:
    """Give the memory in the pool that is not in use back to the device.

    >>> import plugrad
    >>> plugrad.cuda.empty_cache()
    """
    if is_available():
        cp = cupy_library()
        cp.get_default_memory_pool().free_all_blocks()
        cp.get_default_pinned_memory_pool().free_all_blocks()


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Let the pool hold at most this part of a device's memory.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     plugrad.cuda.set_per_process_memory_fraction(1.0)
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"Invalid fraction value: {fraction}. Allowed range: 0~1")
    index = index_of(device)
    cp = cupy_library()
    with cp.cuda.Device(index):
        cp.get_default_memory_pool().set_limit(fraction=fraction)


def memory_stats(device: Any = None) -> dict[str, int]:
    """The counts, under PyTorch's names; empty where there is no GPU.

    >>> import plugrad
    >>> if not plugrad.cuda.is_available():
    ...     assert plugrad.cuda.memory_stats() == {}
    """
    if not is_available():
        return {}
    used, reserved = pool_bytes(device)
    most = PEAKS.get(index_of(device), (used, reserved)) if COUNTING else None
    found = {
        "allocated_bytes.all.current": used,
        "reserved_bytes.all.current": reserved,
    }
    if most is not None:
        found["allocated_bytes.all.peak"] = max(used, most[0])
        found["reserved_bytes.all.peak"] = max(reserved, most[1])
    return found


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """The counts of a device, to be read.

    >>> import plugrad
    >>> if plugrad.cuda.is_available():
    ...     print(plugrad.cuda.memory_summary())
    """
    index = index_of(device)
    lines = [f"Memory of cuda:{index}, by CuPy's pool"]
    for name, count in memory_stats(index).items():
        lines.append(f"{name:<30}{count / 2**20:>14,.1f} MiB")
    if not abbreviated:
        free, total = mem_get_info(index)
        lines.append(f"{'free on the device':<30}{free / 2**20:>14,.1f} MiB")
        lines.append(f"{'total on the device':<30}{total / 2**20:>14,.1f} MiB")
    return "\n".join(lines)
