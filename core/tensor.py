"""The Tensor: an array of some backend, and its place in the graph.

- `_a` the backend's array, `_k` the backend, `_node` where the tensor came from (None
  if it needs no gradient), `_s` the Storage (None until it is viewed or written).
- `_v` (what it is a view of) and `_grad` exist only once they are set.
- What can be asked of a tensor stands in `plugrad.attributes`, what turns it into
  something else in `plugrad.convert`, what Python and NumPy ask for in
  `plugrad.protocols`. The ops are attached in `plugrad.attach`. Here is its part in
  automatic differentiation.
"""

from __future__ import annotations

from _weakref import ref

from . import dtypes, modes
from .attributes import Attributes, Size
from .convert import Conversion
from .graph import Handle, Leaf, Node, Port, hooks_of
from .protocols import Protocols
from .selection import backend_of, default_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .interface import Backend
    from .storage import Storage

    Array = Any

new = object.__new__


class Tensor(Attributes, Conversion, Protocols):
    """A multi-dimensional array that can record what is computed with it.

    Tensors are made by `plugrad.tensor`, `zeros`, `randn` and the like. Calling the
    class itself is PyTorch's old form: sizes, or data that becomes float32.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("_a", "_k", "_node", "_s", "_v", "_grad", "__dict__", "__weakref__")
    _a: Array
    _k: Backend
    _node: Node | None
    _s: Storage | None
    _v: tuple[Tensor, Callable[..., Tensor], Any] | None
    _grad: Tensor | None

    __hash__ = object.__hash__

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        from .creation.legacy import legacy_tensor

        return as_class(cls, legacy_tensor(dtypes.get_default_dtype(), args, kwargs))

    # --- Gradients ------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value.__class__ is not bool:
            raise RuntimeError(f"requires_grad must be a bool, not {value!r}")
        if not self.is_leaf:
            raise not_a_leaf()
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Turn recording on or off for a tensor that was not computed."""
        if requires_grad.__class__ is not bool:
            raise TypeError(
                "requires_grad_(): argument 'requires_grad' must be bool, not "
                f"{type(requires_grad).__name__}"
            )
        node = self._node
        if requires_grad:
            if node is None:
                if self.dtype.kind not in "fc":
                    raise RuntimeError(
                        "only Tensors of floating point and complex dtype can require "
                        f"gradients; this one has dtype {self.dtype}"
                    )
                if self.dtype.kind == "c":
                    self._k.native(self.dtype)  # noted by the engine
                self._node = Leaf(self)
        elif node is not None:
            if not isinstance(node, Leaf):
                raise not_a_leaf()
            self._node = None
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated here, or None."""
        found = getattr(self, "_grad", None)
        if found is None and not self.is_leaf and not self.retains_grad:
            from warnings import warn

            warn(
                "the .grad of a Tensor that is not a leaf is read: backward() keeps "
                "gradients of leaves alone. Call retain_grad() on this tensor before "
                "that, or read the .grad of the leaf it was computed from",
                stacklevel=2,
            )
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            check_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed this tensor."""
        node = self._node
        if isinstance(node, Port):
            return node.next[0]
        return None if isinstance(node, Leaf) else node

    @property
    def output_nr(self) -> int:
        """Which output of its `grad_fn` this tensor is."""
        return getattr(self._node, "index", 0)

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by the user and not computed under autograd."""
        return self._node is None or isinstance(self._node, Leaf)

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Sequence[Tensor] | None = None,
        retain_variables: bool | None = None,
    ) -> None:
        """Compute the gradient of this tensor and add it to the leaves' `grad`."""
        from .autograd import backward

        if retain_graph is None:
            retain_graph = retain_variables
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `grad` too."""
        if self._node is None:
            raise RuntimeError(
                "can't retain_grad on Tensor that has requires_grad=False"
            )
        if not isinstance(self._node, Leaf):
            hooks_of(self._node).retain = ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this computed tensor."""
        node = self._node
        if isinstance(node, Leaf):
            return False
        return node is not None and node.hooks is not None and bool(node.hooks.retain)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call `hook` with this tensor's gradient; what it returns takes its place."""
        if self._node is None:
            raise RuntimeError(
                "cannot register a hook on a tensor that doesn't require gradient"
            )
        hooks = hooks_of(self._node)
        return hooks.add(hooks.grad, hook)

    def register_post_accumulate_grad_hook(
        self, hook: Callable[[Tensor], None]
    ) -> Handle:
        """Call `hook` with this leaf once its `grad` has been updated."""
        if not isinstance(self._node, Leaf):
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        hooks = hooks_of(self._node)
        return hooks.add(hooks.accumulated, hook)

    def detach(self) -> Tensor:
        """The same memory, without history."""
        from .storage import share

        y = wrap(self._k, self._a)
        share(self, y)
        return y

    def detach_(self) -> Tensor:
        """Forget this tensor's history."""
        if getattr(self, "_v", None) is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead")
        self._node = None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor that autograd does not watch."""
        y = wrap(self._k, self._a)
        if not self._k.writable:  # else a write to one is seen in the other anyway
            self._k.memories.join(self, y)
        return y

    @data.setter
    def data(self, value: Tensor) -> None:
        from .memories import check_traced
        from .storage import share

        if not isinstance(value, Tensor):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(value).__name__}"
            )
        node = self._node
        if node is not None and value.dtype.kind not in "fc":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point "
                f"or complex dtype, not {value.dtype}"
            )
        if self._k.memories is not None:
            check_traced(self._k, self._a, value._a)
        self._k, self._a = value._k, value._a
        share(value, self)
        self._v = None  # no longer a view of what it was a view of
        if isinstance(node, Leaf):
            node.k = value._k
            node.s = self._s

    @data.deleter
    def data(self) -> None:
        raise RuntimeError("Deleting tensor data is not allowed: delete the tensor")


def wrap(k: Backend, array: Array) -> Tensor:
    """A Tensor around one of the backend's arrays."""
    y = new(Tensor)
    if type(array) is not k.array_type:
        k, array = k.home(array)
    y._a = array
    y._k = k
    y._node = None
    y._s = None
    return y


