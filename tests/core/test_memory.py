"""What the graph keeps alive, counted (`python -m benchmarks memory` prints it)."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import plugrad
from benchmarks import memory


def test_a_chain_of_adds_keeps_no_array() -> None:
    forward, peak = memory.peak_of_add_chain(n=100_000)
    assert forward <= 4.2 and peak <= 4.2


def test_relus_keep_their_outputs_and_no_more() -> None:
    kept, above = memory.arrays_of_relu_chain(n=100_000)
    assert kept <= 50.5
    assert above <= 3.2


def test_a_product_with_a_constant_keeps_the_constant() -> None:
    for leaf in (True, False):
        assert 0.99 <= memory.kept_by_mul(n=100_000, leaf=leaf) <= 1.1


def test_training_does_not_grow_without_the_garbage_collector() -> None:
    program = (
        "from benchmarks.memory import growth_of_training as g;"
        "print(g(steps=10_000, warm_up=3_000))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout.split()[-1]) < 1.0


def test_a_long_chain_needs_no_recursion() -> None:
    for backward in (True, False):
        chain = memory.long_chain(nodes=100_000, backward=backward)
        assert chain.left < 1000


def test_a_graph_dies_with_its_last_tensor() -> None:
    """Every way to leave the beaten path: views, writes, hooks, double backward."""

    def views(x: plugrad.Tensor) -> plugrad.Tensor:
        y = x * 2
        y[0:1].mul_(3)
        return y.reshape(2, 2)[0] * y.detach()[1]

    def double(x: plugrad.Tensor) -> plugrad.Tensor:
        (g,) = plugrad.autograd.grad((x**3).sum(), x, create_graph=True)
        return g * x

    def hooked(x: plugrad.Tensor) -> plugrad.Tensor:
        y = x.tanh()
        y.register_hook(lambda g: g * 2)
        y.retain_grad()
        return y * y

    def several(x: plugrad.Tensor) -> plugrad.Tensor:
        values, _ = x.reshape(2, 2).max(dim=1)
        a, b = values.unbind()
        return a * b

    gc.collect()
    gc.disable()
    try:
        for program in (views, double, hooked, several):
            x = plugrad.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
            y = program(x)
            node = weakref.ref(y.grad_fn)
            leaf = weakref.ref(x)
            y.sum().backward(retain_graph=True)
            del x, y
            assert node() is None, program.__name__
            assert leaf() is None, program.__name__
    finally:
        gc.enable()
