"""Compare results, and make sample calls of the ops.

- `assert_close` says whether two results agree, with PyTorch's tolerances, which stand
  in one table; what it raises is an AssertionError that shows where they differ most.
- `Make` and `samples_of` give the calls that Plugrad's own tests make of each op; a
  backend's author runs them too.

>>> import plugrad
>>> from plugrad.testing import assert_close
>>> assert_close(plugrad.tensor([1.0]) / 3, plugrad.tensor([0.3333333]))
"""

from __future__ import annotations

from . import dtypes
from .autograd.gradcheck import flat
from .params import Sample
from .samples import Make, samples_of
from .tensor import Tensor, is_foreign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["TOLERANCES", "Make", "Sample", "assert_close", "samples_of"]

# (rtol, atol) by dtype; all others compare exactly
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise an AssertionError unless `actual` and `expected` are close.

    Close means |actual - expected| <= atol + rtol * |expected| in every element, and
    the same shape and dtype. Sequences and mappings are compared entry by entry,
    Python numbers and what can be made a tensor as tensors. Without tolerances, those
    of the dtype hold: exact ones for integers and booleans.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 2.0])
    >>> plugrad.testing.assert_close(x, plugrad.tensor([1.0, 2.5]))
    Traceback (most recent call last):
        ...
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 0.5 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.2 at index (1,) (up to 1.3e-06 allowed)
    """
    __tracebackhide__ = True
    pair = Pair(rtol, atol, equal_nan, check_dtype, check_device, check_stride)
    pair.subclasses = allow_subclasses
    problem = pair.problem(actual, expected, "")
    if problem is None:
        return
    if callable(msg):
        problem = msg(problem)
    raise AssertionError(problem if msg is None or callable(msg) else msg)


class Pair:
    """How two values are compared."""

    def __init__(
        self,
        rtol: float | None,
        atol: float | None,
        equal_nan: bool,
        check_dtype: bool,
        check_device: bool,
        check_stride: bool,
    ) -> None:
        self.rtol, self.atol, self.equal_nan = rtol, atol, equal_nan
        self.checked = {
            "dtype": check_dtype,
            "device": check_device,
            "stride": check_stride,
        }
        self.subclasses = True

    def problem(self, a: Any, b: Any, where: str) -> str | None:
        """What differs, or None."""
        from collections.abc import Mapping, Sequence

        if isinstance(a, Mapping) and isinstance(b, Mapping):
            if set(a) != set(b):
                only_a, only_b = sorted(set(a) - set(b)), sorted(set(b) - set(a))
                return at(
                    where,
                    "The keys of the mappings do not match:\n"
                    f"Missing keys in the actual mapping: {only_b}\n"
                    f"Additional keys in the actual mapping: {only_a}",
                )
            keys: Any = a
        elif is_sequence(a, Sequence) and is_sequence(b, Sequence):
            if len(a) != len(b):
                return at(
                    where,
                    f"The length of the sequences mismatch: {len(a)} != {len(b)}",
                )
            keys = range(len(a))
        else:
            return self.leaves(a, b, where)
        found = (self.problem(a[key], b[key], f"{where}[{key!r}]") for key in keys)
        return next((each for each in found if each is not None), None)

    def leaves(self, a: Any, b: Any, where: str) -> str | None:
        """What differs between two values that are no containers, or None."""
        if a is None or b is None:
            if a is b:
                return None
            return at(where, f"None mismatch: {a!r} is not {b!r}")
        if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
            return self.numbers(a, b, where)
        related = isinstance(a, type(b)) or isinstance(b, type(a))
        if not related or (not self.subclasses and type(a) is not type(b)):
            raise TypeError(
                at(
                    where,
                    "No comparison pair was able to handle inputs of type "
                    f"{type(a)} and {type(b)}.",
                )
            )
        a, b = as_tensor(a, where), as_tensor(b, where)
        rtol, atol = self.tolerances(a.dtype, b.dtype)
        names = ["shape", *(name for name, wanted in self.checked.items() if wanted)]
        for name in names:
            one, other = attribute(a, name), attribute(b, name)
            if one != other:
                return at(
                    where,
                    f"The values for attribute '{name}' do not match: "
                    f"{one} != {other}.",
                )
        one, other = flat(a), flat(b)
        unequal = self.unequal(one, other, rtol, atol)
        if not unequal:
            return None
        if not a.shape:
            return at(where, scalar_report(one[0], other[0], rtol, atol))
        return at(where, tensor_report(unequal, a.shape, rtol, atol))

    def tolerances(self, a: Any, b: Any) -> tuple[float, float]:
        """(rtol, atol) for two dtypes."""
        if (self.rtol is None) != (self.atol is None):
            missing = "rtol" if self.rtol is None else "atol"
            raise ValueError(
                "rtol and atol must both be specified or both be unspecified, but got "
                f"no value for {missing}"
            )
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        pairs = [TOLERANCES.get(each.name, (0.0, 0.0)) for each in (a, b)]
        return max(p[0] for p in pairs), max(p[1] for p in pairs)

    def numbers(self, a: Any, b: Any, where: str) -> str | None:
        """What differs between two Python numbers, or None."""
        if isinstance(a, bool) and isinstance(b, bool):
            return None if a is b else at(where, f"Booleans mismatch: {a} is not {b}")
        kinds = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}
        pair = [dtypes.BY_NAME[kinds[type(each)]] for each in (a, b)]
        rtol, atol = self.tolerances(*pair)
        if self.checked["dtype"] and type(a) is not type(b):
            return at(where, f"The (d)types do not match: {type(a)} != {type(b)}.")
        if not self.unequal([a], [b], rtol, atol):
            return None
        return at(where, scalar_report(a, b, rtol, atol))

    def unequal(
        self, a: list[Any], b: list[Any], rtol: float, atol: float
    ) -> list[tuple[int, float, float]]:
        """The elements that are not close: (number, absolute, relative difference)."""
        found: list[tuple[int, float, float]] = []
        for i, (x, y) in enumerate(zip(a, b)):
            if x == y or (self.equal_nan and x != x and y != y):
                continue
            near = finite(x) and finite(y) and abs(x - y) <= atol + rtol * abs(y)
            if near and (rtol or atol):
                continue
            absolute = abs(x - y)
            relative = absolute / abs(y) if y else float("inf")
            found.append((i, absolute, relative))
        return found


NUMBERS = (bool, int, float, complex)


def is_sequence(value: Any, sequence: type) -> bool:
    """Whether the entries of `value` are compared one by one."""
    return isinstance(value, sequence) and not isinstance(value, (str, bytes))


def finite(x: Any) -> bool:
    """Whether a Python number is neither infinite nor NaN."""
    return abs(x) < float("inf")


def as_tensor(value: Any, where: str) -> Tensor:
    """A tensor, or what can be made one."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, NUMBERS) or is_foreign(value):
        from .creation.data import as_tensor

        return as_tensor(value)
    raise TypeError(
        at(
            where,
            "No comparison pair was able to handle inputs of type "
            f"{type(value)} and {type(value)}.",
        )
    )


