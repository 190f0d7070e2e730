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
from tests.against_torch.note_calls import ALGEBRA, GONE, INDEXING, MATHS, SHAPES
from tests.against_torch.programs import differ, failure, outcome, same


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
    made = [m.FloatTensor([[1, 2], [3, 4]]), m.LongTensor([7]), m.DoubleTensor([0.5])]
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
    assert not differ(listed(ours[1]), listed(theirs[1]))


def listed(value):
    """Type names that are plugrad's as torch's are."""
    return text(value) if isinstance(value, str) else value


@lines(SHAPES)
def test_shapes(call):
    check(call)


# --- Indexing, and writing by index -----------------------------------------------


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
    one = torch.eye(2)
    assert theirs is None or failure(theirs, one, one) == "RuntimeError"
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
