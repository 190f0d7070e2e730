"""What the notes of people learning PyTorch write down, run by torch and by plugrad.

Small programs, in the order in which such notes go: making tensors, looking at them,
NumPy beside them, sizes, indexing, mathematics, gradients. Compared are values, dtypes,
shapes, printed text and the types of exceptions.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.programs import failure, outcome, same
from tests.against_torch.programs import differ as difference


def text(value):
    """The printed form, under plugrad's name."""
    return str(value).replace("torch.", "plugrad.")


def described(t):
    """All that notes print of a tensor."""
    return [text(each) for each in (t, t.dtype, t.type(), type(t).__name__, t.shape)]


# --- Making tensors, and what they print -------------------------------------------


@same
def test_the_function_and_the_class_choose_different_dtypes(m):
    made = [m.Tensor([1, 2]), m.tensor([1, 2]), m.tensor([1.0, 2.0]), m.Tensor(2, 3)]
    return [described(t) for t in made[:3]] + [text(made[3].shape), text(made[3].dtype)]


@same
def test_old_type_names_make_tensors(m):
    made = [m.FloatTensor([[1, 2], [3, 4]]), m.LongTensor([7, 8]), m.DoubleTensor([0.5])]
    sized = [m.IntTensor(2, 3), m.ByteTensor(4)]
    return [described(t) for t in made], [text(t.shape) + text(t.type()) for t in sized]


@same
def test_filled_tensors(m):
    return [
        described(t)
        for t in (
            m.zeros(5, 3),
            m.ones(2, 2, dtype=m.int32),
            m.full((2, 3), 7.5),
            m.eye(3),
            m.arange(0, 1, 0.25),
            m.linspace(-1, 1, 5),
            m.tensor([10, 20, 30, 40, 50], dtype=m.float),
            m.tensor([[1.5, -2.25], [1e-8, 3e8]]),
            m.tensor([True, False]),
            m.tensor(3.14159),
            m.tensor([]),
        )
    ]


@same
def test_random_tensors_have_the_shape_and_dtype_asked_for(m):
    m.manual_seed(3)
    rand, randn = m.rand(5, 3, dtype=m.double), m.randn(5, 3)
    whole, order = m.randint(2, 9, (40,)), m.randperm(12)
    like = m.randn_like(rand)
    drawn = m.zeros(50).random_(3, 6)
    return [
        [text((t.dtype, t.shape)) for t in (rand, randn, whole, order, like, drawn)],
        [bool(((rand >= 0) & (rand < 1)).all()), sorted(order.tolist())],
        [int(whole.min()) >= 2, int(whole.max()) < 9, sorted(set(drawn.tolist()))],
        [failure(m.rand, 5, 3, dtype=m.long), failure(m.randn, 2, dtype=m.int32)],
    ]


@same
def test_the_same_seed_gives_the_same_numbers(m):
    m.manual_seed(11)
    first = m.randn(4)
    m.manual_seed(11)
    return bool((m.randn(4) == first).all())


@same
def test_layouts_have_a_name(m):
    t = m.zeros(2, layout=m.strided)
    return text(t.layout), t.is_sparse, text(t.device), t.is_contiguous()


# --- NumPy ------------------------------------------------------------------------


@same
def test_from_numpy_and_numpy_share_memory(m):
    array = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    t = m.from_numpy(array)
    back = t.numpy()
    back[1] = 98
    t[2] = -1
    t.add_(1)
    return t, array.tolist(), back.tolist(), text(t)


@same
def test_tensor_copies_and_as_tensor_does_not(m):
    array = np.array([1, 2, 3])
    copied, shared = m.tensor(array), m.as_tensor(array)
    array[0] = 9
    return copied, shared


@same
def test_detach_and_requires_grad_do_not_copy(m):
    x = m.ones(3)
    same_object = x.requires_grad_() is x
    y = x.detach()
    y[0] = 5
    return same_object, x, y.requires_grad, x.requires_grad


