"""Sample calls of the ops: what every test of every op runs on.

- `Make` makes the tensors: seeded, in one dtype, on one backend, in the layouts that
  break kernels (no elements, no dimensions, gaps and repeats in memory).
- `samples_of` lists the sample calls of an op: those it declares, or those that every
  elementwise op of one or two tensors has to take.
- The same seed gives the same numbers on every backend, so that two of them can be
  compared; the numbers come from Python's own generator.
"""

from __future__ import annotations

from . import dtypes
from .limits import iinfo
from .params import REQUIRED, Sample
from .selection import default_backend, get_backend
from .tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .declare import Op
    from .dtypes import dtype
    from .interface import Backend

    Array = Any


class Make:
    """Makes tensors of one dtype for sample calls.

    >>> import plugrad
    >>> from plugrad.testing import Make
    >>> make = Make(plugrad.float64)
    >>> make(2, 3).shape
    plugrad.Size([2, 3])
    >>> make.strided(2, 3).requires_grad
    True
    """

    def __init__(
        self,
        dtype: dtype | None = None,
        backend: str | Backend | None = None,
        requires_grad: bool = True,
        seed: int | str = 0,
    ) -> None:
        from random import Random

        if backend is None:
            backend = default_backend()
        elif isinstance(backend, str):
            backend = get_backend(backend)
        self.k: Backend = backend
        self.dtype = dtype or dtypes.get_default_dtype()
        self.requires_grad = requires_grad
        self.seed = seed
        self.random = Random(seed)

    def restarted(self, name: str) -> Make:
        """The same settings, and the numbers that belong to `name`."""
        seed = f"{str(self.seed).split('/')[0]}/{name}"
        return Make(self.dtype, self.k, self.requires_grad, seed)

    def __call__(
        self,
        *shape: int,
        low: float = -2,
        high: float = 2,
        dtype: dtype | None = None,
        requires_grad: bool | None = None,
    ) -> Tensor:
        """A tensor of numbers between `low` and `high`."""
        array = self.array(shape, low, high, dtype or self.dtype)
        return self.tensor(array, requires_grad)

    @property
    def floating(self) -> bool:
        """Whether the tested dtype has gradients."""
        return self.dtype.kind in "fc"

    def like(self, data: Any, requires_grad: bool | None = None) -> Tensor:
        """A tensor of given numbers (nested lists), in the tested dtype."""
        k = self.k
        array = k.from_data(data, k.native(self.dtype))
        return self.tensor(array, requires_grad)

    def integers(
        self, *shape: int, low: int = 0, high: int = 5, dtype: dtype | None = None
    ) -> Tensor:
        """A tensor of integers from `low` to below `high`."""
        dtype = dtype or dtypes.int64
        return self.tensor(self.array(shape, low, high - 1, dtype), False)

    def bools(self, *shape: int) -> Tensor:
        """A tensor of both truth values."""
        return self.tensor(self.array(shape, 0, 1, dtypes.bool), False)

    def strided(
        self,
        *shape: int,
        low: float = -2,
        high: float = 2,
        dtype: dtype | None = None,
        requires_grad: bool | None = None,
    ) -> Tensor:
        """A tensor that is not contiguous: dimensions in reverse order, or every
        second element, or (without dimensions) not the first element."""
        dtype = dtype or self.dtype
        k = self.k
        if len(shape) > 1:
            array = self.array(shape[::-1], low, high, dtype)
            array = k.permute_dims(array, tuple(range(len(shape)))[::-1])
        elif shape:
            array = self.array((2 * shape[0],), low, high, dtype)[::2]
        else:
            array = k.reshape(self.array((2,), low, high, dtype)[1:], ())
        return self.tensor(array, requires_grad)

    def expanded(
        self,
        *shape: int,
        low: float = -2,
        high: float = 2,
        dtype: dtype | None = None,
        requires_grad: bool | None = None,
    ) -> Tensor:
        """A tensor whose first dimension repeats the same memory."""
        array = self.array((1, *shape[1:]), low, high, dtype or self.dtype)
        # the namespace's own: a backend's kernel may copy small ones
        array = self.k.namespace.broadcast_to(array, shape)
        return self.tensor(array, requires_grad)

    def large(self, *shape: int, requires_grad: bool | None = None) -> Tensor:
        """A tensor of numbers up to 1000 in size, of both signs."""
        values = [-1000, 1000, -100, 100, -20, 20]
        return self.tensor(self.filled(shape, values, self.dtype), requires_grad)

    def special(self, *shape: int, requires_grad: bool | None = None) -> Tensor:
        """A tensor of zeros of both signs, infinities and NaN."""
        inf = float("inf")
        values = [0.0, inf, -inf, float("nan"), -0.0, 1.0]
        return self.tensor(self.filled(shape, values, self.dtype), requires_grad)

    def tensor(self, array: Array, requires_grad: bool | None = None) -> Tensor:
        """A leaf around an array of the backend."""
        t = wrap(self.k, array)
        if requires_grad is None:
            requires_grad = self.requires_grad and t.dtype.kind in "fc"
        return t.requires_grad_() if requires_grad and t.dtype.kind in "fc" else t

    def filled(self, shape: tuple[int, ...], values: list[Any], dtype: dtype) -> Array:
        """An array that repeats `values`."""
        count = size(shape)
        if dtype.kind not in "fc":
            values = [v if abs(v) < float("inf") else 1 for v in values]
        if dtype.kind in "bu":
            values = [abs(v) for v in values]
        if dtype.kind in "iu":
            limits = iinfo(dtype)
            values = [min(max(v, limits.min), limits.max) for v in values]
        return self.shaped((values * (count // len(values) + 1))[:count], shape, dtype)

    def array(
        self, shape: tuple[int, ...], low: float, high: float, dtype: dtype
    ) -> Array:
        """An array of random numbers."""
        return self.shaped(self.numbers(size(shape), low, high, dtype), shape, dtype)

    def shaped(self, values: list[Any], shape: tuple[int, ...], dtype: dtype) -> Array:
        """An array of the given elements."""
        k, native = self.k, self.k.native(dtype)
        if 0 in shape:
            return k.copy(k.reshape(k.from_data(values, native), tuple(shape)))
        # nested first: some libraries compile a reshape for each pair of shapes
        return k.copy(k.from_data(nested(values, shape), native))

    def numbers(self, count: int, low: float, high: float, dtype: dtype) -> list[Any]:
        """Random numbers that `dtype` can hold."""
        random = self.random
        if dtype.kind in "fc":
            uniform = [random.uniform(low, high) for _ in range(count)]
            if dtype.kind == "f":
                return uniform
            return [complex(v, random.uniform(low, high)) for v in uniform]
        first, last = -int(-low // 1), int(high // 1)  # ceiling and floor
        if first > last:  # no integer lies between
            first, last = last, first
        if dtype.kind == "u":
            first = max(first, 0)
        elif dtype.kind == "b":
            return [bool(random.getrandbits(1)) for _ in range(count)]
        return [random.randint(first, last) for _ in range(count)]


def nested(values: list[Any], shape: tuple[int, ...]) -> Any:
    """Elements as lists of lists, of a shape without a zero."""
    if not shape:
        return values[0]
    for n in shape[:0:-1]:
        values = [values[i : i + n] for i in range(0, len(values), n)]
    return values


def size(shape: Iterable[int]) -> int:
    """The number of elements of a shape."""
    n = 1
    for each in shape:
        n *= each
    return n


# --- The samples of an op --------------------------------------------------------


def samples_of(op: Any, make: Make) -> list[Sample]:
    """The sample calls of an op (or of its function) in the dtype of `make`.

    Each has a `kind`, by which lists of expected differences name it.

    >>> import plugrad
    >>> make = plugrad.testing.Make(plugrad.float32)
    >>> len(plugrad.testing.samples_of(plugrad.exp, make)) >= 10
    True
    """
    op = getattr(op, "op", op)
    found = first_samples(op, make)
    again = first_samples(op, make)
    for sample, other in zip(found, again):
        wanted = [t for t in tensors_in(other) if t.requires_grad]
        if len({id(t) for t in wanted}) > 1 and sample.smooth:
            found += alone(op, make, other.kind)
            break
    return found


def first_samples(op: Op, make: Make) -> list[Sample]:
    """The samples that the op declares or its kind implies."""
    make = make.restarted(op.name)
    if op.make_samples is not None:
        found = list(op.make_samples(make))
        for i, sample in enumerate(found):
            sample.kind = sample.kind or str(i)
        return found
    if not implies_samples(op):
        raise LookupError(
            f"op {op.name} has no samples, and its kind implies none: declare them "
            f"with @{op.name}.samples"
        )
    return list(unary(op, make) if len(op.tensors) == 1 else binary(op, make))


def implies_samples(op: Op) -> bool:
    """Whether all that there is to try follows from the op's kind: an elementwise op
    of one or two tensors, or one that takes a single tensor and nothing else."""
    if op.wide or not op.tensors:
        return False
    if len(op.params) == 1:
        return True
    others = [p for p in op.params if p.kind == "value"]
    return (
        (op.inplace or op.promote in ("same", "float"))
        and len(op.tensors) <= 2
        and all(p.default is REQUIRED for p in op.tensors)
        and all(p.default is not REQUIRED and p.name != "dim" for p in others)
    )


def alone(op: Op, make: Make, kind: str) -> list[Sample]:
    """The sample `kind` once for each of its gradients, with the others not wanted."""
    found: list[Sample] = []
    while True:
        sample = next(s for s in first_samples(op, make) if s.kind == kind)
        wanted = [t for t in tensors_in(sample) if t.requires_grad]
        wanted = list({id(t): t for t in wanted}.values())
        if len(found) == len(wanted):
            return found
        for i, t in enumerate(wanted):
            t.requires_grad_(i == len(found))
        found.append(sample.named(f"{kind}, gradient {len(found)}"))


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in a sample, or in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Sample):
        value = [*value.args, *value.kwargs.values()]
    elif isinstance(value, dict):
        value = list(value.values())
    elif not isinstance(value, (list, tuple)):
        return []
    return [t for each in value for t in tensors_in(each)]


def domain_of(op: Op) -> dict[str, Any]:
    """Where the inputs of an elementwise op lie."""
    if op.domain is None:
        return {}
    return {"low": op.domain[0], "high": op.domain[1]}


def unary(op: Op, make: Make) -> Iterable[Sample]:
    """What every elementwise op of one tensor has to take."""
    domain = domain_of(op)
    for kind, shape in SHAPES.items():
        yield Sample(make(*shape, **domain)).named(kind)
    yield Sample(make.strided(**domain)).named("0-d strided")
    yield Sample(make.strided(3, **domain)).named("1-d strided")
    yield Sample(make.strided(2, 3, **domain)).named("2-d strided")
    yield Sample(make.expanded(3, 2, **domain)).named("expanded")
    if op.domain is None or make.floating:
        yield Sample(make.large(6)).named("large", smooth=False)
    if make.dtype.kind == "f":
        yield Sample(make.special(6)).named("special", smooth=False)


SHAPES = {
    "0-d": (),
    "empty": (0,),
    "1-d": (3,),
    "2-d": (2, 3),
    "empty 2-d": (2, 0),
    "3-d": (2, 1, 3),
    "one element": (1, 1),
}

BROADCAST = [
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((1,), ()),
    ((0,), (1,)),
    ((2, 1, 3), (4, 1)),
]


def binary(op: Op, make: Make) -> Iterable[Sample]:
    """What every elementwise op of two tensors has to take."""
    domain = domain_of(op)

    def x(*shape: int, **settings: Any) -> Tensor:
        return make(*shape, **(domain | settings))

    for kind, shape in SHAPES.items():
        yield Sample(x(*shape), x(*shape)).named(kind)
    for a, b in BROADCAST:
        kind = f"broadcast {list(a)} {list(b)}"
        yield Sample(x(*a), x(*b)).named(kind)
    yield Sample(make.strided(2, 3, **domain), x(2, 3)).named("strided")
    yield Sample(x(3), make.strided(3, **domain)).named("1-d strided")
    yield Sample(make.expanded(3, 2, **domain), x(3, 2)).named("expanded")
    yield Sample(x(3, 2), make.expanded(3, 2, **domain)).named("with expanded")
    same = x(2, 3)
    yield Sample(same, same).named("same input")
    yield Sample(x(2, 3), x(4)).named("mismatch", smooth=False)
    for other in (dtypes.int64, dtypes.bool, dtypes.float32, dtypes.float64):
        # differences of float32 are rough, and zero is where quotients have a pole
        smooth = other in (dtypes.int64, dtypes.float64)
        kind, settings = other.name, {"dtype": other}
        if other is dtypes.int64:
            settings |= {"low": 1, "high": 3}
        yield Sample(x(3), x(3, **settings)).named(f"with {kind}", smooth)
        yield Sample(x(3), x(**settings)).named(f"with 0-d {kind}", smooth)
        yield Sample(x(**settings), x(3)).named(f"0-d {kind} with it", smooth)
    yield from scalars(op, x)
    if op.domain is None or make.floating:
        b = make.tensor(make.filled((6,), [1000, 1000, 3, -100, 1, -1000], make.dtype))
        yield Sample(make.large(6), b).named("large", smooth=False)
    if make.dtype.kind == "f":
        for i, b in enumerate(([0.0, 1.0, 2.0, 3.0], [-0.0, float("inf"), -1.0])):
            second = make.tensor(make.filled((6,), b, make.dtype))
            yield Sample(make.special(6), second).named(f"special {i}", smooth=False)


def scalars(op: Op, x: Any) -> Iterable[Sample]:
    """The calls with a Python number for each operand that may be one."""
    a, b = op.tensors
    for value in (2, 1.5, True, -3, 1 + 2j):
        inside = isinstance(value, complex) or op.domain is None
        if not inside and not op.domain[0] <= value <= op.domain[1]:  # type: ignore
            continue
        for shape in ((), (2, 3)):
            kind = f"scalar {value} {list(shape)}"
            if b.scalar:
                yield Sample(x(*shape), value).named(kind)
            if a.scalar:
                yield Sample(value, x(*shape)).named("first " + kind)
