"""The walk back through the graph.

- A node runs once, after everything that depends on it, without recursion.
- `run` is the common case: raw arrays, real numbers, gradients for the leaves.
- `run_carefully` is the same walk for everything else: gradients of gradients (the
  rules then run on Tensors), chosen inputs, complex numbers, anomaly detection.
- A gradient that no rule had anything to say about travels as None: the nodes behind
  it are counted, but do not run.
"""

from __future__ import annotations

from sys import getrefcount

from . import modes
from .errors import released, written_to
from .graph import LEAF, PORT, Leaf, Node, Port
from .storage import WRITES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .tensor import Tensor

    Array = Any

COMPLEX = [False]  # whether this process has ever made a complex array


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
        if node.hooks is not None:
            g = arrive(node, g, False)
        plan = node.plan
        if plan is LEAF:
            own = getrefcount(g) <= 2
            accumulate(node, g, own, False)
            continue
        if g is None or plan is PORT:
            gradients = (g,) * len(node.next)
        else:
            saved = node.saved
            if saved is None:
                raise released(node)
            if node.w != WRITES[0]:
                check_unwritten(node)
            gradients = plan.back(node.k, g, saved, node.shapes)
            if node.hooks is not None:
                gradients = leave(node, gradients, g, False)
            if saved and not retain_graph:
                node.saved = saved = None
        for parent, g in zip(node.next, gradients):
            if parent is not None:
                if plan is PORT:
                    g = collect(node, waiting.pop(parent, None), g)
                elif parent in waiting:
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
        if node.plan is LEAF:
            if not capture and g is not None:
                accumulate(node, g, False, create_graph)
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


def step(
    node: Node, g: Any, retain_graph: bool, create_graph: bool
) -> Sequence[Any]:
    """The gradients that one node gives to each of its edges."""
    if g is None or node.plan is PORT:
        return (g,) * len(node.next)
    saved = node.saved
    if saved is None:
        raise released(node)
    if node.w != WRITES[0]:
        check_unwritten(node)
    mode = modes.current()
    if mode.check_saved:
        check_fingerprints(node)
    k: Any = node.k
    if create_graph:
        saved = revive(node)
        k = k.tensors
    turned = COMPLEX[0] and node.plan.op is not None
    given = conjugate(k, g) if turned else g
    try:
        gradients = node.plan.back(k, given, saved, node.shapes)
    except Exception as error:
        if mode.anomaly:
            error.add_note(forward_trace(node))
        raise
    if turned:
        gradients = [conjugate(k, each) for each in gradients]
    if node.hooks is not None:
        gradients = leave(node, gradients, g, create_graph)
    if mode.anomaly and mode.check_nan:
        check_for_nan(node, gradients)
    if saved and not retain_graph:
        node.saved = None
    return gradients


def conjugate(k: Any, g: Any) -> Any:
    """`g` conjugated if it is complex; lists of gradients one by one."""
    if g is None:
        return None
    if isinstance(g, (list, tuple)):
        return [conjugate(k, each) for each in g]
    return k.conj(g) if k.isdtype(g.dtype, "complex floating") else g


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
    gradients = [None] * node.extra if before is None else before  # type: ignore
    gradients[port.index] = join(gradients[port.index], g)  # type: ignore
    return gradients


# --- Leaves -------------------------------------------------------------------


def accumulate(leaf: Any, g: Any, own: bool, create_graph: bool) -> None:
    """Add `g` to the gradient of the leaf's tensor; `own`: nobody else holds it."""
    from .tensor import Tensor, wrap

    tensor = leaf.tensor()
    if tensor is None or g is None:
        return
    k = leaf.k
    before = tensor.grad
    if create_graph and isinstance(g, Tensor):
        tensor.grad = g if before is None else before + g
    elif before is None:
        g = g._a if isinstance(g, Tensor) else g
        tensor.grad = wrap(k, g if own and k.owns(g) else k.copy(g))
    elif before._node is not None:
        with modes.no_grad():
            tensor.grad = before + wrap(k, g)
    else:
        with modes.no_grad():
            before += g if isinstance(g, Tensor) else wrap(k, g)
    if leaf.hooks is not None:
        for hook in list(leaf.hooks.accumulated.values()):
            with modes.no_grad():
                hook(tensor)