@same
def test_numpy_beside_tensors(m):
    x, y = m.tensor([[1.0, 2.0], [3.0, 4.0]]), m.tensor([[5.0, 6.0], [7.0, 8.0]])
    a, b = x.numpy(), y.numpy()
    pairs = [
        (x @ y, a @ b),
        (x.mm(y), a.dot(b)),
        (x.t(), a.T),
        (x.reshape(-1, 4), a.reshape(-1, 4)),
        (m.cat((x, y), 0), np.vstack([a, b])),
        (m.cat((x, y), 1), np.hstack([a, b])),
        (m.inverse(x), np.linalg.inv(a)),
        (x[:, 1], a[:, 1]),
    ]
    return [bool(np.allclose(mine.numpy(), his)) for mine, his in pairs], x.norm()


# --- Sizes and shapes ---------------------------------------------------------------


@same
def test_sizes(m):
    x = m.zeros(3, 4, 5)
    size = x.size()
    return text(size), x.size(1), x.size()[-1], size.numel(), x.dim(), size == x.shape


SHAPES = """
x.view(-1, 5)
x.view(4, 3).view(2, -1)
x.t().view(12)
x.t().reshape(12)
x.permute(1, 0)
y.permute(1, 0, 2)
y.transpose(0, 2)
m.transpose(y, 1, 2)
x.unsqueeze(0)
m.unsqueeze(x, 1).shape
x.unsqueeze(0).squeeze(0)
m.squeeze(x.view(1, 3, 1, 4))
x.squeeze(0)
v.expand(3, 4)
v.expand(2, -1, 4).shape
v.expand_as(x)
x.expand(3, 5)
v.repeat(2, 2)
x.repeat(2)
x.narrow(1, 1, 2)
x.narrow(0, 1, 3)
m.split(x, 2)
x.split([1, 2])
m.chunk(x, 2, dim=1)
m.cat((x, x), 0)
m.cat([x, v])
m.stack([v, v * 2])
m.stack([v] * 3, dim=0) * m.stack([v, v * 1.5, v * 2])
m.meshgrid(v, v[:2], indexing="ij")
m.meshgrid(m.arange(2), m.arange(3), indexing="xy")
x.long()
x.short()
x.double()
x.float().type()
x.view(-1, 5).shape
"""


def tensors(m):
    """The names that the one-line programs below use."""
    x = m.tensor([[0.5, -1.0, 2.0, 3.5], [4.0, 5.0, -6.0, 7.0], [0.1, 0.2, 0.3, 0.4]])
    spd = m.tensor([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])
    return {
        "m": m,
        "x": x,
        "y": m.arange(24.0).view(2, 3, 4),
        "z": m.arange(24.0).view(2, 4, 3) / 10,
        "v": m.tensor([1.0, 2.0, 3.0, 4.0]),
        "w": m.tensor([-1.0, 0.5, 2.0]),
        "s": spd,
        "i": m.tensor([2, 0]),
        "text": text,
    }


def lines(calls):
    return pytest.mark.parametrize("call", calls.strip().splitlines())


def check(call):
    """Compare one line; sizes and dtypes by their text."""

    def program(m):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = eval(call, tensors(m))
        return text(found) if isinstance(found, (m.Size, m.dtype)) else found

    ours, theirs = outcome(program, plugrad, {}), outcome(program, torch, {})
    assert ours[0] == theirs[0], (ours, theirs)
    assert not difference(listed(ours[1]), listed(theirs[1]))


def listed(value):
    """Type names that are plugrad's as torch's are."""
    return text(value) if isinstance(value, str) else value


@lines(SHAPES)
def test_shapes(call):
    check(call)


# --- Indexing, and writing by index -----------------------------------------------

