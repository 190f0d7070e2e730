"""Sparse tensors against dense ones and numeric gradients; what they cost in memory."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import plugrad
from plugrad.autograd import gradcheck, gradgradcheck
from plugrad.interface import OPS
from plugrad.sparse.composed import COMPOSED
from plugrad.testing import TOLERANCES, Make, samples_of

pytest.importorskip("scipy.sparse", reason="products of sparse tensors need SciPy")

INDICES = [[0, 1, 1, 2], [2, 0, 2, 1]]
REPEATED = [[2, 1, 1, 0, 1], [1, 0, 2, 2, 0]]
SHAPE = (3, 4)


def values(n, *inner):
    rng = np.random.default_rng(n)
    data = rng.uniform(0.1, 0.45, (n, *inner))  # the sum of two is below 1
    return plugrad.tensor(data, requires_grad=True)


def dense(*shape):
    rng = np.random.default_rng(len(shape))
    return plugrad.tensor(rng.uniform(-1, 1, shape), requires_grad=True)


MAKERS = {
    "coo": lambda v: plugrad.sparse_coo_tensor(INDICES, v, SHAPE, is_coalesced=True),
    "repeated": lambda v: plugrad.sparse_coo_tensor(REPEATED, v, SHAPE),
    "csr": lambda v: plugrad.sparse_csr_tensor([0, 1, 3, 4], [2, 0, 2, 1], v, SHAPE),
    "csc": lambda v: plugrad.sparse_csc_tensor([0, 1, 2, 4, 4], [1, 2, 0, 1], v, SHAPE),
}
COUNTS = {"repeated": 5}


# --- The same as on dense tensors -----------------------------------------------------

# functions of a tensor of shape (3, 4), sparse or dense, and a dense one
SAME = {
    "s @ dense": lambda s, w: s @ w.t(),
    "dense @ s": lambda s, w: w.t() @ s,
    "s @ vector": lambda s, w: s @ w[0],
    "s @ s.t()": lambda s, w: s @ s.t(),
    "s.t() @ s": lambda s, w: s.t() @ s,
    "t": lambda s, w: s.t(),
    "permute": lambda s, w: s.permute(1, 0),
    "s * dense": lambda s, w: s * w,
    "s * a row": lambda s, w: s * w[0],
    "s * a column": lambda s, w: s * w[:, :1],
    "s * 0-d": lambda s, w: s * w[0, 0],
    "s * s": lambda s, w: s * s,
    "s * s.t()": lambda s, w: (s @ s.t()) * (s * w @ s.t()),
    "s + s": lambda s, w: s + s * 2,
    "s - s": lambda s, w: s - (s * w),
    "dense + s": lambda s, w: w + s,
    "dense - s": lambda s, w: w - s,
    "s - dense": lambda s, w: s - w,
    "s + dense": lambda s, w: plugrad.add(s, w, alpha=3),
    "dense + alpha s": lambda s, w: plugrad.add(w, s, alpha=3),
    "s / 3": lambda s, w: s / 3,
    "s ** 3": lambda s, w: s**3,
    "sum": lambda s, w: s.sum(),
    "sum 0": lambda s, w: s.sum(0),
    "sum -1 keepdim": lambda s, w: s.sum(-1, keepdim=True),
    "sum (0, 1) keepdim": lambda s, w: s.sum((0, 1), keepdim=True),
    "norm": lambda s, w: s.norm(),
    "norm 1": lambda s, w: s.norm(1),
    "s[1]": lambda s, w: s[1],
    "s[-2, 2]": lambda s, w: s[-2, 2],
    "unsqueeze": lambda s, w: s.unsqueeze(1),
    "to float32": lambda s, w: s.to(plugrad.float32).to(plugrad.float64),
    "clone": lambda s, w: s.clone() * 2,
    "addmm": lambda s, w: plugrad.addmm(w @ w.t(), s, w.t(), beta=2),
    "sin tanh": lambda s, w: s.sin().tanh(),
    "relu": lambda s, w: (-s).relu() - s.relu(),
}


def method(name):
    return lambda s, w: getattr(s, name)()


METHODS = """abs asin asinh atan atanh deg2rad erf expm1 log1p neg sinh sqrt square tan
    floor ceil round trunc sgn""".split()
SAME |= {name: method(name) for name in METHODS}
OF_COORDINATES = {
    "index_select": lambda s, w: s.index_select(1, plugrad.tensor([3, 0, 0, 2])),
    "cat": lambda s, w: plugrad.cat([s, s * 2], 1),
    "stack": lambda s, w: plugrad.stack([s, s * 2], 1),
}
CASES = [(name, layout) for name in SAME for layout in MAKERS]
CASES += [(name, layout) for name in OF_COORDINATES for layout in ("coo", "repeated")]


def to_dense(y):
    return y.to_dense() if y.layout is not plugrad.strided else y


def both(name, layout):
    """The function on a sparse tensor, and on the dense one, of the same values."""
    function = {**SAME, **OF_COORDINATES}[name]

    def sparse_one(v, w):
        return to_dense(function(MAKERS[layout](v), w))

    def dense_one(v, w):
        return function(MAKERS[layout](v).to_dense(), w)

    return sparse_one, dense_one


@pytest.mark.parametrize(("name", "layout"), CASES)
def test_as_on_a_dense_tensor(name, layout):
    found = []
    for function in both(name, layout):
        v, w = values(COUNTS.get(layout, 4)), dense(*SHAPE)
        y = function(v, w)
        weights = plugrad.arange(1.0, y.numel() + 1, dtype=y.dtype).reshape(y.shape)
        with np.errstate(all="ignore"):
            (y * weights).sum().backward()
        at = MAKERS[layout](v.detach()).to_dense() != 0
        found.append((y, v.grad, w.grad, at))
    (y, v, w, _), (y0, v0, w0, _) = found
    for a, b in ((y, y0), (v, v0), (w, w0)):
        assert (a is None) == (b is None)
        if a is not None:
            rtol, atol = TOLERANCES["float64"]
            finite = np.isfinite(b.detach().numpy())  # 0 / 0 where there is no value
            a, b = a.detach().numpy(), b.detach().numpy()
            np.testing.assert_allclose(a[finite], b[finite], rtol, atol)


# a function's gradient at what is not there is no concern of the sparse one
NUMERIC = [case for case in CASES if case[0] not in ("to float32",)]


@pytest.mark.parametrize(("name", "layout"), NUMERIC)
def test_gradients_are_the_numeric_ones(name, layout):
    sparse_one, _ = both(name, layout)
    v, w = values(COUNTS.get(layout, 4)), dense(*SHAPE)
    assert gradcheck(sparse_one, (v, w))


TWICE = ["s @ dense", "dense @ s", "s * dense", "s * s", "sum 0", "dense + s", "norm"]
TWICE += ["sin tanh", "s ** 3", "cat", "index_select"]


@pytest.mark.parametrize("name", TWICE)
def test_second_gradients_are_the_numeric_ones(name):
    sparse_one, _ = both(name, "coo")
    assert gradgradcheck(sparse_one, (values(4), dense(*SHAPE)))


SOFT = {
    "softmax": plugrad.sparse.softmax,
    "log_softmax": plugrad.sparse.log_softmax,
}


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("layout", MAKERS)
@pytest.mark.parametrize("name", SOFT)
def test_softmax_counts_what_is_there(name, layout, dim):
    def function(v):
        return SOFT[name](MAKERS[layout](v), dim).to_dense()

    v = values(COUNTS.get(layout, 4))
    x = MAKERS[layout](v).to_dense().detach()
    there = x != 0
    expected = getattr(plugrad, name)(x.masked_fill(~there, -plugrad.inf), dim)
    expected = expected.masked_fill(~there, 0)
    rtol, atol = TOLERANCES["float64"]
    np.testing.assert_allclose(
        function(v.detach()).numpy(), expected.numpy(), rtol, atol
    )
    assert gradcheck(function, (v,)) and gradgradcheck(function, (v,))


@pytest.mark.parametrize("dim", [0, 1, 2, (0, 2), (0, 1), (1, -1)])
def test_values_with_dimensions_of_their_own(dim):
    def function(v):
        x = plugrad.sparse_coo_tensor(INDICES, v, (3, 4, 2))
        y = x * 2 + x.coalesce().sin()
        return to_dense(y.sum(dim))

    assert gradcheck(function, (values(4, 2),))
    x = plugrad.sparse_coo_tensor(INDICES, values(4, 2), (3, 4, 2)).to_dense()
    expected = (x * 2 + x.sin()).sum(dim).detach()
    rtol, atol = TOLERANCES["float64"]
    found = function(values(4, 2)).detach()
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol, atol)


def test_sampled_addmm_computes_at_the_positions():
    a, b = dense(3, 5), dense(5, 4)

    def function(v, a, b):
        s = MAKERS["csr"](v)
        return plugrad.sparse.sampled_addmm(s, a, b, beta=2.0, alpha=3.0).values()

    v = values(4)
    s = MAKERS["csr"](v)
    expected = (2 * s.to_dense() + 3 * (a @ b))[tuple(INDICES[0]), tuple(INDICES[1])]
    rtol, atol = TOLERANCES["float64"]
    found, expected = function(v, a, b).detach(), expected.detach()
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol, atol)
    assert gradcheck(function, (v, a, b)) and gradgradcheck(function, (v, a, b))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64"])
@pytest.mark.parametrize("layout", MAKERS)
def test_large_products_are_shared_among_threads(layout, dtype):
    from scipy import sparse

    a = sparse.random_array((700, 500), density=0.05, rng=np.random.default_rng(0))
    b = np.random.default_rng(1).standard_normal((500, 96)) * 9
    a, b = (a * 9).astype(dtype), b.astype(dtype)
    x = plugrad.sparse_coo_tensor(np.stack(a.coords), a.data, a.shape)
    if layout not in ("coo", "repeated"):
        x = x.to_sparse(layout=getattr(plugrad, f"sparse_{layout}"))
    found = (x @ plugrad.tensor(b)).numpy()
    assert found.dtype == np.dtype(dtype)
    rtol, atol = TOLERANCES.get(dtype, (0, 0))
    np.testing.assert_allclose(found, a @ b, rtol, atol * 500)
    if np.dtype(dtype).kind == "f":
        v, w = x.detach().requires_grad_(), plugrad.tensor(b, requires_grad=True)
        g = plugrad.tensor(
            np.random.default_rng(2).standard_normal(found.shape), dtype=w.dtype
        )
        (v @ w).backward(g)
        np.testing.assert_allclose(
            w.grad.numpy(), a.T @ g.numpy(), rtol * 50, atol * 500
        )
        wide = plugrad.sparse_coo_tensor(
            np.stack(a.coords), np.ones_like(a.data), a.shape
        )
        expected = ((g @ w.t()).detach() * wide.to_dense()).numpy()
        found = v.grad.to_dense().numpy()
        np.testing.assert_allclose(found, expected, rtol * 50, atol * 5000)


# --- Leaves and their gradients -------------------------------------------------------


@pytest.mark.parametrize("layout", MAKERS)
def test_the_gradient_of_a_sparse_leaf_has_its_layout_and_positions(layout):
    s = MAKERS[layout](values(COUNTS.get(layout, 4)).detach()).requires_grad_()
    for times in (1, 2):
        (s @ plugrad.ones(4, 2).double()).sum().backward()
        assert s.grad.layout is s.layout
        expected = (s.detach().to_dense() != 0) * 2.0 * times
        assert (s.grad.to_dense() == expected).all()
    (g,) = plugrad.autograd.grad((s * 3).sum(), s)
    assert g.layout is s.layout and (g.to_dense() == expected / 4 * 3).all()


def test_a_step_on_a_sparse_leaf():
    s = MAKERS["csr"](values(4).detach()).requires_grad_()
    before = s.detach().to_dense()
    (s @ plugrad.ones(4, 2).double()).sum().backward()
    with plugrad.no_grad():
        s.add_(s.grad, alpha=-0.1)
    assert s.layout is plugrad.sparse_csr and s.is_leaf
    expected = before - 0.2 * (before != 0)
    rtol, atol = TOLERANCES["float64"]
    np.testing.assert_allclose(
        s.to_dense().detach().numpy(), expected.numpy(), rtol, atol
    )


def test_a_training_step_finds_the_pattern_that_the_last_one_worked_out():
    s = MAKERS["csr"](values(4).detach()).requires_grad_()
    for _ in range(2):
        w = dense(4, 2)
        (s @ w).sum().backward()
    k = plugrad.get_backend("sparse")
    assert isinstance(k, plugrad.Backend)
    first, second = s.detach() * 2, s.grad
    assert (first + second)._nnz() == 4  # one pattern: nothing to merge


@pytest.mark.parametrize("order", ["sparse first", "dense first"])
def test_sparse_and_dense_gradients_meet_at_a_dense_leaf(order):
    w = dense(5, 2)
    at = plugrad.tensor([3, 1, 3])
    losses = [plugrad.embedding(w, at, -1, False, True).sum(), (w * 2).sum()]
    for loss in losses if order == "sparse first" else losses[::-1]:
        loss.backward()
    expected = plugrad.full((5, 2), 2.0).double()
    expected[1] += 1
    expected[3] += 2
    assert w.grad.layout is plugrad.strided and (w.grad == expected).all()
    w.grad = None
    (plugrad.embedding(w, at, -1, False, True).sum() + (w * 2).sum()).backward()
    assert w.grad.layout is plugrad.strided and (w.grad == expected).all()


def test_a_sparse_gradient_can_be_assigned_asked_for_and_hooked():
    w, seen = dense(5, 2), []
    at = plugrad.tensor([3, 1, 3])
    w.register_hook(lambda g: seen.append(g.layout))
    y = plugrad.embedding(w, at, -1, False, True)
    (g,) = plugrad.autograd.grad(y.sum(), w, retain_graph=True)
    y.sum().backward()
    assert seen == [plugrad.sparse_coo] * 2
    assert g._nnz() == 3 and not g.is_coalesced()
    assert (g.to_dense() == w.grad.to_dense()).all()
    w.grad = g.coalesce()
    assert w.grad.is_coalesced() and w.grad._nnz() == 2


def test_an_embedding_has_second_gradients_through_its_sparse_one():
    at = plugrad.tensor([3, 1, 3, 2])

    def function(w):
        return plugrad.embedding(w, at, 2, False, True)

    w = dense(5, 2)
    (g,) = plugrad.autograd.grad((function(w) ** 3).sum(), w, create_graph=True)
    (gg,) = plugrad.autograd.grad(g.coalesce().values().sum(), w)
    rows = plugrad.tensor([3, 1, 3])
    expected = plugrad.zeros(5, 2).double().index_add(0, rows, 6 * w.detach()[rows])
    rtol, atol = TOLERANCES["float64"]
    np.testing.assert_allclose(gg.to_dense().numpy(), expected.numpy(), rtol, atol)


@pytest.mark.parametrize(
    "name", ["s @ dense", "dense @ s", "s * dense", "s * s", "sum 0"]
)
def test_gradients_of_complex_tensors(name):
    found = []
    for function in both(name, "coo"):
        v = (values(4).detach() * (1 + 2j)).requires_grad_()
        w = (dense(*SHAPE).detach() * (2 - 1j)).requires_grad_()
        y = function(v, w)
        (y * (1 + 1j)).sum().abs().backward()
        found.append((v.grad, w.grad))
    rtol, atol = TOLERANCES["complex128"]
    for a, b in zip(*found):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol, atol)
    v = (values(4).detach() * (1 + 2j)).requires_grad_()
    assert gradcheck(both(name, "csr")[0], (v, w))


def test_a_write_in_place_moves_a_sparse_tensor_in_the_graph():
    v = values(4)
    s = MAKERS["coo"](v)
    y = s.sin()
    s.mul_(3)
    s.add_(s)
    alias = s.detach()
    assert (alias.to_dense() == s.to_dense()).all()
    (s.sum() + y.sum()).backward()
    rtol, atol = TOLERANCES["float64"]
    expected = 6 + v.detach().cos()
    np.testing.assert_allclose(v.grad.numpy(), expected.numpy(), rtol, atol)
    alias.zero_()
    assert s._nnz() == 0


@pytest.mark.parametrize("alpha", [1, -0.5])
@pytest.mark.parametrize("name", ["add_", "sub_"])
def test_rows_are_added_in_place_without_touching_the_others(name, alpha):
    n = 200_000
    w = plugrad.zeros(n, 8)
    g = plugrad.sparse_coo_tensor([[5, 7, 5]], plugrad.ones(3, 8), (n, 8))
    expected = getattr(w[:10].clone(), name)(
        plugrad.sparse_coo_tensor([[5, 7, 5]], plugrad.ones(3, 8), (10, 8)).to_dense(),
        alpha=alpha,
    )
    version = w._version
    tracemalloc.start()
    assert getattr(w, name)(g, alpha=alpha) is w
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000 < w.nbytes, peak
    assert (w[:10] == expected).all() and w._version > version
    v = plugrad.zeros(n, 8, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(v, name)(g)


# --- Nothing becomes dense unasked ----------------------------------------------------


def sparse_sample(sample):
    """The same call with its first tensor sparse, or None."""
    args = list(sample.args)
    for i, x in enumerate(args):
        if isinstance(x, plugrad.Tensor) and x.ndim:
            args[i] = x.detach().to_sparse()
            return args
        if isinstance(x, (list, tuple)) and x and isinstance(x[0], plugrad.Tensor):
            if all(t.ndim for t in x):
                args[i] = [t.detach().to_sparse() for t in x]
                return args
    return None


@pytest.mark.parametrize("name", OPS)
def test_an_op_is_composed_or_refused(name):
    op, called = OPS[name], 0
    for sample in samples_of(op, Make(plugrad.float64, "numpy")):
        args = sparse_sample(sample)
        if args is None:
            continue
        called += 1
        try:
            found = op.function(*args, **sample.kwargs)
        except plugrad.UnsupportedOpError as error:
            assert "dense" in str(error), error
            continue
        except (RuntimeError, IndexError, TypeError, ValueError):
            assert name in COMPOSED
            continue
        assert name in COMPOSED
        expected = op.function(*sample.args, **sample.kwargs)
        rtol, atol = TOLERANCES["float64"]
        found, expected = to_dense(found).detach(), expected.detach()
        assert found.shape == expected.shape and found.dtype is expected.dtype
        a, b = found.numpy(), expected.numpy()
        if name == "mul":  # 0 * inf is nothing where nothing is
            a, b = a[np.isfinite(b)], b[np.isfinite(b)]
        if name == "signbit":  # so is the sign of -0.0
            there = sample.args[0].detach().numpy() != 0
            a, b = a[there], b[there]
        np.testing.assert_allclose(a, b, rtol, atol)
    if not called:  # an op on 0-d tensors, or on none, has nothing to be sparse
        assert name not in COMPOSED


def method_names():
    left_out = {"share_memory_", "backward", "pin_memory", "cuda", "apply_"}
    return [
        name
        for name in dir(plugrad.Tensor)
        if callable(getattr(plugrad.Tensor, name))
        and (not name.startswith("_") or name in ("__array__", "__iter__", "__len__"))
        and name not in left_out
    ]


@pytest.mark.parametrize("name", method_names())
def test_a_method_without_arguments_answers_or_says_why_not(name):
    s = MAKERS["coo"](values(4).detach())
    try:
        found = getattr(s, name)()
    except (RuntimeError, TypeError, IndexError, ValueError, BufferError) as error:
        assert str(error)
        return
    for y in found if isinstance(found, (list, tuple)) else [found]:
        if isinstance(y, plugrad.Tensor) and y.layout is plugrad.strided:
            assert y.numel() <= 8 or name == "to_dense"
        assert getattr(y, "dtype", None) != np.dtype(object)


def test_gradients_of_a_large_product_take_memory_for_the_values_alone():
    n, rows, columns = 20_000, 20_000, 8
    rng = np.random.default_rng(0)
    count = int(n * rows * 1e-3)
    at = np.unique(rng.integers(0, n * rows, count))
    s = plugrad.sparse_coo_tensor(
        np.stack((at // n, at % n)),
        np.ones(len(at), np.float32),
        (rows, n),
        is_coalesced=True,
    )
    s = s.to_sparse_csr().requires_grad_()
    w = plugrad.ones(n, columns, requires_grad=True)
    s @ w  # the threads and SciPy
    gc.collect()
    tracemalloc.start()
    (s @ w).sum().backward()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    dense_bytes = 4 * n * rows
    values_bytes = 4 * len(at)
    assert s.grad._nnz() == len(at)
    assert peak < 20 * values_bytes + 10 * 4 * n * columns, peak
    assert peak < dense_bytes / 20


# --- Python ---------------------------------------------------------------------------


@pytest.mark.parametrize("layout", MAKERS)
def test_a_pickle_holds_positions_and_values(layout):
    s = MAKERS[layout](values(COUNTS.get(layout, 4)).detach()).requires_grad_()
    s @ dense(4, 2)  # what was worked out is not in the pickle
    text = pickle.dumps(s)
    y = pickle.loads(text)
    assert y.requires_grad and y.layout is s.layout
    assert (y.to_dense() == s.to_dense()).all() and len(text) < 1500


def test_scipy_is_imported_by_the_first_product():
    code = (
        "import sys, plugrad\n"
        "x = plugrad.eye(3).to_sparse_csr()\n"
        "x = (x * 2 + x).sin()\n"
        "assert 'scipy' not in sys.modules\n"
        "x @ plugrad.ones(3)\n"
        "assert 'scipy.sparse' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_arrays_of_other_libraries_say_what_to_do():
    s = MAKERS["coo"](values(4).detach())
    with pytest.raises(TypeError, match="to_dense"):
        np.asarray(s)
    with pytest.raises(RuntimeError, match="to_dense"):
        s.tolist()
    with pytest.raises(RuntimeError, match="to_dense"):
        s + 1
    with pytest.raises(plugrad.UnsupportedOpError, match="to_dense"):
        s.exp()
