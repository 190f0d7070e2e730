"""Which arrays share memory, for libraries whose arrays cannot be written.

There a view is an array of its own, and a write makes a new one. What PyTorch says of
views and writes still has to hold:

- Each array that was viewed, or that several tensors hold, has a Layout: where it would
  lie if it could be written. That is NumPy's to say: an empty array of its own, which
  takes no memory, goes through the same views.
- A write gives new arrays to all live tensors whose layouts overlap what was written:
  views and what they are views of are found through their Storage, tensors without such
  a tie (`detach()`, `.data`, parameters) in the list of their Memory.
- Arrays are told apart as objects. So the result of an op is never one of its
  arguments, unless it is a view of it.
"""

from __future__ import annotations

from _weakref import ref
from math import prod

from .errors import UnsupportedOpError
from .selection import get_backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .interface import Backend, Kernel
    from .tensor import Tensor

    Array = Any


class Memory:
    """What would be one piece of memory, and tensors that lie in it."""

    __slots__ = ("tensors",)

    def __init__(self) -> None:
        self.tensors: list[ref[Tensor]] = []

    def live(self) -> list[Tensor]:
        """The listed tensors that are still in use."""
        found = [t for link in self.tensors if (t := link()) is not None]
        self.tensors = [ref(t) for t in found]
        return found


class Layout:
    """Where an array would lie: a NumPy array without contents, and the memory."""

    __slots__ = ("ghost", "memory", "link")

    def __init__(self, ghost: Array, memory: Memory, link: Any) -> None:
        self.ghost = ghost
        self.memory = memory
        self.link = link


