"""`gradcheck` and `gradgradcheck` accept, refuse and raise where torch's do."""

from __future__ import annotations

import inspect

import pytest
import torch

import plugrad
from plugrad.autograd import gradcheck, gradgradcheck
from plugrad.errors import UnsupportedOpError

CHECKS = ["gradcheck", "gradgradcheck"]


def both(name):
    ours = {"gradcheck": gradcheck, "gradgradcheck": gradgradcheck}[name]
    return [(plugrad, ours), (torch, getattr(torch.autograd, name))]


def leaf(library, values, dtype="float64"):
    return library.tensor(values, dtype=getattr(library, dtype), requires_grad=True)


@pytest.mark.parametrize("name", CHECKS)
def test_signature(name):
    (_, ours), (_, theirs) = both(name)

    def settings(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    assert settings(ours) == settings(theirs)


FUNCTIONS = {
    "product": lambda t, x: x * x,
    "two outputs": lambda t, x: (x * x, x + 1),
    "not differentiable": lambda t, x: x.detach() * 0,
    "detached": lambda t, x: x.detach() * x,
    "detached altogether": lambda t, x: x.detach() * 2,
    "number of elements": lambda t, x: x.sum(),
    "exp": lambda t, x: t.exp(x),
    "log of what may be negative": lambda t, x: t.log(x),
    "constant": lambda t, x: x * 0,
}
# torch's gradgradcheck calls a function without outputs without its inputs
NO_OUTPUTS = {"not differentiable", "detached altogether"}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize(
    ("name", "check"),
    [
        (name, check)
        for check in CHECKS
        for name in FUNCTIONS
        if check == "gradcheck" or name not in NO_OUTPUTS
    ],
)
def test_verdict(name, check, dtype, fast):
    values = [0.5, 2.0] if dtype == "float64" else [0.5 + 1j, 2.0 - 0.5j]

    def verdict(library, function):
        x = leaf(library, values, dtype)
        f = FUNCTIONS[name]
        try:
            return function(
                lambda x: f(library, x), x, fast_mode=fast, raise_exception=False
            )
        except Exception as error:
            return type(error)

    ours, theirs = (verdict(*each) for each in both(check))
    assert ours == theirs


@pytest.mark.parametrize("name", CHECKS)
def test_no_input_that_wants_a_gradient(name):
    for library, check in both(name):
        with pytest.raises(ValueError, match="at least one input"):
            check(lambda x: x * 2, library.tensor([1.0]))


def test_single_precision_is_warned_of():
    for library, check in both("gradcheck"):
        with pytest.warns(UserWarning, match="double precision"):
            check(lambda x: x * 2, leaf(library, [1.0], "float32"), atol=1)


def test_error_shows_both_jacobians():
    for library, check in both("gradcheck"):
        with pytest.raises(RuntimeError, match="output 0 .*input 0") as caught:
            check(lambda x: x.detach() * x, leaf(library, [1.5, 2.0]))
        assert type(caught.value).__name__ == "GradcheckError"
        assert "numerical" in str(caught.value) and "analytical" in str(caught.value)


def test_the_wrong_input_is_named():
    for library, check in both("gradcheck"):
        a, b = leaf(library, [1.5]), leaf(library, [2.0])
        with pytest.raises(RuntimeError, match="output 0 .*input 1"):
            check(lambda a, b: a * b.detach() * b, (a, b))


def test_a_kink_is_seen():
    for library, check in both("gradcheck"):
        x = leaf(library, [0.5, 2.0])
        with pytest.raises(RuntimeError, match="Jacobian mismatch"):
            check(lambda x, t=library: t.relu(x - 0.5), x)


def test_inputs_keep_their_values_and_layout():
    x = plugrad.testing.Make(plugrad.float64).expanded(3, 2)
    before = x.tolist()
    assert gradcheck(lambda x: x * x, x)
    assert x.tolist() == before
    assert x.grad is None


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_not_there_to_be_checked_is_refused(name):
    (_, check), _ = both(name)
    with pytest.raises(UnsupportedOpError, match="check_batched_grad"):
        check(lambda x: x, leaf(plugrad, [1.0]), check_batched_grad=True)


def test_gradients_given_to_gradgradcheck():
    for library, check in both("gradgradcheck"):
        x, g = leaf(library, [1.0, 2.0]), leaf(library, [0.5, -1.0])
        assert check(lambda x: x * x * x, x, g)
        assert check(lambda x: x * x * x, x, gen_non_contig_grad_outputs=True)


def test_module_and_function_of_the_same_name():
    """Importing from the module must not put it in the function's place."""
    from plugrad.autograd.gradcheck import GradcheckError

    assert plugrad.autograd.gradcheck is gradcheck
    assert GradcheckError is plugrad.autograd.GradcheckError
