"""Functions whose backward the user writes.

- `Function.apply` runs `forward` without recording, then makes one node for the call.
- The context `ctx` (`plugrad.autograd.context`) carries what `forward` leaves for
  `backward`: saved tensors, flags and any attribute.
- `backward` gets Tensors and returns Tensors. It is recorded itself exactly where
  `create_graph=True`, so second derivatives need nothing more.
"""

from __future__ import annotations

from _weakref import ref

from .. import modes
from ..graph import Node, Plan, dead_end, port_of, sum_to
from ..inplace import check_writable, join_graph, opaque_view
from ..interface import OPS, Backend
from ..storage import WRITES, link_view, written
from ..tensor import Tensor, as_class, wrap
from .context import FunctionCtx, FunctionNode, Meta, Saved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Function:
    """The base class of functions that come with their own backward.

    >>> import plugrad
    >>> class Cube(plugrad.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x * x
    >>> x = plugrad.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    _plan: Plan
    _separate = False  # forward takes no ctx, setup_context does the rest
    _back: Callable[..., Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._plan = Plan(
            cls.__name__ + "Backward", run_back, ("ctx",), (("ctx", None),), eager=True
        )
        cls._separate = cls.setup_context is not Function.setup_context
        own, vjp = cls.backward is not Function.backward, cls.vjp is not Function.vjp
        if own and vjp:
            raise RuntimeError(
                f"{cls.__name__} has both 'backward' and 'vjp'; give one of them"
            )
        cls._back = staticmethod(cls.vjp if vjp else cls.backward)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from warnings import warn

        warn(
            f"{type(self).__name__} should not be instantiated: its methods are "
            f"static, call {type(self).__name__}.apply(...)",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. "
            f"Write forward and backward as static methods and call "
            f"{type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: `forward(ctx, *args)`, or `forward(*args)` beside
        `setup_context`."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Any) -> Any:
        """Leave in `ctx` what `backward` needs."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: FunctionCtx, *grad_outputs: Any) -> Any:
        """One gradient for each argument of `forward`; None where there is none."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    @staticmethod
    def vjp(ctx: FunctionCtx, *grad_outputs: Any) -> Any:
        """Another name of `backward`."""
        return Function.backward(ctx, *grad_outputs)

    @staticmethod
    def jvp(ctx: FunctionCtx, *grad_inputs: Any) -> Any:
        """Forward mode, which Plugrad does not have."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use "
            "it with forward mode AD. (Plugrad itself has no forward mode.)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call the function on `args`."""
        if cls._separate or kwargs:
            args = bound(cls, args, kwargs)
        ctx = FunctionCtx(cls, args)
        recorded = True in ctx.needs_input_grad and modes.current().grad
        before = modes.install(modes.recording(False))
        try:
            if cls._separate:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        finally:
            modes.install(before)
        outputs = result if isinstance(result, tuple) else (result,)
        check_marks(ctx, outputs)
        for x in ctx._dirty:
            written(x)
        if recorded:
            made = tie(ctx, args, outputs)
        else:
            made = [untied(y, ctx, args) for y in outputs]
        return tuple(made) if isinstance(result, tuple) else made[0]


