"""The Tensor: an array of some backend, and its place in the graph.

- `_a` the backend's array, `_k` the backend, `_node` where the tensor came from (None
  if it needs no gradient), `_s` the Storage (None until it is viewed or written).
- `_v` (what it is a view of) and `_grad` exist only once they are set.
- The methods that are ops are attached where the ops are declared; those that convert,
  print or compare with Python's protocols stand in `plugrad.protocols`.
"""

from __future__ import annotations

from _weakref import ref

from . import dtypes, modes
from .backend import backend_of, default_backend
from .graph import Handle, Leaf, Node, hooks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .backend import Backend
    from .dtypes import dtype
    from .storage import Storage

    Array = Any

new = object.__new__


class Size(tuple):
    """A tensor's shape: a tuple that knows its number of elements."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"plugrad.Size({list(self)})"

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        n = 1
        for size in self:
            n *= size
        return n

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))


class Tensor:
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
    _v: tuple[Tensor, Callable[..., Tensor], Any]
    _grad: Tensor | None

    __array_priority__ = 1000  # ndarray * tensor is the tensor's business
    __hash__ = object.__hash__

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        from .creation import legacy_tensor

        return as_class(cls, legacy_tensor(dtypes.get_default_dtype(), args, kwargs))

    # --- What it is -----------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._a.shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._a.ndim

    @property
    def dtype(self) -> dtype:
        """The type of the elements."""
        return self._k.dtype_of(self._a)

    @property
    def device(self) -> str:
        return "cpu"

    def tolist(self) -> Any:
        """Nested lists of Python numbers."""
        return self._k.to_list(self._a)

    def item(self) -> Any:
        """The only element, as a Python number."""
        return self._k.item(self._a)

    def __repr__(self) -> str:
        from .printing import tensor_repr

        with modes.no_grad():
            return tensor_repr(self)

    @property
    def backend(self) -> str:
        """The name of the backend that holds the array."""
        return self._k.name

    # --- Gradients ------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Turn recording on or off for a tensor that was not computed."""
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
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you "
                    "want to use a computed variable in a subgraph that doesn't "
                    "require differentiation use var_no_grad = var.detach()."
                )
            self._node = None
        return self

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` has accumulated here, or None."""
        try:
            return self._grad
        except AttributeError:
            return None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    "assigned grad expected to be a Tensor or None but got "
                    f"{type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._a.shape != self._a.shape:
                raise RuntimeError(
                    "assigned grad has data of a different size: "
                    f"{tuple(value.shape)}, expected {tuple(self.shape)}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed this tensor."""
        node = self._node
        return None if isinstance(node, Leaf) else node

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
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not isinstance(self._node, Leaf):
            hooks_of(self._node).retain = ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called on this computed tensor."""
        node = self.grad_fn
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
        from .storage import storage

        y = wrap(self._k, self._a)
        y._s = storage(self)
        return y

    def detach_(self) -> Tensor:
        """Forget this tensor's history."""
        if getattr(self, "_v", None) is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead"
            )
        self._node = None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor that autograd does not watch."""
        return wrap(self._k, self._a)

    @data.setter
    def data(self, value: Tensor) -> None:
        from .storage import written

        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value)}")
        self._k, self._a = value._k, value._a
        written(self)

    @property
    def is_inference_tensor(self) -> bool:
        """Always False: tensors made in `inference_mode` are ordinary ones here."""
        return False


def wrap(k: Backend, array: Array) -> Tensor:
    """A Tensor around one of the backend's arrays."""
    y = new(Tensor)
    y._a = array if type(array) is k.array_type else k.wrap(array)
    y._k = k
    y._node = None
    y._s = None
    return y


def as_class(cls: type, x: Tensor) -> Any:
    """`x` as an instance of a subclass, sharing everything."""
    if cls is Tensor:
        return x
    y = new(cls)
    for name in ("_a", "_k", "_node", "_s"):
        setattr(y, name, getattr(x, name))
    return y


def is_foreign(value: Any) -> bool:
    """Whether `value` is an array or scalar that an operator takes as a tensor."""
    return hasattr(value, "__array__") or backend_of(value) is not None


def from_foreign(name: str, param: Any, value: Any) -> Tensor:
    """Take another library's array or scalar as an argument of the op `name`."""
    if is_foreign(value):
        from .creation import as_tensor

        return as_tensor(value)
    raise TypeError(
        f"{name}(): argument '{param.name}' must be Tensor"
        f"{' or Number' if param.scalar else ''}, not {type(value).__name__}"
    )


def graph_is_wanted(*tensors: Tensor) -> bool:
    """Whether a computation with these tensors is to be recorded."""
    return modes.current().grad and any(t._node is not None for t in tensors)


__all__ = ["Size", "Tensor", "default_backend", "wrap"]
