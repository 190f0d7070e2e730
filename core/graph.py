"""The graph that operators leave behind, and the walk back through it.

- A Node is one recorded call: a Plan (shared by all calls of the same kind), the
  arrays its rules need, and the nodes that its inputs came from.
- A Leaf stands for a tensor whose gradient is wanted; it knows its tensor weakly.
- A Port stands for one output of a call with several differentiable outputs.
- Nodes refer to earlier nodes only, never to tensors: nothing refers in a circle,
  and a graph dies as soon as its last tensor does.

`plugrad.engine` walks the graph.
"""

from __future__ import annotations

from _weakref import ref

from .storage import WRITES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .interface import Backend
    from .storage import Storage
    from .tensor import Tensor

    Array = Any


COMPLEX = [False]  # whether a complex array may be in any graph of this process
AROUND: list[Any] = []  # what makes the contexts that backends compute in

# the sources of what a node saves: arrays, and what holds arrays
ARRAYS = ("edge", "copy", "array", "output", "result")
HOLDING = (*ARRAYS, "many", "ctx")


class Plan:
    """What all calls of one op with the same inputs to differentiate share."""

    __slots__ = ("name", "back", "names", "sources", "op", "eager", "holds", "inplace")

    def __init__(
        self,
        name: str,
        back: Callable[..., Sequence[Array | None]],
        names: tuple[str, ...] = (),
        sources: tuple[tuple[str, Any], ...] = (),
        op: Any = None,
        eager: bool = False,
    ) -> None:
        self.name = name
        # back(k, g, saved, shapes) gives a gradient for each edge
        self.back = back
        self.names = names
        # where each entry of `saved` comes from: ("edge", i) an input with a gradient,
        # ("copy", i) a copy of one, made for a call in place, ("result", i) its result,
        # ("guard", j) an input without, whose Storage is saved[j], ("output", i) a
        # result, ("value", 0) anything else
        self.sources = sources
        self.op = op
        self.eager = eager  # runs even if no gradient has arrived
        # whether backward releases anything; where only shapes and numbers are kept,
        # it may run again
        self.inplace: Plan | None = None  # the same for calls in place
        self.holds = any(kind in HOLDING for kind, _ in sources)


class Node:
    """One recorded call."""

    __slots__ = (
        "plan",
        "k",
        "next",
        "saved",
        "shapes",
        "w",
        "s",
        "hooks",
        "outputs",
        "extra",
        "__weakref__",
    )
    plan: Plan
    k: Backend
    next: tuple[Node | None, ...]
    saved: tuple[Any, ...] | None  # None once backward has released it
    shapes: tuple[tuple[int, ...], ...] | None  # of the inputs, where they broadcast
    w: int  # the count of writes when the call was recorded
    s: Storage | None  # of the output, once it is viewed or written
    hooks: Hooks | None
    outputs: list[ref[Port] | None]  # set where a call has several
    extra: dict[str, Any] | None  # set where somebody has notes on the node

    def name(self) -> str:
        """The name that PyTorch would print, such as AddBackward0."""
        return self.plan.name

    def __repr__(self) -> str:
        return f"<{self.name()}>"

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that this one passes gradients to, each with an output index."""
        found: list[tuple[Node | None, int]] = []
        for node in self.next:
            if isinstance(node, Port):
                found.append((node.next[0], node.index))
            else:
                found.append((node, 0))
        return tuple(found)

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(grad_inputs, grad_outputs)` after this node ran in backward."""
        return hooks_of(self).add(hooks_of(self).after, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """Call `hook(grad_outputs)` before this node runs in backward."""
        return hooks_of(self).add(hooks_of(self).before, hook)

    @property
    def metadata(self) -> dict[str, Any]:
        """A place for the user's own notes on this node."""
        found: dict[str, Any] | None = getattr(self, "extra", None)
        if found is None:
            found = self.extra = {}
        return found


class Leaf(Node):
    """Where the gradient of a tensor that was not computed arrives."""

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.plan = LEAF
        self.k = tensor._k
        self.next = ()
        self.saved = ()
        self.shapes = None
        self.w = WRITES[0]
        self.s = tensor._s
        self.hooks = None
        self.tensor = ref(tensor)
        if tensor._a.dtype in tensor._k.kinds["c"]:
            COMPLEX[0] = True

    @property
    def variable(self) -> Tensor | None:
        """The tensor whose gradient this node accumulates."""
        return self.tensor()


class Port(Node):
    """One of several differentiable outputs of a call."""

    __slots__ = ("index",)
    index: int

    def __init__(self, node: Node, index: int) -> None:
        self.plan = PORT
        self.k = node.k
        self.next = (node,)
        self.saved = ()
        self.shapes = None
        self.w = node.w
        self.s = None
        self.hooks = None
        self.index = index
        node.outputs[index] = ref(self)

    def name(self) -> str:
        return self.next[0].name()  # type: ignore[union-attr]


def port_of(node: Node, index: int) -> Port:
    """The Port of one output; all its users share one, as hooks may hang there."""
    link = node.outputs[index]
    return (link and link()) or Port(node, index)


def dead_end(k: Backend, edges: tuple[Node | None, ...], message: str) -> Node:
    """A node that raises when a gradient reaches it."""

    def back(*_: Any) -> Any:
        raise RuntimeError(message)

    node = Node()
    node.plan = Plan("Error", back)
    node.k = k
    node.next = edges
    node.saved = ()
    node.shapes = None
    node.w = WRITES[0]
    node.s = None
    node.hooks = None
    return node


def _no_back(*_: Any) -> Any:
    raise AssertionError("leaves and ports are handled by the walk itself")


LEAF = Plan("AccumulateGrad", _no_back)
PORT = Plan("Port", _no_back)


class Hooks:
    """The hooks of a node: on the gradient that arrives, before, and after it runs."""

    __slots__ = ("grad", "before", "after", "accumulated", "retain", "_next")

    def __init__(self) -> None:
        self.grad: dict[int, Callable[..., Any]] = {}
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}
        self.accumulated: dict[int, Callable[..., Any]] = {}
        self.retain: ref[Tensor] | None = None
        self._next = 0

    def add(self, where: dict[int, Callable[..., Any]], hook: Any) -> Handle:
        """Register `hook` in one of the dictionaries."""
        self._next += 1
        where[self._next] = hook
        return Handle(where, self._next)


class Handle:
    """What registering a hook returns; `remove()` takes the hook away again."""

    __slots__ = ("hooks", "id", "__weakref__")

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self.hooks = hooks
        self.id = key

    def remove(self) -> None:
        """Take the hook away; doing so twice is harmless."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.remove()


def hooks_of(node: Node) -> Hooks:
    """The node's hooks, made now if it had none."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks


def sum_to(k: Any, g: Array, shape: tuple[int, ...]) -> Array:
    """Sum `g` over the dimensions that broadcasting added or stretched."""
    added = g.ndim - len(shape)
    if added == 1 == len(shape) and g.shape[1] == shape[0]:  # a bias
        return k.sum(g, axis=0)
    stretched = [
        i + added for i, n in enumerate(shape) if n == 1 and g.shape[i + added] != 1
    ]
    axes = (*range(added), *stretched)
    if axes:
        g = k.sum(g, axis=axes)
    return g if g.shape == shape else k.reshape(g, shape)