INDEXING = """
x[:, 1]
x[1:, 1:3]
x[x > 1]
x[i]
x[7]
m.index_select(x, 0, i)
x.index_select(1, i)
x.index_add_(0, i, m.ones(2, 4))
x.index_add_(0, i, m.ones(2, 4), alpha=2)
m.index_add(x, 1, i, m.ones(3, 2))
x.index_copy_(0, i, m.zeros(2, 4))
x.index_fill_(1, i, -1)
x.index_put_((i, i), m.tensor([10.0, 20.0]))
x.index_put_((i, i * 0), m.tensor([10.0, 20.0]), accumulate=True)
x.put_(i, m.tensor([10.0, 20.0]))
x.put_(i * 0, m.tensor([10.0, 20.0]), accumulate=True)
x.put_(m.tensor([99]), m.tensor([1.0]))
x.take(i)
x.scatter_(0, m.tensor([[0, 1, 2, 0]]), m.ones(1, 4))
x.scatter_(1, m.tensor([[3], [2], [1]]), 9.0)
x.scatter_add_(0, m.tensor([[0, 1, 2, 0], [0, 1, 2, 0]]), m.ones(2, 4))
x.scatter_add(1, m.tensor([[0, 0], [1, 1], [2, 2]]), m.ones(3, 2))
x.scatter_(0, m.tensor([[5]]), m.ones(1, 1))
x.gather(1, m.tensor([[3], [2], [1]]))
x.masked_fill_(x < 0, 0.0)
x.masked_select(x > 3)
x.masked_scatter_(x < 0, m.tensor([1.0, 2.0]))
m.where(x > 0, x, -x)
m.nonzero(x < 0)
m.take(x, m.tensor([0, 5]))
"""


@lines(INDEXING)
def test_indexing(call):
    check(call)


@same
def test_assigning_to_a_part(m):
    x = m.ones(4, 4)
    x[1:3, 1:3] = 2
    x[0] = m.arange(4.0)
    x[x == 1] = -1
    x[-1, ::2] += 10
    return x, text(x), failure(x.__setitem__, 0, m.ones(3))


# --- Mathematics --------------------------------------------------------------------

MATHS = """
m.add(x, v)
x + w
x.add_(1).mul_(2).sub_(v).div_(4)
m.add(x, v, alpha=10)
m.mul(x, v)
m.mul(x.T, w)
m.reciprocal(v)
m.lerp(v, v * 3, 0.5)
m.lerp(v, v * 3, m.tensor([0.0, 0.5, 1.0, 2.0]))
m.sigmoid(x)
m.sqrt(x)
m.abs(x)
m.tan(v)
m.addcdiv(v, m.ones(4), v, value=0.5)
m.addcmul(v, v, v, value=0.1)
m.sum(x, dim=1)
m.sum(x)
x.sum(0, keepdim=True)
m.max(x, dim=1)
m.max(x)
x.argmax(1)
m.histc(x, bins=4, min=-2, max=6)
m.histc(v)
m.clamp(x, 0, 1)
x.clamp(1e-12).log()
x.pow(2).mean()
x.norm()
x.norm(1)
x.norm(2, dim=1)
m.norm(v, 3)
x.std()
x.var(1)
m.bartlett_window(5)
m.bartlett_window(4, periodic=False)
m.blackman_window(6)
m.blackman_window(7, False, dtype=m.float64)
m.hamming_window(5)
m.hamming_window(5, False, 0.5, 0.5)
m.hamming_window(5, alpha=0.6, periodic=False)
m.hann_window(8)
m.hann_window(1)
m.hann_window(0)
m.hann_window(2, False)
m.hann_window(-1)
m.hann_window(3, dtype=m.int64)
m.kaiser_window(6)
m.kaiser_window(6, False, 4.0, dtype=m.float64)
m.cross(w, w.flip(0), dim=0)
m.cumsum(x, 0)
m.round(x)
m.frac(x)
m.fmod(x, 2)
m.remainder(x, 2)
m.sign(x)
m.rsqrt(v)
m.trunc(x)
m.equal(x, x.clone())
m.eq(x, 2)
m.ge(x, 0.4)
m.kthvalue(v, 2)
m.sort(x, 1)
m.topk(v, 2)
m.trace(s)
m.tril(s)
m.triu(s, 1)
m.diag(w)
"""

