"""Numba's compiled loops for NumPy's arrays: updates of optimizers in one pass.

    plugrad.use_kernels("numpy", "numba")

An optimizer's `update` is a dozen operations, each a pass over a block of the parameter
and its state. `plugrad.fuse` makes a program of them, and Numba a loop of that, for
float32 and float64. Loading Numba takes 0.3 s, and compiling a program 0.1 s, when it
is first met; none is kept on disk. `python -m benchmarks optim` compares steps with and
without it.

- Results are those of the single operations of NumPy, bit for bit, but where NumPy's
  backend uses its BLAS: that rounds a product and a sum together.
- A loop computes on the calling thread, and lets others run Python meanwhile: an
  optimizer has several of them compute at once, each another part.
"""

from __future__ import annotations

from plugrad import BackendError, Overrides, hookimpl

from .loops import DTYPES, loop

kernels = Overrides("numba", backend="numpy")
kernels.add("fuse", accepts=lambda program: program.dtype in DTYPES)(loop)


@hookimpl
def plugrad_kernels(name: str) -> Overrides | None:
    """The kernels, for plugrad's plugin manager."""
    if name != "numba":
        return None
    try:
        import numba  # noqa: F401  (compiles nothing yet)
    except ImportError as error:
        raise BackendError(
            f"the kernels 'numba' need Numba ({error}); pip install 'plugrad[numba]'"
        ) from error
    return kernels
