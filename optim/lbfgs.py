"""L-BFGS: steps by a model of the curvature, from the last steps and gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plugrad
from plugrad import Tensor

from .optimizer import Optimizer, ParamsT, State, check

__all__ = ["LBFGS"]

Closure = Callable[[], Any]


class LBFGS(Optimizer):
    """Quasi-Newton steps for smooth problems; `step` calls the closure several times.

    There is one group of parameters. With `line_search_fn="strong_wolfe"` the length of
    each step is searched for, otherwise it is `lr`.

    >>> import plugrad
    >>> x = plugrad.tensor([-1.2, 1.0], dtype=plugrad.float64, requires_grad=True)
    >>> optimizer = plugrad.optim.LBFGS([x], line_search_fn="strong_wolfe", max_iter=60)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> print(f"{optimizer.step(closure).item():.1f}")
    24.2
    >>> x
    tensor([1.0000, 1.0000], dtype=plugrad.float64, requires_grad=True)
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check(lr=(lr, 0, None))
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups)"
            )

    def step(self, closure: Closure) -> Any:
        """Iterate up to `max_iter` times; the result is the closure's first."""
        with plugrad.no_grad():
            return self.iterate(closure)

    def iterate(self, closure: Closure) -> Any:
        """The steps; what the next call needs stays in the first parameter's state."""
        (group,) = self.param_groups
        options = self.numbers(group)
        change, most = options["tolerance_change"], options["max_eval"]
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = self.evaluated(closure)
        loss, g = float(first), self.flat_gradient()
        evaluations = 1
        state["func_evals"] += 1
        if largest(g) <= options["tolerance_grad"]:
            return first
        for i in range(1, options["max_iter"] + 1):
            state["n_iter"] += 1
            is_start = state["n_iter"] == 1
            if is_start:
                state.update(d=-g, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            else:
                remember(state, g, options["history_size"])
                state["d"] = direction(state, g)
            d, before = state["d"], loss
            state["prev_flat_grad"], state["prev_loss"] = g, loss
            t = min(1.0, 1.0 / g.abs().sum().item()) if is_start else 1.0
            t = state["t"] = t * options["lr"]
            slope = g.dot(d).item()
            if slope > -change:  # so little that rounding decides
                break
            used = 0
            if options["line_search_fn"] is not None:
                start = Point(0.0, loss, g, slope)
                found, used = self.search(closure, start, t, d, most - evaluations)
                loss, g, t = found.loss, found.g, found.t
                state["t"] = t
                self.move(t, d)
            else:
                self.move(t, d)
                if i < options["max_iter"]:  # the next call would do it again
                    loss, g = float(self.evaluated(closure)), self.flat_gradient()
                    used = 1
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= most
                or largest(g) <= options["tolerance_grad"]
                or largest(d) * abs(t) <= change
                or abs(loss - before) < change
            ):
                break
        return first

    def search(
        self, closure: Closure, start: Point, t: float, d: Tensor, most: int
    ) -> tuple[Point, int]:
        """The point along `d` that the line search finds, and its evaluations."""
        (group,) = self.param_groups
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError(
                "only 'strong_wolfe' is supported as line_search_fn, not "
                f"{group['line_search_fn']!r}"
            )
        origin = [p.clone() for p in group["params"]]

        def at(t: float) -> Point:
            self.move(t, d)
            loss, g = float(self.evaluated(closure)), self.flat_gradient()
            for p, before in zip(group["params"], origin):
                p.copy_(before)
            return Point(t, loss, g, g.dot(d).item())

        tolerance = group["tolerance_change"] / (largest(d) or 1.0)
        return strong_wolfe(at, start, t, most, tolerance)

    def evaluated(self, closure: Closure) -> Any:
        with plugrad.enable_grad():
            return closure()

    def flat_gradient(self) -> Tensor:
        """All gradients in a row, those of complex parameters as real numbers."""
        found = []
        for p in self.parameters():
            g = plugrad.zeros_like(p) if p.grad is None else p.grad.detach()
            g = g.to_dense() if g.is_sparse else g
            found.append((plugrad.view_as_real(g) if g.is_complex() else g).flatten())
        return plugrad.cat(found)

    def move(self, t: float, d: Tensor) -> None:
        """Add `t` times `d` to the parameters."""
        at = 0
        for p in self.parameters():
            p = plugrad.view_as_real(p.detach()) if p.is_complex() else p
            p.add_(d[at : at + p.numel()].view(p.shape), alpha=t)
            at += p.numel()


