"""Writes, views and autograd together: small random programs, run by both libraries.

A program is a list of steps on a growing list of tensors. Values, shapes, gradients,
`requires_grad` after every step and the types of exceptions must be torch's.

Left out of the comparison, because ours differs on purpose (tests below):

- views made in `no_grad` mode: torch's still require a gradient, ours do not;
- several views from one call, written: torch forbids it, ours follows them;
- writes through `expand`: NumPy's are read-only, torch allows some of them;
- an operand that overlaps the written memory in part: torch raises, ours computes as
  if it had been copied first;
- `x[0] = x[0]` on a leaf: torch raises, for ours nothing has to be written.

And where an op in place has saved its own result, later writes to that memory make
torch raise in backward; ours keeps a result of its own and goes on. What it computes
must then be what torch computes for `t.copy_(t.tanh())`.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import plugrad
from tests.against_torch.programs import builtin, differ, failure, plain, same

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
}
SAME_AS = {"tanh_": lambda t, u: t.copy_(t.tanh())}
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
        try:
            for each in steps:
                self.step(*each)
            self.backward()
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
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
        return f"{self.log[-1:]} {self.error!r}"


def check(steps):
    ours, theirs = Run(plugrad, steps), Run(torch, steps)
    if ours.error is None and "modified by an inplace" in str(theirs.error):
        theirs = Run(torch, steps, SAME_AS)
    if ours.error is None and "refer to a single memory location" in str(theirs.error):
        return
    assert (ours.error is None) == (theirs.error is None), (ours, theirs)
    assert differ(plain(ours.log), plain(theirs.log)) == "", (ours, theirs)
    if ours.error is not None:
        assert builtin(ours.error) is builtin(theirs.error), (ours, theirs)


@given(programs)
@settings(max_examples=500)
def test_programs(steps):
    check(steps)


# --- Where ours differs ---------------------------------------------------------------


def leaf(m):
    x = m.tensor([[0.1, -0.2], [0.3, 0.4]], dtype=m.float64, requires_grad=True)
    return x, x * 1


def test_views_made_without_recording_stay_out_of_the_graph():
    x, y = leaf(plugrad)
    with plugrad.no_grad():
        view = y[0]
    assert not view.requires_grad
    y.mul_(2)
    assert not view.requires_grad
    assert view.tolist() == y[0].tolist()
    with pytest.raises(RuntimeError, match="created in no_grad mode"):
        view.mul_(x[0])

    x, y = leaf(torch)
    with torch.no_grad():
        view = y[0]
    y.mul_(2)
    with pytest.raises(RuntimeError, match="created in no_grad mode"):
        (view * view).sum().backward()


SIZES = {"unbind": None, "split": 1, "chunk": 2}


@pytest.mark.parametrize("name", SIZES)
def test_several_views_from_one_call_can_be_written(name):
    def parts(t):
        return t.unbind() if name == "unbind" else getattr(t, name)(SIZES[name])

    x, y = leaf(plugrad)
    first, second = parts(y)
    first.mul_(3)
    second.mul_(x[0])
    (y * y).sum().backward()

    u, v = leaf(torch)
    with pytest.raises(RuntimeError, match="multiple views"):
        parts(v)[0].mul_(3)
    v[:1].mul_(3)
    v[1:].mul_(u[0])
    (v * v).sum().backward()
    assert differ(plain([y, first[..., :], x.grad]),
                  plain([v, parts(v)[0], u.grad])) == ""


@pytest.mark.parametrize("m", [plugrad, torch], ids=["plugrad", "torch"])
def test_expanded_memory_cannot_be_computed_with_in_place(m):
    y = m.ones(2, 1).expand(2, 3)
    with pytest.raises(RuntimeError):
        y.mul_(2)
    with pytest.raises(RuntimeError):
        y.add_(m.ones(2, 3))


def test_operands_may_overlap_the_written_memory():
    x = plugrad.tensor([1.0, 2.0, 3.0, 4.0])
    x[1:].add_(x[:-1])
    assert x.tolist() == [1.0, 3.0, 5.0, 7.0]
    with pytest.raises(RuntimeError, match="refer to a single memory location"):
        u = torch.ones(4)
        u[1:].add_(u[:-1])


def test_a_part_can_be_assigned_to_itself():
    x, _ = leaf(plugrad)
    x[0] = x[0]
    u, _ = leaf(torch)
    with pytest.raises(RuntimeError, match="a leaf Variable|a view of a leaf"):
        u[0] = u[0]


def test_results_that_an_op_in_place_has_saved():
    x, y = leaf(plugrad)
    y.tanh_()
    y.add_(1)
    y.sum().backward()

    u, v = leaf(torch)
    v.tanh_()
    v.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        v.sum().backward()
    (u.tanh() + 1).sum().backward()
    assert differ(plain(x.grad), plain(u.grad)) == ""


@same
@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize("part", [True, False])
def test_leaves_can_be_written_only_without_recording(m, quiet, part):
    x, _ = leaf(m)
    with m.set_grad_enabled(not quiet):
        (x[0] if part else x).mul_(2)
    (x * x).sum().backward()
    return [x, x.grad]


@same
def test_a_constant_becomes_part_of_the_graph(m):
    x, y = leaf(m)
    c = m.zeros(3, 2, dtype=m.float64)
    rows = [c[0], c[1], c.transpose(0, 1)]
    c[1] = y[0] * 2
    c[2:].add_(y[1])
    found = [(t.requires_grad, t.is_leaf) for t in (c, *rows)]
    (rows[2] * rows[2]).sum().backward()
    return [found, c, rows, x.grad]


@same
def test_versions_count_writes_to_any_alias(m):
    found = []
    for write in (
        lambda y: y.mul_(2),
        lambda y: y[0].mul_(2),
        lambda y: y.detach().mul_(2),
        lambda y: y.view(-1)[1:].fill_(3),
        lambda y: y.data.mul_(2),
        lambda y: y + 1,
    ):
        x, y = leaf(m)
        loss = (y * y).sum()
        write(y)
        found.append([failure(loss.backward), x.grad])
    return found


@same
def test_gradients_through_a_write_and_its_history(m):
    x, y = leaf(m)
    history = [y.clone()]
    for _ in range(4):
        y[0] = y[1] * y[0]
        y.transpose(0, 1)[1].mul_(0.5)
        history.append(y.clone())
    loss = sum((h * h).sum() for h in history)
    (g,) = m.autograd.grad(loss, x, create_graph=True)
    return [history, g, *m.autograd.grad(g.sum(), x)]
