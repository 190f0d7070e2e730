"""Tensors from the bytes of a file, where `map_location` says.

- The pickle refers to memories by keys; each is read once, when it is first needed, and
  all tensors on it share it.
- Where a tensor lies in its memory is checked before it is made: no element may lie
  outside.
- Bytes go to a backend by its `from_buffer`; one whose arrays lie on the CPU keeps the
  memory that was read.
"""

from __future__ import annotations

from math import prod
from operator import mul

from ..devices import as_device, serving
from ..devices import device as Device
from ..errors import BackendError, CheckpointError, UnsupportedOpError
from ..interface import OPS
from ..modes import no_grad
from ..parameter import Buffer, Parameter
from ..protocols import with_array
from ..selection import default_backend
from ..storage import share
from ..tensor import Tensor, wrap
from .instructions import Inside
from .names import Named, UserError, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..dtypes import dtype
    from ..interface import Backend

MOST_DIMS = 64
RISING = tuple(range(MOST_DIMS))
MOST = 1 << 62  # bytes, so that no backend's arithmetic overflows
COPIED = 64 << 20  # bytes that repeated elements may take where there are no views


class Stored(Inside):
    """One memory of a file, as elements of the dtype that the file calls it by."""

    __slots__ = ("key", "dtype", "nbytes", "first", "location", "data", "made")

    def __init__(self, key: str, dtype: dtype | None, nbytes: int) -> None:
        self.key = key
        self.dtype = dtype
        self.nbytes = nbytes
        self.first = 0  # of its bytes, where it is a part of another memory
        self.location = "cpu"
        self.data: memoryview | None = None
        self.made: dict[dtype, Tensor] = {}  # all of it, by dtype

    def part(self, dtype: dtype | None, first: int, nbytes: int) -> Stored:
        """A part of this memory, as elements of another dtype."""
        if (dtype, first, nbytes) == (self.dtype, 0, self.nbytes):
            return self
        if first < 0 or nbytes < 0 or first + nbytes > self.nbytes:
            raise CheckpointError(f"its pickle gives storage {self.key!r} two sizes")
        made = Stored(self.key, dtype, nbytes)
        made.first = first
        return made


class Location:
    """What `map_location`, when it is a function, is called with: a memory that can be
    sent to another device.

    >>> import io, plugrad
    >>> file = io.BytesIO()
    >>> plugrad.save(plugrad.ones(2), file)
    >>> _ = file.seek(0)
    >>> plugrad.load(file, map_location=lambda storage, location: storage.cpu())
    tensor([1., 1.])
    """

    def __init__(self, device: Any, nbytes: int) -> None:
        self.device = as_device(device)
        self.size_in_bytes = nbytes

    def nbytes(self) -> int:
        """The number of bytes."""
        return self.size_in_bytes

    def cpu(self) -> Location:
        """The same memory, on the CPU."""
        return Location("cpu", self.size_in_bytes)

    def cuda(self, device: Any = None) -> Location:
        """The same memory, on a CUDA device."""
        found = as_device("cuda" if device is None else device)
        return Location(found, self.size_in_bytes)

    def to(self, device: Any) -> Location:
        """The same memory, on a device."""
        return Location(device, self.size_in_bytes)


def locator(map_location: Any) -> Callable[[str, int], Any]:
    """Where a memory goes, by where it was and its size."""
    if map_location is None:
        return lambda location, nbytes: location
    if isinstance(map_location, (str, Device)):
        fixed = as_device(map_location)
        return lambda location, nbytes: fixed
    if isinstance(map_location, bytes):
        return locator(map_location.decode())
    if isinstance(map_location, dict):
        return lambda location, nbytes: map_location.get(location, location)
    if not callable(map_location):
        raise TypeError(
            "load(): map_location must be a device, a str, a dict or a function, not "
            f"{type(map_location).__name__}"
        )

    def ask(location: str, nbytes: int) -> Any:
        try:
            found = map_location(Location("cpu", nbytes), location)
        except Exception as error:
            raise UserError(error) from error
        if found is None:
            return location
        if not isinstance(found, Location):
            raise UserError(
                TypeError(
                    "load(): the function map_location must return the storage that it "
                    f"is given, that storage.cuda(1), or None, not {found!r}"
                )
            )
        return found.device

    return ask


