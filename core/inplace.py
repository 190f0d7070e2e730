"""Operations that write into a tensor, and what that means for the graph.

- `x.add_(y)` is the op `add`, its result written into the memory of `x`, and `x` moved
  to the result's place in the graph.
- Where nothing is recorded and the backend has a kernel that writes its first argument
  (`add_`), that is called instead, without a temporary.
- Writing to a view is writing to its base: the base becomes "the old base with this
  part replaced", and every live view of it is taken from the base anew. Both are
  ordinary ops (`put_view` and the view's own), so that gradients of any order follow.
- Values already saved for backward are not touched by this: whether their memory was
  written since is what `plugrad.storage` counts.
"""

from __future__ import annotations

from . import dtypes, modes
from .declare import Sample, op
from .errors import explain
from .graph import Leaf, Plan, dead_end, hooks_of
from .interface import OPS
from .storage import leave_memory, storage, view_of, written
from .storage import put as put_values
from .tensor import Tensor, graph_is_wanted, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .declare import Kernels, Op
    from .graph import Node
    from .storage import Storage

    Path = list[tuple[Any, Any]]


def write_into(op: Op, x: Tensor, args: Any, kwargs: dict[str, Any]) -> Tensor:
    """`x.NAME_(...)`: the op, its result written into `x`. Functions that
    `plugrad.stubs` wrote come here for all but the simple case: a graph, another dtype,
    an error."""
    check_writable(x)
    if args and getattr(args[0], "is_sparse", False) and op.name in ("add", "sub"):
        from .sparse.composed import add_into

        if add_into(op.name, x, *args, **kwargs):
            return x
    write_result(x, op.function(x, *args, **kwargs), op.name + "_")
    return x


def check_writable(x: Tensor) -> None:
    """Raise if `x` is, or is a view of, a leaf whose gradient is wanted."""
    if not modes.current().grad:
        return
    if isinstance(x._node, Leaf):
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation."
            " Wrap the write in `with plugrad.no_grad():`, or write to a clone()"
        )
    view = view_of(x)
    if view is None:
        return
    if x._node is None:
        if view[0]._node is not None:
            raise RuntimeError(
                "A view was created in no_grad mode and is being modified inplace with "
                "grad mode enabled. Make the view where recording is on, or write to "
                "it in `with plugrad.no_grad():` too"
            )
        return
    if any(function is opaque_view for function, _ in view[1]):
        raise RuntimeError(
            "the output of a custom Function is a view and is being modified inplace. "
            "This view was created inside the Function (or because an input was "
            "returned as-is), so its backward would be overridden. Return a clone() of "
            "it from forward"
        )
    if repeats_elements(x):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor "
            "refers to a single memory location. Please clone() the tensor before "
            "performing the operation."
        )
    if isinstance(view[0]._node, Leaf):
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place "
            "operation. Wrap the write in `with plugrad.no_grad():`, or write to a "
            "clone()"
        )


def repeats_elements(x: Tensor) -> bool:
    """Whether elements of `x` share memory, as those of overlapping windows do: no one
    could say which of them the gradient of a write belongs to."""
    k, array = x._k, x._a
    if k.is_dense(array):
        return False
    pairs = sorted(zip(k.strides(array), array.shape))
    reach = 0
    for step, size in pairs:
        if size == 0:
            return False
        if size > 1 and step <= reach:
            break  # perhaps: the dimensions may interlock
        reach += (size - 1) * step
    else:
        return False
    places = [0]
    for step, size in pairs:
        places = [place + i * step for place in places for i in range(size)]
    return len(set(places)) < len(places)


def write_result(x: Tensor, y: Tensor, name: str) -> None:
    """Write `y` into the memory of `x`, and put `x` in its place in the graph."""
    if y.shape != x.shape:
        raise RuntimeError(
            f"{name}: output with shape {list(x.shape)} doesn't match the broadcast "
            f"shape {list(y.shape)}"
        )
    if y.dtype is not x.dtype:
        if not dtypes.can_cast(y.dtype, x.dtype):
            raise RuntimeError(
                f"{name}: result type {y.dtype} can't be cast to the desired output "
                f"type {x.dtype}"
            )
        y = OPS["to_dtype"].function(y, x.dtype)
    if y._node is None and x._node is not None and modes.current().grad:
        y = OPS["copy"].function(x, y)  # what was there gets a gradient of zero
    node = y._node
    if node is not None:
        keep_own(x, node)
    try:
        if x._k.writable:
            x._a = x._k.write(x._a, y._a)
        else:
            put_values(x, y._a)
    except Exception as error:  # elements that share memory, say
        raise explain(name, {"self": x}, error) from error
    s = written(x)
    if node is None:
        return
    if not saved_from(node, s):
        node.w = s.w
    join_graph(x, y)


