"""Kernels of plugins: what they serve, and that nothing else changes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import plugrad
from plugrad import BackendError, Overrides, use_kernels
from plugrad.testing import assert_close

ROW = [0.3, -1.2, 2.0, 0.7]


def leaf(values, dtype=plugrad.float64) -> plugrad.Tensor:
    return plugrad.tensor(values, dtype=dtype, requires_grad=True)


class Pairs(Overrides):
    """Pairs of a few ops, which count their calls."""

    def __init__(self, name: str = "pairs", **options) -> None:
        super().__init__(name, backend="numpy")
        self.calls: list[str] = []
        for op in ("mul", "tanh", "cat", "max"):
            self.give(op, *getattr(self, op)(), **options)

    def give(self, op, forward, vjp, **options) -> None:
        def counted(kind, function):
            def call(*args):
                self.calls.append(f"{op} {kind}")
                return function(*args)

            return call

        self.pair(op, counted("forward", forward), counted("vjp", vjp), **options)

    def mul(self):
        def vjp(g, state, need):
            a, b = state
            return (g * b if need[0] else None), (g * a if need[1] else None)

        return lambda a, b: (a * b, (a, b)), vjp

    def tanh(self):
        def forward(x):
            y = np.tanh(x)
            return y, y

        return forward, lambda g, y, need: (g * (1 - y * y),)

    def cat(self):
        def forward(tensors, dim):
            ends = np.cumsum([t.shape[dim] for t in tensors])[:-1].tolist()
            return np.concatenate(tensors, dim), (ends, dim)

        def vjp(g, state, need):
            parts = np.split(g, *state)
            return [part if each else None for part, each in zip(parts, need)]

        return forward, vjp

    def max(self):
        def forward(x, dim=None, keepdim=False):
            i = np.expand_dims(x.argmax(dim), dim)
            y = np.take_along_axis(x, i, dim)
            if not keepdim:
                y, j = y.squeeze(dim), i.squeeze(dim)
            else:
                j = i
            return (y, j), (x.shape, x.dtype, i, dim, keepdim)

        def vjp(g, state, need):
            shape, dtype, i, dim, keepdim = state
            found = np.zeros(shape, dtype)
            g = g if keepdim else np.expand_dims(g, dim)
            np.put_along_axis(found, i, g, dim)
            return (found,)

        return forward, vjp


@pytest.fixture
def pairs():
    kernels = Pairs()
    before = plugrad.get_backend("numpy").overrides
    with use_kernels("numpy", kernels):
        yield kernels
    assert list(plugrad.get_backend("numpy").overrides) == list(before)


def same_without(program, *inputs):
    """Run a program with the kernels in use and again without; the results must agree.
    Returns those of the first run."""
    used = program(*inputs)
    k = plugrad.get_backend("numpy")
    from plugrad.overrides import switch

    overrides = k.overrides
    switch(k, [])
    try:
        own = program(*inputs)
    finally:
        switch(k, overrides)
    assert_close(used, own)
    return used


# ---- Kernels of arrays alone


def loud(name, op="exp", accepts=None, factor=1.0):
    kernels = Overrides(name, backend="numpy")
    kernels.add(op, accepts=accepts)(lambda x: np.exp(x) * factor)
    return kernels


def test_a_kernel_serves_forward_and_the_ops_rule_backward():
    with use_kernels("numpy", loud("twice", factor=2.0)):
        x = leaf(ROW)
        y = x.exp()
        y.sum().backward()
    assert_close(y, plugrad.exp(x) * 2)
    assert_close(x.grad, y.detach())  # the rule of exp is g * y


def test_what_a_kernel_does_not_accept_falls_through():
    kernels = loud("flat", accepts=lambda x: x.ndim == 1, factor=2.0)
    with use_kernels("numpy", kernels):
        assert_close(plugrad.exp(plugrad.zeros(2)), plugrad.full((2,), 2.0))
        assert_close(plugrad.exp(plugrad.zeros(2, 2)), plugrad.ones(2, 2))
        for mode in (plugrad.no_grad, plugrad.inference_mode):
            with mode():
                assert_close(plugrad.exp(plugrad.zeros(2)), plugrad.full((2,), 2.0))
                assert_close(plugrad.exp(plugrad.zeros(2, 2)), plugrad.ones(2, 2))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_kernels_stop_in_any_order(order):
    """The one put in use last among those that are left serves the call."""
    plans = [loud(str(n), factor=float(n)) for n in (2, 3, 5)]
    uses = [use_kernels("numpy", each) for each in plans]
    left = [0, 1, 2]
    for i in order:
        factor = (2.0, 3.0, 5.0)[left[-1]]
        assert plugrad.exp(plugrad.zeros(())).item() == factor
        uses[i].stop()
        left.remove(i)
    assert plugrad.exp(plugrad.zeros(())).item() == 1.0


def test_the_same_kernels_twice_in_use():
    """Each use ends for itself, and ending it twice ends no other."""
    two, three = loud("two", factor=2.0), loud("three", factor=3.0)
    first = use_kernels("numpy", two)
    with use_kernels("numpy", three):
        last = use_kernels("numpy", two)
        assert plugrad.exp(plugrad.zeros(())).item() == 2.0
        last.stop()
        last.stop()
        assert plugrad.exp(plugrad.zeros(())).item() == 3.0
    assert plugrad.exp(plugrad.zeros(())).item() == 2.0
    first.stop()
    assert plugrad.exp(plugrad.zeros(())).item() == 1.0


def test_with_nests_and_can_be_entered_again():
    two, three = loud("two", factor=2.0), loud("three", factor=3.0)
    use = use_kernels("numpy", two)
    for _ in range(2):
        with use as kernels:
            assert kernels is two
            assert plugrad.exp(plugrad.zeros(())).item() == 2.0
            with use_kernels("numpy", three):
                assert plugrad.exp(plugrad.zeros(())).item() == 3.0
            assert plugrad.exp(plugrad.zeros(())).item() == 2.0
        assert plugrad.exp(plugrad.zeros(())).item() == 1.0
    with pytest.raises(ZeroDivisionError), use_kernels("numpy", two):
        1 / 0  # noqa: B018
    assert plugrad.exp(plugrad.zeros(())).item() == 1.0


def test_a_use_has_the_kernels_of_its_moment():
    kernels = loud("two", factor=2.0)
    with use_kernels("numpy", kernels):
        kernels.add("sin")(lambda x: x * 0 + 7)
        assert plugrad.sin(plugrad.zeros(())).item() == 0.0
    with use_kernels("numpy", kernels):
        assert plugrad.sin(plugrad.zeros(())).item() == 7.0


def test_ops_that_are_built_on_an_op_use_its_kernel():
    """Bodies and rules of other ops call the kernel by the op's name, in every mode."""
    kernels = Overrides("s", backend="numpy")
    calls = []

    def sigmoid(x):
        calls.append("forward")
        y = 1 / (1 + np.exp(-x))
        return y, y

    kernels.pair("sigmoid", sigmoid, lambda g, y, need: (g * y * (1 - y),))

    def program():
        x, b = leaf(ROW), leaf(ROW[::-1])
        y = plugrad.logaddexp(x, b)  # its rule calls sigmoid
        y.sum().backward()
        return y, x.grad, b.grad

    with use_kernels("numpy", kernels):
        same_without(program)
    assert calls == ["forward", "forward"]


