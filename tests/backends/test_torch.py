"""torch's tensors as arrays: every op as on NumPy, memory and views as NumPy's, and the
same random stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import plugrad
from plugrad.interface import OPS
from tests.backends.pairs import DTYPES, NAMES, run_cell
from tests.expected import Expected, report

torch = pytest.importorskip("torch", reason="torch is no part of the test extra")
EXPECTED = Expected(Path(__file__).with_name("torch_differences.txt"))
SMALL = (plugrad.int8, plugrad.int16, plugrad.int32, plugrad.uint8, plugrad.complex64)
UNSIGNED = (plugrad.uint16, plugrad.uint32, plugrad.uint64)


@pytest.fixture
def k():
    return plugrad.get_backend("torch")


def on(backend, *shape, dtype=plugrad.float64):
    x = plugrad.arange(int(np.prod(shape)), dtype=dtype)
    return x.reshape(*shape).to(backend=backend)


# --- Ops ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_op(name):
    differences = []
    for dtype in DTYPES:
        differences += run_cell("torch", name, dtype)[0]
    wrong = EXPECTED.unexpected(name, differences)
    assert not wrong, f"{len(wrong)} differences\n{report(wrong)}"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "name", [n for n in NAMES if n not in ("eigh", "svd", "matmul")]
)
def test_op_in_other_dtypes(name):
    differences = []
    for dtype in SMALL:
        for found in run_cell("torch", name, dtype, most=12)[0]:
            if (name, found[1]) != ("rpow", "large"):  # inf and NaN parts of infinity
                differences.append(found)
    assert not differences, report([str(each) for each in differences])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_unsigned_integers_work_or_are_refused_by_name(name, k):
    for dtype in UNSIGNED:
        declared = name in k.leaves_out or f"{name}[{dtype.name}]" in k.leaves_out
        differences, both, wanted = run_cell("torch", name, dtype)
        refused = [each for each in differences if "UnsupportedOpError" in each[2]]
        if declared:
            assert refused or not wanted
        elif name not in ("softmax", "log_softmax"):  # of uint16, NumPy's are wrong
            assert not differences, report([str(each) for each in differences])


def test_what_is_left_out_says_why(k):
    x = plugrad.ones(2, dtype=plugrad.uint16).to(backend="torch")
    with pytest.raises(plugrad.UnsupportedOpError, match="abs.*torch.*uint16.*int64"):
        x.abs()
    with pytest.raises(plugrad.UnsupportedOpError, match="uint16"):
        plugrad.addcmul(x, x, x, value=2)
    assert {key.partition("[")[0] for key in k.leaves_out} <= OPS.keys()
    cells = len(OPS) * len(k.by_dtype)
    assert len(k.leaves_out) < 0.06 * cells


# --- Random numbers -------------------------------------------------------------------


def ulps(a, b):
    whole = np.dtype(a.dtype.str.replace("f", "i"))
    return np.abs(a.view(whole).astype(object) - b.view(whole).astype(object)).max()


@pytest.mark.parametrize("key", [0, 11, 2**64 - 1])
@pytest.mark.parametrize("counter", [0, 5, 2**40, 2**63 - 2, 2**64 - 5])
def test_the_random_stream_is_numpys(k, key, counter):
    n = plugrad.get_backend("numpy")
    for count in (1, 7, 8, 33, 1000):
        if counter + count < 2**64:
            words = k.to_numpy(k.random_words(key, counter, count))
            assert words.dtype == np.uint64
            assert (words == n.random_words(key, counter, count)).all()
        if counter + count > 2**63:
            continue
        given = key, counter, count
        for name in ("float16", "bfloat16", "float32", "float64"):
            dtype = getattr(plugrad, name)
            ours, numpys = (each.draw_uniform(*given, dtype) for each in (k, n))
            assert (k.to_numpy(ours) == numpys).all()
        for dtype in (plugrad.float32, plugrad.float64):
            ours, numpys = (each.draw_normal(*given, dtype) for each in (k, n))
            assert ulps(k.to_numpy(ours), numpys) <= 4
        for low, high in ((0, 5), (-3, 5), (0, 2**32), (-(2**63), 2**63), (9, 2**63)):
            given = (key, counter, count, low, high, plugrad.int64)
            ours, numpys = (each.draw_integers(*given) for each in (k, n))
            assert (k.to_numpy(ours) == numpys).all()
        ours, numpys = (each.draw_permutation(key, counter, count) for each in (k, n))
        assert (k.to_numpy(ours) == numpys).all()


def test_a_seed_gives_the_same_numbers():
    found = []
    for backend in ("numpy", "torch"):
        with plugrad.backend(backend):
            plugrad.manual_seed(5)
            made = [plugrad.rand(7), plugrad.randperm(9), plugrad.randint(0, 99, (6,))]
            found.append([x.tolist() for x in made])
    assert found[0] == found[1]


# --- Memory ---------------------------------------------------------------------------

WRITES = """
x[1:3] = 2
x[0] = y[1]
x[:, 1] = y[:, 0]
x[1:] = x[:-1]
x[:-1] += x[1:]
x.t()[1] = 7
x[::2, None, 1] = y[:2, :1]
x[[0, 2]] = y[:2]
x[x > 4] = 0
x.view(-1)[5:] = 3
x.reshape(3, 4)[1] *= 2
x.diagonal().fill_(9)
x.unfold(0, 2, 2)[0] = 1
x.as_strided((2, 2), (3, 1), 4).zero_()
x[2:].view(-1).as_strided((2,), (2,), 1).fill_(8)
x.unsqueeze(0)[0, 1] = 5
x.flatten()[3] = 5
x.unbind(1)[1].add_(1)
x.mul_(x[0])
x.add_(x.clone().t()[0, 0])
x.squeeze().sub_(1)
a, b = x.split(2); a.add_(b)
v = x[1]; x.zero_(); x[2] = v + 1
v = x[1:][1:]; v.add_(1); x[0] = v[0]
x.copy_(y)
x.transpose(0, 1)[0].neg_()
x.axpby_(y, alpha=0.5, beta=3)
x.axpby_(y[0], alpha=2)
x.axpby_(x, alpha=2, beta=3)
x[1:].axpby_(x[:-1], alpha=2, beta=3)
x.index_add_(0, plugrad.tensor([0, 0]).to(backend=x.backend), y[:2])
x.clamp_(2, 5)
x.exp_()
""".split("\n")[1:-1]


@pytest.mark.parametrize("program", WRITES)
def test_writes_reach_all_views_as_on_numpy(program):
    found = []
    for backend in ("numpy", "torch"):
        x, y = on(backend, 4, 3), on(backend, 4, 3) + 20
        names = {"x": x, "y": y, "plugrad": plugrad}
        views = [x[1], x[:, 1], x.t(), x.view(-1)[3:]]
        exec(program, names)
        found.append([each.tolist() for each in (x, y, *views)])
    assert found[0] == found[1]


@pytest.mark.parametrize("program", [each for each in WRITES if "x > 4" not in each])
def test_writes_in_the_graph_as_on_numpy(program):
    found = []
    for backend in ("numpy", "torch"):
        leaves = [on(backend, 4, 3).requires_grad_() for _ in range(2)]
        x, y = leaves[0] / 10, leaves[1] * 2
        view = x[1:]
        try:
            exec(program, {"x": x, "y": y, "plugrad": plugrad})
            loss = (x * x).sum() + (view * y[1:]).sum()
            grads = plugrad.autograd.grad(loss, leaves, allow_unused=True)
            found.append([None if g is None else g.tolist() for g in grads])
        except RuntimeError as error:
            found.append(type(error))
    if isinstance(found[0], list):
        np.testing.assert_allclose(found[1], found[0], rtol=1e-12)
    else:
        assert found[0] == found[1]


def test_a_write_to_what_was_saved_is_noticed():
    x = on("torch", 3).requires_grad_()
    y = x.exp()
    z = y * y
    y[1:].add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_what_memory_is_asked_for():
    x = on("numpy", 4, 3)
    y = on("torch", 4, 3)
    for path in ("", "[1:]", ".t()", "[:, 1]", "[::2, 1:]", ".t()[1:]", "[3:, 2]"):
        a, b = (eval(f"x{path}", {"x": each}) for each in (x, y))
        for question in ("stride", "storage_offset", "is_contiguous", "numel"):
            assert getattr(a, question)() == getattr(b, question)(), (path, question)
        assert a.untyped_storage().nbytes() == b.untyped_storage().nbytes()
        assert a.storage().tolist() == b.storage().tolist()
        assert b.data_ptr() == b._a.data_ptr()
    assert y.t().untyped_storage() == y.untyped_storage()


def test_a_slice_that_steps_back_is_a_copy():
    x = on("torch", 4, 3)
    back = x[::-1]
    back.zero_()
    assert x.tolist() == on("numpy", 4, 3).tolist() and not back.any()


# --- In and out -----------------------------------------------------------------------


def test_tensors_of_torch_share_memory():
    array = torch.arange(6.0).reshape(2, 3)
    x = plugrad.as_tensor(array)
    assert x.backend == "torch" and x._a is array
    x[0, 0] = 9
    assert array[0, 0] == 9
    assert plugrad.tensor(array)._a.data_ptr() != array.data_ptr()


def test_history_is_not_dropped_unseen():
    array = torch.ones(2, requires_grad=True)
    with pytest.raises(plugrad.BackendError, match=r"detach\(\)"):
        plugrad.as_tensor(array)
    with pytest.raises(plugrad.BackendError, match=r"detach\(\)"):
        plugrad.tensor(torch.nn.Parameter(torch.ones(2)))
    x = plugrad.as_tensor(array.detach())
    assert not x.requires_grad and x._a.data_ptr() == array.data_ptr()


def test_a_subclass_becomes_a_plain_tensor_on_its_memory():
    array = torch.nn.Parameter(torch.ones(2), requires_grad=False)
    x = plugrad.as_tensor(array)
    assert type(x._a) is torch.Tensor and x._a.data_ptr() == array.data_ptr()


def test_other_layouts_and_devices_are_refused():
    with pytest.raises(plugrad.BackendError, match="to_dense"):
        plugrad.as_tensor(torch.eye(2).to_sparse())
    with pytest.raises(plugrad.BackendError, match="cpu"):
        plugrad.as_tensor(torch.ones(2, device="meta"))


def test_conjugates_are_computed_at_once():
    array = torch.tensor([1 + 2j]).conj()
    assert array.is_conj()
    x = plugrad.as_tensor(array)
    assert x.tolist() == [1 - 2j] and x.numpy().tolist() == [1 - 2j]
    assert not x.conj()._a.is_conj()


@pytest.mark.parametrize("name", ["bfloat16", "float16", "uint64", "uint16", "bool"])
def test_dtypes_go_and_come(name):
    dtype = getattr(plugrad, name)
    x = plugrad.tensor([1, 0, 3]).to(dtype)
    y = x.to(backend="torch")
    assert y.dtype is dtype and y.tolist() == x.tolist()
    assert y.to(backend="numpy").tolist() == x.tolist()
    assert y._a.dtype == getattr(torch, name)


def test_large_unsigned_integers():
    x = plugrad.tensor([2**64 - 1, 5], dtype=plugrad.uint64)
    with plugrad.backend("torch"):
        y = plugrad.tensor([2**64 - 1, 5], dtype=plugrad.uint64)
    assert y.tolist() == x.tolist() == x.to(backend="torch").tolist()


def test_training_is_the_same():
    found = []
    for backend in ("numpy", "torch"):
        with plugrad.backend(backend):
            plugrad.manual_seed(0)
            weight = plugrad.randn(4, 3, dtype=plugrad.float64, requires_grad=True)
            data = plugrad.randn(8, 3, dtype=plugrad.float64)
            target = plugrad.randint(0, 4, (8,))
            for _ in range(5):
                logits = (data @ weight.t()).log_softmax(1)
                loss = -logits.gather(1, target.unsqueeze(1)).mean()
                weight.grad = None
                loss.backward()
                with plugrad.no_grad():
                    weight -= 0.5 * weight.grad
            found.append(weight.tolist())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)
