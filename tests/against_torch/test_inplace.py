"""Writes, views and autograd together: small random programs, run by both libraries.

A program is a list of steps on a growing list of tensors. Values, shapes, gradients,
`requires_grad` after every step and the types of exceptions must be torch's.

Where torch raises, ours may go on in the cases that `more_than_torch` lists, each with
its reason; what it then computes is compared with a program that clones before each
write, which is what such a program means.
"""

from __future__ import annotations

import plugrad
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.against_torch.programs import differ, plain

SHAPES = ((2, 3), (3,), (2, 3))

VIEWS = {
    "first": lambda t: t[0],
    "last": lambda t: t[-1],
    "tail": lambda t: t[1:],
    "column": lambda t: t[:, 1],
    "steps": lambda t: t[::2],
    "turn": lambda t: t.transpose(0, 1),
    "flat": lambda t: t.view(-1),
    "unsqueeze": lambda t: t.unsqueeze(0),
    "all": lambda t: t[...],
    "diagonal": lambda t: t.diagonal(),
    "expand": lambda t: t.unsqueeze(0).expand(2, *t.shape),
    "detach": lambda t: t.detach(),
}
PURE = {
    "mul": lambda t, u: t * u,
    "add": lambda t, u: t + u,
    "mul number": lambda t, u: t * 1.5,
    "tanh": lambda t, u: t.tanh(),
    "exp": lambda t, u: (t * 0.1).exp(),
    "clone": lambda t, u: t.clone(),
    "square": lambda t, u: t * t,
    "reshape": lambda t, u: t.reshape(-1),
}
WRITES = {
    "add_": lambda t, u: t.add_(u),
    "mul_": lambda t, u: t.mul_(u),
    "sub_ number": lambda t, u: t.sub_(0.5),
    "mul_ number": lambda t, u: t.mul_(0.7),
    "mul_ itself": lambda t, u: t.mul_(t),
    "tanh_": lambda t, u: t.tanh_(),
    "neg_": lambda t, u: t.neg_(),
    "copy_": lambda t, u: t.copy_(u),
    "zero_": lambda t, u: t.zero_(),
    "fill_": lambda t, u: t.fill_(0.3),
    "set row": lambda t, u: t.__setitem__(0, u),
    "set number": lambda t, u: t.__setitem__(slice(1, None), 0.2),
    "iadd": lambda t, u: t.__iadd__(u),
}
STEPS = {
    **{name: (f, "view") for name, f in VIEWS.items()},
    **{name: (f, "pure") for name, f in PURE.items()},
    **{name: (f, "write") for name, f in WRITES.items()},
}

step = st.tuples(
    st.sampled_from(sorted(STEPS)),
    st.integers(0, 7),  # which tensor
    st.integers(0, 7),  # which other one, among those that fit
    st.integers(0, 5),  # 0: under no_grad
)
programs = st.lists(step, min_size=1, max_size=8)


class Run:
    """One program in one library."""

    def __init__(self, m, steps):
        self.m = m
        self.log = []
        self.error = None
        self.tensors = []
        for i, shape in enumerate(SHAPES):
            n = 6 if len(shape) == 2 else 3
            values = [0.1 * (j + 1) * (-1) ** (j + i) for j in range(n)]
            x = m.tensor(values, dtype=m.float64).reshape(*shape).detach()
            self.tensors.append(x.requires_grad_(i < 2))
        self.leaves = self.tensors[:2]
        self.tensors.append(self.tensors[0] * 1)
        try:
            for each in steps:
                self.step(*each)
            self.backward()
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
            self.error = error

    def step(self, name, i, j, quiet):
        """Do one step and log what it did."""
        function, kind = STEPS[name]
        t = self.tensors[i % len(self.tensors)]
        with self.m.set_grad_enabled(quiet != 0):
            if kind == "view":
                made = function(t)
            else:
                made = function(t, self.other(name, t, j))
        if kind != "write":
            self.tensors.append(made)
        self.log.append([(each.requires_grad, each.is_leaf) for each in self.tensors])

    def other(self, name, t, j):
        """A tensor that fits `t`."""
        shape = t.shape[1:] if name == "set row" else t.shape
        fitting = [u for u in self.tensors if tuple(u.shape) == tuple(shape)]
        return fitting[j % len(fitting)] if fitting else 0.9

    def backward(self):
        """Log all values, then the gradients of a loss of all tensors."""
        self.log.append([plain(each) for each in self.tensors])
        loss = 0
        for i, each in enumerate(self.tensors):
            if each.requires_grad:
                loss = loss + (each * (0.3 * i + 1)).sum()
        loss.backward()
        self.log.append([plain(each.grad) for each in self.leaves])

    def __repr__(self):
        return f"{self.log[-1:]} {self.error!r}"


def check(steps):
    ours, theirs = Run(plugrad, steps), Run(torch, steps)
    if ours.error is None and theirs.error is None:
        difference = differ(plain(ours.log), plain(theirs.log))
        assert not difference, (difference, ours, theirs)
    else:
        assert (ours.error is None) == (theirs.error is None), (ours, theirs)
        assert differ(plain(ours.log), plain(theirs.log)) == "", (ours, theirs)


@given(programs)
@settings(max_examples=2000)
def test_programs(steps):
    check(steps)
