"""Which elements, and how much of each, make an element of a resized dimension.

Positions are counted in the old elements. A table is (indices, weights), each a list of
rows: row t has the t-th term of every new element. Tables are lists of Python numbers,
computed once for each pair of sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import floor, pi, sin
from struct import pack, unpack

__all__: list[str] = []

Table = tuple[list[list[int]], list[list[float]]]


def float32(value: float) -> float:
    """The nearest number of 32 bits."""
    return unpack("f", pack("f", value))[0]


def step(n: int, new: int, scale: float | None, corners: bool) -> float:
    """How far apart the new elements lie. With `corners`, the first and the last ones
    lie on the first and the last old ones; else the edges do."""
    if corners:
        return (n - 1) / (new - 1) if new > 1 else 0.0
    return 1 / scale if scale else n / new


@lru_cache(256)
def nearest(
    n: int, new: int, scale: float | None, exact: bool, image: bool
) -> list[int]:
    """The nearest old element of each new one: of its start or, `exact`, its middle. In
    32 bits, as PyTorch computes it, since at ties the last bit decides."""
    by = float32(step(n, new, scale, False))
    shift = 0.5 if exact else 0.0
    if image and new in (n, 2 * n) and not exact:  # PyTorch: whatever the factor
        return [i * n // new for i in range(new)]
    return [min(int(float32((i + shift) * by)), n - 1) for i in range(new)]


@lru_cache(256)
def linear(n: int, new: int, scale: float | None, corners: bool) -> Table:
    """Two neighbours."""
    by = step(n, new, scale, corners)
    if n == new:
        return [list(range(n))], [[1.0] * n]
    if corners:
        at = [i * by for i in range(new)]
    else:
        at = [max((i + 0.5) * by - 0.5, 0.0) for i in range(new)]
    low = [min(int(p), n - 1) for p in at]
    high = [min(i + 1, n - 1) for i in low]
    part = [min(max(p - i, 0.0), 1.0) for p, i in zip(at, low)]
    return [low, high], [[1 - p for p in part], part]


def cubic_near(x: float, a: float) -> float:
    """The cubic convolution filter up to distance 1."""
    return ((a + 2) * x - (a + 3)) * x * x + 1


def cubic_far(x: float, a: float) -> float:
    """The cubic convolution filter from distance 1 to 2."""
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a


@lru_cache(256)
def cubic(n: int, new: int, scale: float | None, corners: bool) -> Table:
    """Four neighbours; the outermost element goes on beyond the edge."""
    by = step(n, new, scale, corners)
    indices: list[list[int]] = [[], [], [], []]
    weights: list[list[float]] = [[], [], [], []]
    for i in range(new):
        at = i * by if corners else (i + 0.5) * by - 0.5
        low = floor(at)
        t = at - low
        each = cubic_far(t + 1, A), cubic_near(t, A), cubic_near(1 - t, A)
        for j, weight in enumerate((*each, cubic_far(2 - t, A))):
            indices[j].append(min(max(low - 1 + j, 0), n - 1))
            weights[j].append(weight)
    return indices, weights


A = -0.75  # the slope of the cubic filter at distance 1; -0.5 with antialiasing


def triangle(x: float) -> float:
    """The filter of linear interpolation."""
    return max(1 - abs(x), 0.0)


def smooth_cubic(x: float) -> float:
    """The filter of cubic interpolation, as it is used with antialiasing."""
    x = abs(x)
    if x < 1:
        return cubic_near(x, -0.5)
    return cubic_far(x, -0.5) if x < 2 else 0.0


def lanczos(x: float) -> float:
    """A sinc in the window of a wider one."""
    if not -3 <= x < 3:
        return 0.0
    if x == 0:
        return 1.0
    return sin(pi * x) / (pi * x) * sin(pi * x / 3) / (pi * x / 3)


FILTERS: dict[str, tuple[int, Callable[[float], float]]] = {
    "bilinear": (1, triangle),
    "bicubic": (2, smooth_cubic),
    "lanczos": (3, lanczos),
}


@lru_cache(256)
def smoothed(mode: str, n: int, new: int, scale: float | None, corners: bool) -> Table:
    """All elements that a filter reaches; it is as wide as the new elements are."""
    reach, function = FILTERS[mode]
    by = step(n, new, scale, corners)
    wide = max(by, 1.0)
    starts: list[int] = []
    sums: list[list[float]] = []
    for i in range(new):
        middle = by * (i + 0.5)
        first = max(int(middle - reach * wide + 0.5), 0)
        last = min(int(middle + reach * wide + 0.5), n)
        each = [function((j - middle + 0.5) / wide) for j in range(first, last)]
        total = sum(each)
        starts.append(first)
        sums.append([w / total for w in each] if total else each)
    most = max(len(each) for each in sums)
    indices = [[min(s + t, n - 1) for s in starts] for t in range(most)]
    weights = [[w[t] if t < len(w) else 0.0 for w in sums] for t in range(most)]
    return indices, weights


TABLES = {"linear": linear, "bilinear": linear, "trilinear": linear, "bicubic": cubic}