class Memories:
    """The layouts of one backend's arrays, and what writes do to them."""

    def __init__(self, k: Backend) -> None:
        self.k = k
        self.layouts: dict[int, Layout] = {}

    @property
    def reference(self) -> Backend:
        """The backend whose arrays say where others would lie."""
        return get_backend("numpy")

    # --- Layouts ------------------------------------------------------------------

    def layout(self, array: Array) -> Layout:
        """The layout of an array; memory of its own if it had none."""
        found = self.layouts.get(id(array))
        if found is None:
            n = get_backend("numpy")
            native = n.native(self.k.dtype_of(array))
            ghost = n.empty(tuple(array.shape), dtype=native)
            found = self.lay(array, ghost, Memory())
        return found

    def lay(self, array: Array, ghost: Array, memory: Memory) -> Layout:
        """Give an array its layout, for as long as it lives."""
        key, layouts = id(array), self.layouts
        link = ref(array, lambda _: layouts.pop(key, None))
        found = layouts[key] = Layout(ghost, memory, link)
        return found

    def same(self, a: Array, b: Array) -> bool:
        """Whether two arrays lie in one memory."""
        one, other = self.layouts.get(id(a)), self.layouts.get(id(b))
        return one is not None and other is not None and one.memory is other.memory

    def ghost(self, array: Array) -> Array:
        """NumPy's array in the place of `array`."""
        return self.layout(array).ghost

    # --- Kernels ------------------------------------------------------------------

    def watched(self, name: str, kernel: Kernel) -> Kernel:
        """The kernel of an op, with a note of where its results lie."""
        op = self.k.ops[name]
        if op.view and self.k.views:
            return self.viewing(name, kernel)
        copy = self.k.copy

        def fresh(*args: Any) -> Any:
            y = kernel(*args)
            if y.__class__ in (tuple, list):
                return [copy(each) if is_one_of(each, args) else each for each in y]
            return copy(y) if is_one_of(y, args) else y

        return fresh

    def viewing(self, name: str, kernel: Kernel) -> Kernel:
        """The kernel of an op that makes views where NumPy's does."""
        n = get_backend("numpy")
        made_by_numpy: Any = n.kernel(name)

        def view(x: Array, *args: Any) -> Any:
            layout = self.layout(x)
            made = made_by_numpy(layout.ghost, *args)  # raises where there is no view
            y = kernel(x, *args)
            if made.__class__ in (tuple, list):
                return [self.viewed(x, layout, *pair) for pair in zip(y, made)]
            return self.viewed(x, layout, y, made)

        return view

    def viewed(self, x: Array, layout: Layout, y: Array, ghost: Array) -> Array:
        """`y`, made from `x` as `ghost` was from the ghost of `x`."""
        if ghost is layout.ghost:
            return x
        shares = get_backend("numpy").aliases(ghost, layout.ghost)
        if y is x:
            if shares and same_place(ghost, layout.ghost):
                return x
            y = self.k.copy(y)
        if shares:
            self.lay(y, ghost, layout.memory)
        return y

    # --- Writes -------------------------------------------------------------------

    def join(self, x: Tensor, y: Tensor) -> None:
        """Note that `y` lies where `x` does."""
        memory = self.layout(x._a).memory
        live = memory.live()
        for t in (x, y):
            if not any(t is each for each in live):
                memory.tensors.append(ref(t))

    def written(self, array: Array, values: Array) -> Array:
        """A new array of `values`, in the place of `array`."""
        k, layout = self.k, self.layouts.get(id(array))
        if values.dtype != array.dtype:
            values = k.astype(values, array.dtype)
        if tuple(values.shape) != tuple(array.shape):
            values = k.broadcast_to(values, tuple(array.shape))
        made = k.copy(values)
        if layout is not None:
            steps = get_backend("numpy").strides(layout.ghost)
            if any(step == 0 and n > 1 for step, n in zip(steps, array.shape)):
                raise ValueError("output array is read-only: its elements repeat")
            self.lay(made, layout.ghost, layout.memory)
        return made

    def rewrite(self, x: Tensor, values: Array) -> None:
        """Write `values` into `x`; every tensor on its memory gets its new array."""
        k, before = self.k, x._a
        if before is values:
            return
        layout = self.layouts.get(id(before))
        if layout is None and x._s is not None and x._s.views:
            layout = self.layout(before)
        check_traced(k, before, values)
        after = k.write(before, values)
        if layout is None:
            x._a = after
            return
        repeated = repeats(layout.ghost)
        if repeated:  # what was written last stands in all places
            after = self.through(before, before, after)
        made: dict[int, Any] = {id(before): after}
        tensors = self.sharing(x, layout.memory)
        arrays = [t._a for t in tensors]
        for array in arrays:
            if id(array) not in made:
                made[id(array)] = self.through(array, before, after)
                check_traced(k, array, made[id(array)])
        for t, array in zip(tensors, arrays):
            t._a = made[id(array)]

    def check_gradient(self, leaf: Any, g: Any) -> None:
        """Raise if a gradient that is being compiled would stay in a tensor from
        outside."""
        t = leaf.tensor()
        if t is not None and g is not None:
            check_traced(self.k, t._a, getattr(g, "_a", g))

    def sharing(self, x: Tensor, memory: Memory) -> list[Tensor]:
        """The live tensors that lie in a memory, `x` among them."""
        found: dict[int, Tensor] = {}
        stack = [x, *memory.live()]
        while stack:
            t = stack.pop()
            if id(t) in found or t._k is not self.k:
                continue
            layout = self.layouts.get(id(t._a))
            if layout is None or layout.memory is not memory:
                continue
            found[id(t)] = t
            if t._s is not None:
                stack += t._s.live()
            link = getattr(t, "_v", None)
            if link is not None:
                stack.append(link[0])
        return list(found.values())

    def through(self, array: Array, view: Array, values: Array) -> Array:
        """What `array` is once `values` stand where `view` lies."""
        layout, ghost = self.layout(array), self.ghost(view)
        if not layout.ghost.size or not ghost.size:
            return array
        own, theirs = span(layout.ghost), span(ghost)
        if own[1] <= theirs[0] or theirs[1] <= own[0]:
            return array
        k = self.k
        if layout.ghost.dtype != ghost.dtype:
            made = self.as_other_kind(array, layout.ghost, ghost, values)
        elif array is view and not repeats(ghost):
            made = k.copy(values)
        else:
            made = merged(k, array, layout.ghost, ghost, values)
        if made is not array:
            self.lay(made, layout.ghost, layout.memory)
        return made

    def as_other_kind(
        self, array: Array, own: Array, ghost: Array, values: Array
    ) -> Array:
        """The same where one is complex and the other its parts, or both have elements
        of one size."""
        k, n = self.k, get_backend("numpy")
        parts, pairs = n.kernel("view_as_real"), n.kernel("view_as_dtype")
        split, join = k.kernel("view_as_real"), k.kernel("view_as_complex")
        was_complex = own.dtype.kind == "c"
        if own.dtype.kind == "c":
            own, array = parts(own), split(array)  # type: ignore[misc]
        if ghost.dtype.kind == "c":
            ghost, values = parts(ghost), split(values)  # type: ignore[misc]
        if own.dtype.itemsize != ghost.dtype.itemsize:
            raise UnsupportedOpError(
                f"backend {k.name!r} cannot write to memory that is also used as "
                f"{own.dtype}, while {ghost.dtype} is written; clone() one of the two"
            )
        if own.dtype != ghost.dtype:
            target = n.by_native[own.dtype]
            ghost = pairs(ghost, target)  # type: ignore[misc]
            values = k.kernel("view_as_dtype")(values, target)  # type: ignore[misc]
        made = merged(k, array, own, ghost, values)
        return join(made) if was_complex else made  # type: ignore[misc]


