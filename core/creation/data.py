"""Tensors from data: Python numbers, nested sequences, other libraries' arrays.

- `tensor` copies, `as_tensor`, `asarray` and `from_numpy` share memory where that can
  be; all find the dtype as PyTorch does: Python floats have the default dtype, Python
  integers int64, arrays and array scalars their own.
- Nested lists are looked over one row at a time: its types come from `set(map(type,
  row))`, so that a flat list of numbers costs what the array library takes for it.
- Ragged lists, strings and numbers that do not fit raise what PyTorch raises.
"""

from __future__ import annotations

from .. import dtypes
from ..devices import place
from ..dtypes import SCALAR_DTYPES
from ..errors import BackendError
from ..graph import Leaf
from ..layouts import check_options
from ..limits import iinfo
from ..selection import backend_of, default_backend, get_backend
from ..storage import share
from ..tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..devices import device
    from ..dtypes import dtype
    from ..interface import Backend

    Array = Any

__all__ = [
    "as_tensor",
    "asarray",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "scalar_tensor",
    "tensor",
]


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new tensor that holds a copy of `data`.

    >>> import plugrad
    >>> plugrad.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    >>> plugrad.tensor(2.5, dtype=plugrad.float64)
    tensor(2.5000, dtype=plugrad.float64)
    """
    if pin_memory:
        check_options("tensor", None, pin_memory)
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "to copy a tensor, use x.detach().clone(), or "
            "x.detach().clone().requires_grad_(True), rather than plugrad.tensor(x)",
            stacklevel=2,
        )
    return finish(*from_anything(data, dtype, device, True), requires_grad)


def finish(
    k: Backend, array: Array, target: device | None, requires_grad: bool = False
) -> Tensor:
    """The new tensor, on its device, a leaf if gradients are wanted."""
    if target is not None:
        array = k.to_device(array, target.type, target.index)
    x = wrap(k, array)
    if requires_grad:
        if array.dtype not in k.kinds["fc"]:
            x.requires_grad_()  # which says why not
        x._node = Leaf(x)
    return x


def from_anything(
    data: Any, dtype: Any, device: Any, copy: bool | None
) -> tuple[Backend, Array, device | None]:
    """The backend, the array in it, and the device to move that to, if any."""
    if dtype is not None and dtype.__class__ is not dtypes.dtype:
        dtype = dtypes.as_argument(dtype, "tensor")
    kind = data.__class__
    found = SCALAR_DTYPES.get(kind)
    if found is None and kind is not list and kind is not tuple:
        x = from_array(data, dtype, device, copy)
        if x is not None:
            return x
    k, target = place(device)
    if found is None:
        data, found = from_nested(data)
    return k, from_python(k, data, found, dtype), target


def from_array(
    data: Any, dtype: Any, device: Any, copy: bool | None
) -> tuple[Backend, Array, device | None] | None:
    """The same of a Tensor or of an array of a library that is known here."""
    if isinstance(data, Tensor):
        own, array = data._k, data._a
        k, target = place(data.device if device is None else device, own)
    else:
        own = backend_of(data)
        if own is None:
            if not hasattr(data, "__array__"):
                return None
            data, own = data.__array__(), get_backend("numpy")
        array = own.from_array(data)
        k, target = place(device, own if device is None else None)
    if k is not own:  # arrays are handed on in NumPy's form
        array, copy = k.from_data(own.to_numpy(array), None), None
    found = k.dtype_of(array)
    if dtype is not None and found is not dtype:
        array = k.astype(array, k.native(dtype))
    elif copy:
        array = k.copy(array)
    return k, array, target


# --- Python's numbers and nested sequences ------------------------------------------


def from_python(k: Backend, data: Any, found: dtype, dtype: dtype | None) -> Array:
    """An array from numbers and even lists of them, whose own dtype is `found`."""
    native = k.native(dtype or found)
    try:
        return k.from_data(data, native, copy=True)
    except (OverflowError, ValueError):  # an integer too large; nan as an integer
        pass
    if dtype is None or found.kind not in "iuf" or dtype.kind not in "iu":
        raise ValueError("Overflow when unpacking long long: use dtype=plugrad.float64")
    return k.from_data(within(data, dtype), native, copy=True)


def within(data: Any, d: dtype) -> Any:
    """Numbers as integers that `d` holds: for unsigned types, a negative number wraps
    around if its opposite fits."""
    if isinstance(data, (list, tuple)):
        return [within(value, d) for value in data]
    limits = iinfo(d)
    low = -limits.max if limits.min == 0 else limits.min
    if data != data or not low <= data <= limits.max:
        raise RuntimeError(
            f"value {data!r} cannot be converted to {d} without overflow"
        )
    data = int(data)
    return data if data >= limits.min else data + limits.max + 1


def from_nested(data: Any) -> tuple[Any, dtype]:
    """Nested sequences as even lists of Python numbers, and their dtype."""
    shape = shape_of(data)
    if shape and not shape[-1]:  # whatever stands beside the first empty list
        return evenly_empty(shape), dtypes.get_default_dtype()
    found: set[type] = set()
    try:
        survey(data, shape, 0, found)
    except TypeError:  # sequences that are no lists, or what the second look finds
        pass
    else:
        if shape and all(kind in SCALAR_DTYPES for kind in found):
            return data, numbers_dtype(found)
    kinds: list[dtype] = []
    data = plain(data, kinds, 0)
    survey(data, shape_of(data), 0, set())
    result = kinds[0] if kinds else dtypes.get_default_dtype()
    for each in kinds:
        result = dtypes.promote_types(result, each)
    return data, result


def numbers_dtype(kinds: set[type]) -> dtype:
    """The dtype of Python numbers of these classes together."""
    for kind in (complex, float, int, bool):
        if kind in kinds:
            return SCALAR_DTYPES[kind]
    return dtypes.get_default_dtype()


def evenly_empty(shape: list[int]) -> list[Any]:
    """Nested lists of a shape that ends with 0."""
    data: list[Any] = []
    for n in reversed(shape[:-1]):
        data = [data] * n
    return data


def shape_of(data: Any) -> list[int]:
    """The shape of nested lists, going by the first element of each."""
    shape: list[int] = []
    while isinstance(data, (list, tuple)):
        shape.append(len(data))
        if not data:
            break
        data = data[0]
    return shape


def survey(data: Any, shape: list[int], dim: int, found: set[type]) -> None:
    """Check that nested lists have a shape, and note the classes of what they hold."""
    if dim == len(shape):
        return
    if not isinstance(data, (list, tuple)):
        raise TypeError(f"not a sequence: {data!r} stands where others are lists")
    if len(data) != shape[dim]:
        raise ValueError(
            f"expected sequence of length {shape[dim]} at dim {dim} (got {len(data)})"
        )
    if dim < len(shape) - 1:
        for part in data:
            survey(part, shape, dim + 1, found)
        return
    kinds = set(map(type, data))
    if list in kinds or tuple in kinds:
        raise TypeError("a list stands where others are numbers")
    found |= kinds


def plain(data: Any, kinds: list[dtype], depth: int) -> Any:
    """What `data` says, in lists and Python numbers; dtypes are added to `kinds`."""
    if isinstance(data, Tensor):
        if data.shape.numel() != 1:
            raise ValueError(
                "only one element tensors can be converted to Python scalars; use "
                "plugrad.stack for a list of others"
            )
        kinds.append(data.dtype)
        return data.item()
    if isinstance(data, str):
        if depth:
            raise ValueError("too many dimensions 'str'")
        raise TypeError("new(): invalid data type 'str'")
    if hasattr(data, "dtype") and hasattr(data, "tolist"):  # an array, or one of its
        kinds.append(dtypes.as_dtype(data.dtype))
        return data.tolist()
    if isinstance(data, (bool, int, float, complex)):
        each = dtypes.scalar_dtype(data)
        kinds.append(each)
        return data
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        if not hasattr(data, "keys"):
            return [plain(value, kinds, depth + 1) for value in data]
    for convert in ("__index__", "__float__"):  # a Fraction, a Decimal
        if hasattr(data, convert):
            return plain(getattr(data, convert)(), kinds, depth)
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


# --- Without a copy -----------------------------------------------------------------


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, on the same memory and with its history where that can be.

    >>> import numpy as np
    >>> import plugrad
    >>> a = np.zeros(2)
    >>> plugrad.as_tensor(a)[0] = 1
    >>> a
    array([1., 0.])
    """
    if isinstance(data, Tensor):
        return converted(data, dtype, device)
    return finish(*from_anything(data, dtype, device, None))