def join_graph(x: Tensor, y: Tensor) -> None:
    """Put `x`, whose memory holds the value of `y` by now, in its place in the graph,
    and with it everything that shares the memory."""
    s = storage(x)
    view = view_of(x)
    base = x if view is None else view[0]
    recorded = base._node is not None
    if view is None:
        move(x, y._node)
    else:
        move(base, replaced(base, y, view[1]))
    base._node.s = s  # type: ignore[union-attr]
    moved = {id(base)}
    for other in s.live():  # a view comes after what it is a view of
        link = getattr(other, "_v", None)
        if link is None or id(link[0]) not in moved:
            continue
        if other._node is None and recorded:
            continue  # a view made in no_grad mode stays out of the graph
        parent, function, args = link
        move(other, function(parent, *args)._node)
        moved.add(id(other))
        if other._node is not None:
            other._node.s = s


def move(x: Tensor, node: Node | None) -> None:
    """Give `x` another node; `retain_grad` asked for the gradient of `x`, whatever it
    holds."""
    before, x._node = x._node, node
    if before is None or node is None or before.hooks is None:
        return
    kept = before.hooks.retain
    if kept is not None and kept() is x:
        before.hooks.retain = None
        hooks_of(node).retain = kept


def keep_own(x: Tensor, node: Node) -> None:
    """Where the rules need what `x` held before the write, give them a copy. The result
    that they may need is an array of its own, too: later writes concern neither."""
    plan = node.plan
    if plan.op is None or not node.saved:
        return
    own = plan.op.params[0].name
    if plan.inplace is None:
        sources = tuple(
            (APART.get(source[0], source[0]), source[1])
            if name == own or source[0] == "output"
            else source
            for name, source in zip(plan.names, plan.sources)
        )
        plan.inplace = Plan(plan.name, plan.back, plan.names, sources, plan.op)
    node.saved = tuple(
        x._k.copy(value)
        if value is x._a and (name == own or kind == "output")
        else value
        for name, (kind, _), value in zip(plan.names, plan.sources, node.saved)
    )
    node.plan = plan.inplace


# sources without a Storage whose writes concern them
APART = {"edge": "copy", "guard": "value", "output": "result"}


def saved_from(node: Node, s: Storage) -> bool:
    """Whether `node` saved another input that lies in the Storage `s`."""
    from .engine import storages

    own = node.plan.op.params[0].name if node.plan.op else None
    entries = zip(node.plan.names, node.plan.sources, node.saved or ())
    return any(
        each is s
        for name, (kind, i), value in entries
        if name != own
        for each in storages(node, kind, i, value)
    )


def replaced(base: Tensor, part: Tensor, path: Path) -> Any:
    """The node of "`base` with the view along `path` replaced by `part`"; the memory
    holds that already."""
    put = OPS["put_view"]
    values = {"x": base, "part": part, "path": path}
    made = [wrap(base._k, base._a)]
    plan, edges, shapes = put.plan(values)
    assert plan is not None
    put.record(base._k, plan, edges, shapes, values, made, ())
    return made[0]._node


def follow(x: Tensor, path: Path) -> Tensor:
    """The view of `x` along a path."""
    for function, args in path:
        x = function(x, *args)
    return x


def opaque_view(x: Tensor, name: str) -> Tensor:
    """Stands for a view that was made inside a custom Function: once the base is
    written, no one can say what the view's gradient is."""
    y = wrap(x._k, x._a)
    if x._node is not None and modes.current().grad:
        y._node = dead_end(
            x._k,
            (x._node,),
            f"a view that the custom Function {name} made, or an input that it "
            "returned as-is, had its base modified inplace; return a clone() from "
            "forward",
        )
    return y


def follow_raw(k: Any, x: Any, path: Path) -> Any:
    """The view of an array along a path."""
    with modes.no_grad():
        return follow(wrap(k, x), path)._a