def check_traced(k: Backend, before: Array, after: Array) -> None:
    """Raise if a tensor from outside is about to hold what belongs to a function that
    is being compiled."""
    if k.is_traced(after) and not k.is_traced(before):
        raise UnsupportedOpError(
            "compile: the function changes a tensor from outside, of shape "
            f"{tuple(before.shape)}; pass it as an argument, or return the new value"
        )


def is_one_of(y: Any, args: tuple[Any, ...]) -> bool:
    """Whether a result is the very array that was given."""
    if not hasattr(y, "shape"):  # None, or a number
        return False
    for each in args:
        if each is y or (each.__class__ is list and any(a is y for a in each)):
            return True
    return False


def merged(k: Backend, array: Array, own: Array, ghost: Array, values: Array) -> Array:
    """`array`, which lies where `own` does, with `values` where `ghost` lies; elements
    of one size."""
    n = get_backend("numpy")
    shape, row = tuple(array.shape), (-1,)
    values = k.reshape(values, row)
    start, stop = span(own)
    first, last = span(ghost)
    if n.is_dense(own) and start <= first and last <= stop and not repeats(ghost):
        flat = index_array(k, positions(ghost, start))
        made = k.put_flat(k.reshape(array, row), flat, values, False)
    elif n.is_dense(ghost) and first <= start and stop <= last:
        made = k.take(values, index_array(k, positions(own, first)), axis=0)
    else:
        low, size = min(start, first), own.dtype.itemsize
        source = n.full(((max(stop, last) - low) // size,), -1, dtype=n.int64)
        source[positions(ghost, low)] = n.arange(ghost.size, dtype=n.int64)
        found = source[positions(own, low)]
        hit = found >= 0
        if not hit.any():
            return array
        made = k.take(values, index_array(k, found * hit), axis=0)
        if not hit.all():
            hits = k.from_data(hit, k.native(n.by_native[hit.dtype]))
            made = k.where(hits, made, k.reshape(array, row))
    return k.reshape(made, shape)


def index_array(k: Backend, found: Any) -> Array:
    """Positions as an array of the backend."""
    return k.from_data(found, k.native(get_backend("numpy").by_native[found.dtype]))


def positions(ghost: Array, start: int) -> Array:
    """The places of the elements, in order, counted in elements from an address."""
    n = get_backend("numpy")
    size = ghost.dtype.itemsize
    found: Any = n.full((), (n.address(ghost) - start) // size, dtype=n.int64)
    for length, step in zip(ghost.shape, n.strides(ghost)):
        found = found[..., None] + n.arange(length, dtype=n.int64) * step
    return n.reshape(found, (-1,))


def span(ghost: Array) -> tuple[int, int]:
    """The addresses of the first byte and behind the last one."""
    n = get_backend("numpy")
    start, size = n.address(ghost), ghost.dtype.itemsize
    reaches = [(m - 1) * s for m, s in zip(ghost.shape, n.strides(ghost))]
    low = sum(reach for reach in reaches if reach < 0)  # of reversed dimensions
    high = sum(reach for reach in reaches if reach > 0)
    return start + low * size, start + (high + 1) * size


def same_place(a: Array, b: Array) -> bool:
    """Whether two ghosts are the same view of the same memory."""
    n = get_backend("numpy")
    return (
        n.address(a) == n.address(b)
        and a.shape == b.shape
        and n.strides(a) == n.strides(b)
    )


def repeats(ghost: Array) -> bool:
    """Whether elements of a view may share memory."""
    n = get_backend("numpy")
    pairs = sorted(zip(map(abs, n.strides(ghost)), ghost.shape))
    reach = 0
    for step, size in pairs:
        if size > 1 and step <= reach:
            return prod(ghost.shape) > 0
        reach += (size - 1) * step
    return False