class Plain(plugrad.Backend):
    """NumPy's arrays and the default bodies; one op is left out."""

    name = "plain for overrides"
    array_type = np.ndarray
    namespace = np
    leaves_out = {"exp": "it is too hot", "tanh[float32]": "it is too cold"}

    def find_dtype(self, each):
        return None if each.name == "bfloat16" else np.dtype(each.name)


def test_kernels_bring_what_a_backend_leaves_out():
    plugrad.register_backend(Plain.name, Plain)
    kernels = Overrides("more", backend=Plain.name)
    kernels.add("exp", accepts=lambda x: x.ndim == 1)(np.exp)
    kernels.pair("tanh", *Pairs().tanh())
    with plugrad.backend(Plain.name):
        x = plugrad.tensor(ROW, requires_grad=True)
        square = plugrad.zeros(2, 2)
    with use_kernels(Plain.name, kernels):
        y = x.exp().tanh()
        y.sum().backward()
        with pytest.raises(plugrad.UnsupportedOpError, match="exp.*too hot"):
            square.exp()
    assert y.backend == Plain.name
    own = leaf(ROW, plugrad.float32)
    own.exp().tanh().sum().backward()
    assert np.allclose(x.grad.tolist(), own.grad.tolist())
    for op in (plugrad.exp, plugrad.tanh):
        with pytest.raises(plugrad.UnsupportedOpError, match=op.__name__):
            op(x.detach())


