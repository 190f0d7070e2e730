"""What Python and NumPy ask of a tensor: items, truth, numbers, arrays, copies.

- A tensor counts as a number, or as true or false, only if it has one element.
- NumPy's functions take tensors that are not in the graph, as arrays on the same
  memory; its ufuncs give a tensor back. Its arrays leave operators to the tensor, so
  that `array * tensor` is recorded as `tensor * array` is.
- A pickle holds the backend's name and a NumPy array. Neither a pickle nor a copy has
  history: what required a gradient is a leaf.
- A deep copy keeps views in one copied structure views of one memory.
"""

from __future__ import annotations

from . import dtypes, modes
from .graph import Leaf
from .interface import OPS
from .selection import get_backend
from .storage import put, share, view_of, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .tensor import Tensor

new = object.__new__


class Protocols:
    """The part of Tensor that Python's and NumPy's protocols see."""

    __slots__ = ()

    # --- A container ------------------------------------------------------------------

    def __len__(self: Any) -> int:
        shape = self._a.shape
        if not shape:
            raise TypeError("len() of a 0-d tensor")
        return shape[0]

    def __iter__(self: Any) -> Iterator[Tensor]:
        if not self._a.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self: Any) -> Tensor:
        return self.flip(0) if self._a.shape else self

    def __contains__(self: Any, element: Any) -> bool:
        if not (hasattr(element, "_a") or isinstance(element, (int, float, complex))):
            if getattr(element, "ndim", 1) or not hasattr(element, "item"):
                raise RuntimeError(
                    "Tensor.__contains__ only supports Tensor or scalar, but you "
                    f"passed in a {type(element)}."
                )
            element = element.item()  # NumPy's scalars
        return bool((self == element).any())

    # --- A number ---------------------------------------------------------------------

    def __bool__(self: Any) -> bool:
        if self._a.shape and (n := self.numel()) != 1:
            which = "more than one value" if n else "no values"
            raise RuntimeError(f"Boolean value of Tensor with {which} is ambiguous")
        return bool(self._k.item(self._a))

    def is_nonzero(self: Any) -> bool:
        """The only element as a truth value."""
        return self.__bool__()

    def __float__(self: Any) -> float:
        return float(real(only(self)))

    def __int__(self: Any) -> int:
        return int(real(only(self)))

    def __complex__(self: Any) -> complex:
        return complex(only(self))

    def __index__(self: Any) -> int:
        if self.numel() != 1 or self.dtype.kind not in "biu":
            raise TypeError(
                "only integer tensors of a single element can be converted to an index"
                f", not {self.dtype} of shape {tuple(self.shape)}"
            )
        return int(self._k.item(self._a))

    # --- Text -------------------------------------------------------------------------

    def __repr__(self: Any) -> str:
        from .printing import sparse_repr, tensor_repr

        text = sparse_repr if self._k.is_sparse else tensor_repr
        with modes.no_grad():
            return text(self, self._text_before())

    def _text_before(self) -> str:
        """What the text of the tensor opens with."""
        from .tensor import Tensor

        kind = type(self)
        return "tensor(" if kind is Tensor else f"{kind.__name__}("

    def __format__(self: Any, spec: str) -> str:
        from .printing import format_scalar
        from .tensor import Tensor

        if not spec and type(self) is not Tensor:
            return repr(self)
        return format_scalar(self, spec)

    # --- NumPy and DLPack -------------------------------------------------------------

    __array_priority__ = 1000  # operators of an array and a tensor are the tensor's

    def __array__(self: Any, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        if dtype is None or array.dtype == dtype:
            return array.copy() if copy else array
        if copy is False:
            raise ValueError(
                f"Unable to avoid copy while creating an array as requested: {dtype} "
                f"from a tensor of {self.dtype}"
            )
        return array.astype(dtype)

    def __array_wrap__(
        self: Any, array: Any, context: Any = None, return_scalar: bool = False
    ) -> Tensor:
        from .tensor import wrap

        return wrap(self._k, self._k.from_data(array, None))

    def __dlpack__(self: Any, *, stream: Any = None, **options: Any) -> Any:
        if self._node is not None:
            raise BufferError(
                "Can't export tensors that require gradient, use tensor.detach()"
            )
        if stream == -1 and self.is_cpu:  # "do not synchronize": there is nothing to
            stream = None
        given = {key: value for key, value in options.items() if value is not None}
        if stream is not None:
            given["stream"] = stream
        return self._a.__dlpack__(**given)

    def __dlpack_device__(self: Any) -> tuple[Any, int]:
        return self._a.__dlpack_device__()

    # --- Operators with the tensor on the right, where no op is made for them ---------

    def __rmatmul__(self: Any, other: Any) -> Tensor:
        return OPS["matmul"].operate(other, self)

    def __rlshift__(self: Any, other: Any) -> Tensor:
        return OPS["bitwise_left_shift"].operate(as_operand(self, other), self)

    def __rrshift__(self: Any, other: Any) -> Tensor:
        return OPS["bitwise_right_shift"].operate(as_operand(self, other), self)

    # --- Copies -----------------------------------------------------------------------

    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        if self._k.is_sparse:
            made = type(self), self._k.name, self._a, self.requires_grad
            return with_name, made, self.__dict__ or None
        array = self._k.to_numpy(self._a)
        where = str(self.device)
        args = (type(self), self._k.name, where, self.dtype, array, self.requires_grad)
        return rebuilt, args, self.__dict__ or None

    def __copy__(self: Any) -> Tensor:
        y = with_array(type(self), self._k, self._a, self.requires_grad)
        share(self, y)
        if y._node is not None:
            y._node.s = y._s
        y.__dict__.update(self.__dict__)
        return y

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Tensor:
        from copy import deepcopy

        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support "
                "the deepcopy protocol at the moment; copy x.detach() instead, or keep "
                "the graph with x.clone()"
            )
        y = copied(self, memo)
        memo[id(self)] = y
        if self.grad is not None and self._copies_grad:
            y.grad = deepcopy(self.grad, memo)
        y.__dict__.update(deepcopy(self.__dict__, memo))
        return y

    _copies_grad = True

    # --- A Python function on every element -------------------------------------------

    def apply_(self: Any, callable: Callable[[Any], Any]) -> Tensor:
        """Replace each element by what a Python function makes of it; slow."""
        return self._fill_from("apply_", callable)

    def map_(self: Any, tensor: Tensor, callable: Callable[[Any, Any], Any]) -> Tensor:
        """Replace each element by a Python function of it and another tensor's."""
        return self._fill_from("map_", callable, tensor)

    def map2_(
        self: Any, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]
    ) -> Tensor:
        """Replace each element by a Python function of it and two other tensors'."""
        return self._fill_from("map2_", callable, x, y)

    def _fill_from(
        self: Any, name: str, function: Callable[..., Any], *others: Tensor
    ) -> Tensor:
        if self.requires_grad:
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use "
                f"var.detach().{name}() instead."
            )
        for other in others:
            if other.dtype is not self.dtype:
                raise TypeError(f"{name}: expected {self.type()} (got {other.type()})")
        inputs = [self, *(other.detach().expand(self.shape) for other in others)]
        items = [flat(x.tolist()) for x in inputs]
        kind = PYTHON[self.dtype.kind]
        values = [number(kind, function(*each)) for each in zip(*items)]
        k = self._k
        array = k.from_data(values, k.native(self.dtype))
        put(self, k.reshape(array, tuple(self.shape)))
        written(self)
        return self


