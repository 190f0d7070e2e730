"""Functions of tensors compiled as a whole, where an array library can do that.

- The function runs once for each kind of arguments, on arrays without values, and the
  library makes one program of what it computed. The kind is all that there is to know
  of the arguments but the tensors' values: numbers, flags, shapes, dtypes.
- Tensors go in and come out in lists, tuples and dicts. Those of a module that is
  compiled go in beside the arguments.
- A call is one node of the graph; its way back is the function's own, compiled too.
- Writes to the tensors that go in are done to them after the call. What would be lost
  or go stale without a word is an error: writes to other tensors from outside, their
  gradients, and random numbers.
"""

from __future__ import annotations

from _thread import RLock

from . import modes
from .autograd.function import Function
from .computing import Tracing, tracing
from .dtypes import get_default_dtype
from .errors import UnsupportedOpError
from .graph import Leaf
from .selection import default_backend
from .storage import put, written
from .tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from .graph import Node
    from .interface import Backend

    Array = Any


def compile(model: Callable[..., Any] | None = None, *, disable: bool = False) -> Any:
    """Compile a function of tensors, or a module, into one program of its array
    library; each kind of arguments (shapes, dtypes, numbers) gets one of its own.

    Called without a function, it is a decorator. Backends that cannot compile raise
    UnsupportedOpError when the function is called; `disable=True` leaves it as it is.

    >>> import plugrad
    >>> @plugrad.compile(disable=True)
    ... def loss(x, y):
    ...     return ((x - y) ** 2).mean()
    >>> loss(plugrad.ones(2), plugrad.zeros(2))
    tensor(1.)
    """
    if model is None:
        return lambda function: compile(function, disable=disable)
    if not callable(model):
        raise TypeError(
            f"compile() takes a function or a module, not {type(model).__name__}"
        )
    return model if disable else Compiled(model)


class Compiled:
    """A function, and its programs for the kinds of arguments met so far."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.programs: dict[Any, Program] = {}
        self.__wrapped__ = function
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if tracing():  # it is a part of what is being compiled
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        form = taken_apart((args, kwargs), tensors)
        given = len(tensors)
        own, state = belongings(self.function)
        tensors += own
        k = tensors[0]._k if tensors else default_backend()
        for t in tensors:
            if t._k is not k:
                raise UnsupportedOpError(
                    f"compile: tensors of backends {k.name!r} and {t._k.name!r} were "
                    f"given; move one with .to(backend={k.name!r})"
                )
        grad = modes.current().grad
        wanted = tuple(grad and t._node is not None for t in tensors)
        key = k.name, form, given, wanted, grad, state, get_default_dtype()
        program = self.programs.get(key)
        if program is None:
            made = Program(self.function, k, form, given, wanted, grad)
            program = self.programs.setdefault(key, made)
        return program.call(tensors)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        from functools import partial

        return self if instance is None else partial(self, instance)

    def __repr__(self) -> str:
        return f"<compiled {self.function!r}>"


class Result:
    """What a program gives: the form of the outputs, which of them have gradients, and
    which tensors that went in were written."""

    __slots__ = ("form", "recorded", "changed")

    def __init__(
        self, form: Any, recorded: tuple[bool, ...], changed: list[int]
    ) -> None:
        self.form = form
        self.recorded = recorded
        self.changed = changed


class Program:
    """One kind of arguments: the program on arrays, and how it is called."""

    def __init__(
        self,
        function: Callable[..., Any],
        k: Backend,
        form: Any,
        given: int,
        wanted: tuple[bool, ...],
        grad: bool,
    ) -> None:
        self.function = function
        self.k = k
        self.form = form
        self.given = given  # tensors among the arguments; the others are a module's
        self.grad = grad  # whether the function records what it computes
        self.wanted = wanted  # which tensors want a gradient
        self.results: dict[Any, Result] = {}  # by the arrays' shapes and dtypes
        self.run = k.compile(self.trace)
        self.back = Compiled(self.way_back)

    def trace(self, arrays: Sequence[Array]) -> list[Array]:
        """The function on arrays, for the library to follow; the new values of tensors
        that it wrote come after what it returned."""
        inner = [wrap(self.k, each) for each in arrays]
        with modes.Setting(grad=self.grad):  # a node's forward is not recorded itself
            outputs, form = self.outputs(inner)
        changed = [i for i, t in enumerate(inner) if t._a is not arrays[i]]
        check_gradients(self.k, inner, outputs)
        for i in changed:
            if inner[i]._node is not None:
                raise UnsupportedOpError(
                    "compile: the function writes to a tensor that it was given, and "
                    "the write has a gradient; return the new value instead"
                )
        recorded = tuple(t._node is not None for t in outputs)
        self.results[kinds(arrays)] = Result(form, recorded, changed)
        return [t._a for t in (*outputs, *(inner[i] for i in changed))]

    def outputs(self, inner: list[Tensor]) -> tuple[list[Tensor], Any]:
        """The tensors that the function returns, and the form they come in."""
        for t, wanted in zip(inner, self.wanted):
            if wanted and t._node is None:
                t._node = Leaf(t)
        found: list[Tensor] = []
        args, kwargs = put_together(self.form, iter(inner))
        own, _ = belongings(self.function)
        with Standing(own, inner[self.given :]), Tracing():
            form = taken_apart(self.function(*args, **kwargs), found)
        return found, form

    def call(self, tensors: list[Tensor]) -> Any:
        """Run the program, record the call, and write what the function wrote."""
        arrays = [t._a for t in tensors]
        if True in self.wanted:
            found = Call.apply(self, arrays, *tensors)
            outputs = list(found) if isinstance(found, tuple) else [found]
        else:
            outputs = [wrap(self.k, each) for each in self.run(arrays)]
        result = self.results[kinds(arrays)]
        n = len(outputs) - len(result.changed)
        for i, each in zip(result.changed, outputs[n:]):
            put(tensors[i], each._a)
            written(tensors[i])
        return put_together(result.form, iter(outputs[:n]))

    def way_back(self, tensors: list[Tensor], gradients: list[Tensor]) -> list[Any]:
        """The gradients of the tensors that want one; the function runs again."""
        from .autograd import grad

        again = modes.current().grad
        with modes.Setting(grad=True):
            outputs, _ = self.outputs(tensors)
            return list(
                grad(
                    [t for t in outputs if t._node is not None],
                    [t for t, wanted in zip(tensors, self.wanted) if wanted],
                    gradients,
                    create_graph=again,
                    materialize_grads=True,
                )
            )


class Call(Function):
    """A call of a program, in the graph."""

    @staticmethod
    def forward(ctx: Any, program: Program, arrays: list[Array], *tensors: Any) -> Any:
        """Run the program."""
        ctx.program = program
        ctx.arrays = arrays
        ctx.save_for_backward(*(t for t, w in zip(tensors, program.wanted) if w))
        made = [wrap(program.k, each) for each in program.run(arrays)]
        recorded = program.results[kinds(arrays)].recorded
        ctx.recorded = recorded
        n = len(recorded)
        rest = [t for t, yes in zip(made, recorded) if not yes]
        ctx.mark_non_differentiable(*rest, *made[n:])
        return tuple(made)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Run the program of the way back."""
        program = ctx.program
        saved = iter(ctx.saved_tensors)
        tensors = [
            next(saved) if wanted else wrap(program.k, array)
            for wanted, array in zip(program.wanted, ctx.arrays)
        ]
        given = [g for g, yes in zip(gradients, ctx.recorded) if yes]
        found = iter(program.back(tensors, given))
        return None, None, *(next(found) if each else None for each in program.wanted)


