"""The walk back through the graph.

- A node runs once, after everything that depends on it, without recursion.
- `run` is the common case: raw arrays, real numbers, gradients for the leaves.
- `run_carefully` is the same walk for everything else: gradients of gradients (the
  rules then run on Tensors), chosen inputs, complex numbers, anomaly detection,
  backends that compute in a context of their own.
- A gradient that no rule had anything to say about travels as None: the nodes behind
  it are counted, but do not run.
"""

from __future__ import annotations

from sys import getrefcount

from . import anomaly, modes
from .errors import described, released, written_to
from .graph import COMPLEX, LEAF, PORT, Leaf, Node, port_of
from .hooks import arrive, as_tensor, enter, leave
from .selection import owner
from .storage import WRITES
from .tensor import Tensor, check_grad, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Array = Any


def alone() -> int:
    """The count of references to an object that one local variable refers to: 2, or 1
    since CPython 3.14, which lends it to the call."""
    found = object()
    return getrefcount(found)


ALONE = alone()


def run(root: Node, g: Array, retain_graph: bool) -> None:
    """Send `g` from `root` to the leaves, on raw arrays."""
    uses: dict[Node, int] = {}
    stack = [root]
    while stack:
        for node in stack.pop().next:
            if node is not None:
                if node in uses:
                    uses[node] += 1
                else:
                    uses[node] = 1
                    stack.append(node)
    ready = [(root, g)]
    waiting: dict[Node, Array] = {}
    while ready:
        node, g = ready.pop()
        plan = node.plan
        if node.hooks is not None:
            g = enter(node, arrive(node, g, False), False)
        if plan is LEAF:
            own = getrefcount(g) <= ALONE
            accumulate(node, g, own, False)  # type: ignore[arg-type]
            continue
        if plan is PORT:
            parent = node.next[0]
            waiting[parent] = collect(node, waiting.get(parent), g)  # type: ignore
            gradients = (None,)
        elif g is None and not plan.eager:
            gradients = (None,) * len(node.next)
        else:
            saved = node.saved
            if saved is None:
                raise released(node.name())
            if node.w != WRITES[0]:
                check_unwritten(node)
            gradients = plan.back(node.k, g, saved, node.shapes)
            if node.hooks is not None:
                gradients = leave(node, gradients, g, False)
            if plan.holds and not retain_graph:
                node.saved = saved = None
        for parent, g in zip(node.next, gradients):
            if parent is not None:
                if waiting and parent in waiting:
                    g = join(waiting.pop(parent), g)
                left = uses[parent]
                if left == 1:
                    ready.append((parent, g))
                else:
                    uses[parent] = left - 1
                    if g is not None:
                        waiting[parent] = g
        g = gradients = None


def run_carefully(
    roots: Sequence[tuple[Node, Any]],
    retain_graph: bool,
    create_graph: bool,
    inputs: Sequence[Node] | None = None,
    capture: bool = False,
) -> dict[Node, Any]:
    """The whole walk. With `inputs`, only what leads to them runs; with `capture`
    their gradients are returned and no leaf accumulates anything."""
    wanted = set(inputs) if inputs is not None else None
    starts = list(dict.fromkeys(node for node, _ in roots))
    useful = None if wanted is None else leading_to(starts, wanted)
    uses = count_uses(starts, useful)
    waiting: dict[Node, Any] = {}
    for node, g in roots:
        if node.plan is PORT:
            waiting.setdefault(node, None)
        waiting[node] = join(waiting.get(node), g)
    ready = [node for node in starts if node not in uses]
    caught: dict[Node, Any] = {}
    while ready:
        node = ready.pop()
        g = waiting.pop(node, None)
        if node.hooks is not None and g is not None:
            g = arrive(node, g, create_graph)
        if wanted is not None and node in wanted and capture:
            caught[node] = g
        leaf = node.plan is LEAF
        if capture if leaf else useful is not None and not leads_on(node, useful):
            continue
        if node.hooks is not None and g is not None:
            g = enter(node, g, create_graph)
        if leaf:
            if node.k.memories is not None:
                node.k.memories.check_gradient(node, g)
            accumulate(node, g, False, create_graph)  # type: ignore[arg-type]
            continue
        gradients = step(node, g, retain_graph, create_graph)
        for parent, g in zip(node.next, gradients):
            if parent is None or (useful is not None and parent not in useful):
                continue
            before = waiting.pop(parent, None)
            if node.plan is PORT:
                g = collect(node, before, g)
            else:
                g = join(before, g)
            if g is not None:
                waiting[parent] = g
            uses[parent] -= 1
            if uses[parent] == 0:
                ready.append(parent)
    return caught