def check_grad(x: Tensor, grad: Any) -> None:
    """Raise if `grad` cannot be the gradient of `x`."""
    if not isinstance(grad, Tensor):
        raise TypeError(
            "assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(grad).__name__}"
        )
    if grad is x:
        raise RuntimeError("can't assign Variable as its own grad")
    if grad._a.shape == x._a.shape and grad._a.dtype is x._a.dtype:
        if grad._k is x._k and len(x._k.device_types) == 1:
            return  # the usual case, in every backward
    for what in ("shape", "dtype", "device"):
        if getattr(grad, what) != getattr(x, what):
            raise RuntimeError(
                f"assigned grad has {what} {getattr(grad, what)}, but the tensor has "
                f"{what} {getattr(x, what)}"
            )


def not_a_leaf() -> RuntimeError:
    """The error of switching recording for a tensor that was computed."""
    return RuntimeError(
        "you can only change requires_grad flags of leaf variables. If you want to use "
        "a computed variable in a subgraph that doesn't require differentiation use "
        "var_no_grad = var.detach()."
    )


def as_class(cls: type, x: Tensor) -> Any:
    """`x` as an instance of a subclass, sharing everything."""
    if cls is Tensor:
        return x
    y = new(cls)
    for name in ("_a", "_k", "_node", "_s"):
        setattr(y, name, getattr(x, name))
    if not x._k.writable:
        x._k.memories.join(x, y)
    return y


def is_foreign(value: Any) -> bool:
    """Whether `value` is an array or scalar that an operator takes as a tensor."""
    return hasattr(value, "__array__") or backend_of(value) is not None


def is_number(value: Any) -> bool:
    """Whether `value` is a Python number or an array library's scalar, which counts as
    one: unlike a 0-d array, a scalar can be hashed."""
    if isinstance(value, (int, float, complex)):
        return True
    return (
        getattr(value, "ndim", None) == 0
        and hasattr(value, "item")
        and value.__hash__ is not None
    )


def from_foreign(name: str, param: Any, value: Any) -> Any:
    """Take another library's array or scalar as an argument of the op `name`: as a
    tensor, or as a Python number where the op takes those."""
    if param.scalar and is_number(value):
        found = next((t for t in (int, float, complex) if isinstance(value, t)), None)
        return value.item() if found is None else found(value)
    if is_foreign(value):
        from .creation.data import as_tensor

        return as_tensor(value)
    data = isinstance(value, (list, tuple, bool, int, float, complex))
    raise TypeError(
        f"{name}(): argument '{param.name}' must be Tensor"
        f"{' or Number' if param.scalar else ''}, not {type(value).__name__}"
        f"{'; plugrad.tensor(...) makes it one' if data else ''}"
    )


def graph_is_wanted(*tensors: Tensor) -> bool:
    """Whether a computation with these tensors is to be recorded."""
    return modes.current().grad and any(t._node is not None for t in tensors)


__all__ = ["Size", "Tensor", "default_backend", "wrap"]
