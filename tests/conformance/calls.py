"""Sample calls on two backends, and what differs in their results.

- The same numbers in the same layout go to both sides.
- A difference is a text, None if there is none. It names the sample and its shapes.
- Where a result has a dtype that the backend does not have, the call has to raise
  UnsupportedOpError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import plugrad
from plugrad.testing import Make, samples_of

from .cells import Cell, Subject

# Sums of 16 bits are rounded after other steps on each side: so they are compared to
# four roundings of the largest number.
ROUNDINGS = {"float16": 2.0**-9, "bfloat16": 2.0**-6}


class Unmade(Exception):
    """The samples of an op need a dtype that the backend does not have."""


class Raised:
    """The exception that a call ended in."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @property
    def unsupported(self) -> bool:
        """Whether the backend said that it cannot do this."""
        return isinstance(self.error, plugrad.UnsupportedOpError)

    def __repr__(self) -> str:
        text = " ".join(str(self.error).split())
        return f"{type(self.error).__name__}: {text[:300]}"


class Maker(Make):
    """Makes the tensors of sample calls on one side of a comparison."""

    def __init__(
        self,
        subject: Subject,
        k: plugrad.Backend,
        dtype: Any,
        requires_grad: bool = False,
        seed: int | str = 0,
    ) -> None:
        super().__init__(dtype, k, requires_grad, seed)
        self.subject = subject

    def restarted(self, name: str) -> Maker:
        seed = super().restarted(name).seed
        return Maker(self.subject, self.k, self.dtype, self.requires_grad, seed)

    def shaped(self, values: list[Any], shape: tuple[int, ...], dtype: Any) -> Any:
        array = super().shaped(values, shape, self.subject.nearest(dtype))
        device = self.subject.device
        if device is None or self.k is not self.subject.k:
            return array
        return self.k.to_device(array, device.type, device.index)


def pairs(cell: Cell, requires_grad: bool = False) -> list[tuple[Any, Any]]:
    """The samples of a cell: for the backend, and for what it is compared with."""
    subject = cell.subject
    theirs = samples(cell, subject.reference, requires_grad)
    return list(zip(samples(cell, subject.k, requires_grad), theirs, strict=True))


def samples(cell: Cell, k: plugrad.Backend, requires_grad: bool = False) -> list[Any]:
    """The samples of a cell on one backend."""
    make = Maker(cell.subject, k, cell.dtype, requires_grad, cell.subject.seed)
    try:
        with plugrad.backend(k.name):
            return samples_of(cell.op, make)
    except plugrad.UnsupportedOpError as error:
        raise Unmade(str(error)) from error


def call(k: plugrad.Backend, function: Callable[..., Any], *args: Any, **named: Any):
    """What a call returns, or raises."""
    try:
        with plugrad.backend(k.name):
            return function(*args, **named)
    except Exception as error:
        return Raised(error)


def call_op(k: plugrad.Backend, op: Any, sample: Any) -> Any:
    """What a sample call returns, or raises."""
    return call(k, op.function, *sample.args, **sample.kwargs)


def tensors_in(value: Any) -> list[Any]:
    """All tensors in a sample, or in nested tuples, lists and dicts."""
    if isinstance(value, plugrad.Tensor):
        return [value]
    if hasattr(value, "kwargs"):
        value = [*value.args, *value.kwargs.values()]
    elif isinstance(value, dict):
        value = list(value.values())
    elif not isinstance(value, (list, tuple)):
        return []
    return [t for each in value for t in tensors_in(each)]


def wanted_in(sample: Any) -> list[Any]:
    """The tensors of a sample whose gradient is wanted, each once."""
    found = {id(t): t for t in tensors_in(sample) if t.requires_grad}
    return list(found.values())


def as_numpy(t: Any) -> Any:
    """The values of a tensor, wherever it is; 16 bits as 32."""
    array = np.asarray(t.detach().numpy(force=True))
    return array.astype(np.float32) if t.dtype.name in ROUNDINGS else array


def unavailable(subject: Subject, theirs: Any) -> bool:
    """Whether a result of the reference has a dtype that the backend lacks."""
    return any(t.dtype not in subject.k.by_dtype for t in tensors_in([theirs]))


def excused(cell: Cell, sample: Any, ours: Any, theirs: Any) -> bool:
    """Whether a call may raise UnsupportedOpError, as this one did: a dtype is not to
    be had, or an operand has one in which the op is left out."""
    if not (isinstance(ours, Raised) and ours.unsupported):
        return False
    named = [*sample.args, *sample.kwargs.values()]
    missing = [d for d in named if isinstance(d, plugrad.dtype)]
    return (
        unavailable(cell.subject, theirs)
        or any(d not in cell.subject.k.by_dtype for d in missing)
        or any(t.dtype.name in cell.left_out for t in tensors_in(sample))
    )