def converted(x: Tensor, dtype: Any, device: Any) -> Tensor:
    """`x` in a dtype and on a device, with its history; itself if it is so already."""
    from ..interface import OPS

    if device is not None:
        k, target = place(device, x._k)
        if k is not x._k or (target is not None and target is not x.device):
            return finish(*from_anything(x, dtype, device, None))
    if dtype is not None:
        dtype = dtypes.as_argument(dtype, "as_tensor")
        if x.dtype is not dtype:
            return OPS["to_dtype"].function(x, dtype)
    return x


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`obj` as a tensor: copied if `copy` is True, never if it is False.

    >>> import plugrad
    >>> plugrad.asarray([1.0, 2.0])
    tensor([1., 2.])
    """
    if isinstance(obj, Tensor):
        x = converted(obj, dtype, device)
        if copy is False and x is not obj:
            raise ValueError(f"can't alias {obj.dtype} on {obj.device} without a copy")
        if copy and x is obj:
            x = finish(*from_anything(obj.detach(), None, None, True))
        return x.requires_grad_() if requires_grad else x
    if dtype is not None and not isinstance(obj, (list, tuple)) and is_buffer(obj):
        x = frombuffer(obj, dtype=dtype)
        return asarray(x, device=device, copy=copy, requires_grad=requires_grad)
    shared = from_array(obj, None, None, None) if backend_of(obj) else None
    if copy is False:
        if shared is None:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        k, array, _ = shared
        if dtype is not None and k.dtype_of(array) is not dtype:
            raise ValueError(f"can't alias {k.dtype_of(array)} into {dtype}")
    return finish(*from_anything(obj, dtype, device, copy), requires_grad)


def is_buffer(value: Any) -> bool:
    """Whether `value` is bytes of another object, not an array that has a dtype."""
    if hasattr(value, "dtype"):
        return False
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of a NumPy array: a write to one is seen in the other.

    >>> import numpy as np
    >>> import plugrad
    >>> a = np.array([1, 2, 3])
    >>> x = plugrad.from_numpy(a)
    >>> a[0] = 9
    >>> x
    tensor([9, 2, 3])
    """
    k = get_backend("numpy")
    if not isinstance(ndarray, k.array_type):
        raise TypeError(
            f"from_numpy(): expected np.ndarray (got {type(ndarray).__name__}); "
            "plugrad.as_tensor() takes arrays of other libraries, and lists"
        )
    if not ndarray.dtype.isnative:
        raise ValueError(
            "the array's byte order is not this machine's; convert it with "
            "a.astype(a.dtype.newbyteorder('='))"
        )
    k.dtype_of(ndarray)  # a TypeError for those that have no dtype here
    return wrap(k, ndarray)


