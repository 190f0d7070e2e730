"""Tensors as something else: another dtype, device or backend, or no tensor at all.

- `to` understands all of PyTorch's ways of saying what is wanted, and `backend=`.
- A tensor that already is what is asked for is returned itself, unless `copy=True`.
- A move between devices or backends is recorded: gradients travel back the same way.
- `to(device)` stays in its backend where that serves the device, else goes to the
  backend that is usual for it.
- `numpy`, `tolist` and `item` leave the graph; what would lose a gradient unseen is an
  error.
"""

from __future__ import annotations

from . import dtypes, layouts, modes
from .devices import as_device, serving
from .devices import device as Device
from .graph import Node, Plan
from .interface import OPS
from .selection import get_backend
from .storage import WRITES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .interface import Backend
    from .layouts import memory_format as MemoryFormat
    from .tensor import Tensor


class Conversion:
    """The part of Tensor that turns it into something else."""

    __slots__ = ()
    _a: Any
    _k: Any
    _node: Any

    # --- Another dtype, device or backend ---------------------------------------------

    def to(self: Any, *args: Any, **kwargs: Any) -> Tensor:
        """The same values in another dtype, on another device, or both.

        Called as `to(dtype)`, `to(device, dtype=None)` or `to(other)`, each followed by
        `non_blocking=False, copy=False`; `memory_format` and `backend` are keywords.

        >>> import plugrad
        >>> plugrad.tensor([1.5, 2.5]).to(plugrad.int64)
        tensor([1, 2])
        """
        if len(args) == 1 and not kwargs:  # the usual calls, five times as fast
            asked = args[0]
            if asked.__class__ is dtypes.dtype:
                return self if self.dtype is asked else cast(self, asked)
            if asked.__class__ is str or asked.__class__ is Device:
                return moved(self, None, as_device(asked))
        dtype, where, k, copy, memory_format, soon = read_to(self, *args, **kwargs)
        y = self
        if k is not None or where is not None:
            y = moved(y, k, where, soon)
        if dtype is not None and dtype is not y.dtype:
            y = cast(y, dtype)
        if copy and y is self:
            y = OPS["clone"].function(y)
        if memory_format is not layouts.preserve_format:
            y = in_format(y, memory_format)
        return y

    def cpu(self: Any, memory_format: MemoryFormat = layouts.preserve_format) -> Tensor:
        """The tensor in the memory of the CPU."""
        return self.to("cpu", memory_format=memory_format)

    def cuda(
        self: Any,
        device: Any = None,
        non_blocking: bool = False,
        memory_format: MemoryFormat = layouts.preserve_format,
    ) -> Tensor:
        """The tensor on a CUDA device, the first if none is named."""
        where = as_device("cuda" if device is None else device)
        if where.type != "cuda":
            raise RuntimeError(f"Invalid device, must be cuda device: {where}")
        return self.to(where, non_blocking=non_blocking, memory_format=memory_format)

    def type_as(self: Any, other: Tensor) -> Tensor:
        """The tensor in the dtype, and on the device, of another."""
        return self.to(other)

    def type(self: Any, dtype: Any = None, non_blocking: bool = False) -> Tensor | str:
        """The tensor in another dtype; without one, the name of its type.

        >>> import plugrad
        >>> plugrad.ones(1).type()
        'plugrad.FloatTensor'
        """
        if dtype is None:
            where = "" if self.is_cpu else f"{self.device.type}."
            return f"plugrad.{where}{type_name(self.dtype)}"
        return self.to(*read_type(dtype), non_blocking=non_blocking)

    # --- No tensor --------------------------------------------------------------------

    def item(self: Any) -> Any:
        """The only element, as a Python number."""
        if self._a.shape:
            n = self.numel()
            if n != 1:
                raise RuntimeError(
                    f"a Tensor with {n} elements cannot be converted to Scalar"
                )
        return self._k.item(self._a)

    def tolist(self: Any) -> Any:
        """Nested lists of Python numbers; a number for a tensor without dimensions."""
        return self._k.to_list(self._a)

    def numpy(self: Any, *, force: bool = False) -> Any:
        """A NumPy array, on the same memory where that is possible.

        A tensor in the graph, or not on the CPU, has to be taken out first; `force`
        does so.
        """
        if not force:
            if self._node is not None and modes.current().grad:
                raise RuntimeError(
                    "Can't call numpy() on Tensor that requires grad. Use "
                    "tensor.detach().numpy() instead."
                )
            if not self.is_cpu:
                raise TypeError(
                    f"can't convert {self.device} device type tensor to numpy. Use "
                    "Tensor.cpu() to copy the tensor to host memory first."
                )
        return self._k.to_numpy(self._a)