# ---- Writing forms


def test_the_form_in_place_is_served_too():
    with use_kernels("numpy", loud("twice", factor=2.0)):
        for mode in (plugrad.enable_grad, plugrad.no_grad):
            with mode():
                x = plugrad.zeros(3)
                assert_close(x.exp_(), plugrad.full((3,), 2.0))
    assert_close(plugrad.zeros(3).exp_(), plugrad.ones(3))


def test_the_form_in_place_of_what_is_not_accepted_falls_through():
    kernels = loud("flat", accepts=lambda x: x.ndim == 1, factor=2.0)
    with use_kernels("numpy", kernels):
        assert_close(plugrad.zeros(2, 2).exp_(), plugrad.ones(2, 2))
        assert_close(plugrad.zeros(2).exp_(), plugrad.full((2,), 2.0))


def test_a_kernel_that_writes():
    kernels = Overrides("writer", backend="numpy")
    calls = []

    @kernels.add("add_", accepts=lambda x, b: x.dtype == np.float32)
    def add_(x, b, alpha=1):
        calls.append(alpha)
        return np.add(x, alpha * b, x)

    with use_kernels("numpy", kernels):
        x = plugrad.ones(3)
        x.add_(plugrad.ones(3))
        x.add_(plugrad.ones(3), alpha=2)
        x += 1
        y = plugrad.ones(3, dtype=plugrad.float64)
        y.add_(plugrad.ones(3, dtype=plugrad.float64))
    assert calls == [1, 2, 1]
    assert_close(x, plugrad.full((3,), 5.0))
    assert_close(y, plugrad.full((3,), 2.0, dtype=plugrad.float64))


def test_writes_with_a_pair_in_use(pairs):
    def program():
        x, b = leaf(ROW), leaf(ROW[::-1])
        y = x * 1.5
        y.mul_(b)
        y.tanh_()
        y[1:].mul_(y[:-1].clone())
        y.sum().backward()
        z = plugrad.tensor(ROW)
        z.mul_(plugrad.tensor(ROW)).tanh_()
        z *= 2
        return y, x.grad, b.grad, z

    same_without(program)


def test_what_was_written_after_the_call_does_not_reach_the_state(pairs):
    """exp keeps its result and the pair its input: writing that is allowed."""

    kernels = Overrides("x", backend="numpy")
    kernels.pair(
        "exp", lambda x: (np.exp(x), (x, [x])), lambda g, s, need: (g * np.exp(s[0]),)
    )

    def program():
        x = leaf(ROW)
        y = x * 1.0
        z = y.exp()
        y.add_(1)
        z.sum().backward()
        return x.grad

    with use_kernels("numpy", kernels):
        same_without(program)


def test_a_write_to_a_view_of_what_the_state_holds(pairs):
    kernels = Overrides("x", backend="numpy")
    kernels.pair(
        "exp",
        lambda x: (np.exp(x), {"x": x.T}),
        lambda g, s, need: (g * np.exp(s["x"].T),),
    )

    def program():
        x = leaf([ROW, ROW])
        y = x * 1.0
        part = y[0]
        z = y.exp()
        part.zero_()
        z.sum().backward()
        return x.grad

    with use_kernels("numpy", kernels):
        same_without(program)


def test_an_object_as_state_is_taken_to_hold_everything():
    class State:
        def __init__(self, x):
            self.x = x

    kernels = Overrides("x", backend="numpy")
    kernels.pair(
        "exp", lambda x: (np.exp(x), State(x)), lambda g, s, need: (g * np.exp(s.x),)
    )

    def program():
        x = leaf(ROW)
        y = x * 1.0
        z = y.exp()
        y.add_(1)
        z.sum().backward()
        return x.grad

    with use_kernels("numpy", kernels):
        same_without(program)