def from_dlpack(
    ext_tensor: Any,
    *,
    device: Any = None,
    copy: bool | None = None,
    backend: str | None = None,
) -> Any:
    """A tensor on the memory of any library's array, by the DLPack protocol.

    It stays in the library that made the array, if there is a backend for it, unless
    `backend` names another: that one's array is then on the same memory. `copy` is as
    in `asarray`.

    >>> import numpy as np
    >>> import plugrad
    >>> plugrad.from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=plugrad.float64)
    """
    if isinstance(ext_tensor, Tensor):
        if backend is not None and ext_tensor._node is not None:
            raise BufferError(
                "Can't export tensors that require gradient, use tensor.detach()"
            )
        own, array = ext_tensor._k, ext_tensor._a
    else:
        own, array = backend_of(ext_tensor), ext_tensor
    k = own if backend is None else get_backend(backend)
    if k is None:
        k = default_backend()
    if k is not own:
        if not hasattr(array, "__dlpack__"):
            way = f"; move it with .to(backend={k.name!r})" if own else ""
            raise TypeError(
                f"from_dlpack() takes an object with __dlpack__, not "
                f"{type(array).__module__}.{type(array).__name__}{way}"
            )
        array = shared_array(k, array, copy)
    k.dtype_of(array)
    if device is not None or copy:
        return finish(*from_anything(array, None, device, copy))
    y = wrap(k, array)
    if k is own and k.memories is not None and isinstance(ext_tensor, Tensor):
        share(ext_tensor, y)  # writes are seen through both
    return y


def shared_array(k: Backend, array: Array, copy: bool | None) -> Array:
    """A backend's array on the memory of another library's."""
    if copy is False and k.lazy:
        raise BufferError(f"from_dlpack: backend {k.name!r} cannot do without a copy")
    try:
        return k.from_dlpack(array)
    except AttributeError as error:
        raise BackendError(
            f"from_dlpack: backend {k.name!r} takes no arrays by DLPack; move the "
            f"tensor with .to(backend={k.name!r})"
        ) from error


def frombuffer(
    buffer: Any,
    *,
    dtype: Any,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor on the bytes of an object with a buffer, such as a bytearray.

    >>> import plugrad
    >>> plugrad.frombuffer(bytearray(b"AB"), dtype=plugrad.uint8)
    tensor([65, 66], dtype=plugrad.uint8)
    """
    try:
        data = memoryview(buffer).cast("B")
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    dtype = dtypes.as_argument(dtype, "frombuffer")
    size, length = dtype.itemsize, data.nbytes
    if length == 0 or count == 0:
        raise ValueError(
            f"both buffer length ({length}) and count ({count}) must not be 0"
        )
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer "
            f"length ({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % size:
        raise ValueError(
            f"buffer length ({length} bytes) after offset ({offset} bytes) must be a "
            f"multiple of element size ({size})"
        )
    if count * size > length - offset:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} "
            f"bytes) must not be greater than actual buffer length ({length} bytes)"
        )
    k = default_backend()
    stop = length if count < 0 else offset + count * size
    array = k.from_buffer(data[offset:stop], k.native(dtype))
    return finish(k, array, None, requires_grad)


def scalar_tensor(
    s: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A number as a tensor without dimensions, in the default dtype if none is given.

    >>> import plugrad
    >>> plugrad.scalar_tensor(3)
    tensor(3.)
    """
    if dtype is None:
        dtype = dtypes.get_default_dtype()
        if isinstance(s, complex):
            dtype = dtype.to_complex()
    check_options("scalar_tensor", layout, pin_memory)
    return tensor(s, dtype=dtype, device=device, requires_grad=requires_grad)
