"""What CuPy has to say to be a backend.

- Arrays are views of each other, written in place, and live on a device of CUDA's.
- Work is queued on the current stream; a transfer waits for it unless it was asked not
  to.
- Kernels that CuPy does better than the default bodies stand in the modules beside
  this one. The modules of CuPy are given to the class, so that all of this also runs on
  others of the same functions.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import plugrad
from plugrad import Backend, BackendError

from .kernels import Kernels


class CupyBackend(Backend):
    """Arrays of CuPy, on GPUs.

    >>> from plugrad.backends.cupy import CupyBackend
    >>> CupyBackend.name, CupyBackend.device_types
    ('cupy', ('cuda',))
    """

    name = "cupy"
    device_types = ("cuda",)
    sparse = "sparse_cupy"
    host_memory = False
    dtype_hints = {
        "bfloat16": "CuPy has it from version 14: "
        "pip install 'cupy-cuda12x>=14' 'plugrad[bfloat16]'"
    }

    def __init__(self, cp: Any, cupyx: Any, namespace: Any) -> None:
        self.cp = cp
        self.cupyx = cupyx
        self.namespace = namespace
        self.array_type = cp.ndarray
        self.in_flight: deque[tuple[Any, Any]] = deque()
        self.kernels = Kernels(self, cp, cupyx)
        if cp.cuda.runtime.getDeviceCount() > 1:
            self.namespace = Located(self, namespace)
        super().__init__()

    def find_dtype(self, each: Any) -> Any:
        if each.name != "bfloat16":
            return self.cp.dtype(each.name)
        if int(self.cp.__version__.partition(".")[0]) < 14:
            return None
        try:
            return plugrad.get_backend("numpy").native(each)
        except plugrad.UnsupportedOpError:  # ml_dtypes is not there
            return None

    def find_kernel(self, name: str) -> Any:
        found = super().find_kernel(name)
        if found is None:  # a ufunc can write into its first argument
            ufunc = self.kernels.ufunc(name.rstrip("_"))
            if ufunc is not None:

                def found(x: Any, *args: Any) -> Any:
                    return ufunc(x, *args, out=x)

        if found is not None and name.endswith("_"):
            found = writing(found)
        if name in SOLVED:
            found = raising(found, self.cupyx.errstate)
        return found if found is None else self.located(found)

    def located(self, function: Any) -> Any:
        """A function that computes where its arguments are. With several devices, CuPy
        itself computes on the current one."""
        cuda = self.cp.cuda
        if cuda.runtime.getDeviceCount() < 2:
            return function

        def call(*args: Any, **kwargs: Any) -> Any:
            for x in (*args, *kwargs.values()):
                if type(x) in (list, tuple) and x:
                    x = x[0]
                if isinstance(x, self.array_type):
                    if x.data.device_id == cuda.runtime.getDevice():
                        break
                    with x.device:
                        return function(*args, **kwargs)
            return function(*args, **kwargs)

        return call

    # --- arrays in and out ----------------------------------------------------------

    def wrap(self, value: Any) -> Any:
        return self.cp.asarray(value)

    def from_data(self, data: Any, dtype: Any, copy: bool | None = None) -> Any:
        return self.cp.array(data, dtype=dtype)

    def from_array(self, value: Any) -> Any:
        return value

    def from_buffer(self, data: memoryview, dtype: Any) -> Any:
        return self.cp.frombuffer(data, dtype)

    def from_host(
        self,
        values: Any,
        dtype: Any,
        copy: bool | None = None,
        device: Any = None,
        non_blocking: bool = False,
    ) -> Any:
        with self.on(None if device is None else device.index):
            if not (non_blocking and self.is_pinned(values)):
                return self.cp.array(values, dtype=dtype)
            while self.in_flight and self.in_flight[0][0].done:
                self.in_flight.popleft()
            array = self.cp.empty(values.shape, dtype)
            array.set(values)
            # the memory must not be used for anything else before it has been read
            self.in_flight.append((self.stream().record(), values))
            return array

    def to_host(self, array: Any, non_blocking: bool = False) -> Any:
        if not non_blocking:
            return array.get()
        values = self.cupyx.empty_pinned(array.shape, array.dtype)
        return array.get(out=values, blocking=False)

    def to_numpy(self, array: Any) -> Any:
        return array.get()

    def item(self, array: Any) -> Any:
        return array.item()

    # --- pinned memory --------------------------------------------------------------

    def pin(self, values: Any) -> Any:
        pinned = self.cupyx.empty_pinned(values.shape, values.dtype)
        pinned[...] = values
        return pinned

    def is_pinned(self, values: Any) -> bool:
        kind, under = self.cp.cuda.PinnedMemoryPointer, values
        while under is not None:
            if isinstance(under, kind):
                return True
            if isinstance(under, memoryview):
                under = under.obj
            else:
                under = getattr(under, "base", None)
        return False

    # --- devices --------------------------------------------------------------------

    def stream(self) -> Any:
        """CuPy's current stream."""
        return self.cp.cuda.get_current_stream()

    def on(self, index: int | None) -> Any:
        """`with k.on(index):` makes a device the current one; None leaves it."""
        if index is None:
            return self.cp.cuda.Device()
        count = self.cp.cuda.runtime.getDeviceCount()
        if not 0 <= index < count:
            raise BackendError(
                f"there is no device 'cuda:{index}'; the last one is 'cuda:{count - 1}'"
            )
        return self.cp.cuda.Device(index)

    def device_of(self, array: Any) -> tuple[str, int | None]:
        return ("cuda", array.device.id)

    def to_device(self, array: Any, kind: str, index: int | None) -> Any:
        if kind not in self.device_types:
            return super().to_device(array, kind, index)
        with self.on(index) as device:
            if array.device.id == device.id:
                return array
            with array.device:  # what makes the array has to be done before the copy
                made = self.stream().record()
            self.stream().wait_event(made)
            return array.copy()

    # --- memory ---------------------------------------------------------------------

    def write(self, array: Any, values: Any) -> Any:
        return writing(self.kernels.fill_)(array, values)

    def copy(self, array: Any) -> Any:
        return array.copy(order="C")

    def owns(self, array: Any) -> bool:
        return array.base is None and array.flags.c_contiguous

    def aliases(self, view: Any, array: Any) -> bool:
        return view.data.mem is array.data.mem

    def strides(self, array: Any) -> tuple[int, ...]:
        if not array.size:
            return super().strides(array)
        steps = [step // array.itemsize for step in array.strides]
        inner = 1  # a new dimension of size 1 has the step 0 here
        for i in range(len(steps) - 1, -1, -1):
            if not steps[i] and array.shape[i] == 1:
                steps[i] = inner
            inner = array.shape[i] * steps[i]
        return tuple(steps)

    def is_dense(self, array: Any) -> bool:
        return array.flags.c_contiguous

    def address(self, array: Any) -> int:
        return array.data.ptr

    def extent(self, array: Any) -> tuple[int, int]:
        base, mem = root(array), array.data.mem
        if base.data.ptr == mem.ptr and base.flags.c_contiguous:
            return mem.ptr, base.nbytes
        return mem.ptr, mem.size  # as_strided notes no base

    def whole(self, array: Any) -> Any:
        base, mem = root(array), array.data.mem
        if base.data.ptr == mem.ptr and base.flags.c_contiguous:
            return base.ravel().view(array.dtype)
        start = self.cp.cuda.MemoryPointer(mem, 0)
        return self.cp.ndarray((mem.size // array.itemsize,), array.dtype, start)

    # --- functions of the namespace that differ ---------------------------------------

    def asarray(self, value: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        """An array; one of its own if `copy` is True."""
        if copy:
            return self.cp.array(value, dtype=dtype)
        return self.cp.asarray(value, dtype)

    def isdtype(self, dtype: Any, kind: Any) -> bool:
        """The standard's isdtype, which in CuPy does not know bfloat16."""
        if isinstance(kind, tuple):
            return any(self.isdtype(dtype, each) for each in kind)
        return dtype.kind in KINDS[kind] if isinstance(kind, str) else dtype == kind

    def swapaxes(self, x: Any, dim0: int, dim1: int) -> Any:
        """Two dimensions exchanged; there may be none."""
        if x.ndim:
            return x.swapaxes(dim0, dim1)
        return x.reshape(1).swapaxes(dim0, dim1).reshape(())

    def matmul(self, a: Any, b: Any) -> Any:
        """`a @ b`."""
        return self.located(self.kernels.matmul)(a, b)


class Located:
    """The functions of a namespace, each run on the device of its arguments."""

    def __init__(self, k: CupyBackend, namespace: Any) -> None:
        self.k = k
        self.source = namespace

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.source, name)
        if callable(found) and not isinstance(found, type):
            found = self.k.located(found)
        setattr(self, name, found)
        return found


KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "fV",  # ml_dtypes' bfloat16 calls itself V
    "complex floating": "c",
    "numeric": "iufVc",
}


# ops of linear algebra, in which CuPy would return NaN for a singular matrix
SOLVED = ("cholesky", "det", "eigh", "inv", "pinv", "qr", "slogdet", "solve", "svd")


def raising(kernel: Any, errstate: Any) -> Any:
    """A kernel in which CuPy's linear algebra raises."""

    def checked(*args: Any) -> Any:
        with errstate(linalg="raise"):
            return kernel(*args)

    return checked


def writing(kernel: Any) -> Any:
    """A kernel that writes its first argument, which must not hold elements that share
    memory: the threads of a GPU would write them in any order."""

    def checked(x: Any, *args: Any) -> Any:
        if not x.flags.c_contiguous and 0 in x.strides and x.size:
            if any(not s and n > 1 for s, n in zip(x.strides, x.shape)):
                raise RuntimeError(
                    "unsupported operation: more than one element of the written-to "
                    "tensor refers to a single memory location. Please clone() the "
                    "tensor before performing the operation."
                )
        return kernel(x, *args)

    return checked


def root(array: Any) -> Any:
    """The array that allocated, or was given, the memory of a view."""
    while array.base is not None:
        array = array.base
    return array
