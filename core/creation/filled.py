"""New tensors: filled ones, ranges, and ones like another.

- Every function has PyTorch's signature: sizes as one tuple or as several numbers,
  `dtype`, `device`, `requires_grad`, `out` and the options of memory.
- Without a dtype, floats have the default dtype and integers int64.
- `empty`, `zeros`, ... and `x.new_zeros`, `zeros_like`, ... differ only in where shape,
  dtype and device come from; all end in `fill`.

Tensors from data (`tensor`, `as_tensor`, ...) stand in `data.py`, those of
random numbers in `plugrad.random`.
"""

from __future__ import annotations

from .. import dtypes
from ..devices import place
from ..interface import OPS
from ..layouts import check_options, contiguous_format, dense_order, preserve_format
from ..limits import finfo, iinfo
from ..tensor import Tensor, wrap
from .data import finish, from_anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..devices import device
    from ..interface import Backend

    Array = Any

__all__ = [
    "empty",
    "empty_like",
    "empty_strided",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


# --- Arguments ----------------------------------------------------------------------


def sizes(name: str, given: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """A shape, from several numbers, one sequence, or the keyword `size`."""
    if not given:
        if size is None:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
        given = (size,)
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    for n in given:
        if n.__class__ is not int or n < 0:
            return tuple(checked_size(name, n) for n in given)
    return given


def checked_size(name: str, n: Any) -> int:
    """One dimension's size, which may be NumPy's integer or a tensor of one."""
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(
            f"{name}(): argument 'size' must be tuple of ints, but found element of "
            f"type {type(n).__name__}"
        )
    if isinstance(n, Tensor):
        n = n.item()
    n = n.__index__()
    if n < 0:
        raise RuntimeError(
            f"{name}: Trying to create tensor with negative dimension {n}"
        )
    return n


def dtype_argument(name: str, dtype: Any, out: Tensor | None = None) -> Any:
    """The dtype asked for; with `out`, which it has to agree with, that of `out`."""
    if dtype is not None and dtype.__class__ is not dtypes.dtype:
        dtype = dtypes.as_argument(dtype, name)
    if out is None:
        return dtype
    if not isinstance(out, Tensor):
        raise TypeError(
            f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}"
        )
    if dtype is not None and dtype is not out.dtype:
        raise RuntimeError(
            f"{name}: dtype {dtype} does not match dtype of out parameter ({out.dtype})"
        )
    return out.dtype


def number(name: str, key: str, value: Any) -> Any:
    """A Python number, which may have come as a tensor or array of one element."""
    if isinstance(value, (bool, int, float, complex)):
        return value
    if getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(
        f"{name}(): argument '{key}' must be Number, not {type(value).__name__}"
    )


class Named:
    """What `write_out` wants to know of the function that it writes for."""

    def __init__(self, name: str) -> None:
        self.name = name


def deliver(name: str, out: Tensor | None, x: Tensor) -> Tensor:
    """The result: `x` itself, or `out` with the values of `x`."""
    if out is None:
        return x
    from ..inplace import write_out

    return write_out(Named(name), out, x)  # type: ignore[arg-type]


def fitting(name: str, value: Any, d: Any) -> Any:
    """A Python number in the kind of a dtype; a RuntimeError if it does not fit."""
    kind = d.kind
    try:
        if kind == "f":
            value = float(value)
            if abs(value) < float("inf") and abs(value) > finfo(d).max:
                raise OverflowError
        elif kind in "iu":
            limits = iinfo(d)
            value = int(value)
            low = -limits.max if kind == "u" else limits.min
            if not low <= value <= limits.max:
                raise OverflowError
            value = value if value >= limits.min else value + limits.max + 1
        else:
            value = bool(value) if kind == "b" else complex(value)
    except (OverflowError, TypeError, ValueError):
        raise RuntimeError(
            f"{name}: value {value!r} cannot be converted to {d} without overflow"
        ) from None
    return value


# --- Filled tensors -----------------------------------------------------------------


def fill(
    k: Backend, how: str, shape: tuple[int, ...], native: Any, order: Any = None
) -> Array:
    """An array by one of the functions `empty`, `zeros` and `ones`, its dimensions laid
    out in some order."""
    if order is None:
        return getattr(k, how)(shape, dtype=native)
    array = getattr(k, how)(tuple(shape[i] for i in order), dtype=native)
    return k.permute_dims(array, tuple(order.index(i) for i in range(len(shape))))


def filler(how: str, doc: str) -> Any:
    """The function `empty`, `zeros` or `ones`."""

    def function(
        *size: Any,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
        **named: Any,
    ) -> Tensor:
        if named:
            size = size_keyword(how, size, named)
        shape = sizes(how, size)
        if layout is not None or pin_memory:
            check_options(how, layout, pin_memory)
        k, target = place(device)
        if dtype is None and out is None:
            dtype = dtypes.SCALAR_DTYPES[float]
        else:
            dtype = dtype_argument(how, dtype, out) or dtypes.SCALAR_DTYPES[float]
        order = None
        if memory_format is not None:
            order = format_order(how, memory_format, len(shape))
        array = fill(k, how, shape, k.native(dtype), order)
        if target is None and out is None and not requires_grad:
            return wrap(k, array)
        return deliver(how, out, finish(k, array, target, requires_grad))

    return named_function(function, how, doc)


def size_keyword(
    name: str, size: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """The sizes that came by the keyword `size`, which `*size` leaves no room for."""
    if size or named.keys() != {"size"}:
        unknown = next(key for key in named if key != "size" or size)
        raise TypeError(f"{name}() got an unexpected keyword argument '{unknown}'")
    return (named["size"],)


def format_order(name: str, memory_format: Any, ndim: int) -> Any:
    """The order of dimensions for a tensor that has no model to keep to."""
    if memory_format is preserve_format:
        raise RuntimeError(f"{name}: unsupported memory format preserve_format")
    if name != "empty":
        raise TypeError(f"{name}() got an unexpected keyword argument 'memory_format'")
    return dense_order(memory_format, ndim)


def named_function(function: Any, name: str, doc: str) -> Any:
    """Give a function that was made here its name and documentation."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


empty = filler(
    "empty",
    """A tensor of a shape, its elements anything.

    >>> import plugrad
    >>> plugrad.empty(2, 3).shape
    plugrad.Size([2, 3])
    """,
)
zeros = filler(
    "zeros",
    """A tensor of zeros.

    >>> import plugrad
    >>> plugrad.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """,
)
ones = filler(
    "ones",
    """A tensor of ones.

    >>> import plugrad
    >>> plugrad.ones((2,), dtype=plugrad.int64)
    tensor([1, 1])
    """,
)


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor that holds one value everywhere; its dtype is that value's.

    >>> import plugrad
    >>> plugrad.full((2,), 7)
    tensor([7, 7])
    """
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"full(): argument 'size' must be tuple of ints, not {type(size).__name__}"
        )
    shape = sizes("full", (size,))
    check_options("full", layout, pin_memory)
    fill_value = number("full", "fill_value", fill_value)
    k, target = place(device)
    dtype = dtype_argument("full", dtype, out) or dtypes.scalar_dtype(fill_value)
    array = filled(k, "full", shape, fill_value, dtype)
    return deliver("full", out, finish(k, array, target, requires_grad))


def filled(k: Backend, name: str, shape: Any, value: Any, d: Any) -> Array:
    """An array with one value everywhere."""
    return k.full(shape, fitting(name, value, d), dtype=k.native(d))


def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of a shape and of given steps between elements, its elements anything.

    >>> import plugrad
    >>> plugrad.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    shape, steps = sizes("empty_strided", (size,)), sizes("empty_strided", (stride,))
    if len(shape) != len(steps):
        raise RuntimeError(
            f"mismatch in length of strides and shape: {len(steps)} and {len(shape)}"
        )
    check_options("empty_strided", layout, pin_memory)
    k, target = place(device)
    native = k.native(dtype_argument("empty_strided", dtype) or dtypes.float32)
    order = sorted(range(len(shape)), key=lambda i: -steps[i])
    array = fill(k, "empty", shape, native, tuple(order))
    if 0 not in shape and k.strides(array) != steps:
        room = 1 + sum((n - 1) * step for n, step in zip(shape, steps))
        whole = wrap(k, k.empty((room,), dtype=native))
        array = OPS["as_strided"].function(whole, shape, steps)._a
    return finish(k, array, target, requires_grad)


# --- Like another tensor ------------------------------------------------------------


def model(name: str, x: Any) -> Tensor:
    """The argument `input`, which has to be a tensor."""
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name}(): argument 'input' (position 1) must be Tensor, not "
            f"{type(x).__name__}"
        )
    return x


