"""CuPy itself: whether it can be used here, and if not, why.

- Where CuPy is not installed, nothing is imported to find that out.
- A broken CuPy, a missing driver and a machine without a GPU are told apart: each has
  another way out.
"""

from __future__ import annotations

from typing import Any

from plugrad import BackendError

INSTALL = "pip install 'plugrad[cupy-cuda12x]', or [cupy-cuda13x] for CUDA 13"
failures: dict[str, str] = {}  # why importing CuPy failed; it is tried once


def cupy_library() -> Any:
    """The module `cupy`, once it is sure that it can compute here.

    >>> from plugrad.backends.cupy import cupy_library, why_not
    >>> if why_not() is None:
    ...     assert cupy_library().__name__ == "cupy"
    """
    reason = why_not()
    if reason is not None:
        raise BackendError(reason)
    import cupy

    return cupy


def why_not() -> str | None:
    """Why CuPy cannot compute here, or None if it can.

    >>> from plugrad.backends.cupy import why_not
    >>> why_not() is None or "CUDA" in why_not()
    True
    """
    reason = failures.get("import")
    if reason is not None:
        return reason
    try:
        import cupy
    except Exception as error:  # a broken installation raises anything
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            return f"CUDA needs CuPy, which is not installed: {INSTALL}"
        reason = failures["import"] = (
            f"CUDA needs CuPy, which is installed but cannot be imported: "
            f"{type(error).__name__}: {first_line(error)}"
        )
        return reason
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:
        return f"CUDA cannot be used here: {first_line(error)}{way_out(error)}"
    return None if count else f"CUDA has no device here{HIDDEN}"


HIDDEN = "; is CUDA_VISIBLE_DEVICES set to something that hides it?"


def way_out(error: Exception) -> str:
    """What to do about an error of CUDA's, where that is known."""
    text = str(error)
    if "InsufficientDriver" in text:
        return "; there is no NVIDIA driver, or one too old for this CuPy"
    return HIDDEN if "NoDevice" in text else ""


def first_line(error: Exception) -> str:
    """The beginning of an error's message, which CuPy fills with advice."""
    lines = [line.strip("= ") for line in str(error).splitlines()]
    return next(filter(None, lines), type(error).__name__)
