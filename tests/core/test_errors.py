"""An error names the op, the shapes and dtypes, what was expected, and the way out."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest

import plugrad


def x(**options):
    return plugrad.ones(2, 3, **options)


MISTAKES = {
    "x + ones(2, 4)": (RuntimeError, "add", "[2, 3]", "[2, 4]", "dimension 1"),
    "x @ x": (RuntimeError, "matmul", "[2, 3]", "3 columns", "2 rows"),
    "x @ ones(2)": (RuntimeError, "matmul", "[2, 3] and [2]", "2 rows"),
    "ones(2, 2, 3) @ ones(3, 3, 4)": (RuntimeError, "matmul", "[3, 3, 4]", "(3)"),
    "x @ ones(3, 2).double()": (RuntimeError, "float32, plugrad.float64", ".to(dtype)"),
    "cat([x, ones(2, 4)])": (RuntimeError, "cat:", "[2, 4]", "except in dimension 0"),
    "cat([])": (ValueError, "cat()", "non-empty"),
    "x.view(4, 2)": (RuntimeError, "view", "[4, 2]", "size 6"),
    "x.t().view(6)": (RuntimeError, "view", ".reshape(...)"),
    "x.permute(0)": (RuntimeError, "permute", "1 dims", "2 dimensions"),
    "x.sum(2)": (IndexError, "sum", "[-2, 1]", "got 2"),
    "x.argmax(dim=5)": (IndexError, "argmax", "[-2, 1]", "got 5"),
    "x[5]": (IndexError, "index 5", "size 2"),
    "x[0, 0, 0]": (IndexError, "too many indices", "dimension 2"),
    "x.sum(dims=1)": (TypeError, "sum()", "'dims'"),
    "x.split(1.5)": (TypeError, "split()", "must be int"),
    "tanh([1.0])": (TypeError, "tanh()", "must be Tensor, not list", "plugrad.tensor("),
    "from_numpy([1.0])": (TypeError, "from_numpy()", "plugrad.as_tensor()"),
    "tensor([1, 2]).mean()": (RuntimeError, "mean", ".float()"),
    "tensor([1], requires_grad=True)": (RuntimeError, "floating point", "int64"),
    "(w * 2).backward()": (RuntimeError, "(2, 3)", "sum()"),
    "x.sum().backward()": (RuntimeError, "does not require grad", "no_grad()"),
    "w.add_(1)": (RuntimeError, "leaf", "no_grad()", "clone()"),
    "w.numpy()": (RuntimeError, "numpy()", "detach().numpy()"),
    "x.where(x, 0)": (RuntimeError, "where", "bools", "`!= 0`"),
    "x.to('mps')": (RuntimeError, "'mps'", "'numpy' serves cpu"),
    "get_backend('nunpy')": (RuntimeError, "unknown backend 'nunpy'", "'numpy'?"),
    "symeig": (AttributeError, "plugrad.linalg.eigh"),
}


@pytest.mark.parametrize("code", MISTAKES)
def test_what_a_mistake_is_told(code):
    kind, *words = MISTAKES[code]
    names = {"x": x(), "w": x(requires_grad=True)}

    class Names(dict):
        def __missing__(self, name):
            return getattr(plugrad, name)

    with pytest.raises(kind) as caught:
        eval(code, Names(names))
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message


def test_arguments_left_at_their_defaults_are_not_listed():
    with pytest.raises(IndexError, match=r"sum\(x=plugrad.float32\[2, 3\], dim=2\)\)$"):
        x().sum(2)


@pytest.mark.parametrize("call", [lambda x: x.gather(0, x), lambda x: x.squeeze(7)])
def test_an_op_is_named_once(call):
    with pytest.raises((RuntimeError, IndexError)) as caught:
        call(x())
    told, _, _ = str(caught.value).partition(" (called as")
    assert len(told.split("gather")) + len(told.split("squeeze")) == 3


def test_an_error_keeps_nothing_alive():
    """What is kept until the collector runs may be gigabytes."""
    gc.disable()
    try:
        for wrong in (lambda t: t + plugrad.ones(2, 4), lambda t: t.view(4, 2)):
            t = x()
            alive = weakref.ref(t)
            with pytest.raises(RuntimeError):
                wrong(t)
            del t
            assert alive() is None
    finally:
        gc.enable()


def test_a_name_that_is_nearly_right_is_suggested():
    with pytest.raises(AttributeError) as caught:
        plugrad.tanhh  # noqa: B018
    error = caught.value  # with these, Python's traceback says: did you mean 'tanh'?
    assert (error.name, error.obj) == ("tanhh", plugrad)


def test_a_wrong_environment_variable_is_named():
    ran = subprocess.run(
        [sys.executable, "-c", "import plugrad; plugrad.zeros(1)"],
        env={**os.environ, "PLUGRAD_BACKEND": "nosuch"},
        capture_output=True,
        text=True,
    )
    assert "PLUGRAD_BACKEND=nosuch: unknown backend 'nosuch'" in ran.stderr


def test_the_gradient_of_no_leaf_is_warned_of():
    w = x(requires_grad=True)
    y = w * 2
    with pytest.warns(UserWarning, match=r"retain_grad\(\)"):
        assert y.grad is None
    y.retain_grad()
    assert y.grad is None  # and no warning
    y.sum().backward()
    assert np.array_equal(y.grad.numpy(), np.ones((2, 3)))


def test_a_dtype_that_needs_a_library_says_which():
    import subprocess
    import sys

    program = (
        "import sys; sys.modules['ml_dtypes'] = None\n"
        "import plugrad; plugrad.ones(2, dtype=plugrad.bfloat16)"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode and "pip install 'plugrad[bfloat16]'" in run.stderr
