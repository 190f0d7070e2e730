"""The memories that saved tensors lie in, each saved once.

- Tensors on one memory stay tensors on one memory: the whole of it is saved, as PyTorch
  does, and where each lies in it.
- Where a backend does not tell all of a memory, or a tensor steps backwards through it,
  the tensor's elements are saved alone.
- Bytes leave a backend by its `to_host`, one memory after the other.
"""

from __future__ import annotations

from ..storage import view_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype
    from ..interface import Backend
    from ..tensor import Tensor

    Array = Any

# what PyTorch calls the storages of a dtype; of others there are only bytes
STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}


class Memory:
    """One memory to be saved: `array` holds all of it, in one dimension or dense."""

    __slots__ = ("key", "k", "array", "dtype", "nbytes", "location", "typed")

    def __init__(self, key: str, k: Backend, array: Array, nbytes: int) -> None:
        self.key = key
        self.k = k
        self.array = array
        self.dtype: dtype = k.dtype_of(array)
        self.nbytes = nbytes
        self.location = location(k, array)
        # the dtype by which the file calls it, if PyTorch has a storage of that
        self.typed = self.dtype if self.dtype.name in STORAGES else None

    def data(self) -> memoryview:
        """The bytes."""
        if not self.nbytes:
            return memoryview(b"")
        host = self.k.to_host(self.array)
        if not host.flags.c_contiguous:
            host = host.ravel(order="K")
        return memoryview(host.reshape(-1).view("uint8"))


def location(k: Backend, array: Array) -> str:
    """PyTorch's word for where an array is."""
    kind, index = k.device_of(array)
    return kind if kind == "cpu" else f"{kind}:{index or 0}"


class Memories:
    """The memories of all tensors that are saved together."""

    def __init__(self) -> None:
        self.found: dict[Any, Memory] = {}
        self.alive: list[Any] = []  # an address is one memory's while that is alive

    def place(self, x: Tensor) -> tuple[Memory, int, tuple[int, ...]]:
        """The memory that a tensor lies in, its first element there, its steps."""
        k, a = x._k, x._a
        n = x.numel()
        if not n:
            return self.add(object(), k, a, 0), 0, tuple(k.strides(a))
        start, nbytes = k.extent(a)
        # a backend's arrays on two devices may have one address
        key = (id(k), k.device_of(a), start, nbytes)
        steps = tuple(k.strides(a))
        first = k.address(a) - start
        reach = sum((size - 1) * step for size, step in zip(a.shape, steps))
        item = x.itemsize
        inside = first >= 0 and first % item == 0 and min((0, *steps)) >= 0
        if inside and first // item + reach < nbytes // item:
            memory = self.found.get(key)
            if memory is None:
                whole = entire(x, start, nbytes)
                if whole is not None:
                    memory = self.add(key, k, whole, nbytes)
            if memory is not None:
                self.alive.append(a)
                return memory, first // item, steps
        a = k.copy(a)
        return self.add(object(), k, a, n * item), 0, dense(a.shape)

    def add(self, key: Any, k: Backend, array: Array, nbytes: int) -> Memory:
        """A memory that was not met before."""
        made = Memory(str(len(self.found)), k, array, nbytes)
        self.found[key] = made
        self.alive.append(key)
        return made


def entire(x: Tensor, start: int, nbytes: int) -> Array | None:
    """An array that holds all of the memory of a tensor, or None."""
    k, a = x._k, x._a
    if nbytes == x.numel() * x.itemsize and k.is_dense(a):
        return a
    if k.memories is not None:  # arrays that only count as views of one memory
        found = view_of(x)
        if found is None:
            return None
        base = found[0]
        same = k.extent(base._a) == (start, nbytes)
        return base._a if same and k.is_dense(base._a) else None
    try:
        whole = k.whole(a)
    except (ValueError, RuntimeError):  # memory that is no multiple of the elements
        return None
    if k.extent(whole) != (start, nbytes):  # a copy: the memory has gaps
        return None
    return whole if k.address(whole) == start else None


def dense(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The steps of an array whose elements follow each other."""
    steps: list[int] = []
    step = 1
    for n in reversed(shape):
        steps.append(step)
        step *= max(n, 1)
    return tuple(reversed(steps))