def step(node: Node, g: Any, retain_graph: bool, create_graph: bool) -> Sequence[Any]:
    """The gradients that one node gives to each of its edges."""
    if node.plan is PORT or (g is None and not node.plan.eager):
        return (g,) * len(node.next)
    saved = node.saved
    if saved is None:
        raise released(node.name())
    if node.w != WRITES[0]:
        check_unwritten(node)
    mode = modes.current()
    if mode.check_saved:
        anomaly.check_fingerprints(node)
    k: Any = node.k
    if create_graph:
        saved = revive(node)
        k = k.tensors
    turned = COMPLEX[0] and node.plan.op is not None
    given = conjugate(k, g) if turned else g
    around = node.k.around if node.plan.op is not None else None
    try:
        if around is None:
            gradients = node.plan.back(k, given, saved, node.shapes)
        else:
            with around():
                gradients = node.plan.back(k, given, saved, node.shapes)
    except Exception as error:
        if mode.anomaly:
            error.add_note(anomaly.forward_trace(node))
        raise
    if turned:
        gradients = [conjugate(k, each) for each in gradients]
    if node.hooks is not None:
        gradients = leave(node, gradients, g, create_graph)
    if mode.anomaly and mode.check_nan:
        anomaly.check_for_nan(node, gradients)
    if node.plan.holds and not retain_graph:
        node.saved = None
    return gradients


def conjugate(k: Any, g: Any) -> Any:
    """`g` conjugated if it is complex; lists of gradients one by one."""
    if g is None:
        return None
    if isinstance(g, (list, tuple)):
        return [conjugate(k, each) for each in g]
    return k.conj(g) if k.isdtype(g.dtype, "complex floating") else g


def leads_on(node: Node, useful: set[Node]) -> bool:
    """Whether the walk goes on from `node` to something useful."""
    return any(parent in useful for parent in node.next)


def leading_to(starts: list[Node], wanted: set[Node]) -> set[Node]:
    """The nodes on any path from `starts` to `wanted`."""
    users: dict[Node, list[Node]] = {}
    seen = set(starts)
    stack = list(starts)
    while stack:
        node = stack.pop()
        for parent in node.next:
            if parent is not None:
                users.setdefault(parent, []).append(node)
                if parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
    useful = {node for node in wanted if node in seen}
    stack = list(useful)
    while stack:
        for user in users.get(stack.pop(), ()):
            if user not in useful:
                useful.add(user)
                stack.append(user)
    return useful


def count_uses(starts: list[Node], useful: set[Node] | None) -> dict[Node, int]:
    """How many gradients each node will receive from other nodes."""
    uses: dict[Node, int] = {}
    seen = set(starts)
    stack = list(starts)
    while stack:
        for parent in stack.pop().next:
            if parent is None or (useful is not None and parent not in useful):
                continue
            uses[parent] = uses.get(parent, 0) + 1
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return uses


def join(before: Any, g: Any) -> Any:
    """The sum of two gradients, either of which may be missing."""
    if before is None:
        return g
    if g is None:
        return before
    if isinstance(g, list):
        return [join(a, b) for a, b in zip(before, g)]
    return before + g


