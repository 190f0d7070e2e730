"""Intel MKL's C library: where it lies, how it is loaded, and its sparse product.

- The library is libmkl_rt, of the distribution `mkl` or of the system. Only a process
  that has not loaded it is told how to thread, and the variable MKL_THREADING_LAYER
  decides before this does: sequentially, so that no second OpenMP is started beside
  PyTorch's. The threads are Python's, among which the caller shares out rows.
- Where another user of the library has it thread, a call from here still takes one
  thread: that is set for the calling thread, and set back.
- A matrix of MKL's is a handle on arrays that stay where they are. Making one takes
  9 us, so each product makes its own: none is kept, shared between threads or leaked.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from ctypes import POINTER, Structure, byref, c_double, c_float, c_int, c_void_p
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from plugrad import BackendError

SEQUENTIAL, LP64 = 1, 0  # of mkl_service.h
STATUS = (  # of sparse_status_t in mkl_spblas.h, as are the numbers below
    "success",
    "not initialized",
    "out of memory",
    "invalid value",
    "execution failed",
    "internal error",
    "not supported",
)
ZERO_BASED, NOT_TRANSPOSED, GENERAL, ROW_MAJOR = 0, 10, 20, 101


class Description(Structure):
    """matrix_descr: what a matrix is like, beside its elements."""

    _fields_ = [("type", c_int), ("mode", c_int), ("diagonal", c_int)]


SCALARS: dict[str, Any] = {"s": c_float, "d": c_double}  # by the letter in names


def places() -> Iterator[str]:
    """Where the library may be, best first."""
    try:
        files = distribution("mkl").files or []
    except PackageNotFoundError:
        files = []
    for each in files:
        if each.name.startswith(("libmkl_rt.", "mkl_rt.")):
            yield str(Path(str(each.locate())).resolve())
    folder = Path(sys.prefix, "Library", "bin") if os.name == "nt" else None
    for path in sorted((folder or Path(sys.prefix, "lib")).glob("*mkl_rt.*")):
        if path.suffix != ".lib":
            yield str(path)
    found = find_library("mkl_rt")
    if found:
        yield found


def is_loaded(path: str) -> bool:
    """Whether somebody in this process has loaded the library; where the system does
    not say, somebody may have."""
    if not hasattr(os, "RTLD_NOLOAD"):
        return True
    try:
        ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
    except OSError:
        return False
    return True


def load() -> Library:
    """The library, or an error that says what to install."""
    tried = []
    for path in places():
        try:
            return Library(path)
        except OSError as error:
            tried.append(str(error))
    why = f" ({'; '.join(tried)})" if tried else ""
    raise BackendError(
        f"the kernels 'mkl' need Intel MKL's library libmkl_rt, which was not found"
        f"{why}; pip install 'plugrad[mkl]'"
    )


class Library:
    """The functions in use, with their arguments declared."""

    def __init__(self, path: str) -> None:
        first = not is_loaded(path)
        self.mkl = mkl = ctypes.CDLL(path)
        if first and "MKL_THREADING_LAYER" not in os.environ:
            mkl.MKL_Set_Threading_Layer(c_int(SEQUENTIAL))
        if mkl.MKL_Set_Interface_Layer(c_int(LP64)) != LP64:
            raise BackendError(
                "the kernels 'mkl' need MKL's interface LP64, and this process uses "
                "another; unset MKL_INTERFACE_LAYER"
            )
        self.use_threads = mkl.MKL_Set_Num_Threads_Local
        self.use_threads.argtypes, self.use_threads.restype = [c_int], c_int
        self.destroy = mkl.mkl_sparse_destroy
        self.destroy.argtypes, self.destroy.restype = [c_void_p], c_int
        self.creators = {code: self.creator(code) for code in SCALARS}
        self.products = {code: self.dense_product(code) for code in SCALARS}
        self.like = Description(GENERAL, 0, 0)

    def creator(self, code: str) -> Any:
        """mkl_sparse_?_create_csr."""
        found = getattr(self.mkl, f"mkl_sparse_{code}_create_csr")
        found.argtypes = [POINTER(c_void_p), c_int, c_int, c_int, *[c_void_p] * 4]
        found.restype = c_int
        return found

    def dense_product(self, code: str) -> Any:
        """mkl_sparse_?_mm: y = alpha * a @ b + beta * y."""
        found, scalar = getattr(self.mkl, f"mkl_sparse_{code}_mm"), SCALARS[code]
        found.argtypes = [c_int, scalar, c_void_p, Description, c_int, c_void_p]
        found.argtypes += [c_int, c_int, scalar, c_void_p, c_int]
        found.restype = c_int
        return found

    def multiply(
        self,
        code: str,
        shape: tuple[int, int],
        matrix: tuple[int, int, int],
        b: int,
        width: int,
        y: int,
    ) -> None:
        """Write the product of a matrix by rows and a dense one. Arrays are given by
        their addresses: of the starts of rows, of columns, of values; dense matrices
        have `width` columns, row after row."""
        starts, columns, values = matrix
        scalar = SCALARS[code]
        handle = c_void_p()
        before = self.use_threads(1)
        try:
            self.check(
                self.creators[code](
                    byref(handle),
                    ZERO_BASED,
                    *shape,
                    starts,
                    starts + 4,
                    columns,
                    values,
                )
            )
            self.check(
                self.products[code](
                    NOT_TRANSPOSED, scalar(1), handle, self.like, ROW_MAJOR, b,
                    width, width, scalar(0), y, width,
                )
            )  # fmt: skip
        finally:
            if handle:
                self.destroy(handle)
            self.use_threads(before)

    def check(self, status: int) -> None:
        """Raise unless a call succeeded."""
        if status:
            reason = STATUS[status] if status < len(STATUS) else f"status {status}"
            raise RuntimeError(f"Intel MKL's sparse product: {reason}")
