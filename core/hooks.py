"""What hooks do to the gradients that pass through a node.

- `arrive`: a tensor's own hooks, in the order they were registered, then `retain_grad`.
- `enter` and `leave`: a node's hooks, before and after it runs.
- Hooks see Tensors. They are recorded themselves exactly where `create_graph=True`.
- What a hook returns takes the gradient's place and must look like it.
"""

from __future__ import annotations

from . import modes
from .selection import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .graph import Node


def as_tensor(k: Any, g: Any) -> Any:
    """A gradient as the user sees it."""
    from .tensor import Tensor, wrap

    if g is None or isinstance(g, Tensor):
        return g
    if isinstance(g, list):
        return [as_tensor(k, each) for each in g]
    return wrap(owner(k, g), g)


def as_gradient(g: Any, create_graph: bool) -> Any:
    """What a hook left, as the walk needs it."""
    if create_graph or g is None:
        return g
    if isinstance(g, (list, tuple)):
        return [as_gradient(each, False) for each in g]
    return g._a


def replaced(hook: Any, before: Any, changed: Any) -> Any:
    """What takes the place of the gradient `before` after a hook has run."""
    from .tensor import Tensor

    name = getattr(hook, "__name__", repr(hook))
    if changed is None:
        return before
    if not isinstance(changed, Tensor):
        raise TypeError(
            f"hook '{name}' has to return a Tensor or None, but returned "
            f"{type(changed).__name__}"
        )
    if before is None:
        return changed
    if changed.shape != before.shape:
        raise RuntimeError(
            f"hook '{name}' has changed the size of value: it got "
            f"{list(before.shape)} and returned {list(changed.shape)}"
        )
    if changed.dtype is not before.dtype:
        raise RuntimeError(
            f"hook '{name}' has changed the type of value (was {before.dtype} got "
            f"{changed.dtype})"
        )
    return changed


def replaced_all(hook: Any, before: Sequence[Any], changed: Any) -> list[Any]:
    """The same for a hook that gets several gradients."""
    if changed is None:
        return list(before)
    changed = changed if isinstance(changed, tuple) else (changed,)
    if len(changed) != len(before):
        name = getattr(hook, "__name__", repr(hook))
        raise RuntimeError(
            f"hook '{name}' has returned an incorrect number of values (got "
            f"{len(changed)}, but expected {len(before)})"
        )
    return [replaced(hook, a, b) for a, b in zip(before, changed)]


def arrive(node: Node, g: Any, create_graph: bool) -> Any:
    """Run the tensor's hooks on the gradient that reached `node`."""
    hooks = node.hooks
    if g is None or hooks is None or not (hooks.grad or hooks.retain):
        return g
    with modes.Setting(grad=create_graph):
        tensor = as_tensor(node.k, g)
        for hook in list(hooks.grad.values()):
            tensor = replaced(hook, tensor, hook(tensor))
        if hooks.retain is not None and (kept := hooks.retain()) is not None:
            kept.grad = tensor.clone() if kept.grad is None else kept.grad + tensor
    return as_gradient(tensor, create_graph)


def enter(node: Node, g: Any, create_graph: bool) -> Any:
    """Run the hooks that `node` has for the time before it runs."""
    hooks = node.hooks
    if g is None or hooks is None or not hooks.before:
        return g
    with modes.Setting(grad=create_graph):
        tensor = as_tensor(node.k, g)
        many = tensor if isinstance(tensor, list) else [tensor]
        for hook in list(hooks.before.values()):
            many = replaced_all(hook, many, hook(tuple(many)))
    return as_gradient(many if isinstance(g, list) else many[0], create_graph)


def leave(node: Node, gradients: Any, g: Any, create_graph: bool) -> Any:
    """Run the hooks on the gradients that `node` computed."""
    hooks = node.hooks
    if hooks is None or not hooks.after:
        return gradients
    with modes.Setting(grad=create_graph):
        given = [
            as_tensor(node.k if parent is None else parent.k, each)
            for parent, each in zip(node.next, gradients)
        ]
        out = as_tensor(node.k, g)
        out = tuple(out) if isinstance(out, list) else (out,)
        for hook in list(hooks.after.values()):
            given = replaced_all(hook, given, hook(tuple(given), out))
    return as_gradient(given, create_graph)