def largest(x: Tensor) -> float:
    return x.abs().max().item()


def remember(state: State, g: Tensor, most: int) -> None:
    """Add the last step and what it did to the gradient, if the curvature there is
    positive; forget the oldest."""
    y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
    curvature = y.dot(s).item()
    if curvature <= 1e-10:
        return
    for name, each in (("old_dirs", y), ("old_stps", s), ("ro", 1.0 / curvature)):
        if len(state[name]) == most:
            state[name].pop(0)
        state[name].append(each)
    state["H_diag"] = curvature / y.dot(y).item()


def direction(state: State, g: Tensor) -> Tensor:
    """Minus the gradient, times the inverse of the curvature that is remembered."""
    pairs = list(zip(state["old_dirs"], state["old_stps"], map(float, state["ro"])))
    d, shares = -g, []
    for y, s, factor in reversed(pairs):
        shares.append(s.dot(d).item() * factor)
        d.sub_(y, alpha=shares[-1])
    d.mul_(float(state["H_diag"]))
    for (y, s, factor), share in zip(pairs, reversed(shares)):
        d.add_(s, alpha=share - y.dot(d).item() * factor)
    return d


# --- The line search ------------------------------------------------------------------

ARMIJO, WOLFE = 1e-4, 0.9  # how much less loss, and how much less slope, is enough


@dataclass
class Point:
    """What is known at distance `t` along a line."""

    t: float
    loss: float
    g: Tensor
    slope: float


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, most: int, tolerance: float
) -> tuple[Point, int]:
    """A point with enough less loss and slope, and how often `at` was called: go on
    until an interval must hold one, then make that smaller."""
    before, point, n = start, at(t), 0
    while n < most:
        if too_high(point, start) or (n > 1 and point.loss >= before.loss):
            break
        if is_flat(point, start):
            return point, n + 1
        if point.slope >= 0:
            break
        bounds = point.t + 0.01 * (point.t - before.t), point.t * 10
        before, point = point, at(lowest_between(before, point, *bounds))
        n += 1
    else:
        before = start
    return zoom(at, start, [before, point], n, most, tolerance)


def zoom(
    at: Callable[[float], Point],
    start: Point,
    ends: list[Point],
    n: int,
    most: int,
    tolerance: float,
) -> tuple[Point, int]:
    """Make the interval between two points smaller; the result is the better end."""
    low = 0 if ends[0].loss <= ends[1].loss else 1
    is_stuck = False
    while n < most and abs(ends[1].t - ends[0].t) >= tolerance:
        t, is_stuck = inside(ends, is_stuck)
        point = at(t)
        n += 1
        if too_high(point, start) or point.loss >= ends[low].loss:
            ends[1 - low] = point
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        is_done = is_flat(point, start)
        if not is_done and point.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
        if is_done:
            break
    return ends[low], n + 1


def inside(ends: list[Point], is_stuck: bool) -> tuple[float, bool]:
    """Where to look next in an interval, and whether that is close to its border: the
    second time in a row it is not, lest the interval hardly shrinks."""
    least, most = sorted(end.t for end in ends)
    t = lowest_between(*ends, least, most)
    margin = 0.1 * (most - least)
    if min(most - t, t - least) >= margin:
        return t, False
    if not is_stuck and least < t < most:
        return t, True
    return (most - margin if abs(t - most) < abs(t - least) else least + margin), False


def too_high(point: Point, start: Point) -> bool:
    return point.loss > start.loss + ARMIJO * point.t * start.slope


def is_flat(point: Point, start: Point) -> bool:
    return abs(point.slope) <= -WOLFE * start.slope


def lowest_between(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic through two points and their slopes is lowest, within bounds; in
    the middle where it has no such place."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean**2 - a.slope * b.slope
    if square >= 0:
        root = math.sqrt(square)
        below = b.slope - a.slope + 2 * root
        if below:
            t = b.t - (b.t - a.t) * ((b.slope + root - mean) / below)
            return min(max(t, least), most)
    return (least + most) / 2