PYTHON = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def number(kind: type, value: Any) -> Any:
    """A result of a user's function as an element."""
    if isinstance(value, (str, bytes)):  # which float() and int() would read
        raise TypeError(f"must be a number, not {type(value).__name__}")
    return kind(value)


def only(x: Tensor) -> Any:
    """The only element as a Python number."""
    if x._a.shape and x.numel() != 1:
        raise ValueError(
            "only one element tensors can be converted to Python scalars, not one of "
            f"shape {tuple(x.shape)}"
        )
    return x._k.item(x._a)


def real(value: Any) -> Any:
    """A Python number as a real one."""
    if value.__class__ is complex:
        if value.imag:
            raise RuntimeError(
                f"value {value} cannot be converted to type double without overflow"
            )
        return value.real
    return value


def as_operand(x: Tensor, other: Any) -> Any:
    """A Python number as a tensor beside `x`; anything else as it is."""
    return x.new_tensor(other) if isinstance(other, int) else other


def flat(items: Any) -> list[Any]:
    """The numbers in nested lists, in order."""
    if not isinstance(items, list):
        return [items]
    return [number for item in items for number in flat(item)]


# --- Making tensors again -------------------------------------------------------------


def with_array(kind: type, k: Any, array: Any, requires_grad: bool) -> Any:
    """A tensor of a class, around an array."""
    y = new(kind)
    y._a = array
    y._k = k
    y._s = None
    y._node = None
    if requires_grad:
        y._node = Leaf(y)
    return y


def with_name(kind: type, backend: str, array: Any, requires_grad: bool) -> Any:
    """The sparse tensor that a pickle describes."""
    return with_array(kind, get_backend(backend), array, requires_grad)


def rebuilt(
    kind: type, backend: str, where: str, dtype: Any, array: Any, requires_grad: bool
) -> Any:
    """The tensor that a pickle describes."""
    from .convert import moved
    from .devices import as_device
    from .tensor import wrap

    k = get_backend(backend)
    copy = None if array.flags.writeable else True  # buffers out of band may not be
    made = k.from_data(array, k.native(dtypes.as_dtype(dtype)), copy=copy)
    if where != "cpu":
        made = moved(wrap(k, made), k, as_device(where))._a
    return with_array(kind, k, made, requires_grad)


def copied(x: Tensor, memo: dict[int, Any]) -> Any:
    """A deep copy of a leaf, without what is attached to it."""
    from copy import deepcopy

    from .inplace import follow

    found = view_of(x)
    if found is not None and found[0].is_leaf:
        base, path = found
        with modes.no_grad():
            view = follow(deepcopy(base, memo), path)
        y = with_array(type(x), x._k, view._a, x.requires_grad)
        y._s = view._s
        y._v = view._v
        if y._node is not None:
            y._node.s = y._s
        return y
    return with_array(type(x), x._k, x._k.copy(x._a), x.requires_grad)