class Standing:
    """Inside it, the tensors of a module hold other arrays."""

    def __init__(self, own: list[Tensor], instead: list[Tensor]) -> None:
        self.pairs = list(zip(own, instead))

    def __enter__(self) -> None:
        _standing.acquire()
        self.before = [(t._a, t._node, t._s) for t, _ in self.pairs]
        for t, other in self.pairs:
            t._a, t._node, t._s = other._a, other._node, None

    def __exit__(self, *exc_info: object) -> None:
        for (t, other), before in zip(self.pairs, self.before):
            other._a, other._node = t._a, t._node
            t._a, t._node, t._s = before
        _standing.release()


_standing = RLock()


def kinds(arrays: Sequence[Array]) -> tuple[Any, ...]:
    """The shapes and dtypes of arrays."""
    return tuple((tuple(each.shape), each.dtype) for each in arrays)


def belongings(function: Any) -> tuple[list[Tensor], tuple[Any, ...]]:
    """The tensors of a module, or of the module whose method a function is, and whether
    its parts are being trained; nothing for other functions."""
    owner = getattr(function, "__self__", function)
    if not (hasattr(owner, "parameters") and hasattr(owner, "buffers")):
        return [], ()
    found = {id(t): t for t in (*owner.parameters(), *owner.buffers())}
    return list(found.values()), tuple(m.training for m in owner.modules())


def check_gradients(k: Backend, inner: list[Tensor], outputs: list[Tensor]) -> None:
    """Raise if gradients would be lost: those accumulated in tensors that went in, and
    those that outputs owe to tensors from outside."""
    for t in inner:
        g = getattr(t, "_grad", None)
        if g is not None and all(g is not each for each in outputs):
            raise UnsupportedOpError(
                "compile: backward() inside the function leaves gradients in its "
                "arguments, which are not the caller's tensors; return x.grad, or use "
                "autograd.grad()"
            )
    seen: set[Node | None] = {None}
    stack: list[Node | None] = [t._node for t in outputs]
    while stack:
        node = stack.pop()
        if node in seen or node is None:
            continue
        seen.add(node)
        stack += node.next
        if isinstance(node, Leaf):
            t = node.tensor()
            if t is not None and not k.is_traced(t._a):
                raise UnsupportedOpError(
                    "compile: the function uses a tensor from outside that requires a "
                    f"gradient, of shape {tuple(t.shape)}; pass it as an argument, "
                    "compile the module that holds it, or call under no_grad()"
                )


# --- Containers -----------------------------------------------------------------------


def taken_apart(value: Any, tensors: list[Tensor]) -> Any:
    """The form of a value without the tensors in it, which are added to a list."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return Tensor
    if isinstance(value, (list, tuple)):
        return type(value), tuple(taken_apart(each, tensors) for each in value)
    if isinstance(value, dict):
        parts = tuple((key, taken_apart(each, tensors)) for key, each in value.items())
        return type(value), parts
    try:
        hash(value)
    except TypeError:
        raise TypeError(
            "compile: a compiled function takes and returns tensors, lists, tuples and "
            f"dicts of them, and values that can be hashed, not {type(value).__name__}"
        ) from None
    return None, type(value), value


def put_together(form: Any, tensors: Iterator[Tensor]) -> Any:
    """A value of a form, with tensors in their places."""
    if form is Tensor:
        return next(tensors)
    kind = form[0]
    if kind is None:
        return form[2]
    if issubclass(kind, dict):
        return kind((key, put_together(each, tensors)) for key, each in form[1])
    parts = [put_together(each, tensors) for each in form[1]]
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
