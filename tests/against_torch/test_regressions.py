"""Programs that once gave a wrong result, or an error where PyTorch gives none."""

from __future__ import annotations

import pytest
import torch

import plugrad
from tests.against_torch.programs import failure, same


def leaf(m, *values):
    return m.tensor(values, dtype=m.float64, requires_grad=True)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    "shape", [(1, 3, 4), (1, 1, 3, 4), (2, 3, 4), (4,), (3, 1), ()]
)
@same
def test_copy_takes_what_broadcasts_to_the_shape_and_no_more(m, shape, recorded):
    x, w = m.zeros(3, 4), m.ones(shape, requires_grad=recorded)
    x.copy_(w)
    if recorded:
        x.sum().backward()
    return x, w.grad


@same
def test_a_quotient_may_be_written(m):
    a, b = leaf(m, 1.0, 2.0), leaf(m, 4.0, 5.0)
    y = a / b
    y += 1
    z = 3 / b
    z *= 2
    (y * z).sum().backward()
    return a.grad, b.grad


def test_retain_grad_stays_with_a_tensor_that_changes_its_shape():
    """torch gives such a tensor a gradient of the shape that it had."""
    x = plugrad.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.t_()
    (y * y).sum().backward()
    assert y.grad.tolist() == (2 * y).tolist()
    assert x.grad.tolist() == (8 * x).tolist()


@pytest.mark.parametrize("name", ["median", "nanmedian", "mode"])
@same
def test_a_reduction_of_one_number_is_not_a_view(m, name):
    x = m.tensor(3.0)
    values, _ = getattr(x, name)(0)
    values.add_(1)
    return x, values


def test_overlapping_windows_are_not_written_in_the_graph():
    """torch does so for some writes; the gradient counts shared elements twice."""
    x = leaf(plugrad, 1.0, 2.0, 3.0)
    y = x * 1
    for windows in (y.unfold(0, 2, 1), y.as_strided((2, 2), (1, 1))):
        with pytest.raises(RuntimeError, match="single memory location"):
            windows.mul_(2)
    y.unfold(0, 1, 2).mul_(2)
    y.as_strided((1, 2), (9, 2)).mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [4.0, 1.0, 4.0]


def test_a_result_that_was_resized_is_no_view_any_more():
    base = plugrad.zeros(2, 3)
    out, view = base[0], base.t()
    with pytest.warns(UserWarning, match="resized"):
        plugrad.add(plugrad.ones(4), 1, out=out)
    base.mul_(plugrad.ones(2, 3, requires_grad=True))
    assert out.tolist() == [2.0] * 4 and not out.requires_grad
    assert view.requires_grad
    with pytest.warns(UserWarning, match="resized"), plugrad.no_grad():
        plugrad.add(plugrad.ones(4), 1, out=base)
    view.mul_(2)
    assert view.shape == (3, 2) and base.tolist() == [2.0] * 4


@same
def test_many_numbers_that_are_not_numbers(m):
    x = m.ones(2, dtype=m.float64)
    found = [x * float("nan") for _ in range(3)]
    return failure(lambda: x.clone().mul_(1 + 0j)), found


def test_a_nan_is_not_kept_among_the_recent_numbers():
    x = plugrad.ones(2)
    kept = x._k.scalars[x._a.dtype] if x._a.dtype in x._k.scalars else {}
    before = len(kept)
    for _ in range(5):
        _ = x * float("nan")
    assert len(x._k.scalars.get(x._a.dtype, {})) == before


def test_lists_changed_after_the_call():
    """A graph does not keep the caller's own list."""
    found = []
    for m in (torch, plugrad):
        x = m.arange(6.0).reshape(2, 3).requires_grad_()
        shifts, dims = [1], [1]
        y = x.roll(shifts, dims)
        shifts[0], dims[0] = 0, 0
        (y * m.arange(6.0).reshape(2, 3)).sum().backward()
        found.append(x.grad.tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("i", [0, 1])
@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("name", ["eigh", "qr", "slogdet"])
def test_writing_one_of_several_saved_outputs(name, recorded, i):
    for m in (torch, plugrad):
        a = m.tensor([[2.0, 0.5], [0.5, 1.0]], requires_grad=True)
        outputs = getattr(m.linalg, name)(a)
        if not getattr(outputs[i], "requires_grad", False):
            continue
        loss = sum(o.sum() for o in outputs if o.requires_grad)
        if recorded:
            outputs[i].mul_(2)
        else:
            with m.no_grad():
                outputs[i].mul_(2)
        if m is torch:
            try:
                loss.backward()
                refused = False
            except RuntimeError:
                refused = True
        elif refused:
            with pytest.raises(RuntimeError, match="modified by an inplace"):
                loss.backward()


def test_gradients_of_leaves_that_want_none_any_more():
    found = []
    for m in (torch, plugrad):
        x = m.ones(2, requires_grad=True)
        w = m.ones(2, requires_grad=True)
        y = (x * w).sum()
        x.requires_grad_(False)
        y.backward()
        found.append((x.grad is None, w.grad is None))
    assert found[0] == found[1]


def test_writing_below_a_long_chain_of_views():
    """Every view is made again once, from the one before it: not from the base, which
    took quadratic time."""
    n = 500
    x = plugrad.ones(4, requires_grad=True)
    views = [x * 1]
    for _ in range(n):
        views.append(views[-1].view(4))
    again = [0]

    def counted(x, *args, link=views[1]._v[1]):
        again[0] += 1
        return link(x, *args)

    for view in views[1:]:
        view._v = (view._v[0], counted, view._v[2])
    views[-1].mul_(2)
    assert n <= again[0] <= 2 * n
    (views[n // 2] * views[-1]).sum().backward()
    assert x.grad.tolist() == [8.0] * 4
