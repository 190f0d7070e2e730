"""Which kernels NumPy's OpenBLAS multiplies matrices with, for `plugrad doctor`.

OpenBLAS chooses them by the processor when it is loaded, unless OPENBLAS_CORETYPE does.
Those without AVX-512 reach half of what a processor with AVX-512 can: on an EPYC of
2024, 124 GFLOP/s on one thread, and 230 with the kernels called SkylakeX.
"""

from __future__ import annotations

import ctypes
import os

VARIABLE, BETTER = "OPENBLAS_CORETYPE", "SkylakeX"
NEEDED = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}  # by SkylakeX's
BEFORE_AVX512 = ("Haswell", "Zen", "Sandybridge", "Nehalem", "Prescott", "Core2")
NAMED = ("scipy_openblas_get_corename64_", "openblas_get_corename64_")
NAMED += ("scipy_openblas_get_corename", "openblas_get_corename")


def notes() -> list[str]:
    """Which kernels are in use and, where there are better ones, how to have them."""
    used = core()
    if not used:
        return []
    found = [f"OpenBLAS, with its kernels for {used}"]
    if used in BEFORE_AVX512 and NEEDED <= {*processor_flags()}:
        chosen = os.environ.get(VARIABLE)
        why = f" ({VARIABLE}={chosen} in the environment)" if chosen else ""
        found.append(
            f"This processor has AVX-512, which they do not use{why}; products of "
            f"matrices may take half the time with {VARIABLE}={BETTER}"
        )
    return found


def core() -> str:
    """The name of the kernels in use; nothing if it is not OpenBLAS."""
    from .kernels.blas import loaded

    for name in NAMED:
        call = getattr(loaded(), name, None)
        if call is not None:
            call.restype = ctypes.c_char_p
            return call().decode()
    return ""


def processor_flags() -> list[str]:
    """What the processor can do, where the system says so in a file."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return []
    return line.split()