def difference(
    subject: Subject, ours: Any, theirs: Any, loosely: float = 1
) -> str | None:
    """What differs between two results, or None; `loosely` widens the tolerances."""
    if isinstance(ours, Raised) or isinstance(theirs, Raised):
        if isinstance(ours, Raised) and isinstance(theirs, Raised):
            return None  # with what type is a test of its own
        if isinstance(theirs, Raised):
            return f"no error, but {shown(ours)}; expected {theirs!r}"
        return f"{ours!r}; expected {shown(theirs)}"
    if isinstance(theirs, plugrad.Tensor):
        return tensor_difference(subject, ours, theirs, loosely)
    if isinstance(theirs, (tuple, list)):
        if not isinstance(ours, (tuple, list)) or len(ours) != len(theirs):
            return f"{shown(ours)}; expected {len(theirs)} outputs"
        found = (difference(subject, a, b, loosely) for a, b in zip(ours, theirs))
        found = (f"output {i}: {text}" for i, text in enumerate(found) if text)
        return next(found, None)
    same = type(ours) is type(theirs) and (ours == theirs or ours != ours)
    return None if same else f"{ours!r}; expected {theirs!r}"


def tensor_difference(
    subject: Subject, ours: Any, theirs: Any, loosely: float
) -> str | None:
    """What differs between a tensor and the one that was expected, or None."""
    if not isinstance(ours, plugrad.Tensor):
        return f"{ours!r}; expected a Tensor"
    if ours.backend != subject.k.name:
        return f"a tensor of backend {ours.backend!r}"
    a = as_numpy(ours)
    for name, mine, other in (
        ("shape", tuple(ours.shape), tuple(theirs.shape)),
        ("dtype", ours.dtype, theirs.dtype),
        ("shape of its values", a.shape, tuple(theirs.shape)),
    ):
        if mine != other:
            return f"{name} {mine}; expected {other}"
    b = as_numpy(theirs)
    rtol, atol = subject.tolerances(ours.dtype.name)
    if close(a, b, rtol * loosely, atol * loosely, ours.dtype.name):
        return None
    return f"{text_of(a)}; expected {text_of(b)}"


def close(a: Any, b: Any, rtol: float, atol: float, dtype: str) -> bool:
    """Whether all elements are near their expected ones, or not finite like them."""
    if not (rtol or atol):
        return bool(np.all(a == b))
    if dtype in ROUNDINGS:
        finite = np.abs(b)[np.isfinite(b)]
        rounding = 2 * ROUNDINGS[dtype]
        rtol, atol = max(rtol, rounding), max(atol, rounding * finite.max(initial=1))
    with np.errstate(all="ignore"):
        near = np.abs(a - b) <= atol + rtol * np.abs(b)
    same = (a == b) | (np.isfinite(a) & near) | ((a != a) & (b != b))
    return bool(np.all(same))


def text_of(array: Any) -> str:
    """A short form of an array's values."""
    return np.array2string(array, threshold=12, precision=9).replace("\n", "")


def shown(value: Any) -> str:
    """A short form of a result."""
    if isinstance(value, plugrad.Tensor):
        return f"{value.dtype}{list(value.shape)}"
    text = ", ".join(map(shown, value)) if isinstance(value, (tuple, list)) else None
    return repr(value) if text is None else f"({text})"


def check(found: list[tuple[Any, str]]) -> None:
    """Fail if anything was found; the message names the samples and their shapes."""
    __tracebackhide__ = True
    if found:
        lines = [f"{sample.kind!r}, {sample}: {text}" for sample, text in found[:5]]
        more = f"\n... and {len(found) - 5} more" if len(found) > 5 else ""
        raise AssertionError(f"{len(found)} samples differ\n" + "\n".join(lines) + more)


def spread(found: list[Any], most: int) -> list[Any]:
    """At most so many entries of a list, from all over it."""
    count = min(most, len(found))
    return [found[i * len(found) // count] for i in range(count)]


def ramp(cell: Cell, k: plugrad.Backend, t: Any) -> Any:
    """A gradient for an output: other numbers at each element."""
    n = t.shape.numel()
    make = Maker(cell.subject, k, t.dtype)
    values = [0.5 + i / max(n, 1) for i in range(n)]
    return make.tensor(make.shaped(values, tuple(t.shape), t.dtype))


def compared(cell: Cell, requires_grad: bool = False) -> Iterator[tuple[Any, ...]]:
    """(sample, result, expected sample, expected result) of a cell; those left out
    that the backend may refuse."""
    for mine, other in pairs(cell, requires_grad):
        theirs = call_op(cell.subject.reference, cell.op, other)
        ours = call_op(cell.subject.k, cell.op, mine)
        if isinstance(theirs, Raised) and theirs.unsupported:
            continue  # there is nothing to compare with
        if not excused(cell, mine, ours, theirs):
            yield mine, ours, other, theirs
