"""Small random programs of views, writes and pure steps, run by both libraries.

A program is a list of steps on a growing list of tensors; it ends in first and second
gradients of a loss of all of them. `check` runs one and compares.
"""

from __future__ import annotations

import torch
from hypothesis import strategies as st

import plugrad
from tests.against_torch.programs import builtin, differ, plain

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
    "narrow": lambda t: t.narrow(0, 1, 1),
    "permute": lambda t: t.permute(1, 0),
    "squeeze": lambda t: t.squeeze(),
    "middle": lambda t: t[:, 1:2],
    "windows": lambda t: t.unfold(-1, 2, 2),
    "fold": lambda t: t.view(-1, 1),
    "detach": lambda t: t.detach(),
    "data": lambda t: t.data,
}
PURE = {
    "mul": lambda t, u: t * u,
    "add": lambda t, u: t + u,
    "mul number": lambda t, u: t * 1.5,
    "tanh": lambda t, u: t.tanh(),
    "exp": lambda t, u: (t * 0.1).exp(),
    "clone": lambda t, u: t.clone().contiguous(),  # torch keeps the order of steps
    "square": lambda t, u: t * t,
    "reshape": lambda t, u: t.reshape(-1),
    "sigmoid": lambda t, u: t.sigmoid(),
    "cumsum": lambda t, u: t.cumsum(0),
    "flip": lambda t, u: t.flip(0).contiguous(),
    "where": lambda t, u: t.where(t > 0.05, u),
    "pick": lambda t, u: t[[0, 0]],
    "mask": lambda t, u: t[t > 0.05],
    "mean": lambda t, u: t - t.mean(-1, keepdim=True),
}
WRITES = {
    "add_": lambda t, u: t.add_(u),
    "mul_": lambda t, u: t.mul_(u),
    "sub_ number": lambda t, u: t.sub_(0.5),
    "mul_ number": lambda t, u: t.mul_(0.7),
    "mul_ itself": lambda t, u: t.mul_(t),
    "tanh_": lambda t, u: t.tanh_(),
    "neg_": lambda t, u: t.neg_(),
    "div_": lambda t, u: t.div_(u * u + 1),
    "copy_": lambda t, u: t.copy_(u),
    "zero_": lambda t, u: t.zero_(),
    "fill_": lambda t, u: t.fill_(0.3),
    "set row": lambda t, u: t.__setitem__(0, u),
    "set number": lambda t, u: t.__setitem__(slice(1, None), 0.2),
    "iadd": lambda t, u: t.__iadd__(u),
    "set column": lambda t, u: t.__setitem__((..., 0), 0.1),
    "set mask": lambda t, u: t.__setitem__(t > 0.05, 0.6),
    "set list": lambda t, u: t.__setitem__([0, -1], 0.8),
    "masked_fill_": lambda t, u: t.masked_fill_(t > 0.05, 0.4),
    "sigmoid_": lambda t, u: t.sigmoid_(),
    "pow_": lambda t, u: t.pow_(2),
    "addcmul_": lambda t, u: t.addcmul_(u, u, value=0.5),
    "lerp_": lambda t, u: t.lerp_(u, 0.3),
    "clamp_": lambda t, u: t.clamp_(-0.25, 0.25),
    "cumsum_": lambda t, u: t.cumsum_(0),
}
SAME_AS = {
    "tanh_": lambda t, u: t.copy_(t.tanh()),
    "sigmoid_": lambda t, u: t.copy_(t.sigmoid()),
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


def programs(longest):
    """Lists of up to so many steps."""
    return st.lists(step, min_size=1, max_size=longest)


ERRORS = (RuntimeError, IndexError, TypeError, ValueError)


class Run:
    """One program in one library."""

    def __init__(self, m, steps, instead=()):
        self.m = m
        self.instead = dict(instead)
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
        self.refused = []  # steps that raised: the program goes on without them
        for each in steps:
            try:
                self.step(*each)
            except ERRORS as error:
                self.refused.append(error)
                self.log.append(builtin(error).__name__)
        try:
            self.backward()
        except ERRORS as error:
            self.error = error

    def step(self, name, i, j, quiet):
        """Do one step and log what it did."""
        function, kind = STEPS[name]
        function = self.instead.get(name, function)
        t = self.tensors[i % len(self.tensors)]
        with self.m.set_grad_enabled(quiet != 0 or kind == "view" or name == "reshape"):
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
        if name == "set row":  # torch raises for `x[0] = x[0]` where x is a leaf
            fitting = [u for u in fitting if u.data_ptr() != t.data_ptr()]
        return fitting[j % len(fitting)] if fitting else 0.9

    def backward(self):
        """Log all values, then first and second gradients of a loss of all tensors."""
        self.log.append([plain(each) for each in self.tensors])
        loss = 0
        for i, each in enumerate(self.tensors):
            if each.requires_grad:
                loss = loss + (each * each * (0.3 * i + 1)).sum()
        loss.backward(retain_graph=True)
        self.log.append([plain(x.grad) for x in self.leaves])
        found = self.gradients(loss)
        loss = sum(((g * g * g).sum() for g in found if g is not None), 0)
        self.gradients(loss)

    def gradients(self, loss):
        """The leaves' gradients, logged."""
        found = self.m.autograd.grad(
            loss, self.leaves, create_graph=True, allow_unused=True
        )
        self.log.append([plain(g) for g in found])
        return found

    def __repr__(self):
        return f"{self.log[-1:]} {self.error!r} {self.refused}"


def differ_in(ours, theirs):
    """What differs between the logs of two runs, or ''."""
    return differ(plain(ours.log), plain(theirs.log))


def check(steps):
    ours, theirs = Run(plugrad, steps), Run(torch, steps)
    if ours.error is None and "modified by an inplace" in str(theirs.error):
        theirs = Run(torch, steps, SAME_AS)
    elif any(name == "data" for name, *_ in steps) and differ_in(ours, theirs):
        theirs = Run(torch, steps, SAME_AS)  # it does not see writes through `.data`
    if any("refer to a single memory location" in str(e) for e in theirs.refused):
        return
    assert (ours.error is None) == (theirs.error is None), (ours, theirs)
    assert not differ_in(ours, theirs), (ours, theirs)
    if ours.error is not None:
        assert builtin(ours.error) is builtin(theirs.error), (ours, theirs)