def test_the_pairs_gradient_survives_a_write_that_does_not_concern_it(pairs):
    x, b = leaf(ROW), leaf(ROW)
    y = x * b
    y.add_(1)  # the state of mul is a and b
    y.sum().backward()
    assert pairs.calls == ["mul forward", "mul vjp"]
    assert_close(x.grad, b.detach())


def test_a_write_to_what_the_ops_rule_needs_raises(pairs):
    x, b = leaf(ROW), leaf(ROW)
    c = b * 1.0
    y = x * c
    c.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


# ---- Pairs


def test_a_pair_serves_both_ways(pairs):
    def program():
        x, b = leaf(ROW), leaf(ROW[::-1])
        y = (x * b).tanh()
        y.sum().backward()
        return y, x.grad, b.grad

    same_without(program)
    forwards, vjps = ["mul forward", "tanh forward"], ["tanh vjp", "mul vjp"]
    assert pairs.calls == forwards + vjps


@pytest.mark.parametrize(
    "mode", [plugrad.no_grad, plugrad.inference_mode, plugrad.enable_grad]
)
@pytest.mark.parametrize("wanted", [True, False])
def test_a_pair_in_every_mode(pairs, mode, wanted):
    x = plugrad.tensor(ROW, requires_grad=wanted)
    with mode():
        y = x * x
    assert pairs.calls == ["mul forward"]
    recorded = wanted and mode is plugrad.enable_grad
    assert y.requires_grad == recorded
    assert_close(y.detach(), plugrad.tensor(ROW).square())


def test_need_says_which_gradients_are_wanted():
    seen = []
    kernels = Overrides("n", backend="numpy")

    def vjp(g, state, need):
        seen.append(need)
        return g * state[1], g * state[0]

    kernels.pair("mul", lambda a, b: (a * b, (a, b)), vjp)
    x, c = leaf(ROW), plugrad.tensor(ROW, dtype=plugrad.float64)
    with use_kernels("numpy", kernels):
        for a, b in ((x, c), (c, x), (x, x)):
            x.grad = None
            (a * b).sum().backward()
            expected = c * (2 if b is a else 1)
            assert_close(x.grad, expected)
    assert seen == [(True, False), (False, True), (True, True)]


def test_gradients_are_summed_to_the_inputs_shapes(pairs):
    def program():
        x, b = leaf([ROW, ROW]), leaf([[2.0], [3.0]])
        c = leaf(ROW)
        y = x * b * c * leaf(2.0)
        y.sum().backward()
        return x.grad, b.grad, c.grad

    same_without(program)
    assert pairs.calls.count("mul vjp") == 3


def test_numbers_and_promotion(pairs):
    def program():
        x = leaf(ROW, plugrad.float32)
        y = x * 2 * leaf(ROW) * plugrad.tensor([1, 2, 3, 4])
        y.sum().backward()
        return y, x.grad

    same_without(program)


def test_under_create_graph_the_ops_own_rules_run(pairs):
    def program():
        x, b = leaf(ROW), leaf(ROW[::-1])
        y = (x * b).tanh()
        one = plugrad.autograd.grad(y.sum(), (x, b), create_graph=True)
        two = plugrad.autograd.grad((one[0] * one[1]).sum(), (x, b), create_graph=True)
        three = plugrad.autograd.grad((two[0] * two[1]).sum(), (x, b))
        return *one, *two, *three

    same_without(program)
    x = leaf(ROW)
    assert plugrad.autograd.gradcheck(lambda x: (x * x).tanh(), (x,))
    assert plugrad.autograd.gradgradcheck(lambda x: (x * x).tanh(), (x,))


def test_a_wrong_vjp_shows(pairs):
    """So the checks here can fail: gradients do come from the pair."""
    pairs.pair("mul", lambda a, b: (a * b, (a, b)), lambda g, s, need: (g, g))
    with use_kernels("numpy", pairs):
        x = leaf(ROW)
        (x * x).sum().backward()
        with pytest.raises(AssertionError):
            assert_close(x.grad, 2 * x.detach())


