"""Which tensors share memory, and when that memory was last written.

- Tensors on one memory share a Storage. Most tensors are never viewed or written, so
  a Storage is made when a tensor first is.
- Every write takes the next number of one global count. A graph node notes the count
  when it is made; a saved array whose Storage was written later is an error in
  backward. While the count stands still nothing is compared.
- A Storage lists its views weakly, so that a write under autograd can give the base
  and every live view their new place in the graph.
- Where arrays cannot be written, `plugrad.memories` says which lie in one memory, and
  a write gives new ones to all tensors on it.
- A saved tensor reaches its Storage through the graph edge beside it (`node.s`), or,
  if no gradient flows to it, by an entry of its own.
"""

from __future__ import annotations

from _thread import allocate_lock
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .tensor import Tensor

WRITES = [0]
writing = allocate_lock()


class Storage:
    """The memory that a tensor and its views share."""

    __slots__ = ("w", "views", "room")

    def __init__(self) -> None:
        self.w = 0  # the number of the last write
        self.views: list[ref[Tensor]] = []
        # Dead views are pruned when the list grows past this. Seldom: a dataset takes
        # one row after another out of a tensor (with 8 that takes 0.06 us more a row).
        self.room = 32

    def live(self) -> list[Tensor]:
        """The views that are still in use."""
        return [view for link in self.views if (view := link()) is not None]

    def prune(self) -> None:
        """Forget the views that are gone."""
        self.views = views = [link for link in self.views if link() is not None]
        self.room = 32 + 2 * len(views)


def storage(x: Tensor) -> Storage:
    """The Storage of `x`, made now if it had none."""
    s = x._s
    if s is None:
        s = x._s = Storage()
        if x._node is not None:
            x._node.s = s
    return s


def written(x: Tensor) -> Storage:
    """Note that the memory of `x` has just been written."""
    s = storage(x)
    with writing:
        WRITES[0] += 1
        s.w = WRITES[0]
    return s


def link_view(x: Tensor, y: Tensor, function: Callable[..., Tensor], args: Any) -> None:
    """Make `y` a view of `x`, to be made again by `function(x, *args)`."""
    s = x._s
    if s is None:
        s = storage(x)
    y._s = s
    y._v = (x, function, args)
    views = s.views
    views.append(ref(y))
    if len(views) > s.room:
        s.prune()
    node = y._node
    if node is not None:
        node.s = s


def share(x: Tensor, y: Tensor) -> None:
    """Note that `y` holds the array of `x`, and is no view of it."""
    y._s = storage(x)
    memories = x._k.memories
    if memories is not None:
        memories.join(x, y)


def put(x: Tensor, values: Any) -> None:
    """Put an array of values into the memory of `x`, where all tensors that lie there
    see them."""
    memories = x._k.memories
    if memories is None:
        x._a = x._k.write(x._a, values)
    else:
        memories.rewrite(x, values)


def leave_memory(x: Tensor) -> None:
    """Note that `x` is about to have other memory: it is no view of what it was a view
    of, and its own views stay where they are, as tensors of their own."""
    s = x._s
    if s is not None:
        for view in s.live():
            if view._v is not None and view._v[0] is x:
                view._v = None
    x._v = None
    x._s = None
    storage(x)


def view_of(x: Tensor) -> tuple[Tensor, list[tuple[Callable[..., Tensor], Any]]] | None:
    """The base that `x` is a view of and the calls that lead there, or None."""
    path = []
    while (link := getattr(x, "_v", None)) is not None:
        x, function, args = link
        path.append((function, args))
    if not path:
        return None
    path.reverse()
    return x, path