class Placing:
    """Makes the tensors of one file. `fetch` gives the bytes of a memory of it, whose
    elements are of a dtype; `locate` where it goes, by where it was and its size."""

    def __init__(
        self,
        fetch: Callable[[Stored, dtype], memoryview],
        locate: Callable[[str, int], Any],
    ) -> None:
        self.fetch = fetch
        self.locate = locate
        self.memories: dict[str, Stored] = {}
        self.backends: dict[Device, tuple[Backend, Device | None]] = {}

    # --- Memories -------------------------------------------------------------------

    def stored(self, said: Any) -> Stored:
        """The memory that a pickle means by ("storage", class, key, location, size)."""
        parts = checked(said, tuple)
        if bytes in map(type, parts):
            parts = tuple(map(decoded, parts))
        if len(parts) < 5 or parts[0] != "storage":
            raise CheckpointError("its pickle refers to what is no storage")
        kind, key, location, n = parts[1:5]
        if kind.__class__ is not Named or "Storage" not in kind.name:
            raise CheckpointError("its pickle refers to bytes of no class of storages")
        if checked(n, int) < 0:
            raise CheckpointError("its pickle refers to a negative number of bytes")
        dtype = kind.dtype
        nbytes = n * (dtype.itemsize if dtype else 1)
        found = self.memories.get(checked(key, str))
        if found is None:
            found = Stored(key, dtype, nbytes)
            found.location = checked(location, str)
            self.memories[key] = found
        if len(parts) > 5 and parts[5] is not None:  # before PyTorch 0.4
            _, first, n = checked(parts[5], tuple)
            item = dtype.itemsize if dtype else 1
            return found.part(dtype, checked(first, int) * item, checked(n, int) * item)
        return found.part(dtype, 0, nbytes)

    def place_of(self, stored: Stored) -> tuple[Backend, Device | None]:
        """The backend and the device for a memory."""
        target = self.locate(stored.location, stored.nbytes)
        try:
            device = as_device(target)
            if device not in self.backends:
                k = serving(default_backend(), device)
                alone = device.type == "cpu" and k.device_types == ("cpu",)
                self.backends[device] = k, None if alone else device
        except (BackendError, RuntimeError, TypeError) as error:
            raise CheckpointError(
                f"it holds tensors for {str(target)!r:.40}, where none can be made "
                "here; load them with map_location='cpu'"
            ) from error
        return self.backends[device]

    def whole(self, stored: Stored, dtype: dtype) -> Tensor:
        """All of a memory as one tensor without a shape."""
        first = self.memories[stored.key]
        found = first.made.get(dtype)
        if found is not None:
            return found
        if first.data is None:
            first.data = self.fetch(first, first.dtype or dtype)
        data = first.data
        extra = len(data) % dtype.itemsize
        k, device = self.place_of(first)
        try:
            native = k.native(dtype)
            if len(data) < dtype.itemsize:  # not every library takes no bytes
                array = k.zeros((0,), dtype=native)
            else:
                array = k.from_buffer(data[: len(data) - extra], native)
        except UnsupportedOpError as error:
            raise CheckpointError(f"it holds tensors of {dtype}: {error}") from error
        if device is not None:
            array = k.to_device(array, device.type, device.index)
        made = first.made[dtype] = wrap(k, array)
        return made

    # --- Tensors --------------------------------------------------------------------

    def tensor(
        self,
        stored: Any,
        dtype: dtype | None,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        metadata: Any,
    ) -> Tensor:
        """A tensor in a memory."""
        dtype = dtype or checked(stored, Stored).dtype
        if dtype is None:
            raise CheckpointError("its pickle makes a tensor of bytes without a dtype")
        shape = numbers("size", size)
        steps = numbers("stride", stride)
        check_place(stored.nbytes // dtype.itemsize, checked(offset, int), shape, steps)
        if prod(shape) * dtype.itemsize > MOST:
            raise CheckpointError(f"it holds a tensor of the shape {list(shape)}")
        base = self.whole(stored, dtype)
        offset += stored.first // dtype.itemsize
        x = view(base, offset, shape, steps, stored.nbytes)
        if metadata:
            x = resolved(x, metadata)
        if checked(requires_grad, bool):
            x.requires_grad_()
            if x._node is not None:
                x._node.s = x._s
        return x

    def sparse(self, layout: Any, data: tuple[Any, ...]) -> Tensor:
        """A sparse tensor of its parts."""
        from ..creation.sparse import sparse_compressed_tensor, sparse_coo_tensor

        name = getattr(layout, "name", "")
        count = (3, 4) if name == "sparse_coo" else (4,)
        if len(data) not in count:
            raise CheckpointError("it holds a sparse tensor without all its parts")
        if name == "sparse_coo":
            *parts, size = data[:3]
            coalesced = checked(data[3], bool) if len(data) == 4 else None
            indices, values = (checked(each, Tensor) for each in parts)
            return sparse_coo_tensor(
                indices,
                values,
                numbers("size", size),
                is_coalesced=coalesced,
                check_invariants=True,
            )
        *parts, size = data
        starts, plain, values = (checked(each, Tensor) for each in parts)
        return sparse_compressed_tensor(
            starts, plain, values, numbers("size", size), layout=layout
        )

    def parameter(self, data: Any, requires_grad: bool) -> Parameter:
        """A parameter on the memory of a tensor."""
        return Parameter(checked(data, Tensor).detach(), requires_grad)

    def buffer(self, data: Tensor, persistent: bool) -> Buffer:
        """A buffer on the memory of a tensor."""
        return Buffer(data, persistent=persistent)


def placed(x: Tensor, locate: Callable[[str, int], Any]) -> Tensor:
    """A tensor that was loaded on the CPU, where `map_location` says."""
    target = as_device(locate("cpu", x.nbytes))
    return x if target.type == "cpu" else x.to(target)


def decoded(part: Any) -> Any:
    """A part of a reference, which Python 2 wrote as bytes."""
    return part.decode("ascii") if part.__class__ is bytes else part


def numbers(what: str, given: Any) -> tuple[int, ...]:
    """Sizes or steps, which must be some integers from 0 on."""
    if not isinstance(given, (tuple, list)) or len(given) > MOST_DIMS:
        raise CheckpointError(f"it holds a tensor whose {what} is no tuple of integers")
    for n in given:
        if n.__class__ is not int or n < 0:
            raise CheckpointError(f"it holds a tensor whose {what} has {n!r:.40}")
    return tuple(given)


def check_place(
    room: int, offset: int, shape: tuple[int, ...], steps: tuple[int, ...]
) -> None:
    """Raise unless all elements of a tensor lie in a memory of `room` elements."""
    if len(shape) != len(steps):
        raise CheckpointError(
            f"it holds a tensor of {len(shape)} sizes and {len(steps)} steps"
        )
    if offset < 0:
        raise CheckpointError(f"it holds a tensor that begins at element {offset}")
    if 0 in shape:
        return
    last = offset + sum(map(mul, shape, steps)) - sum(steps)
    if last >= room:
        raise CheckpointError(
            f"it holds a tensor of sizes {list(shape)} and steps {list(steps)}, which "
            f"reaches element {last} of a storage of {room}"
        )


def view(
    base: Tensor, offset: int, shape: tuple[int, ...], steps: tuple[int, ...], room: int
) -> Tensor:
    """A tensor in a memory, sharing it, but no view of another tensor."""
    k = base._k
    n = prod(shape)
    if not n:
        return empty(base, shape)
    order = dense_order(shape, steps)
    array = base._a
    if order == RISING[: len(shape)] and n == array.shape[0] and k.memories is None:
        if len(shape) != 1:
            array = k.reshape(array, shape)
    elif order is not None:  # what every library has views for
        with no_grad():
            flat = base if n == array.shape[0] else base[offset : offset + n]
            array = arranged(flat, shape, order)._a
    else:
        copied = k.memories is not None or not hasattr(k.kernels, "as_strided")
        if copied and n * base.itemsize > max(room, COPIED):
            raise CheckpointError(
                f"it holds a tensor of sizes {list(shape)} that repeats its elements, "
                f"which backend {k.name!r} would have to copy"
            )
        with no_grad():
            array = OPS["as_strided"].function(base, shape, steps, offset)._a
    y = with_array(Tensor, k, array, False)
    share(base, y)
    return y


def dense_order(
    shape: tuple[int, ...], steps: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The dimensions from outermost to innermost, if elements follow each other without
    gaps in that order; None if they do not."""
    # a dimension of size 1 has any step, and stays where it is
    dims = RISING[: len(shape)]
    if follows(shape, steps, dims):
        return dims
    order = tuple(sorted(dims, key=lambda i: -steps[i]))
    return order if follows(shape, steps, order) else None


def follows(
    shape: tuple[int, ...], steps: tuple[int, ...], order: tuple[int, ...]
) -> bool:
    """Whether elements follow each other, by dimensions in this order."""
    expected = 1
    for i in reversed(order):
        if shape[i] != 1 and steps[i] != expected:
            return False
        expected *= shape[i]
    return True


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """The permutation that undoes another."""
    return tuple(order.index(i) for i in range(len(order)))


def arranged(x: Tensor, shape: tuple[int, ...], order: tuple[int, ...]) -> Tensor:
    """Elements that follow each other, as dimensions that do so in this order."""
    sizes = tuple(shape[i] for i in order)
    if len(sizes) != 1:
        x = OPS["reshape"].function(x, sizes)
    if order != RISING[: len(order)]:
        x = OPS["permute"].function(x, inverse(order))
    return x


def empty(base: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A tensor without elements."""
    k = base._k
    return wrap(k, k.reshape(base._a[:0], shape))


def resolved(x: Tensor, metadata: Any) -> Tensor:
    """What PyTorch has put off: conjugation, and a change of sign."""
    for name, flag in checked(metadata, dict).items():
        if name not in ("conj", "neg") or flag.__class__ is not bool:
            raise CheckpointError(f"its pickle says {name!r} of a tensor")
        if flag:
            with no_grad():
                x = OPS["conj_physical" if name == "conj" else "neg"].function(x)
    return x
