"""What `plugrad.fuse` makes of functions: their results, bit for bit, or nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest

import plugrad
from plugrad import fusing as subject
from tests.core.fusing_engines import (
    assert_same_bits,
    each_engine,
    fusing,
    without_blas,
)

# programs on x, a and b, of which x or more is written
METHODS = """
x.add_(a)
x.add_(a, alpha=0.3)
x.add_(0.3)
x.add_(2, alpha=0.7)
x.sub_(a)
x.sub_(a, alpha=0.3)
x.sub_(1e-9)
x.mul_(a)
x.mul_(-0.1)
x.div_(a)
x.div_(0.7)
x.neg_()
x.abs_()
x.sqrt_()
x.sign_()
x.square_()
x.reciprocal_()
x.pow_(2)
x.pow_(3)
x.pow_(0.5)
x.pow_(-1)
x.copy_(a.pow(1))
x.axpby_(a, alpha=0.3, beta=-0.9)
x.axpby_(a, alpha=0.3)
x.axpby_(a, beta=3)
x.addcmul_(a, b)
x.addcmul_(a, b, value=-0.3)
x.addcmul_(a, x, value=2)
x.addcdiv_(a, b)
x.addcdiv_(a, b, value=0.3)
x.lerp_(a, 0.1)
x.lerp_(a, 0.9)
x.clamp_(-0.5, 0.7)
x.clamp_(min=0.1)
x.clamp_(max=0.1)
x.clamp_(0.5, -0.5)
x.clamp_min_(0.1)
x.clamp_max_(0.1)
x.copy_(a)
x.copy_(a.maximum(b))
x.copy_(a.minimum(b))
x.fill_(0.3)
x.zero_()
x.masked_fill_(a > b, 0.3)
x.masked_fill_(a.gt(b), 0.3)
x.masked_fill_(a < 0.1, 0.3)
x.masked_fill_(a.lt(b), -1)
x.masked_fill_(a >= b, 0.3)
x.masked_fill_(a.ge(0.1), 0.3)
x.masked_fill_(a <= b, 0.3)
x.masked_fill_(a.le(b), 0.3)
x.masked_fill_(a == b, 0.3)
x.masked_fill_(a.eq(0), 0.3)
x.masked_fill_(a != b, 0.3)
x.masked_fill_(a.ne(a), 0.3)
x.masked_fill_((a > 0.1) & (b > 0.1), 7)
x.masked_fill_((a > 0.1).logical_and(b > 0.1), 7)
x.masked_fill_((a > 0.1) | (b > 0.1), 7)
x.masked_fill_((a > 0.1).logical_or(b > 0.1), 7)
x.masked_fill_(~(a > 0.1), 7)
x.masked_fill_((a > 0.1).logical_not(), 7)
x.copy_(a.where(a > b, b))
x.copy_(a.where(a > b, 0.3))
x.copy_(x + a)
x.copy_(0.3 + x)
x.copy_(x - a)
x.copy_(0.3 - x)
x.copy_(x * a)
x.copy_(0.3 * x)
x.copy_(x / a)
x.copy_(0.3 / x)
x.copy_(x ** 2)
x.copy_(-x)
x.copy_(abs(x))
x += a
x -= 0.3
x *= a
x /= 0.3
x.copy_(a.neg().abs().add(b).sub(1).mul(x).div(3))
x.copy_(a.sqrt()), b.copy_(a.sign()), a.copy_(a.square())
x.copy_(a.reciprocal()), b.copy_(b.lerp(a, 0.2))
x.copy_(a.axpby(b, alpha=2, beta=3).addcmul(a, b).addcdiv(a, x))
x.copy_(a.clamp(-1, 1)), b.copy_(b.clamp_min(0).clamp_max(1))
x.copy_(a.masked_fill(a > 0, 1))
a.mul(b, out=x)
a.mul(x, out=x).add_(b)
y = x.clone(); y.add_(a); x.mul_(y)
y = x.detach(); y.add_(a); x.mul_(y)
x.data.add_(a); x.data.mul_(b)
y = x.add_(a); b.copy_(y); x.mul_(2); a.sub_(y)
""".strip().splitlines()


def body(program):
    """A program as a function of tensors."""

    def function(x, a, b):
        exec(program, {"x": x, "a": a, "b": b})

    return function


def operands(dtype):
    """Three arrays with all pairs of unusual numbers in them, and usual ones."""
    odd = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-42, 3e38, 0.1]
    rng = np.random.default_rng(0)
    x, a = np.meshgrid(odd, odd)
    b = rng.permutation(x.ravel())
    parts = zip((x.ravel(), a.ravel(), b), rng.standard_normal((3, 93)))
    return [np.concatenate(pair).astype(dtype) for pair in parts]


def tensors(arrays):
    return [plugrad.tensor(each) for each in arrays]


@each_engine
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_methods(engine, dtype, monkeypatch):
    """Each by itself, compared with the same on tensors."""
    without_blas(monkeypatch)
    given = operands(dtype)
    for program in METHODS:
        expected, found = tensors(given), tensors(given)
        body(program)(*expected)
        with fusing(engine):
            fused = plugrad.fuse(body(program), found)
        assert fused is not None, program
        for each, before in zip(found, given):
            assert_same_bits(each.numpy(), before)  # nothing is computed yet
        fused()
        for mine, theirs in zip(found, expected):
            try:
                if re.search("max|min|clamp", program):  # of zeros either will do
                    np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
                else:
                    assert_same_bits(mine.numpy(), theirs.numpy())
            except AssertionError as error:
                raise AssertionError(f"{program}: {error}") from error


def test_every_method_that_is_known_has_a_program():
    text = "\n".join(METHODS)
    known = [*subject.METHODS, *subject.IN_PLACE, *subject.COMPARISONS]
    known += [*subject.CONNECTIVES]
    known += [
        f"{name}_" for name in subject.METHODS if name + "_" in vars(subject.StandIn)
    ]
    names = set(re.findall(r"\.(\w+)\(", text))
    assert [name for name in known if name not in names] == []


@each_engine
def test_numbers_are_rounded_to_the_dtype(engine, monkeypatch):
    """Once, before they are used: 1e-50 is 0 in float32, and 0.1 is not 0.1."""
    without_blas(monkeypatch)
    for number in (1e-50, 0.1, 1e300, 1 / 3):
        program = f"x.mul_({number}).add_(a, alpha={number}).sub_({number})"
        given = operands("float32")
        expected, found = tensors(given), tensors(given)
        body(program)(*expected)
        with fusing(engine):
            plugrad.fuse(body(program), found)()
        assert_same_bits(found[0].numpy(), expected[0].numpy())


@each_engine
def test_parts(engine):
    """Of a tensor with several dimensions, its elements in order."""
    x = plugrad.arange(24.0).reshape(2, 3, 4)
    a = plugrad.ones(2, 3, 4)
    with fusing(engine):
        fused = plugrad.fuse(lambda x, a: x.add_(a), [x, a])
    fused(5, 7)
    fused(23)
    expected = np.arange(24.0, dtype="float32")
    expected[[5, 6, 23]] += 1
    assert (x.numpy().ravel() == expected).all()


def test_a_program_is_data_and_holds_no_numbers():
    def scale(rate):
        with fusing("interpreted") as programs:
            x = plugrad.ones(3)
            plugrad.fuse(lambda x: x.mul_(rate).add_(rate), [x])()
        return x[0].item(), programs[0]

    (first, one), (second, other) = scale(0.5), scale(0.25)
    assert (first, second) == (1.0, 0.5)
    assert one == other and hash(one) == hash(other)
    assert tuple(one) == (
        "float32", 1, 2, (("mul", "a0", "n0"), ("add", "v0", "n1")), ((0, "v1"),)
    )  # fmt: skip


UNKNOWN = """
x.exp_()
x.add_(a.sum())
x.mul_(x.norm())
x.mul_(a.item())
x.mul_(float(a))
x.mul_(len(a))
x.mul_(x.shape[0])
x.mul_(x.numel())
x.mul_(x.ndim)
x.add_(a if a else b)
x.add_(a if (a > 0).any() else b)
x.add_([y for y in a][0])
x.add_(a[0])
x[0] = 1
x[:2].add_(1)
x.add_({a: a}[a])
x.add_(a.numpy())
x.add_(np.asarray(a))
x.add_(plugrad.exp(a))
x.add_(plugrad.maximum(a, b))
x.add_(plugrad.where(a > 0, a, b))
x.add_(plugrad.zeros_like(a))
x.add_(plugrad.ones(()))
plugrad.zeros(193).add_(x); x.add_(1)
x.add_(True)
x.add_(np.float64(0.1))
x.pow_(2.5)
x.pow_(a)
2 ** x; x.add_(1)
x.mul_(a > 0)
x.add_((a > 0) + (b > 0))
x.add_((a > 0).to(a.dtype))
x.add_((a > 0).neg())
x.masked_fill_(a, 1)
x.masked_fill_(a.logical_not(), 1)
x.masked_fill_((a > 0).zero_(), 1); x.add_(1)
a.gt(b, out=x)
x.lerp_(a, b)
x.clamp_(); x.add_(1)
x.div_(a, rounding_mode="floor")
x.maximum_(a)
x.view(-1).add_(1)
x.t_().add_(1)
x.T.add_(1)
x.data = a
x.grad = a
x.add_(len(repr(a)))
x.add_(len(f"{a}"))
x.add_(10 ** 400)
x.set_(a)
x.requires_grad_(); x.add_(1)
x.add_(hasattr(x, "nothing"))
x.add_(type(x).__len__(x))
raise KeyError(1)
a + b
pass
""".strip().splitlines()


@pytest.mark.parametrize("program", UNKNOWN)
def test_what_is_not_known_is_left_alone(program):
    """No program is made, and nothing is changed."""
    given = operands("float64")
    found = tensors(given)

    def run(x, a, b):
        exec(program, {"x": x, "a": a, "b": b, "np": np, "plugrad": plugrad})

    with fusing("interpreted") as programs:
        assert plugrad.fuse(run, found) is None
    assert not programs
    for each, before in zip(found, given):
        assert_same_bits(each.numpy(), before)


def test_a_function_that_handles_exceptions_is_left_alone():
    """It would do something else with a stand-in than with a tensor."""

    def function(x):
        try:
            x.exp_()
        except Exception:
            x.add_(1)

    with fusing("interpreted"):
        assert plugrad.fuse(function, [plugrad.zeros(3)]) is None


def test_stand_ins_of_two_functions_do_not_mix():
    kept = []

    def keep(x):
        kept.append(x)
        x.add_(1)

    with fusing("interpreted"):
        assert plugrad.fuse(keep, [plugrad.zeros(3)])
        for use in (
            lambda x: x.add_(kept[0]),
            lambda x: x.mul(2, out=kept[0]),
            lambda x: x.masked_fill_(kept[0] > 0, 1),
        ):
            assert plugrad.fuse(use, [plugrad.zeros(3)]) is None
        assert plugrad.fuse(lambda x: x.add_(1), [plugrad.zeros(3)])


def test_a_stand_in_is_a_tensor_to_those_who_ask():
    def function(x):
        assert isinstance(x, plugrad.Tensor)
        assert not x.is_sparse and not x.is_complex() and x.is_floating_point()
        x.add_(1)

    with fusing("interpreted"):
        assert plugrad.fuse(function, [plugrad.zeros(3)])


def place(offset, n=8):
    memory = plugrad.arange(32.0)
    return lambda at: memory[at + offset : at + offset + n]


OTHERS = {
    "with gaps": lambda: (plugrad.zeros(8), plugrad.ones(16)[::2]),
    "transposed": lambda: (plugrad.zeros(2, 4), plugrad.ones(4, 2).t()),
    "repeated": lambda: (plugrad.zeros(8), plugrad.ones(1).expand(8)),
    "another shape": lambda: (plugrad.zeros(8), plugrad.ones(1)),
    "another order": lambda: (plugrad.zeros(2, 4), plugrad.ones(4, 2)),
    "another dtype": lambda: (plugrad.zeros(8), plugrad.ones(8).double()),
    "of integers": lambda: (plugrad.zeros(8).long(), plugrad.ones(8).long()),
    "complex": lambda: (plugrad.zeros(8) * 1j, plugrad.ones(8) * 1j),
    "sparse": lambda: (plugrad.zeros(8), plugrad.ones(8).to_sparse()),
    "the same": lambda: (plugrad.zeros(8),) * 2,
    "one view": lambda: [f(0) for f in [place(0)] * 2],
    "overlapping": lambda: [f(i) for i, f in enumerate([place(0)] * 2)],
    "overlapping backwards": lambda: [f(7 - i) for i, f in zip((0, 7), [place(0)] * 2)],
}


@pytest.mark.parametrize("kind", OTHERS)
def test_tensors_that_are_not_alike(kind):
    x, a = OTHERS[kind]()
    with fusing("interpreted") as programs:
        assert plugrad.fuse(lambda x, a: x.add_(a), [x, a]) is None
    assert not programs


def test_neighbours_in_memory_are_alike():
    at = place(0)
    x, a = at(8), at(0)
    with fusing("interpreted"):
        plugrad.fuse(lambda x, a: x.add_(a), [x, a])()
    assert (x.numpy() == np.arange(8, 16) + np.arange(8)).all()


def test_what_is_recorded_is_not_fused():
    x = plugrad.ones(3, requires_grad=True)
    a = plugrad.ones(3)
    with fusing("interpreted"):
        assert plugrad.fuse(lambda a, x: a.add_(x), [a, x]) is None
        with plugrad.no_grad():
            assert plugrad.fuse(lambda a, x: a.add_(x), [a, x])
        assert plugrad.fuse(lambda a, x: a.add_(x), [a, x.detach()])


@each_engine
def test_backward_notices_the_write(engine):
    """As it does one of the operations in place."""
    x = plugrad.ones(3, requires_grad=True)
    a = plugrad.ones(3)
    y = x * a
    with fusing(engine), plugrad.no_grad():
        fused = plugrad.fuse(lambda a, x: a.add_(x), [a, x])
    plugrad.autograd.grad(y, x, plugrad.ones(3), retain_graph=True)
    fused(0, 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@each_engine
def test_what_is_only_read_was_not_written(engine):
    x = plugrad.ones(3, requires_grad=True)
    a = plugrad.ones(3)
    y = x * a
    with fusing(engine), plugrad.no_grad():
        plugrad.fuse(lambda b, a: b.add_(a), [plugrad.ones(3), a])()
    y.sum().backward()
    assert (x.grad == 1).all()


def test_views_see_the_write_through_one_storage():
    base = plugrad.zeros(4, 3)
    x, view = plugrad.ones(3, requires_grad=True), base[1]
    y = x * view
    with fusing("interpreted"):
        plugrad.fuse(lambda t: t.add_(1), [base.view(-1)])()
    assert (view == 1).all()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_backend_that_does_not_fuse():
    """It calls no function in vain; nor does one that gives nothing for a program."""
    called = []
    assert plugrad.fuse(called.append, [plugrad.ones(3)]) is None
    assert not called
    none = plugrad.Overrides("none", backend="numpy")
    none.add("fuse")(lambda program: None)
    with plugrad.use_kernels("numpy", none):
        assert plugrad.fuse(lambda x: x.add_(1), [plugrad.ones(3)]) is None
    assert plugrad.fuse(called.append, [plugrad.ones(3)]) is None
    assert not called


def test_a_backend_that_does_not_know_where_its_arrays_lie(monkeypatch):
    """Nobody could say whether they overlap."""
    k = plugrad.get_backend("numpy")
    with fusing("interpreted"):
        assert plugrad.fuse(lambda x: x.add_(1), [plugrad.ones(3)])
        monkeypatch.delattr(type(k), "address")
        assert plugrad.fuse(lambda x: x.add_(1), [plugrad.ones(3)]) is None


def test_a_call_that_is_not_accepted_goes_to_the_kernels_before():
    only = plugrad.Overrides("only", backend="numpy")
    found = []

    @only.add("fuse", accepts=lambda program: program.dtype == "float64")
    def fuse(program):
        found.append(program.dtype)

    with fusing("interpreted") as programs, plugrad.use_kernels("numpy", only):
        for dtype in (plugrad.float32, plugrad.float64):
            plugrad.fuse(lambda x: x.add_(1), [plugrad.ones(3, dtype=dtype)])
    assert found == ["float64"]
    assert [each.dtype for each in programs] == ["float32"]


def test_what_is_not_a_tensor():
    with pytest.raises(TypeError, match="fuse expects tensors, but got list"):
        plugrad.fuse(lambda x: x.mul_(2), [[1.0]])
    assert plugrad.fuse(lambda: None, []) is None