@op(method=False, oracle=None)
def put_view(k: Kernels, x: Tensor, part: Tensor, path: Path) -> Tensor:
    """A copy of `x` in which the view along `path` holds `part`."""
    if shares_nothing(k):
        return put_at(k, x, part, path)
    y = k.copy(x)
    return k.write_view(y, follow_raw(k, y, path), part)


def shares_nothing(k: Any) -> bool:
    """Whether what looks like a view is a copy, so that a write to it is lost."""
    return k.writable and not k.views


def put_at(k: Any, x: Any, part: Any, path: Path) -> Any:
    """`x` with `part` at the positions to which the path leads."""
    n = 1
    for size in x.shape:
        n *= size
    places = follow_raw(k, k.reshape(k.arange(n, dtype=k.int64), x.shape), path)
    flat = [k.reshape(each, (-1,)) for each in (x, places, part)]
    return k.reshape(k.put_flat(*flat, False), x.shape)


put_view.grad(
    x=lambda k, g, path: k.zero_view(g, path),
    part=lambda k, g, path: k.read_view(g, path),
)


@op(method=False, oracle=None)
def zero_view(k: Kernels, x: Tensor, path: Path) -> Tensor:
    """A copy of `x` in which the view along `path` is zero."""
    if shares_nothing(k):
        return put_at(k, x, k.zeros_like(follow_raw(k, x, path)), path)
    y = k.copy(x)
    part = follow_raw(k, y, path)
    return k.write_view(y, part, k.zeros_like(part))


zero_view.grad(x=lambda k, g, path: k.zero_view(g, path))


@op(method=False, oracle=None)
def read_view(k: Kernels, x: Tensor, path: Path) -> Tensor:
    """A copy of the view of `x` along `path`."""
    return k.copy(follow_raw(k, x, path))


read_view.grad(
    x=lambda k, g, x_shape, path: k.put_view(k.zeros(x_shape, dtype=g.dtype), g, path)
)


@put_view.samples
def _(make: Any) -> Iterator[Sample]:
    for path, shape in paths():
        yield Sample(make(2, 3), make(*shape), path)
    for path, shape in paths():
        yield Sample(make.strided(2, 3), make.expanded(*shape), path)


@zero_view.samples
@read_view.samples
def _(make: Any) -> Iterator[Sample]:
    for path, _ in paths():
        yield Sample(make(2, 3), path)
        yield Sample(make.strided(2, 3), path)


def paths() -> Iterator[tuple[Path, tuple[int, ...]]]:
    """Paths to views of a tensor of shape (2, 3), and the views' shapes."""
    item, turn = OPS["getitem"].view_again, OPS["transpose"].view_again
    yield [(item, (0,))], (3,)
    yield [(item, ((slice(None), 1),))], (2,)
    yield [(item, (slice(1, 1),))], (0, 3)
    yield [(item, (0,)), (item, (slice(1, None),))], (2,)
    yield [(turn, (0, 1)), (item, (2,))], (2,)


def write_out(op: Op, out: Any, made: Any) -> Any:
    """Put results into the tensors given as `out=`."""
    if isinstance(made, (tuple, list)):
        if not isinstance(out, (tuple, list)) or len(out) != len(made):
            raise TypeError(
                f"{op.name}(): argument 'out' must be a tuple of {len(made)} Tensors"
            )
        found = [write_out(op, each, part) for each, part in zip(out, made)]
        return type(made)(*found) if hasattr(made, "_fields") else tuple(found)
    if not isinstance(out, Tensor):
        raise TypeError(
            f"{op.name}(): argument 'out' must be Tensor, not {type(out).__name__}"
        )
    if graph_is_wanted(made, out):
        raise RuntimeError(
            f"{op.name}(): functions with out=... arguments don't support automatic "
            "differentiation, but one of the arguments requires grad."
        )
    if out.shape != made.shape:
        if out.shape.numel():
            import warnings

            warnings.warn(
                f"{op.name}: an output with one or more elements was resized since it "
                f"had shape {list(out.shape)}, which does not match the required "
                f"output shape {list(made.shape)}",
                stacklevel=4,
            )
        with modes.no_grad():
            made = OPS["to_dtype"].function(made, out.dtype)
        written(out)
        leave_memory(out)
        out._a = made._a
        return out
    with modes.no_grad():
        write_result(out, made, op.name)
    return out