def collect(port: Node, before: list[Any] | None, g: Any) -> list[Any]:
    """Put the gradient of one output in its place among the call's outputs."""
    node = port.next[0]
    gradients = [None] * len(node.outputs) if before is None else before  # type: ignore
    gradients[port.index] = join(gradients[port.index], g)  # type: ignore
    return gradients


# --- Leaves -------------------------------------------------------------------


def accumulate(leaf: Leaf, g: Any, own: bool, create_graph: bool) -> None:
    """Add `g` to the gradient of the leaf's tensor; `own`: nobody else holds it."""
    tensor = leaf.tensor()
    if tensor is None or g is None or tensor._node is None:
        return  # gone, or its gradient is not wanted any more
    k, a = leaf.k, tensor._a
    before = getattr(tensor, "_grad", None)
    if type(g) is k.array_type:
        if own and before is None and leaf.hooks is None and k.owns(g):
            if g.shape == a.shape and g.dtype is a.dtype:
                tensor._grad = wrap(k, g)  # the usual case
                return
    elif not isinstance(g, Tensor):
        k = owner(k, g)
    if create_graph and isinstance(g, Tensor):
        tensor.grad = g.clone() if before is None else before + g
    elif before is None:
        g = g._a if isinstance(g, Tensor) else g
        found = wrap(k, g if own and k.owns(g) else k.copy(g))
        if g.shape != a.shape or g.dtype is not a.dtype:
            check_grad(tensor, found)
        tensor._grad = found
    else:
        with modes.no_grad():
            g = wrap(k, g)
            if before._k is k or not before._k.is_sparse:
                before += g
            else:  # a dense gradient joins a sparse one
                tensor._grad = g + before
    if leaf.hooks is not None:
        with modes.Setting(grad=create_graph):
            for hook in list(leaf.hooks.after.values()):
                hook((), (as_tensor(k, g),))
            for hook in list(leaf.hooks.accumulated.values()):
                hook(tensor)


# --- What a node saved ---------------------------------------------------------


def check_unwritten(node: Node) -> None:
    """Raise if an array that `node` needs was written after it was saved."""
    saved = node.saved or ()
    for name, (kind, i), value in zip(node.plan.names, node.plan.sources, saved):
        for s in storages(node, kind, i, value):
            if s is not None and s.w > node.w:
                raise written_to(node.name(), described(name))


def storages(node: Node, kind: str, i: Any, value: Any) -> Sequence[Any]:
    """The Storages behind one saved entry."""
    if kind == "edge":
        parent = node.next[i]
        return () if parent is None else (parent.s,)
    if kind == "output":
        return (node.s,)
    if kind == "guard":
        return (value,)
    if kind == "many":
        return [node.next[j].s for j in i if node.next[j] is not None]  # type: ignore
    return ()


def revive(node: Node) -> tuple[Any, ...]:
    """What `node` saved, as Tensors in the graph again."""
    from .tensor import wrap

    k = node.k

    def tensor(array: Any, parent: Node | None) -> Any:
        if array is None:
            return None
        t: Tensor = wrap(k, array)
        t._node = parent
        if parent is not None and parent.s is not None:
            t._s = parent.s
        return t

    entries: list[Any] = []
    for (kind, i), value in zip(node.plan.sources, node.saved):  # type: ignore
        if kind in ("edge", "copy"):
            entries.append(tensor(value, node.next[i]))
        elif kind in ("output", "result"):
            entries.append(tensor(value, node if i is None else port_of(node, i)))
        elif kind == "array":
            entries.append(tensor(value, None))
        elif kind == "many":
            entries.append(
                [tensor(a, node.next[j]) for a, j in zip(value, i, strict=True)]
            )
        elif kind == "dtype":
            many = isinstance(value, list)
            find = k.by_native.get
            entries.append([find(v) for v in value] if many else find(value))
        else:
            entries.append(value)
    return tuple(entries)
