"""The graph as its users see it: nodes and edges."""

from __future__ import annotations

from collections import namedtuple

from ..graph import Node, Port
from ..storage import written
from ..tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

GradientEdge = namedtuple("GradientEdge", ["node", "output_nr"])


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The node that a tensor's gradient arrives at, and as which of its outputs.

    >>> import plugrad
    >>> x = plugrad.ones(2, requires_grad=True)
    >>> plugrad.autograd.graph.get_gradient_edge(x * 2)
    GradientEdge(node=<MulBackward0>, output_nr=0)
    """
    node = tensor._node
    if node is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not "
            "require gradients"
        )
    if isinstance(node, Port):
        node = node.next[0]
    return GradientEdge(node, tensor.output_nr)


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Say that a tensor's memory was written where Plugrad could not see it, so that
    backward raises if it needs the old values."""
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        written(each)


__all__ = ["GradientEdge", "Node", "get_gradient_edge", "increment_version"]
