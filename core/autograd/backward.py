"""Where a user starts the walk back through the graph."""

from __future__ import annotations

from .. import modes
from ..engine import COMPLEX, run, run_carefully
from ..graph import AROUND, Node
from ..interface import OPS
from ..selection import owner
from ..tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of `tensors` to the `grad` of the leaves they depend on.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 2.0], requires_grad=True)
    >>> plugrad.autograd.backward((x * x).sum())
    >>> x.grad
    tensor([2., 4.])
    """
    if grad_tensors is grad_variables is inputs is None and not create_graph:
        if isinstance(tensors, Tensor) and tensors._a.shape == ():
            node = tensors._node
            if node is not None and not (COMPLEX[0] or modes.OFF or AROUND):
                # a usual loss
                one = tensors._k.scalar(1, tensors._a.dtype)
                run(node, one, bool(retain_graph))
                return
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both "
                "passed to `backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    keep = create_graph if retain_graph is None else retain_graph
    roots = starts(sequence(tensors), grad_tensors, create_graph)
    if (
        len(roots) == 1
        and inputs is None
        and not (create_graph or COMPLEX[0] or modes.OFF or AROUND)
    ):
        node, g = roots.pop()
        run(node, g, keep)
        return
    if inputs is None:
        with modes.Setting(grad=create_graph):
            run_carefully(roots, keep, create_graph)
        return
    wanted = sequence(inputs)
    if not wanted:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    nodes = [node_of(t) for t in wanted]
    for t in wanted:
        t.retain_grad()  # where `grad` of a computed tensor was asked for by name
    with modes.Setting(grad=create_graph):
        run_carefully(roots, keep, create_graph, nodes)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of `outputs` with respect to `inputs`, without touching `grad`.

    >>> import plugrad
    >>> x = plugrad.tensor(3.0, requires_grad=True)
    >>> (g,) = plugrad.autograd.grad(x**3, x, create_graph=True)
    >>> plugrad.autograd.grad(g, x)
    (tensor(18.),)
    """
    if not only_inputs:
        from warnings import warn

        warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). "
            "To accumulate gradient for other parts of the graph, use backward.",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        from ..errors import UnsupportedOpError

        raise UnsupportedOpError(
            "grad(is_grads_batched=True) is not supported; call grad once for each "
            "gradient, with retain_graph=True"
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True"
        )
    wanted = sequence(inputs)
    if not wanted:
        raise RuntimeError("grad requires non-empty inputs.")
    keep = create_graph if retain_graph is None else retain_graph
    roots = starts(sequence(outputs), grad_outputs, create_graph)
    nodes = [node_of(t) for t in wanted]
    with modes.Setting(grad=create_graph):
        caught = run_carefully(roots, keep, create_graph, nodes, capture=True)
    found: list[Any] = []
    for t, node in zip(wanted, nodes):
        g = caught.get(node)
        if g is None and materialize_grads:
            g = t._k.tensors.zeros_like(t)
        elif g is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in "
                "the graph. Set allow_unused=True if this is the desired behavior."
            )
        found.append(
            g if g is None or isinstance(g, Tensor) else wrap(owner(t._k, g), g)
        )
    return tuple(found)


def sequence(tensors: Any) -> list[Tensor]:
    """One tensor or several, as a list."""
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def node_of(t: Tensor) -> Node:
    """The node of a tensor that needs one."""
    if not isinstance(t, Tensor):
        raise RuntimeError(f"inputs must be Tensors, but got {type(t).__name__}")
    if t._node is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return t._node


def starts(
    tensors: list[Tensor], gradients: Any, create_graph: bool
) -> list[tuple[Node, Any]]:
    """The nodes to start from, each with the gradient to start with."""
    if gradients is None:
        gradients = [None] * len(tensors)
    elif isinstance(gradients, Tensor) or hasattr(gradients, "shape"):
        gradients = [gradients]
    if len(gradients) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(gradients)} gradients")
    roots: list[tuple[Node, Any]] = []
    for i, (t, g) in enumerate(zip(tensors, gradients)):
        if not isinstance(t, Tensor):
            raise TypeError(f"only Tensors have gradients, not {type(t).__name__}")
        if t._node is None:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a "
                "grad_fn: nothing it was computed from was made with "
                "requires_grad=True, or that happened under no_grad() or detach()"
            )
        g = first_gradient(t) if g is None else given_gradient(t, g, i)
        roots.append((t._node, g if create_graph else g._a))
    return roots


def given_gradient(t: Tensor, g: Any, i: int) -> Tensor:
    """The gradient that a user gave to start with, checked and cast."""
    if not isinstance(g, Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(g).__name__}"
        )
    if g.shape != t.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and "
            f"output[{i}] has a shape of {t.shape}."
        )
    if g.dtype is t.dtype:
        return g
    if g.dtype.kind == "c" and t.dtype.kind != "c":
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the "
            f"same dtype. Mismatch in dtype: grad_output[{i}] has a dtype of {g.dtype} "
            f"and output[{i}] has a dtype of {t.dtype}."
        )
    return OPS["to_dtype"].function(g, t.dtype)


def first_gradient(t: Tensor) -> Tensor:
    """The one that a scalar's backward starts with."""
    if t.shape.numel() != 1:
        raise RuntimeError(
            "grad can be implicitly created only for scalar outputs; this one has "
            f"shape {tuple(t.shape)}: give `gradient`, or reduce it by sum() or mean()"
        )
    if t.dtype.kind == "c":
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got "
            f"{t.dtype}"
        )
    return t._k.tensors.ones_like(t)
