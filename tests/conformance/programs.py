"""Long programs that write in place: many steps, drawn by a seed, on one tensor.

Each step keeps the numbers small, and is one that autograd can undo.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

STEPS = 150
SHAPE = (4, 5)

Step = Callable[[Any, Any, int], Any]  # of the tensor, another one, and a row

WHOLE: list[Step] = [
    lambda t, u, i: t.add_(u, alpha=0.3),
    lambda t, u, i: t.mul_(u),
    lambda t, u, i: t.sub_(u[i]),
    lambda t, u, i: t.tanh_(),
    lambda t, u, i: t.sigmoid_(),
    lambda t, u, i: t.clamp_(-1.5, 1.5),
    lambda t, u, i: t.mul_(0.9).add_(0.05),
    lambda t, u, i: t.copy_(t.flip(0)),
    lambda t, u, i: t.masked_fill_(u > 1.9, 0.25),
    lambda t, u, i: t.addcmul_(u, u, value=0.1),
]


def put(t: Any, index: Any, value: Any) -> None:
    t[index] = value


INDEXED: list[Step] = [
    lambda t, u, i: put(t, i, u[i] * 0.5),
    lambda t, u, i: put(t, (slice(None), i), 0.25),
    lambda t, u, i: put(t, i, t[i - 1].clone()),
    lambda t, u, i: put(t, u > 1.5, 0.75),
    lambda t, u, i: put(t, (slice(None, None, 2), slice(1, 3)), t[::2, 2:4] * 0.5),
    lambda t, u, i: put(t, ([0, i], [i, 1]), 0.1),
    lambda t, u, i: t.tanh_(),
]

VIEWS: list[Step] = [
    lambda t, u, i: t[i].tanh_(),
    lambda t, u, i: t[:, 1:3].mul_(0.8),
    lambda t, u, i: t.t()[i].sub_(u[:, i], alpha=0.4),
    lambda t, u, i: t.permute(1, 0)[i].sigmoid_(),
    lambda t, u, i: t.view(-1)[i::3].add_(0.2),
    lambda t, u, i: t.view(2, 10)[1, i:].sigmoid_(),
    lambda t, u, i: t[::2].copy_(u[::2]),
    lambda t, u, i: t.narrow(0, 1, 2).unsqueeze(0).mul_(u[i]),
    lambda t, u, i: t.tanh_(),
]

PROGRAMS = {
    "WritesWhole": WHOLE,
    "WritesByIndex": INDEXED,
    "WritesThroughViews": VIEWS,
    "WritesOfAllSorts": WHOLE + INDEXED + VIEWS,
}


def run(name: str, x: Any, u: Any) -> list[Any]:
    """The tensor that a program leaves, a part of it that was taken in the middle, and
    the gradients of both inputs, if they want any."""
    random, t = Random(name), x * 1
    for _ in range(STEPS // 2):
        random.choice(PROGRAMS[name])(t, u, random.randrange(SHAPE[0]))
    seen = t[1].clone()
    for _ in range(STEPS // 2):
        random.choice(PROGRAMS[name])(t, u, random.randrange(SHAPE[0]))
    if not x.requires_grad:
        return [t, seen]
    (t.sum() + (seen * seen).sum()).backward()
    return [t, seen, x.grad, u.grad]


def needs_views(name: str) -> bool:
    """Whether a program writes through views."""
    return VIEWS[0] in PROGRAMS[name]