def test_retain_graph_and_its_absence(pairs):
    x = leaf(ROW)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert_close(x.grad, 4 * x.detach())
    with pytest.raises(RuntimeError, match="MulBackward0.*second time"):
        y.backward()


def test_accepts_of_a_pair():
    kernels = Pairs(accepts=lambda *args: args[0].ndim == 1)
    with use_kernels("numpy", kernels):

        def program():
            x, m = leaf(ROW), leaf([ROW, ROW])
            y = (x * x).sum() + (m * m).sum()
            y.backward()
            return x.grad, m.grad

        same_without(program)
    assert kernels.calls == ["mul forward", "mul vjp"]


def test_a_kernel_above_a_pair_hides_it_where_it_accepts():
    below, above = Pairs(), Overrides("above", backend="numpy")
    calls = []

    @above.add("mul", accepts=lambda a, b: a.ndim == 2)
    def mul(a, b):
        calls.append("above")
        return a * b

    def program():
        x, m = leaf(ROW), leaf([ROW, ROW])
        y = (x * x).sum() + (m * m).sum()
        y.backward()
        return x.grad, m.grad

    with use_kernels("numpy", below), use_kernels("numpy", above):
        same_without(program)
    assert calls == ["above"] and below.calls == ["mul forward", "mul vjp"]
    calls.clear(), below.calls.clear()
    with use_kernels("numpy", above), use_kernels("numpy", below):
        same_without(program)
    assert calls == [] and below.calls == ["mul forward"] * 2 + ["mul vjp"] * 2


def test_kernels_that_stop_between_forward_and_backward():
    kernels = Pairs()
    x = leaf(ROW)
    with use_kernels("numpy", kernels):
        y = (x * x).sum()
    y.backward()  # what was recorded stays what it is
    assert kernels.calls == ["mul forward", "mul vjp"]
    assert_close(x.grad, 2 * x.detach())


def test_lists_of_tensors(pairs):
    def program():
        x, b, c = leaf([ROW, ROW]), leaf([ROW]), plugrad.tensor([ROW])
        c = c.to(plugrad.float64)
        y = plugrad.cat([x, c, b, x], 0)
        weights = plugrad.arange(float(y.numel()), dtype=y.dtype).reshape(y.shape)
        (g,) = plugrad.autograd.grad((y.square() * weights).sum(), b, create_graph=True)
        (y * weights + g.sum()).sum().backward()
        return y, x.grad, b.grad

    same_without(program)
    assert "cat vjp" in pairs.calls


def test_several_outputs(pairs):
    def program():
        x = leaf([ROW, ROW[::-1]])
        found = []
        for keepdim in (False, True):
            values, indices = x.max(1, keepdim)
            assert x.max(1).indices.dtype is plugrad.int64
            x.grad = None
            (values.square() * 3).sum().backward()
            found += [values, indices, x.grad]
        return found

    same_without(program)
    assert pairs.calls.count("max vjp") == 2


def test_several_outputs_with_gradients():
    """g is a list then, with None for what nobody used."""

    @plugrad.op(
        method=False,
        oracle=None,
        outputs=("plus", "times"),
        differentiable=("plus", "times"),
    )
    def both_for_test(k, a: plugrad.Tensor, b: plugrad.Tensor) -> plugrad.Tensor:
        return a + b, a * b

    try:

        @both_for_test.joint
        def rule(k, g, a, b, need):
            plus, times = (k.zeros_like(a) if each is None else each for each in g)
            return plus + times * b, plus + times * a

        kernels = Overrides("both", backend="numpy")
        seen = []

        def vjp(g, state, need):
            a, b = state
            seen.append(tuple(each is None for each in g))
            plus, times = (np.zeros_like(a) if each is None else each for each in g)
            return plus + times * b, plus + times * a

        kernels.pair("both_for_test", lambda a, b: ((a + b, a * b), (a, b)), vjp)

        def program():
            found = []
            for pick in ((0,), (1,), (0, 1)):
                a, b = leaf(ROW), leaf(ROW[::-1])
                made = both_for_test(a, b)
                sum(made[i].square().sum() for i in pick).backward()
                found += [made.plus, made.times, a.grad, b.grad]
                (one,) = plugrad.autograd.grad(
                    both_for_test(a, b).times.square().sum(), a, create_graph=True
                )
                found += plugrad.autograd.grad(one.sum(), (a, b))
            return found

        with use_kernels("numpy", kernels):
            same_without(program)
        assert set(seen) == {(False, True), (True, False), (False, False)}
    finally:
        del plugrad.get_backend("numpy").ops["both_for_test"]