def type_name(dtype: Any) -> str:
    """PyTorch's old name for tensors of a dtype, such as FloatTensor."""
    return TYPE_NAMES.get(dtype.name) or f"{dtype.name.replace('i', 'I')}Tensor"


TYPE_NAMES = {
    "bool": "BoolTensor",
    "uint8": "ByteTensor",
    "int8": "CharTensor",
    "int16": "ShortTensor",
    "int32": "IntTensor",
    "int64": "LongTensor",
    "float16": "HalfTensor",
    "bfloat16": "BFloat16Tensor",
    "float32": "FloatTensor",
    "float64": "DoubleTensor",
    "complex64": "ComplexFloatTensor",
    "complex128": "ComplexDoubleTensor",
    "uint16": "UInt16Tensor",
    "uint32": "UInt32Tensor",
    "uint64": "UInt64Tensor",
}


def read_type(asked: Any) -> tuple[Any, ...]:
    """What `type(asked)` passes to `to`: a dtype, or a device and a dtype."""
    if isinstance(asked, type) and hasattr(asked, "dtype"):  # FloatTensor
        return (getattr(asked, "device_type", "cpu"), asked.dtype)
    if isinstance(asked, (dtypes.dtype, type)) and not hasattr(asked, "_a"):
        return (asked,)
    name = asked if isinstance(asked, str) else getattr(asked, "__name__", None)
    if name is None:
        raise TypeError(f"dtype must be a type, str, or dtype object, not {asked!r}")
    *where, kind = name.split(".")
    for each, found in TYPE_NAMES.items():
        if found == kind:
            return ("cuda" if "cuda" in where else "cpu", dtypes.BY_NAME[each])
    raise ValueError(f"invalid type: {asked!r}")


# --- What `to` was asked for ----------------------------------------------------------


def read_to(
    x: Tensor | None,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    non_blocking: bool | None = None,
    copy: bool | None = None,
    memory_format: Any = None,
    backend: str | None = None,
) -> tuple[Any, Any, Backend | None, bool, Any, bool]:
    """The dtype, device and backend asked for (None where any will do), whether a
    copy is, the memory format, and whether to wait for a transfer."""
    k = None if backend is None else get_backend(backend)
    rest = list(args)
    if rest:
        first = rest.pop(0)
        if is_dtype(first):
            dtype = once("dtype", dtype, first)
        elif hasattr(first, "_k"):
            k = first._k
            dtype, device = once("dtype", dtype, first.dtype), first.device
        else:
            if not (first is None or isinstance(first, (str, int, Device))):
                raise TypeError(
                    "to() takes a dtype, a device or a tensor as its first argument, "
                    f"not {type(first).__name__}"
                )
            device = once("device", device, first)
            if rest and (rest[0] is None or is_dtype(rest[0])):
                dtype = once("dtype", dtype, rest.pop(0))
    if rest:
        non_blocking = once("non_blocking", non_blocking, rest.pop(0))
    if rest:
        copy = once("copy", copy, rest.pop(0))
    if rest:
        raise TypeError(f"to() got {len(rest)} positional arguments too many")
    for name, flag in (("non_blocking", non_blocking), ("copy", copy)):
        if not (flag is None or flag is True or flag is False):
            raise TypeError(f"to(): argument {name!r} must be bool, not {flag!r}")
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype) if is_dtype(dtype) else wrong_dtype(dtype)
    where = None if device is None else as_device(device)
    if memory_format is None:
        memory_format = layouts.preserve_format
    return dtype, where, k, bool(copy), memory_format, bool(non_blocking)


def is_dtype(value: Any) -> bool:
    """Whether PyTorch would take `value` as a dtype."""
    return value.__class__ is dtypes.dtype or value in (float, int, bool, complex)


def wrong_dtype(value: Any) -> Any:
    """Raise for what is no dtype."""
    raise TypeError(f"to(): dtype must be one such as plugrad.float32, not {value!r}")


