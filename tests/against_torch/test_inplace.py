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
torch raise in backward, or compute with what was written where that was done through
`.data`; ours keeps a result of its own and goes on. What it computes must then be what
torch computes for `t.copy_(t.tanh())`.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

import plugrad
from tests.against_torch.inplace_programs import check, programs
from tests.against_torch.programs import differ, failure, plain, same


@given(programs(8))
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
    assert (
        differ(plain([y, first[..., :], x.grad]), plain([v, parts(v)[0], u.grad])) == ""
    )


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