# --- Hooks --------------------------------------------------------------------


def as_tensor(k: Any, g: Any) -> Any:
    """A gradient as the user sees it."""
    from .tensor import Tensor, wrap

    if g is None or isinstance(g, Tensor):
        return g
    if isinstance(g, list):
        return [as_tensor(k, each) for each in g]
    return wrap(k, g)


def arrive(node: Node, g: Any, create_graph: bool) -> Any:
    """Run the hooks on the gradient that reached `node`."""
    hooks = node.hooks
    if g is None or hooks is None:
        return g
    with modes.Setting(grad=create_graph):
        tensor = as_tensor(node.k, g)
        for hook in list(hooks.before.values()):
            many = tensor if isinstance(tensor, list) else [tensor]
            changed = hook(tuple(many))
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                tensor = list(changed) if isinstance(tensor, list) else changed[0]
        for hook in list(hooks.grad.values()):
            changed = hook(tensor)
            if changed is not None:
                tensor = changed
        if hooks.retain is not None and (kept := hooks.retain()) is not None:
            kept.grad = tensor if kept.grad is None else kept.grad + tensor
    if create_graph:
        return tensor
    return [t and t._a for t in tensor] if isinstance(tensor, list) else tensor._a


def leave(node: Node, gradients: Any, g: Any, create_graph: bool) -> Any:
    """Run the hooks on the gradients that `node` computed."""
    hooks = node.hooks
    if hooks is None or not hooks.after:
        return gradients
    with modes.Setting(grad=create_graph):
        given = tuple(as_tensor(node.k, each) for each in gradients)
        out = as_tensor(node.k, g)
        out = tuple(out) if isinstance(out, list) else (out,)
        for hook in list(hooks.after.values()):
            changed = hook(given, out)
            if changed is not None:
                given = changed if isinstance(changed, tuple) else (changed,)
    if create_graph:
        return given
    return tuple(None if t is None else t._a for t in given)


# --- What a node saved ---------------------------------------------------------


def check_unwritten(node: Node) -> None:
    """Raise if an array that `node` needs was written after it was saved."""
    for name, (kind, i), value in zip(node.plan.names, node.plan.sources, node.saved):
        for s in storages(node, kind, i, value):
            if s is not None and s.w > node.w:
                raise written_to(node, name)


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
    from .tensor import Tensor, wrap

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
        if kind == "edge":
            entries.append(tensor(value, node.next[i]))
        elif kind == "output":
            entries.append(tensor(value, node if i is None else Port(node, i)))
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


# --- Anomalies -----------------------------------------------------------------


def forward_trace(node: Node) -> str:
    """Where the forward call was made, for an error's notes."""
    trace = getattr(node, "extra", None)
    trace = trace.get("trace") if isinstance(trace, dict) else None
    if trace is None:
        return f"{node.name()}: the forward call ran outside detect_anomaly"
    return f"{node.name()}: the forward call was made here\n{trace}"


def check_for_nan(node: Node, gradients: Sequence[Any]) -> None:
    """Raise if a gradient that `node` computed holds a NaN."""
    for i, g in enumerate(gradients):
        g = getattr(g, "_a", g)
        if g is None or isinstance(g, (list, tuple)):
            continue
        if not node.k.isdtype(g.dtype, ("real floating", "complex floating")):
            continue
        if bool(node.k.any(node.k.isnan(g))):
            error = RuntimeError(
                f"Function '{node.name()}' returned nan values in its {i}th output."
            )
            error.add_note(forward_trace(node))
            raise error


def check_fingerprints(node: Node) -> None:
    """Raise if a saved array's bytes are not what they were in the forward call."""
    notes = getattr(node, "extra", None)
    marks = notes.get("marks") if isinstance(notes, dict) else None
    if marks is not None and marks != fingerprints(node):
        names = [
            name
            for name, a, b in zip(node.plan.names, marks, fingerprints(node))
            if a != b
        ]
        raise written_to(node, names[0])


def fingerprints(node: Node) -> list[Any]:
    """A mark of the bytes of each saved array."""
    kinds = ("edge", "array", "output")
    return [
        node.k.fingerprint(value) if kind in kinds and value is not None else None
        for (kind, _), value in zip(node.plan.sources, node.saved)  # type: ignore
    ]
