"""What autograd promises beyond PyTorch: lifetimes, depth, and what it catches."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager

import pytest

import plugrad
from plugrad import autograd


@contextmanager
def without_gc():
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def leaf(*values):
    return plugrad.tensor(list(values), dtype=plugrad.float64, requires_grad=True)


class Square(autograd.Function):
    """Saves its input and its output."""

    @staticmethod
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return 2 * g * y / x


class Both(autograd.Function):
    """Two outputs, both saved."""

    @staticmethod
    def forward(ctx, x):
        y, z = x * x, x * 3
        ctx.save_for_backward(x, y, z)
        return y, z

    @staticmethod
    def backward(ctx, g, h):
        x, y, z = ctx.saved_tensors
        return 2 * g * y / x + h * z / x


def alias(x):
    """A Function that returns its input."""

    class Same(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    return Same.apply(x)


def dirty(x):
    """A Function that writes its input and saves it."""

    class Double(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            ctx.save_for_backward(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2 + 0 * ctx.saved_tensors[0]

    return Double.apply(x * 1)


WAYS = {
    "saved output": Square.apply,
    "saved outputs": lambda x: Both.apply(x)[1],
    "input as output": alias,
    "dirty": dirty,
    "written after it was saved": lambda x: (lambda y: y.add_(Square.apply(y)))(x * 1),
    "hooks": lambda x: hooked(x * 2),
    "once differentiable": lambda x: Once.apply(x),
    "view of a result": lambda x: Square.apply(x)[1:],
}


class Once(autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @autograd.function.once_differentiable
    def backward(ctx, g):
        return g * 2


def hooked(y):
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    y.grad_fn.register_hook(lambda gi, go: None)
    return y


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(
    "then", ["nothing", "backward", "create_graph", "a failed backward", "anomaly"]
)
def test_graphs_die_without_the_garbage_collector(how, then):
    with without_gc():
        x = leaf(1.0, 2.0, 3.0)
        if then == "anomaly":
            with autograd.set_detect_anomaly(True):
                y = WAYS[how](x)
                node = weakref.ref(y.grad_fn)
                if "written" not in how:
                    y.sum().backward()
        else:
            y = WAYS[how](x)
            node = weakref.ref(y.grad_fn)
        if then == "backward" and "written" not in how:
            y.sum().backward()
        elif then == "create_graph" and "written" not in how:
            autograd.grad((y * y).sum(), x, create_graph=True)
        elif then == "a failed backward":
            with pytest.raises(RuntimeError):
                y.backward(plugrad.ones(7))
        assert node() is not None
        del y
        assert node() is None


def test_the_saved_arrays_die_with_backward():
    with without_gc():
        x = leaf(1.0, 2.0)
        saved = []

        class Keep(autograd.Function):
            @staticmethod
            def forward(ctx, x):
                half = x / 2
                saved.append(weakref.ref(half._a))
                ctx.save_for_backward(half)
                return x * 2

            @staticmethod
            def backward(ctx, g):
                return g * ctx.saved_tensors[0]

        loss = Keep.apply(x).sum()
        assert saved[0]() is not None
        loss.backward()
        assert saved[0]() is None


# --- Depth ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["line", "diamonds", "functions"])
@pytest.mark.parametrize("walk", ["backward", "grad", "create_graph", "none"])
def test_deep_graphs_need_no_recursion(shape, walk):
    depth = {"line": 100_000, "diamonds": 20_000, "functions": 5_000}[shape]
    x = leaf(0.5)
    y = x
    for _ in range(depth):
        if shape == "line":
            y = y + 0
        elif shape == "diamonds":
            y = (y + 0) - (y - y)
        else:
            y = Once.apply(y) / 2
    if walk == "backward":
        y.sum().backward()
        assert x.grad is not None
    elif walk != "none":
        (g,) = autograd.grad(y.sum(), x, create_graph=walk == "create_graph")
        assert g.shape == x.shape
    del y


def test_backward_within_backward_within_backward():
    class Again(autograd.Function):
        @staticmethod
        def forward(ctx, x, depth):
            ctx.save_for_backward(x)
            ctx.depth = depth
            return x * 2

        @staticmethod
        def backward(ctx, g):
            x = ctx.saved_tensors[0].detach().requires_grad_()
            with plugrad.enable_grad():
                y = Again.apply(x, ctx.depth - 1) if ctx.depth else x * 2
            return autograd.grad(y, x, g)[0], None

    x = leaf(1.0)
    Again.apply(x, 50).backward()
    assert x.grad.item() == 2.0


# --- Anomalies ------------------------------------------------------------------------


def notes(error):
    return "\n".join(getattr(error.value, "__notes__", []))


def test_anomaly_names_the_op_and_the_line():
    x = leaf(0.0, 1.0)
    with autograd.set_detect_anomaly(True):
        y = x.log()  # the culprit
        z = (y * 0).sum()
        with pytest.raises(RuntimeError, match="'LogBackward0' returned nan") as error:
            z.backward()
    assert "# the culprit" in notes(error)
    assert __file__ in notes(error)
    assert "core/" not in notes(error).replace("tests/core/", "")


def test_anomaly_names_the_line_of_a_function_that_raises():
    class Fails(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine")

    with autograd.set_detect_anomaly(True):
        y = Fails.apply(leaf(1.0))  # here it was called
        with pytest.raises(ValueError, match="mine") as error:
            y.backward()
    assert "# here it was called" in notes(error)


def test_anomaly_without_a_forward_trace():
    y = leaf(0.0).log() * 0
    with autograd.set_detect_anomaly(True), pytest.raises(RuntimeError) as error:
        y.backward()
    assert "outside detect_anomaly" in notes(error)


def test_anomaly_without_nan():
    x = leaf(0.0)
    with autograd.set_detect_anomaly(True, check_nan=False):
        (x.log() * 0).backward()
        assert not autograd.is_anomaly_check_nan_enabled()
    assert x.grad.isnan().item()


def test_switching_anomaly_detection():
    assert not autograd.is_anomaly_enabled()
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = autograd.detect_anomaly()
    with mode:
        assert autograd.is_anomaly_enabled()
        with plugrad.no_grad():
            assert autograd.is_anomaly_enabled()
            assert not plugrad.is_grad_enabled()
        with autograd.set_detect_anomaly(False):
            assert not autograd.is_anomaly_enabled()
        seen = []
        other = threading.Thread(
            target=lambda: seen.append(autograd.is_anomaly_enabled())
        )
        other.start()
        other.join()
        assert seen == [False]
    assert not autograd.is_anomaly_enabled()
    autograd.set_detect_anomaly(True)
    assert autograd.is_anomaly_enabled()
    autograd.set_detect_anomaly(False)
    assert not autograd.is_anomaly_enabled()


# --- Writes that autograd cannot see --------------------------------------------------

SAVERS = {
    "an input": lambda x: (x * x, x),
    "a result": lambda x: (lambda y: (y, y))(x.exp()),
    "a constant": lambda x: (lambda c: (x * c, c))(plugrad.ones(2, dtype=x.dtype)),
    "a Function's": lambda x: (lambda y: (Square.apply(y), y))(x * 1),
}


@pytest.mark.parametrize("which", SAVERS)
@pytest.mark.parametrize("written", [True, False])
def test_writes_through_numpy_are_caught(which, written):
    x = leaf(1.0, 2.0)
    with autograd.check_saved_tensors():
        y, saved = SAVERS[which](x)
        if written:
            saved.detach().numpy()[:] = 0
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                y.sum().backward()
        else:
            y.sum().backward()
            assert x.grad is not None


def test_a_write_that_nobody_saved_is_fine():
    x = leaf(1.0, 2.0)
    with autograd.check_saved_tensors():
        y = x * 1
        z = y + 1
        y.detach().numpy()[:] = 0
        z.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_increment_version():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = (y * y).sum()
    autograd.graph.increment_version(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


# --- Names ----------------------------------------------------------------------------


def test_every_name_is_there():
    for name in autograd.__all__:
        assert getattr(autograd, name) is not None
    for name in autograd.MODULES:
        assert getattr(autograd, name).__name__ == f"plugrad.autograd.{name}"
    with pytest.raises(AttributeError):
        autograd.unknown  # noqa: B018


def test_gradcheck_stays_a_function():
    """It is a module's name too, and importing that must not put it in its place."""
    program = (
        "import plugrad.autograd.gradcheck; import plugrad.autograd as a; "
        "from plugrad.autograd import gradcheck; assert callable(gradcheck), gradcheck"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_edges():
    x = leaf(1.0, 2.0)
    y, z = Both.apply(x)
    edge = autograd.graph.get_gradient_edge(z)
    assert edge == (z.grad_fn, 1)
    assert isinstance(edge.node, autograd.graph.Node)
    assert autograd.graph.get_gradient_edge(x).node.variable is x
    with pytest.raises(RuntimeError):
        autograd.graph.get_gradient_edge(x.detach())
