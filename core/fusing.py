"""Functions that change tensors element by element, computed in one pass over memory.

- The function is called once with stand-ins, which note what is done to them. What they
  noted is a `Program`: plain data, for the backend to make a loop of (`Backend.fuse`).
- Numbers are no part of a program but given to it at each run: a rate that changes in
  every step makes no new one.
- A stand-in knows the methods in the tables below. Whatever else is asked of it (a sum,
  a shape, a value to branch on) ends the attempt, and the caller goes on with tensors.
- Results are those of the single operations, each rounded to the tensors' dtype.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from . import modes
from .interface import Backend
from .storage import storage, written
from .tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    Array = Any
    Compute = Callable[[Sequence[Array], Sequence[float]], object]

__all__ = ["Fused", "Program", "fuse"]


class Program(NamedTuple):
    """What is to be computed for each element, as plain data.

    Values are called "a0", "a1", ... where arrays hold them, "n0", ... where they are
    numbers, the same for all elements, and "v0", ... as the steps compute them. A step
    is the name of an operation and its operands: ("mul", "a1", "n0"). The operations
    are `add sub mul div neg abs sqrt sign maximum minimum`, whose results are rounded
    to the dtype; `eq ne lt le gt ge logical_and logical_or logical_not`, whose results
    are conditions; and `where`, of a condition and two values. They mean what the ops
    of those names do: a maximum with NaN is NaN, the sign of NaN is 0.

    At the end values are written to arrays, all of which were read before.
    """

    dtype: str  # of the arrays; numbers are rounded to it, too
    arrays: int  # how many there are
    numbers: int
    steps: tuple[tuple[str, ...], ...]
    writes: tuple[tuple[int, str], ...]  # which array, and the value


class Fused:
    """A function of some tensors as one pass; calling it changes them, or those of
    their elements, counted in order, that are asked for. Threads may call it at once
    for parts that have no element in common."""

    __slots__ = ("k", "compute", "arrays", "numbers", "outputs")

    def __init__(
        self,
        k: Backend,
        compute: Compute,
        arrays: list[Array],
        numbers: list[float],
        outputs: list[Tensor],
    ) -> None:
        self.k = k
        self.compute = compute
        self.arrays = arrays
        self.numbers = numbers
        self.outputs = outputs
        for t in outputs:
            storage(t)  # made once, before threads ask for it

    def __call__(self, start: int = 0, stop: int | None = None) -> None:
        arrays = self.arrays
        if start or stop is not None:
            block = slice(start, stop)
            arrays = [a[block] for a in arrays]
        self.k.compute(self.compute, arrays, self.numbers)
        for t in self.outputs:
            written(t)


def fuse(function: Callable[..., object], tensors: Sequence[Tensor]) -> Fused | None:
    """`function(*tensors)`, which changes them in place, as one pass over their memory;
    None where that cannot be, and the function is to be called itself.

    It can be where the backend fuses (NumPy's does with the kernels `numba`), for
    functions that go element by element by the tensors' methods, on dense tensors of
    one shape and of one floating dtype that share no memory, with recording off.

    The function is called here, perhaps as far as the first thing that cannot be fused,
    with stand-ins; nothing is changed by that but what else it changes itself. What it
    returns is not used.

    >>> import plugrad
    >>> kernels = plugrad.Overrides("squares", backend="numpy")
    >>> @kernels.add("fuse")
    ... def only_squares(program):
    ...     print(program.steps, program.writes)
    ...     return lambda arrays, numbers: arrays[0].__imul__(arrays[0])
    >>> x = plugrad.tensor([1.0, 2.0, 3.0])
    >>> with plugrad.use_kernels("numpy", kernels):
    ...     square = plugrad.fuse(lambda x: x.mul_(x), [x])
    (('mul', 'a0', 'a0'),) ((0, 'v0'),)
    >>> square(1, 3)
    >>> x
    tensor([1., 4., 9.])
    >>> print(plugrad.fuse(lambda x: x.mul_(x), [x]))  # NumPy alone fuses nothing
    None
    """
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(f"fuse expects tensors, but got {type(t).__name__}")
    if not tensors:
        return None
    k = tensors[0]._k
    if getattr(k.fuse, "__func__", None) is Backend.fuse or not alike(k, tensors):
        return None
    traced = trace(function, tensors)
    if traced is None:
        return None
    program, numbers = traced
    compute = k.fuse(program)
    if compute is None:
        return None
    arrays = [k.reshape(t._a, (-1,)) for t in tensors]
    return Fused(k, compute, arrays, numbers, [tensors[i] for i, _ in program.writes])


def alike(k: Backend, tensors: Sequence[Tensor]) -> bool:
    """Whether tensors have their elements in one order, in memory of their own."""
    if not (k.writable and k.views) or type(k).address is Backend.address:
        return False
    first = tensors[0]._a
    shape, native, dtype = first.shape, first.dtype, k.dtype_of(first)
    recorded = modes.current().grad
    places = []
    for t in tensors:
        if t._k is not k or (recorded and t._node is not None):
            return False
        a = t._a
        if a.dtype != native or a.shape != shape or not k.is_dense(a):
            return False
        places.append(k.address(a))
    size = prod(shape) * dtype.itemsize
    places.sort()
    apart = all(b - a >= size for a, b in zip(places, places[1:]))
    return apart and dtype.kind == "f"


# --- Tracing --------------------------------------------------------------------------


MOST = 1000  # steps, or numbers; a function with more is in a loop of its own
# names, made once: they are hashed at each step of an optimizer
ARRAYS, NUMBERS, VALUES = (tuple(f"{c}{i}" for i in range(MOST)) for c in "anv")


class Unknown(BaseException):
    """What is done to a stand-in is not known here. A function that handles all kinds
    of Exception does not meet this one."""


class Trace:
    """What a function does, as far as it has come."""

    __slots__ = ("steps", "numbers")

    def __init__(self) -> None:
        self.steps: list[tuple[str, ...]] = []
        self.numbers: list[float] = []

    def step(self, *parts: str) -> str:
        """Note an operation; the name of its result."""
        self.steps.append(parts)
        return VALUES[len(self.steps) - 1]

    def value(self, x: Any) -> str:
        """The name of a value that is a stand-in's, or a number."""
        if type(x) is StandIn:
            if x.trace is self and not x.mask:
                return x.value
        elif type(x) is float or type(x) is int:
            self.numbers.append(float(x))
            return NUMBERS[len(self.numbers) - 1]
        raise Unknown

    def tensor(self, x: Any) -> str:
        """The same for what may be no number."""
        if type(x) is not StandIn:
            raise Unknown
        return self.value(x)

    def condition(self, x: Any) -> str:
        """The name of a condition."""
        if type(x) is StandIn and x.trace is self and x.mask:
            return x.value
        raise Unknown


def trace(
    function: Callable[..., object], tensors: Sequence[Tensor]
) -> tuple[Program, list[float]] | None:
    """The program of a function on tensors like these, and its numbers, if it has one
    and changes something. An error of the function is met again without stand-ins."""
    noted = Trace()
    given = ARRAYS[: len(tensors)]
    inputs = [StandIn(noted, name, False) for name in given]
    try:
        function(*inputs)
    except (Unknown, Exception):
        return None
    ends = [x.value for x in inputs]
    writes = tuple((i, v) for i, (v, a) in enumerate(zip(ends, given)) if v != a)
    if not writes:
        return None
    dtype, numbers = tensors[0].dtype.name, noted.numbers
    steps = tuple(noted.steps)
    return Program(dtype, len(given), len(numbers), steps, writes), numbers


class StandIn:
    """Stands for a tensor in a function that is traced: a value, which methods in place
    replace by another."""

    __slots__ = ("trace", "value", "mask")

    def __init__(self, trace: Trace, value: str, mask: bool) -> None:
        self.trace = trace
        self.value = value
        self.mask = mask  # whether it is a condition

    __class__ = property(lambda self: Tensor)  # type: ignore[assignment]
    is_sparse = False
    data = property(lambda self: self)

    def __getattr__(self, name: str) -> NoReturn:
        raise Unknown

    def detach(self) -> StandIn:
        """The same memory."""
        return self

    def is_complex(self) -> bool:
        """Complex tensors come as real ones."""
        return False

    def is_floating_point(self) -> bool:
        """No others come at all."""
        return True


def refuse(*args: Any, **options: Any) -> NoReturn:
    """A special method that is not known; Python finds those by class alone."""
    raise Unknown


SPECIAL = {name for name in dir(Tensor) if name.startswith("__")} - {*dir(object)}
SPECIAL |= {"__repr__", "__str__", "__format__", "__hash__"}
for each in SPECIAL:
    if callable(getattr(Tensor, each)) and each not in vars(StandIn):
        setattr(StandIn, each, refuse)


# --- What the methods do --------------------------------------------------------------


def scaled(t: Trace, x: str, alpha: Any) -> str:
    """x times a number, unless that is 1 because nobody gave another."""
    if type(alpha) is int and alpha == 1:
        return x
    return t.step("mul", x, t.value(number(alpha)))


def number(x: Any) -> float:
    """What must be a number."""
    if type(x) is float or type(x) is int:
        return x
    raise Unknown


def add(t: Trace, x: str, other: Any, *, alpha: Any = 1) -> str:
    return t.step("add", x, scaled(t, t.value(other), alpha))


def sub(t: Trace, x: str, other: Any, *, alpha: Any = 1) -> str:
    return t.step("sub", x, scaled(t, t.value(other), alpha))


def rsub(t: Trace, x: str, other: Any) -> str:
    return t.step("sub", t.value(other), x)


def rdiv(t: Trace, x: str, other: Any) -> str:
    return t.step("div", t.value(other), x)


def reciprocal(t: Trace, x: str) -> str:
    return t.step("div", t.value(1.0), x)


def square(t: Trace, x: str) -> str:
    return t.step("mul", x, x)


def power(t: Trace, x: str, exponent: Any) -> str:
    """Powers that are products and roots; which one it is belongs to the program."""
    exponent = number(exponent)
    if exponent == 1:
        return x
    if exponent == 2:
        return square(t, x)
    if exponent == 3:
        return t.step("mul", square(t, x), x)
    if exponent == 0.5:
        return t.step("sqrt", x)
    if exponent == -1:
        return reciprocal(t, x)
    raise Unknown


def axpby(t: Trace, x: str, other: Any, *, alpha: Any = 1, beta: Any = 1) -> str:
    return t.step("add", scaled(t, x, beta), scaled(t, t.tensor(other), alpha))


def addcmul(t: Trace, x: str, a: Any, b: Any, *, value: Any = 1) -> str:
    return t.step("add", x, scaled(t, t.step("mul", t.tensor(a), t.tensor(b)), value))


def addcdiv(t: Trace, x: str, a: Any, b: Any, *, value: Any = 1) -> str:
    return t.step("add", x, scaled(t, t.step("div", t.tensor(a), t.tensor(b)), value))


def lerp(t: Trace, x: str, end: Any, weight: Any) -> str:
    """From the end that is nearer, as the op does it."""
    end, share = t.tensor(end), t.value(number(weight))
    step = t.step("sub", end, x)
    if abs(weight) < 0.5:
        return t.step("add", x, t.step("mul", step, share))
    rest = t.step("sub", t.value(1), share)
    return t.step("sub", end, t.step("mul", step, rest))


def clamp(t: Trace, x: str, min: Any = None, max: Any = None) -> str:
    if min is None and max is None:
        raise Unknown
    if min is not None:
        x = t.step("maximum", x, t.value(min))
    return x if max is None else t.step("minimum", x, t.value(max))


def masked_fill(t: Trace, x: str, mask: Any, value: Any) -> str:
    return t.step("where", t.condition(mask), t.value(value), x)


def where(t: Trace, x: str, condition: Any, other: Any) -> str:
    return t.step("where", t.condition(condition), x, t.value(other))


def copy(t: Trace, x: str, src: Any) -> str:
    return t.tensor(src)


def fill(t: Trace, x: str, value: Any) -> str:
    return t.value(number(value))


def of_one(name: str) -> Callable[..., str]:
    return lambda t, x: t.step(name, x)


def of_two(name: str) -> Callable[..., str]:
    return lambda t, x, other: t.step(name, x, t.value(other))


def of_tensors(name: str) -> Callable[..., str]:
    return lambda t, x, other: t.step(name, x, t.tensor(other))


def of_conditions(name: str) -> Callable[..., str]:
    return lambda t, x, *others: t.step(name, x, *map(t.condition, others))


METHODS: dict[str, Callable[..., str]] = {
    **{name: of_one(name) for name in ("neg", "abs", "sqrt", "sign")},
    **{name: of_two(name) for name in ("mul", "div")},
    **{name: of_tensors(name) for name in ("maximum", "minimum")},
    "add": add,
    "sub": sub,
    "addcdiv": addcdiv,
    "addcmul": addcmul,
    "axpby": axpby,
    "clamp": clamp,
    "clamp_max": lambda t, x, max: clamp(t, x, max=max),
    "clamp_min": lambda t, x, min: clamp(t, x, min=min),
    "lerp": lerp,
    "masked_fill": masked_fill,
    "pow": power,
    "reciprocal": reciprocal,
    "square": square,
    "where": where,
    "clone": lambda t, x: x,
}
IN_PLACE = {"copy_": copy, "fill_": fill, "zero_": lambda t, x: t.value(0.0)}
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
CONNECTIVES = ("logical_and", "logical_or", "logical_not")
OPERATORS = {
    "__add__": add,
    "__radd__": add,
    "__sub__": sub,
    "__rsub__": rsub,
    "__mul__": METHODS["mul"],
    "__rmul__": METHODS["mul"],
    "__truediv__": METHODS["div"],
    "__rtruediv__": rdiv,
    "__pow__": power,
    "__neg__": METHODS["neg"],
    "__abs__": METHODS["abs"],
}
WRITING = {
    "__iadd__": add,
    "__isub__": sub,
    "__imul__": METHODS["mul"],
    "__itruediv__": METHODS["div"],
}


def new(body: Callable[..., str], given: bool, made: bool) -> Callable[..., StandIn]:
    """A method that returns another stand-in; whether it is for conditions, and gives
    one."""

    def call(self: StandIn, *args: Any, out: Any = None, **options: Any) -> StandIn:
        if self.mask is not given:
            raise Unknown
        value = body(self.trace, self.value, *args, **options)
        if out is None:
            return StandIn(self.trace, value, made)
        if type(out) is not StandIn or out.trace is not self.trace or out.mask or made:
            raise Unknown
        out.value = value
        return out

    return call


def in_place(body: Callable[..., str]) -> Callable[..., StandIn]:
    """A method that changes what its stand-in stands for."""

    def call(self: StandIn, *args: Any, **options: Any) -> StandIn:
        if self.mask:
            raise Unknown
        self.value = body(self.trace, self.value, *args, **options)
        return self

    return call


for each, body in (METHODS | OPERATORS).items():
    setattr(StandIn, each, new(body, False, False))
for each in COMPARISONS:
    setattr(StandIn, each, new(of_two(each), False, True))
    setattr(StandIn, f"__{each}__", new(of_two(each), False, True))
for each in CONNECTIVES:
    setattr(StandIn, each, new(of_conditions(each), True, True))
for each, name in {"and": "and", "or": "or", "invert": "not"}.items():
    made = new(of_conditions(f"logical_{name}"), True, True)
    setattr(StandIn, f"__{each}__", made)
for each, body in METHODS.items():
    if hasattr(Tensor, f"{each}_"):
        setattr(StandIn, f"{each}_", in_place(body))
for each, body in (IN_PLACE | WRITING).items():
    setattr(StandIn, each, in_place(body))