def once(name: str, before: Any, value: Any) -> Any:
    """`value`, unless the argument was given by keyword, too."""
    if before is not None and value is not None:
        raise TypeError(f"to() got two values for argument '{name}'")
    return value if before is None else before


# --- Moving ---------------------------------------------------------------------------


def moved(
    x: Tensor, k: Backend | None, where: Device | None, non_blocking: bool = False
) -> Tensor:
    """`x` in a backend and on a device; itself if it is there."""
    if x._k.is_sparse or (k is not None and k.is_sparse):
        from .sparse.ops import moved_parts

        return moved_parts(x, k, where, non_blocking)
    if k is None:
        k = serving(x._k, where)
    if k is x._k:
        if where is None:
            return x
        array = k.to_device(x._a, where.type, where.index)
        if array is x._a:
            return x
    elif on_device_of(x, k, where):
        array = k.copy(k.from_dlpack(x._a))
    else:
        values = x._k.to_host(x._a, non_blocking)
        copy = True if x._k.host_memory else None
        array = k.from_host(values, k.native(x.dtype), copy, where, non_blocking)
    from .tensor import wrap

    y = wrap(k, array)
    if x._node is not None and modes.current().grad:
        y._node = carried(x, y)
    return y


def on_device_of(x: Tensor, k: Backend, where: Device | None) -> bool:
    """Whether another backend can copy `x` where it lies, by DLPack: on a device that
    is no host, whose memory NumPy does not see."""
    kind = x._k.device_of(x._a)[0]
    return kind != "cpu" and kind in k.device_types and where in (None, x.device)


def carry_back(k: Any, g: Any, saved: tuple[Any, ...], shapes: Any) -> Any:
    """Take a gradient to where the tensor came from."""
    from .tensor import wrap

    source, where = saved
    if hasattr(g, "_node"):
        return (moved(g, source, where),)
    return (moved(wrap(k, g), source, where)._a,)


CARRY = Plan(
    "ToCopyBackward0",
    carry_back,
    ("backend", "device"),
    (("value", 0), ("value", 0)),
)


def carried(x: Tensor, y: Tensor) -> Node:
    """The node of a move of `x` that made `y`."""
    node = Node()
    node.plan = CARRY
    node.k = y._k
    node.next = (x._node,)
    node.saved = (x._k, x.device)
    node.shapes = None
    node.w = WRITES[0]
    node.s = None
    node.hooks = None
    return node


def in_format(x: Tensor, memory_format: MemoryFormat) -> Tensor:
    """`x` with its elements in the order of a memory format; itself if they are."""
    if x.is_contiguous(memory_format=memory_format):
        return x
    order = layouts.dense_order(memory_format, x.ndim)
    if order is None:
        return x.contiguous()
    permute = OPS["permute"].function
    back = sorted(range(len(order)), key=order.__getitem__)
    return permute(permute(x, *order).contiguous(), *back)


# --- One method for each dtype --------------------------------------------------------


def cast(x: Tensor, dtype: Any) -> Tensor:
    """`x` in another dtype; out of the graph where that has no gradients."""
    if x._node is not None and dtype.kind not in "fc":
        x = x.detach()
    return OPS["to_dtype"].function(x, dtype)


def caster(name: str, target: Any) -> Callable[..., Any]:
    """The method that converts to one dtype."""

    def method(
        self: Tensor, *, memory_format: MemoryFormat = layouts.preserve_format
    ) -> Tensor:
        if self.dtype is not target:
            self = cast(self, target)
        if memory_format is not layouts.preserve_format:
            self = in_format(self, memory_format)
        return self

    method.__name__ = name
    method.__qualname__ = f"Tensor.{name}"
    method.__doc__ = f"The same values as {target.name}."
    return method


METHODS = [
    caster("float", dtypes.float32),
    caster("double", dtypes.float64),
    caster("half", dtypes.float16),
    caster("bfloat16", dtypes.bfloat16),
    caster("long", dtypes.int64),
    caster("int", dtypes.int32),
    caster("short", dtypes.int16),
    caster("char", dtypes.int8),
    caster("byte", dtypes.uint8),
    caster("bool", dtypes.bool_),
    caster("cfloat", dtypes.complex64),
    caster("cdouble", dtypes.complex128),
]