def bound(cls: type[Function], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The arguments of `forward` in their order: backward answers by position."""
    code = getattr(cls.forward, "__code__", None)
    if not kwargs and code is not None and len(args) == code.co_argcount:
        return args
    from inspect import signature

    if not cls._separate:
        return signature(cls.forward).bind(None, *args, **kwargs).args[1:]
    found = signature(cls.forward).bind(*args, **kwargs)
    found.apply_defaults()
    return found.args


def check_marks(ctx: FunctionCtx, outputs: tuple[Any, ...]) -> None:
    """Raise if what `forward` told the context makes no sense."""
    for i, x in enumerate(ctx._to_save):
        if x is not None and not isinstance(x, Tensor):
            raise TypeError(
                "save_for_backward can only save variables, but argument "
                f"{i} is of type {type(x).__name__}"
            )
    for x in ctx._dirty:
        if not has(outputs, x):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not "
                "returned as output. The inputs that are modified inplace must all be "
                "outputs of the Function."
            )


def has(objects: Sequence[Any], x: Any) -> bool:
    """Whether the very object `x` is among `objects`."""
    for each in objects:
        if each is x:
            return True
    return False


# --- The outputs ----------------------------------------------------------------------


def untied(y: Any, ctx: FunctionCtx, args: Sequence[Any]) -> Any:
    """An output without a place in the graph."""
    if not isinstance(y, Tensor):
        return y
    if has(args, y):
        if y._node is None and has(ctx._dirty, y):
            return y
        return y.detach()
    if y._node is not None and getattr(y, "_v", None) is None:
        y.detach_()
    return y


def tie(ctx: FunctionCtx, args: Sequence[Any], outputs: Sequence[Any]) -> list[Any]:
    """Make the node of this call and tie the outputs to it."""
    node = FunctionNode()
    node.ctx = ctx
    node.plan = ctx._function._plan
    node.next = tuple(ctx._edges)
    node.shapes = None
    node.w = WRITES[0]
    node.s = None
    node.hooks = None
    node.extra = None
    node.outputs = [None] * len(outputs)
    ctx._node = ref(node)
    ctx._outputs = tuple([Meta(y) if isinstance(y, Tensor) else None for y in outputs])
    node.k = next(m.k for m in (*ctx._outputs, *ctx._inputs) if m)
    places = {id(y): i for i, y in enumerate(outputs) if is_tied(y, ctx)}
    # an input that is returned as it came, saved, still means the input
    fresh = {i: n for i, n in places.items() if not is_alias(outputs[n], ctx, args)}
    ctx._saved = tuple(
        [None if x is None else Saved(x, fresh.get(id(x))) for x in ctx._to_save]
    )
    made: list[Any] = []
    for i, y in enumerate(outputs):
        if id(y) not in places:
            made.append(untied(y, ctx, args))
            continue
        place = node if len(outputs) == 1 else port_of(node, i)
        made.append(tied(y, ctx, args, place))
    ctx._to_save = ctx._dirty = ctx._constant = ()
    ctx._edges = []
    if modes.OFF and modes.local.mode is not None:
        from ..anomaly import note

        note(node)
    return made


def is_tied(y: Any, ctx: FunctionCtx) -> bool:
    """Whether a gradient can arrive through the output `y`."""
    return (
        isinstance(y, Tensor)
        and y._a.dtype in y._k.kinds["fc"]
        and not has(ctx._constant, y)
    )


def is_alias(y: Tensor, ctx: FunctionCtx, args: Sequence[Any]) -> bool:
    """Whether the output `y` is an input that was not written."""
    return has(args, y) and not has(ctx._dirty, y)


def tied(y: Tensor, ctx: FunctionCtx, args: Any, place: Node) -> Tensor:
    """An output with its place in the graph."""
    if has(ctx._dirty, y):
        check_dirty(y, ctx, args)
        part = wrap(y._k, y._a)
        part._node = place
        join_graph(y, part)
        return y
    name = ctx._function.__name__
    view = getattr(y, "_v", None)
    if has(args, y):
        x, y = y, as_class(type(y), wrap(y._k, y._a))
        link_view(x, y, opaque_view, (name,))
    elif view is not None:
        y._v = (view[0], opaque_view, (name,))
    y._node = place
    place.s = y._s
    return y


def check_dirty(y: Tensor, ctx: FunctionCtx, args: Sequence[Any]) -> None:
    """Raise if `forward` must not have written `y`."""
    check_writable(y)
    if getattr(y, "_v", None) is not None and len(ctx._outputs) > 1:
        raise RuntimeError(
            "If your Function modifies inplace an input that is a view of another "
            "Tensor, your Function cannot return more than one Tensor."
        )
    if not has(args, y):
        from warnings import warn

        warn(
            "Only input Tensors should be given to ctx.mark_dirty(). If a Tensor is "
            "not an input, there is no need to pass it to mark_dirty().",
            stacklevel=5,
        )


# --- The way back ---------------------------------------------------------------------


def run_back(k: Any, g: Any, saved: tuple[FunctionCtx], shapes: Any) -> list[Any]:
    """Call the user's backward; one gradient for each tensor given to forward."""
    (ctx,) = saved
    graph = not isinstance(k, Backend)
    many = g if isinstance(g, list) else [g] * len(ctx._outputs)
    before = modes.install(modes.recording(graph))
    try:
        given: list[Any] = []
        for each, meta in zip(many, ctx._outputs):
            if each is None:
                if meta is not None and ctx.materialize_grads:
                    each = meta.zeros()
            elif not isinstance(each, Tensor):
                each = wrap(meta.k, each)  # type: ignore[union-attr]
            given.append(each)
        found = ctx._function._back(ctx, *given)
        gradients = fitted(ctx, found if isinstance(found, tuple) else (found,))
    finally:
        modes.install(before)
    if graph:
        return gradients
    return [None if g is None else g._a for g in gradients]


def fitted(ctx: FunctionCtx, found: tuple[Any, ...]) -> list[Tensor | None]:
    """The gradients that backward returned, checked against the arguments."""
    name = ctx._function.__name__ + "Backward"
    n = len(ctx._inputs)
    if any(g is not None for g in found[n:]) or len(found) < n:
        raise RuntimeError(
            f"function {name} returned an incorrect number of gradients (expected {n}, "
            f"got {len(found)})"
        )
    gradients: list[Tensor | None] = []
    for i, (g, meta) in enumerate(zip(found, ctx._inputs)):
        if g is not None and not isinstance(g, Tensor):
            raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")
        if meta is None:
            if g is not None:
                raise RuntimeError(
                    f"function {name} returned a gradient different than None at "
                    f"position {i + 1}, but the corresponding forward input was not a "
                    "Variable"
                )
            continue
        if not ctx.needs_input_grad[i]:
            g = None
        gradients.append(None if g is None else fit(g, meta, name, i))
    return gradients


def fit(g: Tensor, meta: Meta, name: str, i: int) -> Tensor:
    """One gradient in the shape and dtype of its argument."""
    shape = g._a.shape
    if shape != meta.shape:
        tail = shape[len(shape) - len(meta.shape) :]
        if len(shape) < len(meta.shape) or any(
            n not in (1, m) for n, m in zip(meta.shape, tail)
        ):
            raise RuntimeError(
                f"Function {name} returned an invalid gradient at index {i} - got "
                f"{list(shape)} but expected shape compatible with {list(meta.shape)}"
            )
        g = sum_to(g._k.tensors, g, meta.shape)
    if g._a.dtype is not meta.native and g.dtype is not meta.dtype:
        if g.dtype.kind == "c" and meta.dtype.kind != "c":
            raise RuntimeError(
                f"Function {name} returned a complex gradient at index {i}, but the "
                f"input is {meta.dtype}: return its real part"
            )
        g = OPS["to_dtype"].function(g, meta.dtype)
    return g


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a backward that computes outside the graph; second derivatives through it
    raise instead of being wrong."""
    from functools import wraps

    @wraps(fn)
    def wrapper(ctx: FunctionCtx, *grads: Any) -> Any:
        with modes.no_grad():
            found = fn(ctx, *grads)
        edges = tuple(g._node for g in grads if isinstance(g, Tensor) and g._node)
        if not edges or not modes.current().grad:
            return found
        many = found if isinstance(found, tuple) else (found,)
        return tuple(g if g is None else _closed(g, edges) for g in many)

    return wrapper


def _closed(g: Tensor, edges: tuple[Node, ...]) -> Tensor:
    """The gradient `g`, behind which no one can go."""
    y = g.detach()
    y._node = dead_end(
        g._k,
        edges,
        "trying to differentiate twice a function that was marked with "
        "@once_differentiable",
    )
    return y


__all__ = ["Function", "FunctionCtx", "once_differentiable"]
