"""What the forward and the backward of one call of a user's Function share.

- The context is an object apart from the node, so that no attribute that the user sets
  clashes with the node's own; `y.grad_fn.NAME` finds both.
- A saved tensor is kept as its array and its place in the graph, never as the Tensor
  itself: saving an output makes no circle, and the graph dies by reference count.
- Saved tensors are released after backward, and their memory must not have been
  written since; both are checked when `ctx.saved_tensors` is read.
"""

from __future__ import annotations

from _weakref import ref

from .. import modes
from ..errors import released, written_to
from ..graph import Node, port_of
from ..storage import WRITES, storage
from ..tensor import Tensor, as_class, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype
    from .function import Function


class FunctionCtx:
    """What the forward and the backward of one call share, usually called `ctx`."""

    needs_input_grad: tuple[bool, ...]
    materialize_grads = True
    _node: ref[FunctionNode] | None = None
    _to_save: tuple[Any, ...] = ()
    _saved: tuple[Saved | None, ...] | None = ()
    _dirty: tuple[Tensor, ...] = ()
    _constant: tuple[Tensor, ...] = ()
    _outputs: tuple[Meta | None, ...] = ()

    def __init__(self, function: type[Function], args: tuple[Any, ...]) -> None:
        self._function = function
        self._inputs: list[Meta | None] = []
        self._edges: list[Node | None] = []  # until the node has them
        needed: list[bool] = []
        for each in args:
            if isinstance(each, Tensor):
                self._inputs.append(Meta(each))
                self._edges.append(each._node)
                needed.append(each._node is not None)
            else:
                self._inputs.append(None)
                needed.append(False)
        self.needs_input_grad = tuple(needed)

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `backward`; call it once, in `forward`."""
        self._to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Accepted for programs that also have a `jvp`, which is never called here."""

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What `save_for_backward` was given, checked not to have changed."""
        if self._saved is None:
            raise released(self._function.__name__ + "Backward")
        node = self._node and self._node()
        return tuple(
            None if each is None else each.tensor(self, node) for each in self._saved
        )

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs `forward` has written; they must be outputs too."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which outputs need no gradient."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (the default) or None for unused outputs."""
        self.materialize_grads = value


class Meta:
    """What a gradient of a tensor must look like."""

    __slots__ = ("k", "shape", "native")

    def __init__(self, x: Tensor) -> None:
        self.k = x._k
        self.shape = x._a.shape
        self.native = x._a.dtype

    @property
    def dtype(self) -> dtype:
        """The dtype, as ours."""
        return self.k.by_native[self.native]

    def zeros(self) -> Tensor:
        """The gradient of an output that nothing used."""
        return wrap(self.k, self.k.zeros(self.shape, dtype=self.native))


class Saved:
    """One saved tensor: its array and its place in the graph."""

    __slots__ = ("cls", "k", "array", "node", "storage", "w", "output", "mark")

    def __init__(self, x: Tensor, output: int | None) -> None:
        self.cls = type(x)
        self.k = x._k
        self.array = x._a
        self.node = x._node
        self.storage = storage(x)
        self.w = WRITES[0]
        self.output = output  # which output of the call this is
        careful = modes.current().check_saved
        self.mark = self.k.fingerprint(self.array) if careful else None

    def tensor(self, ctx: FunctionCtx, node: Node | None) -> Tensor:
        """The tensor again."""
        changed = self.storage.w > self.w
        if changed or (
            self.mark is not None and self.mark != self.k.fingerprint(self.array)
        ):
            kind = "a tensor" if self.output is None else f"output {self.output}"
            raise written_to(ctx._function.__name__ + "Backward", kind)
        x = wrap(self.k, self.array)
        x._s = self.storage
        x._node = self.node
        if self.output is not None and node is not None:
            x._node = node if len(ctx._outputs) == 1 else port_of(node, self.output)
        return as_class(self.cls, x)


class FunctionNode(Node):
    """The call of a user's Function, as a node of the graph."""

    __slots__ = ("ctx",)
    ctx: FunctionCtx

    @property
    def saved(self) -> tuple[FunctionCtx]:  # type: ignore[override]
        return (self.ctx,)

    @saved.setter
    def saved(self, value: None) -> None:
        # The engine releases a node by None. Only saved tensors go; attributes stay,
        # and a backward that reads no saved tensor may run again.
        self.ctx._saved = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.ctx, name)