def test_an_op_with_an_optional_tensor():
    @plugrad.op(method=False, oracle=None)
    def affine_for_test(
        k, x: plugrad.Tensor, w: plugrad.Tensor, b: plugrad.Tensor | None = None
    ) -> plugrad.Tensor:
        y = x * w
        return y if b is None else y + b

    try:
        affine_for_test.grad(
            x=lambda k, g, w: g * w, w=lambda k, g, x: g * x, b=lambda k, g: g
        )
        kernels = Overrides("affine", backend="numpy")
        seen = []

        def forward(x, w, b):
            return x * w + (0 if b is None else b), (x, w)

        def vjp(g, state, need):
            seen.append(need)
            x, w = state
            return g * w, g * x, g

        kernels.pair("affine_for_test", forward, vjp)

        def program():
            x, w, b = leaf(ROW), leaf(ROW[::-1]), leaf(ROW)
            y = affine_for_test(x, w) + affine_for_test(x, w, b)
            (y * y).sum().backward()
            return y, x.grad, w.grad, b.grad

        with use_kernels("numpy", kernels):
            same_without(program)
        assert sorted(seen) == [(True, True, False), (True, True, True)]
    finally:
        del plugrad.get_backend("numpy").ops["affine_for_test"]


def test_extras_of_the_op_are_part_of_the_result():
    """The op's own rules run under create_graph: the pair gives what they name."""

    @plugrad.op(method=False, oracle=None, extras=("mask",))
    def keep_for_test(k, x: plugrad.Tensor, low: float) -> plugrad.Tensor:
        mask = x > low
        return k.where(mask, x * x, k.zeros_like(x)), mask

    try:
        keep_for_test.grad(
            x=lambda k, g, x, mask: k.where(mask, g * x * 2, k.zeros_like(g))
        )
        kernels = Overrides("keep", backend="numpy")

        def forward(x, low):
            mask = x > low
            return (np.where(mask, x * x, 0), mask), (x, mask)

        kernels.pair(
            "keep_for_test", forward, lambda g, s, need: (2 * g * s[0] * s[1],)
        )

        def program():
            x = leaf(ROW)
            y = keep_for_test(x, 0.5)
            (one,) = plugrad.autograd.grad(y.sum(), x, create_graph=True)
            (two,) = plugrad.autograd.grad(one.square().sum(), x)
            y.sum().backward()
            with plugrad.no_grad():
                quiet = keep_for_test(x, 0.5)
            return y, one, two, x.grad, quiet

        with use_kernels("numpy", kernels):
            same_without(program)
    finally:
        del plugrad.get_backend("numpy").ops["keep_for_test"]


def test_complex_gradients_arrive_conjugated(pairs):
    def program():
        x = leaf([1 + 2j, 3 - 1j], plugrad.complex128)
        b = leaf([2 - 1j, 0.5 + 1j], plugrad.complex128)
        r = leaf([0.5, 2.0])
        y = x * b * r
        (y * y.conj()).real.sum().backward()
        return y, x.grad, b.grad, r.grad

    same_without(program)
    assert pairs.calls.count("mul vjp") == 3


def test_hooks_and_anomaly_mode(pairs):
    def program():
        x = leaf(ROW)
        y = x * x
        y.retain_grad()
        x.register_hook(lambda g: g * 2)
        with pytest.warns(UserWarning), plugrad.autograd.detect_anomaly():
            z = y * 3
            z.sum().backward()
        return x.grad, y.grad

    same_without(program)


def test_out_and_checks_of_the_op_hold(pairs):
    x, out = plugrad.tensor(ROW), plugrad.zeros(4)
    assert plugrad.mul(x, x, out=out) is out
    assert_close(out, x.square())
    with pytest.raises(RuntimeError, match="must match the size"):
        x * plugrad.ones(3)