ALGEBRA = """
m.addbmm(m.ones(3, 3), y, z)
m.addbmm(m.ones(3, 3), y, z, beta=0.5, alpha=2)
m.ones(3, 3).addbmm_(y, z)
m.addmm(m.ones(3, 3), x, x.t())
m.addmm(m.ones(3), x, x.t(), beta=2, alpha=0.1)
m.zeros(3, 3).addmm_(x, x.t(), alpha=2)
m.ones(3).addmm_(x, x.t())
m.addmm(m.ones(3, 3), x, x)
m.addmv(w, x, v)
m.addmv(w, x, v, alpha=-1)
w.addmv_(x, v, beta=0)
m.addr(x, w, v)
m.addr(x, w, v, beta=2, alpha=0.5)
x.addr_(w, v)
m.baddbmm(m.ones(2, 3, 3), y, z)
m.baddbmm(m.ones(1), y, z, beta=3, alpha=0.5)
m.ones(2, 3, 3).baddbmm_(y, z)
m.bmm(y, z)
m.bmm(x, x)
m.dot(v, v)
m.dot(x, v)
m.ger(w, v)
w.ger(v)
m.outer(w, v)
m.inverse(s)
m.inverse(x)
m.inverse(s * 0)
m.det(s)
m.logdet(s)
m.logdet(-s)
m.slogdet(s)
m.matmul(x, v)
m.matmul(y, z)
m.mm(x, x.t())
m.mm(x, x)
m.mv(x, v)
m.pinverse(x)
m.qr(s)[0].abs()
m.qr(s)[1].abs()
m.svd(x)[1]
m.svd(x)[0].shape
m.linalg.cholesky(s)
m.cholesky(s)
m.cholesky_inverse(m.linalg.cholesky(s))
m.cholesky_solve(x, m.linalg.cholesky(s))
m.cholesky_solve(x, m.linalg.cholesky(s).mT, upper=True)
x.cholesky_solve(m.linalg.cholesky(s))
m.triangular_solve(x, s)
m.triangular_solve(x, s, upper=False)
m.triangular_solve(x, s, True, True).solution
x.triangular_solve(s, unitriangular=True)
m.linalg.solve_triangular(s, x, upper=True)
m.linalg.solve(s, x)
m.linalg.eigh(s)[0]
m.geqrf(s)[0].shape
m.orgqr(*m.geqrf(x.t())).abs()
m.ormqr(*m.geqrf(s), x).abs()
m.linalg.householder_product(*m.geqrf(x.t())).abs()
"""

# Names that old notes list, which the torch of today has no more, or only to say so.
GONE = """btrifact btrifact_with_info btrisolve gels gesv lstsq matrix_rank potrf potri
    potrs pstrf solve symeig trtrs""".split()


@lines(MATHS)
def test_maths(call):
    check(call)


@lines(ALGEBRA)
def test_linear_algebra(call):
    check(call)


@pytest.mark.parametrize("name", GONE)
def test_names_that_are_gone(name):
    """Where torch has them, they raise; plugrad says what to call instead."""
    theirs = getattr(torch, name, None)
    assert theirs is None or failure(theirs, torch.eye(2), torch.eye(2)) == "RuntimeError"
    with pytest.raises(AttributeError, match=r"plugrad\.[\w.]+ is what to use"):
        getattr(plugrad, name)


@same
def test_what_geqrf_returns_makes_the_matrix_again(m):
    a = tensors(m)["x"].t()
    packed, tau = m.geqrf(a)
    return m.orgqr(packed, tau) @ packed.triu()[:3], text(packed.shape), tau.shape[0]


# --- Gradients ------------------------------------------------------------------------


@same
def test_a_variable_is_a_tensor(m):
    x = m.autograd.Variable(m.ones(2, 2) * 3, requires_grad=True)
    z = ((x + 2) ** 2).sum()
    z.backward()
    return isinstance(x, m.Tensor), x.data, x.grad, x.grad.data, text(x), text(z)


