"""Parameters and buffers, and those whose shape is not known yet.

What is not initialized has a dtype and a place, and nothing else: it can be moved, cast
and given a shape, but not computed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Buffer, Parameter, Tensor

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]

# What moves and casts; of what is not initialized, only dtype and place change.
MOVES = ("to", "cpu", "cuda", "half", "float", "double", "bfloat16", "type")
MOVES += ("int", "long", "short", "char")

# What else can be asked for.
ALLOWED = ("size", "is_floating_point", "is_complex", "get_device", "requires_grad_")

OPERATORS = (
    "add radd iadd sub rsub isub mul rmul imul truediv rtruediv itruediv floordiv mod "
    "pow rpow matmul rmatmul neg pos abs invert and or xor lt le gt ge getitem setitem "
    "len iter bool float int complex index array contains"
).split()


class UninitializedTensorMixin:
    """What parameters and buffers without a shape have in common."""

    __slots__ = ()
    cls_to_become: type[Tensor] = Tensor

    def materialize(
        self: Any, shape: Sequence[int], device: Any = None, dtype: Any = None
    ) -> None:
        """Become an ordinary parameter or buffer of a shape, its values not set."""
        self.data = self.data.new_empty(tuple(shape), device=device, dtype=dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """There is none yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. Call "
            "`forward` of its module once to initialize it. In `load_state_dict` this "
            "is the error of loading what is uninitialized into what is not"
        )

    def share_memory_(self) -> Any:
        """There is no memory yet."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call "
            "`forward` to initialize the parameters before `module.share_memory()`"
        )

    def converted(self, data: Tensor) -> Any:
        """What a move or a cast gives, from its empty data."""
        return data

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def refusal(name: str) -> Any:
    """A method that says that nothing can be computed yet."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {name!r}. Call the "
            "`LazyModule` it belongs to with a dummy batch first, which initializes "
            f"it, or call {type(self).__name__}.materialize(shape)"
        )

    return method


def move(name: str) -> Any:
    """The method that moves or casts."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.converted(getattr(self.data, name)(*args, **kwargs))

    return method


for _name in dir(Tensor):
    _operator = _name.startswith("__") and _name.strip("_") in OPERATORS
    if _name in MOVES:
        setattr(UninitializedTensorMixin, _name, move(_name))
    elif _name in ALLOWED or (_name.startswith("_") and not _operator):
        continue
    elif callable(getattr(Tensor, _name)) and not hasattr(
        UninitializedTensorMixin, _name
    ):
        setattr(UninitializedTensorMixin, _name, refusal(_name))


def is_lazy(param: Any) -> bool:
    """Whether `param` is an uninitialized parameter or buffer.

    >>> import plugrad
    >>> from plugrad.nn.parameter import is_lazy
    >>> is_lazy(plugrad.nn.LazyLinear(2).weight), is_lazy(plugrad.ones(2))
    (True, False)
    """
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter whose shape is not known yet.

    >>> import plugrad
    >>> p = plugrad.nn.UninitializedParameter()
    >>> p
    <UninitializedParameter>
    >>> p.materialize((2, 3))
    >>> type(p).__name__, p.shape
    ('Parameter', plugrad.Size([2, 3]))
    """

    __slots__ = ()
    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> Any:
        data = plugrad.empty(0, device=device, dtype=dtype)
        return super().__new__(cls, data, requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):  # type: ignore[misc]
    """A buffer whose shape is not known yet.

    >>> import plugrad
    >>> b = plugrad.nn.UninitializedBuffer(dtype=plugrad.float64)
    >>> b.materialize((2,))
    >>> type(b).__name__, b.dtype
    ('Buffer', plugrad.float64)
    """

    __slots__ = ()
    cls_to_become = Buffer

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Any:
        data = plugrad.empty(0, device=device, dtype=dtype).requires_grad_(
            requires_grad
        )
        return super().__new__(cls, data, persistent=persistent)

    def converted(self, data: Tensor) -> Any:
        made = type(self)(self.requires_grad, persistent=self.persistent)
        made.data = data
        return made