def test_an_input_without_a_rule(pairs):
    """Nothing is recorded where the op gives no gradient to what wants one."""
    kernels = Overrides("g", backend="numpy")
    kernels.pair("floor", lambda x: (np.floor(x), None), lambda g, s, need: (g,))
    kernels.pair("gt", lambda a, b: (a > b, None), lambda g, s, need: (g, g))
    with use_kernels("numpy", kernels):
        x = leaf(ROW)
        assert not (x > 0.5).requires_grad
        x.floor()


# ---- Memory


def test_the_state_is_released_by_backward_and_with_the_graph():
    kernels = Overrides("m", backend="numpy")
    states = []

    class State:
        pass

    def forward(x):
        state = State()
        states.append(weakref.ref(state))
        return np.exp(x), state

    kernels.pair("exp", forward, lambda g, s, need: (g,))
    gc.collect()
    gc.disable()
    try:
        with use_kernels("numpy", kernels):
            x = leaf(ROW)
            y = x.exp()
            assert states[-1]() is not None
            z = y.sum()
            z.backward(retain_graph=True)
            assert states[-1]() is not None
            z.backward()
            assert states[-1]() is None  # though y and z live
            y = x.exp()
            assert states[-1]() is not None
            del y
            assert states[-1]() is None
            with plugrad.no_grad():
                y = x.exp()
            assert states[-1]() is None and not y.requires_grad
            y = x.detach().exp()
            assert states[-1]() is None and not y.requires_grad
    finally:
        gc.enable()


def test_what_was_in_use_is_forgotten():
    kernels = Pairs()
    gone = weakref.ref(kernels)
    with use_kernels("numpy", kernels):
        x = leaf(ROW)
        (x * x).tanh().sum().backward()
    del kernels
    gc.collect()
    assert gone() is None


# ---- Threads


