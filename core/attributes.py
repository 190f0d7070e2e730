"""What can be asked of a tensor: sizes, memory, kinds of elements, kinds of device.

- `shape`, `size()`, `dim()` and `ndim` are read all the time, so they go straight to
  the array.
- Strides and offsets count elements, as PyTorch's do, and not bytes.
- Questions about what no tensor here is (quantized, nested, ...) have constant answers.
"""

from __future__ import annotations

from . import layouts
from .devices import device_of
from .storage import storage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, overload

    from .devices import device as Device
    from .dtypes import dtype as Dtype
    from .layouts import layout as Layout
    from .layouts import memory_format as MemoryFormat
    from .memory import TypedStorage, UntypedStorage
    from .tensor import Tensor


class Size(tuple[int, ...]):
    """A tensor's shape: a tuple that knows its number of elements.

    >>> import plugrad
    >>> plugrad.Size([2, 3]) + (4,)
    plugrad.Size([2, 3, 4])
    """

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        return new_tuple(cls, map(checked, enumerate(sizes)))

    def __repr__(self) -> str:
        return f"plugrad.Size({list(self)})"

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        n = 1
        for size in self:
            n *= size
        return n

    if not TYPE_CHECKING:  # for whom the items of a tuple are known

        def __getitem__(self, index):
            found = get_item(self, index)
            return new_tuple(Size, found) if found.__class__ is tuple else found

    def __add__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(
                "can only concatenate tuple (not "
                f"{type(other).__name__}) to plugrad.Size"
            )
        return Size((*self, *other))

    def __radd__(self, other: Any) -> Size:
        return Size((*other, *self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Size:
        return new_tuple(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)


new_tuple: Any = tuple.__new__
get_item = tuple.__getitem__


def checked(item: tuple[int, Any]) -> int:
    """The integer that one item of a Size is."""
    i, size = item
    try:
        return size.__index__()
    except (AttributeError, TypeError):
        raise TypeError(
            f"plugrad.Size() takes an iterable of 'int' (item {i} is "
            f"'{type(size).__name__}')"
        ) from None


class Attributes:
    """The part of Tensor that answers questions."""

    __slots__ = ()
    _a: Any
    _k: Any

    # --- Sizes ------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return new_tuple(Size, self._a.shape)

    if TYPE_CHECKING:

        @overload
        def size(self, dim: None = None) -> Size: ...
        @overload
        def size(self, dim: int) -> int: ...
        @overload
        def stride(self, dim: None = None) -> tuple[int, ...]: ...
        @overload
        def stride(self, dim: int) -> int: ...

    def size(self, dim: int | None = None) -> Any:
        """The size of each dimension, or of one."""
        if dim is None:
            return new_tuple(Size, self._a.shape)
        try:
            return self._a.shape[dim]
        except IndexError:
            raise out_of_range(dim, self._a.ndim) from None
        except TypeError:
            raise TypeError(
                f"size(): argument 'dim' must be int, not {type(dim).__name__}"
            ) from None

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._a.ndim

    def dim(self) -> int:
        """The number of dimensions."""
        return self._a.ndim

    def ndimension(self) -> int:
        """The number of dimensions."""
        return self._a.ndim

    def numel(self) -> int:
        """The number of elements."""
        n = 1
        for size in self._a.shape:
            n *= size
        return n

    def nelement(self) -> int:
        """The number of elements."""
        return self.numel()

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements together."""
        if self._k.is_sparse:
            raise RuntimeError(
                "nbytes is not defined for sparse tensors: add those of the indices "
                "and of the values"
            )
        return self.numel() * self.dtype.itemsize

    def is_same_size(self, other: Tensor) -> bool:
        """Whether another tensor has the same shape."""
        return self._a.shape == other._a.shape

    # --- Elements ---------------------------------------------------------------------

    @property
    def dtype(self) -> Dtype:
        """The type of the elements."""
        return self._k.dtype_of(self._a)

    def is_floating_point(self) -> bool:
        """Whether the elements are floating-point numbers, and not complex."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the elements are complex numbers."""
        return self.dtype.is_complex

    def is_signed(self) -> bool:
        """Whether the elements can be negative."""
        return self.dtype.is_signed

    def is_conj(self) -> bool:
        """Always False: conjugation is never put off here."""
        return False

    def is_neg(self) -> bool:
        """Always False: negation is never put off here."""
        return False

    # --- Memory -----------------------------------------------------------------------

    def stride(self, dim: int | None = None) -> Any:
        """The steps in memory between elements, in each dimension or in one."""
        k, shape = self._k, self._a.shape
        # of no elements, a library may say anything
        steps = row_major(shape) if 0 in shape else k.strides(self._a)
        if dim is None:
            return steps
        try:
            return steps[dim]
        except IndexError:
            raise out_of_range(dim, self._a.ndim) from None

    def storage_offset(self) -> int:
        """The number of elements in memory before the first one."""
        start, _ = self._k.extent(self._a)
        return (self._k.address(self._a) - start) // self.itemsize

    def data_ptr(self) -> int:
        """The address of the first element; 0 if there is none."""
        return self._k.address(self._a) if self.numel() else 0

    def untyped_storage(self) -> UntypedStorage:
        """The memory that this tensor lies in."""
        from .memory import UntypedStorage

        return UntypedStorage(self)  # type: ignore[arg-type]

    def storage(self) -> TypedStorage:
        """The memory that this tensor lies in, as elements of its dtype."""
        from .memory import TypedStorage

        return TypedStorage(self)  # type: ignore[arg-type]

    def is_set_to(self, tensor: Tensor) -> bool:
        """Whether another tensor is the same view of the same memory."""
        return (
            self.shape == tensor.shape
            and self.stride() == tensor.stride()
            and self._k.address(self._a) == tensor._k.address(tensor._a)
        )

    def is_contiguous(
        self, *, memory_format: MemoryFormat = layouts.contiguous_format
    ) -> bool:
        """Whether the elements lie in memory in the order of a memory format."""
        if memory_format is layouts.contiguous_format:
            return self._k.is_dense(self._a)
        try:
            order = layouts.dense_order(memory_format, self._a.ndim)
        except RuntimeError:  # another number of dimensions
            return False
        if order is None:
            return self._k.is_dense(self._a)
        return self._k.is_dense(self._k.permute_dims(self._a, order))

    def is_shared(self) -> bool:
        """Whether the memory is shared with other processes."""
        return self.is_cuda

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is pinned: read by a device without a detour."""
        from .selection import _loaded

        if not self.is_cpu:
            return False
        values = self._k.to_numpy(self._a)
        return any(k.is_pinned(values) for k in _loaded.values() if k is not self._k)

    def pin_memory(self, device: Any = None) -> Tensor:
        """A copy in pinned memory, from which transfers to a device are faster and can
        be `non_blocking`; the tensor itself if it is pinned."""
        from .devices import as_device, serving
        from .tensor import wrap

        if not self.is_cpu:
            raise RuntimeError(
                f"cannot pin a tensor on {self.device}: only dense CPU tensors can be"
            )
        where = as_device("cuda" if device is None else device)
        k = serving(self._k, where)
        if self.is_pinned():
            return self  # type: ignore[return-value]
        return wrap(self._k, self._k.from_array(k.pin(self._k.to_numpy(self._a))))

    def share_memory_(self) -> Tensor:
        """Raise: no backend can move an array to shared memory."""
        raise RuntimeError(
            f"share_memory_: backend {self._k.name!r} cannot move an array to shared "
            "memory; make a NumPy array on a multiprocessing.shared_memory block, and "
            "a tensor of it with from_numpy"
        )

    @property
    def _version(self) -> int:
        """A number that grows with every write to this memory."""
        return storage(self).w  # type: ignore[arg-type]

    # --- Devices and kinds of tensors -------------------------------------------------

    @property
    def device(self) -> Device:
        """Where the elements lie."""
        return device_of(self._k.device_of(self._a))

    @property
    def backend(self) -> str:
        """The name of the backend that holds the array."""
        return self._k.name

    def get_device(self) -> int:
        """The index of the device, -1 on the CPU."""
        where = self.device
        return -1 if where.type == "cpu" else where.index or 0

    @property
    def is_cpu(self) -> bool:
        """Whether the elements lie in the memory of the CPU."""
        return self._k.device_of(self._a)[0] == "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether the elements lie in the memory of a CUDA device."""
        return self._k.device_of(self._a)[0] == "cuda"

    @property
    def layout(self) -> Layout:
        """How the elements are kept."""
        if self._k.is_sparse:
            return layouts.LAYOUTS[self._a.layout]
        return layouts.strided

    @property
    def is_sparse(self) -> bool:
        """Whether only elements that are not zero are kept, with their indices."""
        return self.layout is layouts.sparse_coo

    @property
    def is_sparse_csr(self) -> bool:
        """Whether only elements that are not zero are kept, row by row."""
        return self.layout is layouts.sparse_csr

    def is_inference(self) -> bool:
        """Always False: tensors made in `inference_mode` are ordinary ones here."""
        return False

    is_meta = property(lambda self: False, doc="Always False: every tensor has data.")
    is_mps = property(lambda self: False, doc="Always False: no backend serves MPS.")
    is_xpu = property(lambda self: False, doc="Always False: no backend serves XPU.")
    is_xla = property(lambda self: False, doc="Always False: no backend serves XLA.")
    is_mkldnn = property(lambda self: False, doc="Always False.")
    is_nested = property(lambda self: False, doc="Always False.")
    is_quantized = property(lambda self: False, doc="Always False.")


def out_of_range(dim: int, ndim: int) -> IndexError:
    """The error for a dimension that there is not."""
    if ndim == 0:
        return IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return IndexError(
        f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], "
        f"but got {dim})"
    )


def row_major(sizes: Sequence[int]) -> tuple[int, ...]:
    """The steps of elements that lie without gaps, the last dimension fastest."""
    steps = []
    step = 1
    for size in reversed(sizes):
        steps.append(step)
        step *= max(size, 1)
    return tuple(reversed(steps))