def steps(m):
    """x, 2x + 1, its square + 1, and the mean of that."""
    x = m.tensor([[1, 2], [3, 4]], dtype=m.double, requires_grad=True)
    y = 2 * x + 1
    z = y * y + 1
    return {"x": x, "y": y, "z": z, "out": z.mean()}


def state(t):
    """What notes print of a tensor in a graph."""
    function = None if t.grad_fn is None else t.grad_fn.name()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of gradients of tensors that are no leaves
        grad = t.grad
    return [text(t), function, grad, t.requires_grad, t.is_leaf, text(t.dtype)]


@same
def test_only_leaves_keep_their_gradient(m):
    found = steps(m)
    found["out"].backward()
    return {name: state(t) for name, t in found.items()}


@same
def test_retain_grad_keeps_the_others(m):
    found = steps(m)
    for t in found.values():
        t.retain_grad()
    found["out"].backward()
    return {name: state(t) for name, t in found.items()}


@same
def test_backward_with_weights(m):
    found = steps(m)
    found["z"].backward(m.tensor([[0.5, 1], [2, 4]], dtype=m.double))
    return found["x"].grad, failure(steps(m)["z"].backward)


@same
def test_backward_with_weights_of_another_dtype(m):
    found = steps(m)
    found["z"].backward(m.tensor([[0.5, 1], [2, 4]], dtype=m.float))
    return found["x"].grad


@same
def test_a_second_backward_needs_retain_graph(m):
    x = m.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad, failure(y.backward)


@same
def test_switches(m):
    x = m.ones(1, requires_grad=True)
    found = []
    with m.no_grad():
        found.append((x * 2).requires_grad)
        with m.enable_grad():
            found.append((x * 2).requires_grad)
    with m.set_grad_enabled(False):
        found.append((x * 2).requires_grad)

    @m.no_grad()
    def doubled(x):
        return x * 2

    return [*found, doubled(x).requires_grad, m.is_grad_enabled()]


@same
def test_autograd_backward_and_grad(m):
    x, y = m.tensor(2.0, requires_grad=True), m.tensor(3.0, requires_grad=True)
    m.autograd.backward([x * y, x**2])
    first = m.autograd.grad(x**3 * y, [x, y], create_graph=True)
    second = m.autograd.grad(first[0], [x, y])
    return x.grad, y.grad, first, second


@same
def test_gradcheck(m):
    x = m.tensor([0.3, -0.7], dtype=m.double, requires_grad=True)

    def f(x):
        return (x.sigmoid() * x).sum()

    checked = m.autograd.gradcheck(f, (x,)), m.autograd.gradgradcheck(f, (x,))
    return list(checked)


@same
def test_a_sigmoid_of_ones_own(m):
    class Sigmoid(m.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = 1 / (1 + m.exp(-x))
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y * (1 - y)

    x = m.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    y = Sigmoid.apply(x)
    y.backward(m.ones(3))
    return y, x.grad, y.grad_fn.name()


@same
def test_python_decides_what_is_computed(m):
    w = [m.full((2, 2), 0.5 + i, requires_grad=True) for i in range(3)]
    h = m.tensor([[1.0, -2.0]])
    for i in (0, 2, 2, 1):
        h = h @ w[i] if h.sum() < 3 else h - w[i].sum()
    h.sum().backward()
    return h, [each.grad for each in w]


@same
def test_logistic_regression_in_two_functions(m):
    data = m.tensor([[0.5, 1.5], [2.0, -1.0], [-1.0, 0.3], [1.0, 1.0]])
    labels = m.tensor([[1.0], [0.0], [0.0], [1.0]])
    w, b = m.zeros(2, 1, requires_grad=True), m.zeros(1, requires_grad=True)

    def loss(p, y):
        return -(y * p.clamp(1e-12).log() + (1 - y) * (1 - p).clamp(1e-12).log()).mean()

    losses = []
    for _ in range(20):
        found = loss(m.sigmoid(m.mm(data, w) + b), labels)
        found.backward()
        for p in (w, b):
            p.data = p.data - 0.5 * p.grad.data
            p.grad.data.zero_()
        losses.append(found.detach())
    return losses, w, b
