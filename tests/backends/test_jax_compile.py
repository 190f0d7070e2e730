"""`plugrad.compile` on JAX: the same as the function itself, in one program."""

from __future__ import annotations

import pytest

import plugrad
from plugrad.testing import assert_close

jax = pytest.importorskip("jax", reason="the JAX backend needs jax")


@pytest.fixture(autouse=True)
def on_jax():
    with plugrad.backend("jax"):
        plugrad.manual_seed(0)
        yield


def weights():
    w = plugrad.randn(3, 4, dtype=plugrad.float64)
    b = plugrad.zeros(4, dtype=plugrad.float64)
    return {"w": w.requires_grad_(), "b": b.requires_grad_()}


def loss(p, x, scale=2.0):
    y = (x @ p["w"] + p["b"]).tanh() * scale
    return {"loss": y.square().sum(), "rest": [y.detach(), (scale, None)]}


def test_containers_and_gradients():
    compiled, p = plugrad.compile(loss), weights()
    x = plugrad.randn(5, 3, dtype=plugrad.float64)
    for scale in (2.0, 3.0):
        ours, plain = compiled(p, x, scale=scale), loss(p, x, scale=scale)
        assert ours["rest"][1] == (scale, None)
        assert_close(ours["rest"][0], plain["rest"][0])
        found = plugrad.autograd.grad(ours["loss"], list(p.values()))
        wanted = plugrad.autograd.grad(plain["loss"], list(p.values()))
        for a, b in zip((ours["loss"], *found), (plain["loss"], *wanted)):
            assert_close(a, b)
    assert len(compiled.programs) == 2


def test_later_calls_use_new_values():
    compiled, p = plugrad.compile(loss), weights()
    x = plugrad.randn(5, 3, dtype=plugrad.float64)
    compiled(p, x)
    with plugrad.no_grad():
        p["w"].mul_(2)
    assert_close(compiled(p, x)["loss"], loss(p, x)["loss"])
    wider = plugrad.randn(7, 3, dtype=plugrad.float64)
    assert_close(compiled(p, wider)["loss"], loss(p, wider)["loss"])


@pytest.mark.parametrize("way", ["grad", "backward"])
def test_a_training_step(way):
    def step(p, x):
        value = loss(p, x)["loss"]
        if way == "grad":
            found = plugrad.autograd.grad(value, list(p.values()))
        else:
            value.backward()
            found = [each.grad for each in p.values()]
        return value, found

    p, x = weights(), plugrad.randn(5, 3, dtype=plugrad.float64)
    value, found = plugrad.compile(step)(p, x)
    assert_close(value, loss(p, x)["loss"])
    wanted = plugrad.autograd.grad(loss(p, x)["loss"], list(p.values()))
    for a, b in zip(found, wanted):
        assert_close(a, b)


def test_gradients_of_gradients():
    @plugrad.compile
    def cubes(w):
        return (w**3).sum()

    @plugrad.compile
    def slope(w):
        return plugrad.autograd.grad((w**3).sum(), w, create_graph=True)[0]

    w = plugrad.tensor([1.0, 2.0], dtype=plugrad.float64, requires_grad=True)
    (g,) = plugrad.autograd.grad(cubes(w), w, create_graph=True)
    (h,) = plugrad.autograd.grad(g.sum(), w)
    assert_close(g.detach(), 3 * w.detach() ** 2)
    assert_close(h, 6 * w.detach())
    assert_close(plugrad.autograd.grad(slope(w).sum(), w)[0], h)
    assert plugrad.autograd.gradcheck(cubes, (w,))


def test_writes_to_arguments_are_done_to_them():
    def step(x, mean):
        mean.mul_(0.5).add_(x)
        mean[0] = 7
        return mean * 2

    x, mean, plain = plugrad.ones(3), plugrad.ones(3), plugrad.ones(3)
    alias = mean.detach()
    for _ in range(2):
        assert_close(plugrad.compile(step)(x, mean), step(x, plain))
    assert_close(mean, plain)
    assert_close(alias, plain)


def test_modules_go_in_with_their_tensors():
    class Net(plugrad.Module):
        def __init__(self):
            super().__init__()
            self.w = plugrad.Parameter(plugrad.randn(3, dtype=plugrad.float64))
            self.register_buffer("seen", plugrad.zeros(()))

        def forward(self, x):
            self.seen.add_(1)
            return (x * self.w).sum() * (2 if self.training else 1)

    net = Net()
    compiled, x = plugrad.compile(net), plugrad.ones(3, dtype=plugrad.float64)
    for _ in range(2):
        compiled(x).backward()
        assert_close(net.w.grad, 2 * x)
        net.w.grad = None
        with plugrad.no_grad():
            net.w.add_(1)
        assert_close(compiled(x), net(x))
    assert net.seen.item() == 6
    net.eval()
    assert_close(compiled(x), net(x))


OUTSIDE = {}


def adds(x):
    return OUTSIDE["plain"].add_(x)


def adds_to_view(x):
    return OUTSIDE["plain"][0].add_(x.sum())


def sets_data(x):
    OUTSIDE["plain"].data = x
    return x


def leaves_gradient(x):
    (x * OUTSIDE["leaf"]).sum().backward()
    return x * 1


def owes_gradient(x):
    return (x * OUTSIDE["leaf"]).sum()


def keeps_gradient(x):
    (x.requires_grad_() * 2).sum().backward()
    return x * 1


def draws(x):
    return x + plugrad.rand(3)


def reads(x):
    return x if x.sum().item() > 0 else -x


ERRORS = {
    adds: "changes a tensor from outside",
    adds_to_view: "changes a tensor from outside",
    sets_data: "changes a tensor from outside",
    leaves_gradient: "changes a tensor from outside",
    owes_gradient: "from outside that requires a gradient",
    keeps_gradient: "leaves gradients in its arguments",
    draws: "random numbers",
    reads: "values of its arguments",
}


@pytest.mark.parametrize("function", ERRORS, ids=lambda f: f.__name__)
def test_what_cannot_be_compiled_says_so(function):
    plain = OUTSIDE["plain"] = plugrad.zeros(3)
    leaf = OUTSIDE["leaf"] = plugrad.ones(3, requires_grad=True)
    x = plugrad.ones(3)
    with pytest.raises(plugrad.UnsupportedOpError, match=ERRORS[function]):
        plugrad.compile(function)(x)
    assert plain.tolist() == [0, 0, 0] and leaf.grad is None and x.grad is None


def test_other_backends_say_what_would_work():
    with plugrad.backend("numpy"):
        with pytest.raises(plugrad.UnsupportedOpError, match="'numpy' cannot compile"):
            plugrad.compile(owes_gradient)(plugrad.ones(3))
        assert plugrad.compile(adds, disable=True) is adds
    with pytest.raises(TypeError, match="can be hashed"):
        plugrad.compile(lambda x, y: x)(plugrad.ones(2), {1, 2})
