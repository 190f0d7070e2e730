"""`data`, `grad` and `requires_grad` as PyTorch has them."""

from __future__ import annotations

import numpy as np

from tests.against_torch.same import cases, grown, noted, same, x

# Functions made in a loop are called in its same turn.


# --- data, grad, requires_grad


def assigned(name, make, value):
    def call(m):
        t = make(m)
        setattr(t, name, value(m))
        return t, getattr(t, name), t.is_leaf

    return call


def leaf(m):
    return x(m, 2, 3, requires_grad=True)


@cases(
    assigned("data", leaf, lambda m: m.ones(2, 3)),
    assigned("data", leaf, lambda m: m.ones(4)),
    assigned("data", leaf, lambda m: m.ones(2, dtype=m.float64)),
    assigned("data", leaf, lambda m: m.ones(2, dtype=m.int64)),
    assigned("data", lambda m: m.ones(2), lambda m: m.ones(3, dtype=m.int64)),
    assigned("data", leaf, grown),
    assigned("data", leaf, lambda m: [1]),
    assigned("data", leaf, lambda m: None),
    lambda m: delattr(m.ones(2), "data"),
    assigned("grad", leaf, lambda m: m.ones(2, 3)),
    assigned("grad", leaf, lambda m: None),
    assigned("grad", leaf, grown),
    assigned("grad", leaf, lambda m: m.ones(3, 2)),
    assigned("grad", leaf, lambda m: m.ones(4)),
    assigned("grad", leaf, lambda m: m.ones(2, 3, dtype=m.float64)),
    assigned("grad", leaf, lambda m: 3),
    assigned("grad", leaf, lambda m: True),
    assigned("grad", leaf, lambda m: np.ones((2, 3), np.float32)),
    assigned("grad", lambda m: x(m, 2, 3), lambda m: m.ones(2, 3)),
    lambda m: setattr(t := leaf(m), "grad", t),
    lambda m: (t := noted(m), delattr(t, "grad"))[0].grad,
    assigned("requires_grad", lambda m: x(m, 2), lambda m: True),
    assigned("requires_grad", leaf, lambda m: False),
    assigned("requires_grad", lambda m: x(m, 2, dtype="int64"), lambda m: True),
    assigned("requires_grad", lambda m: x(m, 2, dtype="int64"), lambda m: False),
    assigned("requires_grad", lambda m: x(m, 2, dtype="complex64"), lambda m: True),
    assigned("requires_grad", grown, lambda m: False),
    assigned("requires_grad", grown, lambda m: True),
    *[
        assigned("requires_grad", lambda m: x(m, 2), lambda m, v=v: v)
        for v in (1, None)
    ],
    lambda m: x(m, 2).requires_grad_(1),
    lambda m: x(m, 2).requires_grad_(requires_grad=True),
    lambda m: x(m, 2, dtype="int64").requires_grad_(),
    lambda m: x(m, 2, dtype="int64").requires_grad_(False),
    lambda m: grown(m).requires_grad_(),
    lambda m: grown(m).requires_grad_(False),
    lambda m: x(m, 2)[0].requires_grad_().is_leaf,
    lambda m: grown(m).detach_(),
    lambda m: leaf(m).detach_(),
    lambda m: grown(m)[0].detach_(),
)
def test_data_grad_requires_grad(call):
    same(call)


@cases(
    lambda m: (t := x(m, 3), setattr(u := leaf(m), "data", t), t.add_(1), u)[-1],
    lambda m: (t := leaf(m), t.data.add_(1), t)[-1],
    lambda m: (t := leaf(m), t.detach().add_(1), t)[-1],
    lambda m: (
        t := leaf(m),
        setattr(t, "data", m.ones(3)),
        (t * t).sum().backward(),
        t.grad,
    )[-1],
)
def test_data_shares_memory(call):
    same(call)