def test_kernels_are_switched_while_other_threads_compute():
    x = plugrad.tensor(ROW, dtype=plugrad.float64)
    expected = (2 * x * (1 - (x * x).tanh() ** 2)).tolist()
    stop, wrong = threading.Event(), []

    def compute():
        while not stop.is_set():
            w = leaf(ROW)
            try:
                (w * w).tanh().sum().backward()
                if not np.allclose(w.grad.tolist(), expected, rtol=1e-12):
                    wrong.append(w.grad)
            except Exception as error:
                wrong.append(error)

    def switch():
        kernels = Pairs()
        while not stop.is_set():
            with use_kernels("numpy", kernels):
                (leaf(ROW) * 2).tanh()

    threads = [threading.Thread(target=f) for f in (compute, compute, switch, switch)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for each in threads:
            each.start()
        stop.wait(1.0)
        stop.set()
        for each in threads:
            each.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong, wrong[:3]
    assert not plugrad.get_backend("numpy").overrides
    kernels = Pairs()
    (x * x).tanh()
    assert kernels.calls == []


# ---- Errors


def failing(kind):
    kernels = Overrides("broken", backend="numpy")

    def fail(*args):
        raise ValueError("no such luck")

    if kind == "forward":
        kernels.add("exp")(fail)
    elif kind == "pair":
        kernels.pair("exp", fail, fail)
    elif kind == "accepts":
        kernels.add("exp", accepts=fail)(np.exp)
    elif kind == "accepts of a pair":
        kernels.pair("exp", lambda x: (np.exp(x), None), fail, accepts=fail)
    return kernels


@pytest.mark.parametrize("kind", ["forward", "pair", "accepts", "accepts of a pair"])
def test_an_error_names_the_op(kind):
    with use_kernels("numpy", failing(kind)):
        for x in (leaf(ROW), plugrad.tensor(ROW)):
            for mode in (plugrad.enable_grad, plugrad.no_grad):
                with mode(), pytest.raises(RuntimeError, match="exp: no such luck"):
                    x.exp()
    plugrad.exp(plugrad.tensor(ROW))


@pytest.mark.parametrize("result", [np.ones(2), None, (np.ones(2),)])
def test_a_forward_of_a_pair_that_returns_no_pair(result):
    kernels = Overrides("broken", backend="numpy")
    kernels.pair("exp", lambda x: result, lambda g, s, need: (g,))
    with use_kernels("numpy", kernels):
        for mode in (plugrad.enable_grad, plugrad.no_grad):
            with mode(), pytest.raises(TypeError, match="exp.*'broken'.*state"):
                plugrad.exp(leaf(ROW))


def test_a_vjp_that_returns_too_few_gradients():
    kernels = Overrides("broken", backend="numpy")
    kernels.pair("mul", lambda a, b: (a * b, None), lambda g, s, need: (g,))
    with use_kernels("numpy", kernels):
        y = leaf(ROW) * leaf(ROW)
        with pytest.raises(TypeError, match="mul.*'broken'.*must return 2 gradients"):
            y.sum().backward()


def test_names_that_do_not_exist():
    kernels = Overrides("typo", backend="numpy")
    kernels.add("sigmoyd")(np.exp)
    with pytest.raises(BackendError, match="'typo'.*'sigmoyd'; did you mean 'sigmoid'"):
        use_kernels("numpy", kernels)
    with pytest.raises(BackendError, match="nosuchbackend"):
        use_kernels("nosuchbackend", loud("x"))
    with pytest.raises(BackendError, match="nosuchkernels"):
        use_kernels("numpy", "nosuchkernels")
    with pytest.raises(BackendError, match="no kernels for 'numpy'"):
        use_kernels("numpy", "numpy")  # a plugin, but not one of kernels
    with pytest.raises(TypeError, match="not int"):
        use_kernels("numpy", 3)
    assert not plugrad.get_backend("numpy").overrides


def test_kernels_of_another_backend():
    kernels = Overrides("other", backend="cupy")
    with pytest.raises(BackendError, match="'other' are for backend 'cupy'"):
        use_kernels("numpy", kernels)


@pytest.mark.parametrize("op", ["mul_", "reshape"])
def test_ops_that_write_and_views_have_no_pairs(op):
    kernels = Overrides("odd", backend="numpy")
    kernels.pair(op, lambda *args: None, lambda *args: None)
    with pytest.raises(BackendError, match=f"'odd' give a pair for '{op}'"):
        use_kernels("numpy", kernels)


def test_reprs():
    kernels = loud("mine")
    assert repr(kernels) == "<plugrad kernels 'mine' for 'numpy': exp>"
    with use_kernels("numpy", kernels):
        pass
    use = use_kernels("numpy", kernels)
    use.stop()
    assert repr(use) == "plugrad.use_kernels('numpy', 'mine')"


# ---- The environment

PLUGIN = """
import numpy as np
import plugrad

@plugrad.hookimpl
def plugrad_kernels(name):
    if name != "envkernels":
        return None
    kernels = plugrad.Overrides("envkernels", backend="numpy")
    kernels.add("exp")(lambda x: np.exp(x) * 2)
    return kernels
"""
PROGRAM = "import plugrad; print(plugrad.exp(plugrad.zeros(1)).item())"


def run_with(tmp_path, chosen, program=PROGRAM):
    """Run a program with a plugin installed in `tmp_path`."""
    (tmp_path / "envkernels_plugin.py").write_text(PLUGIN)
    info = tmp_path / "envkernels-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: envkernels\nVersion: 1"
    )
    (info / "entry_points.txt").write_text("[plugrad]\nenvkernels=envkernels_plugin\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "PLUGRAD_KERNELS": chosen}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)


def test_the_environment_chooses_kernels(tmp_path):
    assert run_with(tmp_path, "").stdout == "1.0\n"
    for chosen in ("numpy:envkernels", "jax:other, numpy:envkernels"):
        done = run_with(tmp_path, chosen)
        assert done.stdout == "2.0\n", done.stderr


@pytest.mark.parametrize("chosen", ["numpy:envkernelz", "numpy"])
def test_a_wrong_environment_is_an_error_each_time(tmp_path, chosen):
    program = """
import plugrad
for _ in range(2):
    try:
        plugrad.zeros(1)
    except plugrad.BackendError as error:
        print(error)
"""
    done = run_with(tmp_path, chosen, program)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert all("PLUGRAD_KERNELS" in line and chosen in line for line in lines)
