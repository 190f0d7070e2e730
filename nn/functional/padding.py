"""More elements around a tensor: constants, or its own elements again.

- `pad` is what users call; sizes come in pairs (before, after), the last dimension's
  first, and negative ones cut elements off.
- The gradient of padding by constants is padding by the negative sizes. That of
  padding by repeated elements adds each repetition to where it came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample

__all__ = ["pad"]


@op(method=False, oracle="torch.constant_pad_nd")
def constant_pad_nd(k: Any, x: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """`value` around x: `pad` has (before, after) of the last dimension, then of the
    one before it, and so on.

    >>> import plugrad
    >>> from plugrad.nn.functional import padding
    >>> padding.constant_pad_nd(plugrad.ones(2), (1, -1), 7.0)
    tensor([7., 1.])
    """
    if k.isdtype(x.dtype, "bool"):
        value = bool(value)
    elif k.isdtype(x.dtype, "integral"):
        value = int(value)
    n = x.ndim
    if len(pad) > 2 * n or len(pad) % 2:
        raise RuntimeError(
            f"pad must have two numbers for each of at most {n} dimensions, not "
            f"{len(pad)} in all"
        )
    cut, grow = [slice(None)] * n, []
    for i in range(len(pad) // 2):
        d, low, high = n - 1 - i, pad[2 * i], pad[2 * i + 1]
        if x.shape[d] + low + high < 0:
            raise RuntimeError(
                f"padding of {low} and {high} leaves less than nothing of the "
                f"{x.shape[d]} elements of dimension {d}"
            )
        cut[d] = slice(max(-low, 0), x.shape[d] - max(-high, 0))
        grow.append((d, max(low, 0), max(high, 0)))
    y = x[tuple(cut)] if n else x
    for d, low, high in grow:
        parts = [filled(k, y, d, low, value), y, filled(k, y, d, high, value)]
        if low or high:
            y = k.concat([part for part in parts if part.shape[d]] or [y], axis=d)
    return k.asarray(y, copy=True) if not any(pad) else y


def filled(k: Any, y: Any, d: int, size: int, value: Any) -> Any:
    """A part of `size` along `d` to join to `y`."""
    shape = (*y.shape[:d], size, *y.shape[d + 1 :])
    return k.full(shape, value, dtype=y.dtype)


constant_pad_nd.grad(
    x=lambda k, g, pad: k.constant_pad_nd(g, tuple([-n for n in pad]), 0)
)


@constant_pad_nd.samples
def _(make: Any) -> Iterator[Sample]:
    for pad in ((1, 2), (-1, 2), (1, -1), (0, 0), (-1, -2), (3, 0), ()):
        yield Sample(make(3), pad)
        yield Sample(make(2, 3), pad, 1)
    for pad in ((1, 2, 0, 1), (-1, 1, 1, -2), (0, 0, 2, 2)):
        yield Sample(make(2, 3), pad, 2)
        yield Sample(make.strided(2, 2, 3), pad)
        yield Sample(make(2, 0, 3), pad)
    yield Sample(make(), ())
    yield Sample(make(2, 3), (1, 1, 1, 1, 1, 1)).named("too many", smooth=False)
    if make.floating:
        yield Sample(make(2, 1, 2, 2), (1, 0, 0, 1, 1, 1, 2, 0), 0.5)


# --- The elements again -------------------------------------------------------------


def repeats(mode: str, low: int, n: int, high: int) -> list[tuple[slice, slice]]:
    """Where repeated elements stand along a padded dimension, and which they are; the
    dimension has `n` own elements from position `low` on."""
    end = low + n
    if mode == "circular":
        pairs = slice(n, n + low), slice(low, low + high)
    elif mode == "replicate":
        pairs = slice(low, low + 1), slice(end - 1, end)
    else:
        stop = end - 2 - high
        pairs = slice(2 * low, low, -1), slice(end - 2, stop if stop >= 0 else None, -1)
    places = (slice(0, low), pairs[0]), (slice(end, end + high), pairs[1])
    return [place for place, size in zip(places, (low, high)) if size]


def along(d: int, part: slice) -> tuple[slice, ...]:
    """The index of a part of dimension `d`."""
    return (slice(None),) * d + (part,)


@op(method=False, oracle=None)
def repeat_pad(k: Any, x: Tensor, pad: Sequence[int], mode: str) -> Tensor:
    """Elements of x repeated around it: mirrored ("reflect"), the outermost one
    ("replicate") or those of the other end ("circular").

    >>> import plugrad
    >>> from plugrad.nn.functional import padding
    >>> padding.repeat_pad(plugrad.arange(3), (2, 1), "circular")
    tensor([1, 2, 0, 1, 2, 0])
    """
    y = x
    for i in range(len(pad) // 2):
        d, low, high = x.ndim - 1 - i, pad[2 * i], pad[2 * i + 1]
        n = x.shape[d]
        parts = [y]
        for place, source in repeats(mode, 0, n, high):
            parts.append(part_of(k, y, d, source, place.stop - place.start))
        for place, source in repeats(mode, low, n, 0):
            # counted from the own elements' start
            stop = source.stop - low
            own = slice(source.start - low, stop if stop >= 0 else None, source.step)
            parts.insert(0, part_of(k, y, d, own, place.stop))
        if len(parts) > 1:
            y = k.concat(parts, axis=d)
    return k.asarray(x, copy=True) if y is x else y


def part_of(k: Any, y: Any, d: int, source: slice, size: int) -> Any:
    """`size` elements along `d`: those of `source`, or its only one repeated."""
    back = (source.step or 1) < 0  # not every library has slices with negative steps
    if back:
        source = slice(source.start - size + 1, source.start + 1)
    found = y[along(d, source) + (slice(None),) * (y.ndim - d - 1)]
    if back:
        return k.flip(found, axis=d)
    shape = (*y.shape[:d], size, *y.shape[d + 1 :])
    return k.broadcast_to(found, shape)


@op(promote="same", kinds="iufc", method=False, oracle=None)
def repeat_pad_back(k: Any, x: Tensor, pad: Sequence[int], mode: str) -> Tensor:
    """What `repeat_pad` would have made of a smaller tensor, with each repetition
    added to the element that it repeats.

    >>> import plugrad
    >>> from plugrad.nn.functional import padding
    >>> padding.repeat_pad_back(plugrad.tensor([1, 2, 3, 4]), (1, 0), "replicate")
    tensor([3, 3, 4])
    """
    y = x
    for i in range(len(pad) // 2):
        d, low, high = x.ndim - 1 - i, pad[2 * i], pad[2 * i + 1]
        n = y.shape[d] - low - high
        rest = (slice(None),) * (y.ndim - d - 1)
        total = y[along(d, slice(low, low + n)) + rest]
        for place, source in repeats(mode, low, n, high):
            part = y[along(d, place) + rest]
            start, step = source.start - low, source.step or 1
            if mode == "replicate":
                part = k.sum(part, axis=d, keepdims=True, dtype=part.dtype)
            elif step < 0:
                part = k.flip(part, axis=d)
                start = start - part.shape[d] + 1
            around = (start, n - start - part.shape[d])
            total = total + k.constant_pad_nd(part, (0, 0) * (y.ndim - d - 1) + around)
        y = total
    return k.asarray(x, copy=True) if y is x else y


repeat_pad.grad(x=lambda k, g, pad, mode: k.repeat_pad_back(g, pad, mode))
repeat_pad_back.grad(x=lambda k, g, pad, mode: k.repeat_pad(g, pad, mode))


@repeat_pad.samples
def _(make: Any) -> Iterator[Sample]:
    for mode in ("reflect", "replicate", "circular"):
        for pad in ((1, 2), (2, 1), (0, 2), (2, 0), (0, 0)):
            yield Sample(make(2, 3), pad, mode)
        yield Sample(make(2, 2, 3), (2, 1, 1, 0), mode)
        yield Sample(make.strided(1, 2, 2, 2), (1, 1, 1, 0, 0, 1), mode)
        yield Sample(make(0, 2, 3), (1, 1, 1, 1), mode)


@repeat_pad_back.samples
def _(make: Any) -> Iterator[Sample]:
    for mode in ("reflect", "replicate", "circular"):
        for pad in ((1, 2), (2, 1), (0, 2), (2, 0), (0, 0)):
            yield Sample(make(2, 7), pad, mode)
        yield Sample(make(2, 5, 7), (2, 1, 1, 0), mode)
        yield Sample(make.strided(1, 4, 4, 4), (1, 1, 1, 0, 0, 1), mode)
        yield Sample(make(0, 4, 5), (1, 1, 1, 1), mode)


# --- What users call ----------------------------------------------------------------


def pad(
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | None = None,
) -> Tensor:
    """More elements around a tensor.

    `pad` has (before, after) of the last dimension, then of the one before it, and so
    on; negative sizes cut elements off. The `mode` says what they are: "constant" (a
    `value`, else 0), "reflect" (mirrored at the outermost element), "replicate" (the
    outermost element) or "circular" (those of the other end).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([[1.0, 2.0, 3.0]])
    >>> F.pad(x, (1, 1))
    tensor([[0., 1., 2., 3., 0.]])
    >>> F.pad(x, (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    sizes = checked_sizes(input, pad)
    if mode == "constant":
        if value is None:
            value = 0
        elif isinstance(value, complex):
            raise TypeError(f"pad: value must be a real number, not {value!r}")
        check_cuts(input, sizes)
        return constant_pad_nd(input, sizes, value)
    if mode not in MODES:
        raise NotImplementedError(
            f"pad: there is no mode {mode!r}; there are 'constant', "
            f"{', '.join(repr(each) for each in MODES)}"
        )
    if value is not None and value != 0:
        raise RuntimeError(f"pad: mode {mode!r} takes no value, but got value={value}")
    return padded_by_elements(input, sizes, mode)


MODES = ("reflect", "replicate", "circular")


def checked_sizes(x: Tensor, pad: Sequence[int]) -> tuple[int, ...]:
    """The sizes as a tuple of ints, a pair for each of the last dimensions of `x`."""
    try:
        sizes = tuple([n.__index__() for n in pad])
    except (AttributeError, TypeError):
        raise TypeError(f"pad: sizes must be a tuple of ints, not {pad!r}") from None
    if not isinstance(x, Tensor):
        raise TypeError(f"pad: input must be a Tensor, not {type(x).__name__}")
    if len(sizes) % 2:
        raise RuntimeError(
            f"pad: sizes come in pairs (before, after), but got {len(sizes)}: {sizes}"
        )
    if len(sizes) > 2 * x.ndim:
        raise RuntimeError(
            f"pad: {len(sizes)} sizes are for {len(sizes) // 2} dimensions, but the "
            f"input has shape {list(x.shape)}"
        )
    return sizes


def check_cuts(x: Tensor, sizes: tuple[int, ...]) -> None:
    """Raise unless `x` has the elements that are to be cut off."""
    for d, low, high in triples(x, sizes):
        n = x.shape[d]
        if min(low, high) < 0 and min(low, high, low + high) < -n:
            raise RuntimeError(
                f"pad: sizes {(low, high)} cut more than the {n} elements of dimension "
                f"{d} of an input of shape {list(x.shape)}"
            )


def padded_by_elements(x: Tensor, sizes: tuple[int, ...], mode: str) -> Tensor:
    """`x` padded by its own elements; sizes below 0 are cut."""
    dims = len(sizes) // 2
    if not 1 <= dims <= 3 or x.ndim not in (dims + 1, dims + 2):
        raise NotImplementedError(
            f"pad: mode {mode!r} takes 2, 4 or 6 sizes for an input of (C, ...) or "
            f"(N, C, ...) with 1, 2 or 3 dimensions more, but got {len(sizes)} sizes "
            f"for shape {list(x.shape)}"
        )
    grow = tuple([max(n, 0) for n in sizes])
    cut = tuple([min(n, 0) for n in sizes])
    if mode == "circular":  # cut first: what is gone is not repeated
        if any(cut):
            check_cuts(x, cut)
            x = constant_pad_nd(x, cut)
        check_room(x, grow, mode)
        return repeat_pad(x, grow, mode)
    check_room(x, grow, mode)
    if any(x.shape[d] + a + b < 1 for d, a, b in triples(x, sizes)):
        raise RuntimeError(
            f"pad: sizes {sizes} leave no elements of an input of shape {list(x.shape)}"
        )
    y = repeat_pad(x, grow, mode)
    return constant_pad_nd(y, cut) if any(cut) else y


def triples(x: Tensor, sizes: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(dimension, before, after) for each pair of sizes."""
    found = range(len(sizes) // 2)
    return [(x.ndim - 1 - i, sizes[2 * i], sizes[2 * i + 1]) for i in found]


def check_room(x: Tensor, sizes: tuple[int, ...], mode: str) -> None:
    """Raise unless `x` has the elements that are to be repeated."""
    if mode == "circular":
        room = 0
    else:
        room = 1 if mode == "reflect" else -(1 << 62)
        if 0 in x.shape[-len(sizes) // 2 - 1 :]:
            raise RuntimeError(
                f"pad: mode {mode!r} needs elements, but the input has shape "
                f"{list(x.shape)}; only the batch may be empty"
            )
        if x.dtype.kind == "b":
            raise NotImplementedError(
                f"pad: mode {mode!r} is not implemented for {x.dtype}"
            )
    for d, low, high in triples(x, sizes):
        if max(low, high) > x.shape[d] - room:
            raise RuntimeError(
                f"pad: mode {mode!r} repeats at most {x.shape[d] - room} elements of "
                f"dimension {d} of an input of shape {list(x.shape)}, but sizes are "
                f"{(low, high)}"
            )
