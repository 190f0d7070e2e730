"""A training step of an MLP, against the same step written by hand in NumPy.

784-400-200-100-10 with relu, batches of 64, cross entropy, SGD. The products are the
same BLAS calls in plugrad and by hand, so the ratio is what recording costs where
arrays are not tiny. It is taken twice: with one thread for all, and with the number
that the libraries choose, which on a busy machine says more about the machine. All
start from the same weights; their losses are compared before anything is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np

from .isolation import ONE_THREAD, in_a_process
from .timing import Comparison, Plan, brief, compare, print_notes, progress, report

BAR = 1.10
SIZES = (784, 400, 200, 100, 10)
BATCH = 64
RATE = 0.01

Step = Callable[[], float]


class Problem:
    """Fixed random data and weights, the same for every contestant."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        pairs = list(pairwise(SIZES))
        self.images = rng.standard_normal((BATCH, SIZES[0])).astype(np.float32)
        labels = rng.integers(0, SIZES[-1], BATCH)
        self.targets = np.eye(SIZES[-1], dtype=np.float32)[labels]
        self.weights = [
            (rng.standard_normal((m, n)) * (2 / m) ** 0.5).astype(np.float32)
            for m, n in pairs
        ]
        self.biases = [np.zeros(n, np.float32) for _, n in pairs]


def by_hand(problem: Problem) -> Step:
    """What a careful person writes: no copies, temporaries reused in place.

    Arrays kept from step to step for the products gain 1 % more; nobody does that.
    """
    x, targets = problem.images, problem.targets
    weights = [w.copy() for w in problem.weights]
    biases = [b.copy() for b in problem.biases]
    last = len(weights) - 1

    def step() -> float:
        inputs, h = [], x  # (64, 784), then (64, 400) ... (64, 10)
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            inputs.append(h)
            h = h @ w
            h += b
            if i < last:
                np.maximum(h, 0, out=h)
        shift = h.max(1, keepdims=True)
        g = np.exp(h - shift)
        total = g.sum(1, keepdims=True)
        per_image = np.log(total) + shift - (h * targets).sum(1, keepdims=True)
        g /= total
        g -= targets
        g /= BATCH
        for i in range(last, -1, -1):
            h = inputs[i]
            weight_grad, bias_grad = h.T @ g, g.sum(0)
            if i:
                g = g @ weights[i].T
                g *= h > 0
            weight_grad *= RATE
            bias_grad *= RATE
            weights[i] -= weight_grad
            biases[i] -= bias_grad
        return per_image.mean()

    return step


def torchlike(t: ModuleType, problem: Problem) -> Step:
    """The step in torch's API; torch and plugrad run this very code."""
    x, targets = t.tensor(problem.images), t.tensor(problem.targets)
    weights = [t.tensor(w, requires_grad=True) for w in problem.weights]
    biases = [t.tensor(b, requires_grad=True) for b in problem.biases]
    last = len(weights) - 1

    def step() -> float:
        h = x
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            h = h @ w + b
            if i < last:
                h = t.relu(h)
        loss = (t.logsumexp(h, 1) - (h * targets).sum(1)).mean()
        loss.backward()
        with t.no_grad():
            for p in (*weights, *biases):
                p.sub_(p.grad, alpha=RATE)
                p.grad = None
        return loss.item()

    return step


def run(quick: bool = False) -> dict[str, Any]:
    progress("step: one thread")
    one, notes = in_a_process(_measure, quick, ONE_THREAD)
    progress("step: default threads")
    default, _ = in_a_process(_measure, quick)
    progress("")
    comparisons = {"one thread": one, "default threads": default}
    title = f"MLP {'-'.join(map(str, SIZES))}"
    report(title, f"µs for a step, batch {BATCH}", comparisons)
    print_notes(notes)
    return {"steps": comparisons, "notes": notes}


def _measure(quick: bool) -> tuple[Comparison, list[str]]:
    # Threads of one library's pool spin for a while before they sleep: torch took 25 %
    # longer when its turn began 0.05 s after NumPy's, and no longer after 0.3 s.
    plan = Plan(rounds=31, turn=0.05, pause=0.3, patience=30.0)
    plan = plan.quick() if quick else plan
    calls, notes = _contestants()
    return compare(calls, plan, unit=1e-6, bar=BAR, against="NumPy"), notes


def _contestants() -> tuple[dict[str, Callable[[], object]], list[str]]:
    """A step for each library that has one, once five losses agree with NumPy's."""
    problem, notes = Problem(), []
    expected = _losses(by_hand(problem))
    calls: dict[str, Callable[[], object]] = {"NumPy by hand": by_hand(problem)}
    for name in ("torch", "plugrad"):
        try:
            library = import_module(name)
            losses = _losses(torchlike(library, problem))
            np.testing.assert_allclose(losses, expected, rtol=1e-4)
        except ModuleNotFoundError:
            notes.append(f"{name}: absent: pip install {name}")
        except Exception as error:
            notes.append(f"{name}: {brief(error)}")
        else:
            calls[name] = torchlike(library, problem)
    text = ", ".join(f"{loss:.4f}" for loss in expected)
    notes.append(f"the losses of five steps agree among {', '.join(calls)}: {text}")
    return calls, notes


def _losses(step: Step, count: int = 5) -> list[float]:
    return [float(step()) for _ in range(count)]