def attribute(x: Tensor, name: str) -> Any:
    """A property that two tensors have to share."""
    if name == "stride":
        return x._k.strides(x._a)
    found = getattr(x, name)
    return tuple(found) if name == "shape" else found


def at(where: str, text: str) -> str:
    """A message with the place in a container where it belongs."""
    return f"{text}\n\nThe failure occurred for item {where}" if where else text


def scalar_report(a: Any, b: Any, rtol: float, atol: float) -> str:
    """How much two numbers differ."""
    if not (rtol or atol):
        return f"Scalars are not equal!\n\nExpected {b!r} but got {a!r}."
    absolute = abs(a - b)
    relative = absolute / abs(b) if b else float("inf")
    return (
        f"Scalars are not close!\n\nExpected {b!r} but got {a!r}.\n"
        f"Absolute difference: {absolute:.8g} (up to {atol} allowed)\n"
        f"Relative difference: {relative:.8g} (up to {rtol} allowed)"
    )


def tensor_report(
    unequal: list[tuple[int, float, float]],
    shape: tuple[int, ...],
    rtol: float,
    atol: float,
) -> str:
    """How much two tensors differ, and where most."""
    total = 1
    for n in shape:
        total *= n
    kind = "close" if rtol or atol else "equal"
    lines = [
        f"Tensor-likes are not {kind}!",
        "",
        f"Mismatched elements: {len(unequal)} / {total} "
        f"({100 * len(unequal) / total:.1f}%)",
    ]
    for name, column, allowed in (("absolute", 1, atol), ("relative", 2, rtol)):
        most = max(unequal, key=lambda entry: nan_first(entry[column]))
        line = f"Greatest {name} difference: {most[column]:.8g}"
        line += f" at index {index_of(most[0], shape)}"
        line += f" (up to {allowed:g} allowed)" if kind == "close" else ""
        lines.append(line)
    return "\n".join(lines)


def nan_first(x: float) -> float:
    """A number to order by, in which NaN is the largest."""
    return x if x == x else float("inf")


def index_of(i: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the i-th element of an array of a shape."""
    found: list[int] = []
    for n in reversed(shape):
        i, rest = divmod(i, n)
        found.append(rest)
    return tuple(reversed(found))