def place_like(x: Tensor, device: Any) -> tuple[Backend, device | None]:
    """Where a tensor like `x` is made: on its device, if no other is given."""
    k = x._k
    if device is None:
        if k.device_types == ("cpu",):
            return k, None
        device = x.device
    return place(device, k)


def like(
    name: str, x: Any, how: str, dtype: Any, device: Any, memory_format: Any
) -> tuple[Backend, Array, device | None]:
    """An array of the shape of a tensor, in its order of dimensions where that is not
    said otherwise, and where it is to go."""
    x = model(name, x)
    k, target = place_like(x, device)
    native = x._a.dtype if dtype is None else k.native(dtype_argument(name, dtype))
    if k is not x._k:
        native = k.native(dtype_argument(name, dtype) or x.dtype)
    order = dense_order(memory_format, x.ndim)
    if order is None and memory_format is not contiguous_format and k is x._k:
        order = k.dense_order(x._a)
    return k, fill(k, how, x._a.shape, native, order), target


def liker(how: str) -> Any:
    """The function `empty_like`, `zeros_like` or `ones_like`."""
    name = how + "_like"

    def function(
        input: Tensor,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        if layout is not None or pin_memory:
            check_options(name, layout, pin_memory)
        if isinstance(input, Tensor) and input._k.is_sparse:
            from ..sparse.composed import zeros_like

            found = zeros_like(input, name, dtype)
            return found.requires_grad_() if requires_grad else found
        made = like(name, input, how, dtype, device, memory_format)
        return finish(*made, requires_grad)

    return named_function(
        function,
        name,
        f"""`{how}` in the shape, dtype and device of another tensor.

    >>> import plugrad
    >>> x = plugrad.{name}(plugrad.tensor([3, 4]))
    >>> x.shape, x.dtype
    (plugrad.Size([2]), plugrad.int64)
    """,
    )


empty_like = liker("empty")
zeros_like = liker("zeros")
ones_like = liker("ones")


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor with one value everywhere, in the shape, dtype and device of another.

    >>> import plugrad
    >>> plugrad.full_like(plugrad.zeros(2), 3)
    tensor([3., 3.])
    """
    check_options("full_like", layout, pin_memory)
    fill_value = number("full_like", "fill_value", fill_value)
    k, array, target = like("full_like", input, "empty", dtype, device, memory_format)
    value = fitting("full_like", fill_value, k.dtype_of(array))
    array = k.write(array, k.asarray(value, dtype=array.dtype))
    return finish(k, array, target, requires_grad)


# --- Methods ------------------------------------------------------------------------


def newer(how: str) -> Any:
    """The method `new_empty`, `new_zeros` or `new_ones`."""
    name = "new_" + how

    def method(
        self: Tensor,
        *size: Any,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        **named: Any,
    ) -> Tensor:
        if named:
            size = size_keyword(name, size, named)
        shape = sizes(name, size)
        check_options(name, layout, pin_memory)
        k, target = place_like(self, device)
        native = k.native(dtype_argument(name, dtype) or self.dtype)
        return finish(k, fill(k, how, shape, native), target, requires_grad)

    return named_function(
        method, name, f"`plugrad.{how}` in the dtype and on the device of this tensor."
    )


def new_full(
    self: Tensor,
    size: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """`plugrad.full` in the dtype and on the device of this tensor."""
    shape = sizes("new_full", (size,))
    check_options("new_full", layout, pin_memory)
    fill_value = number("new_full", "fill_value", fill_value)
    k, target = place_like(self, device)
    dtype = dtype_argument("new_full", dtype) or self.dtype
    array = filled(k, "new_full", shape, fill_value, dtype)
    return finish(k, array, target, requires_grad)


def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """`plugrad.tensor` in the dtype and on the device of this tensor."""
    check_options("new_tensor", None, pin_memory)
    dtype = dtype_argument("new_tensor", dtype) or self.dtype
    own, target = place_like(self, device)
    k, array, _ = from_anything(data, dtype, None, True)
    if k is not own:
        array = own.from_data(k.to_numpy(array), None)
    return finish(own, array, target, requires_grad)


def new(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """PyTorch's old form: sizes, or data, in the dtype of this tensor."""
    from .legacy import legacy_tensor

    return legacy_tensor(self.dtype, args, kwargs)


def new_empty_strided(self: Tensor, size: Any, stride: Any, **options: Any) -> Tensor:
    """`plugrad.empty_strided` in the dtype and on the device of this tensor."""
    options = {"dtype": self.dtype, "device": self.device, **options}
    return empty_strided(size, stride, **options)


METHODS = [
    *(newer("empty"), newer("zeros"), newer("ones"), new_full, new_tensor, new),
    new_empty_strided,
]
