"""jacobian, hessian and their products are torch's."""

from __future__ import annotations

import pytest

import plugrad
from tests.against_torch.programs import failure, same


def vector(m, *values, grad=False):
    return m.tensor(list(values), dtype=m.float64, requires_grad=grad)


def inputs(m, grad=False):
    """A vector and a matrix."""
    x = vector(m, 0.5, -1.5, grad=grad)
    y = m.tensor([[1.0, 2.0], [0.1, -0.3]], dtype=m.float64, requires_grad=grad)
    return x, y


VECTORS = {
    "one to one": (lambda x: x.exp() * x, 1),
    "one to several": (lambda x: (x * x, x.sum(), x.reshape(2, 1) * x), 1),
    "several to one": (lambda x, y: y @ x * x, 2),
    "several to several": (lambda x, y: (y @ x, (x * x).sum(), y), 2),
    "tuple of one": (lambda x: (x * 3,), 1),
    "an input itself": (lambda x: x, 1),
    "a constant": (lambda x: x.detach() * 2, 1),
    "one that ignores an input": (lambda x, y: x * 2, 2),
    "0-d": (lambda x: x.sum(), 1),
}
SCALARS = {
    "cubes": (lambda x: (x * x * x).sum(), 1),
    "mixed": (lambda x, y: (y @ x * x.exp()).sum(), 2),
    "linear": (lambda x: (x * 3).sum(), 1),
    "constant": (lambda x: x.detach().sum(), 1),
    "one element": (lambda x: (x * x).sum().reshape(1, 1), 1),
    "too many": (lambda x: x * x, 1),
    "a number": (lambda x: 3.0, 1),
    "a tuple": (lambda x: ((x * x).sum(),), 1),
}


def given(m, n, tupled, grad=False):
    """The first n inputs; one alone as it is, or in a tuple."""
    found = inputs(m, grad)[:n]
    return found if n > 1 or tupled else found[0]


@same
@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("tupled", [True, False])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("create_graph", [True, False])
def test_jacobian(m, name, tupled, strict, create_graph):
    function, n = VECTORS[name]
    return m.autograd.functional.jacobian(
        function, given(m, n, tupled, create_graph), create_graph, strict
    )


@same
@pytest.mark.parametrize("name", SCALARS)
@pytest.mark.parametrize("tupled", [True, False])
@pytest.mark.parametrize("strict", [True, False])
def test_hessian(m, name, tupled, strict):
    function, n = SCALARS[name]
    return m.autograd.functional.hessian(function, given(m, n, tupled), strict=strict)


@same
@pytest.mark.parametrize("name", SCALARS)
@pytest.mark.parametrize("product", ["vhp", "hvp"])
@pytest.mark.parametrize("tupled", [True, False])
@pytest.mark.parametrize("strict", [True, False])
def test_hessian_products(m, name, product, tupled, strict):
    function, n = SCALARS[name]
    x = given(m, n, tupled)
    v = tuple(each * each + 1 for each in inputs(m)[:n])
    v = v if isinstance(x, tuple) else v[0]
    return getattr(m.autograd.functional, product)(function, x, v, strict=strict)


@same
@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("product", ["vjp", "jvp"])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("create_graph", [True, False])
def test_products(m, name, product, strict, create_graph):
    function, n = VECTORS[name]
    x = given(m, n, False, create_graph)
    like = x
    if product == "vjp":
        like = function(*x) if isinstance(x, tuple) else function(x)
    if isinstance(like, tuple):
        v = tuple(each.detach() * 0.3 + 1 for each in like)
    else:
        v = like.detach() * 0.3 + 1
    return getattr(m.autograd.functional, product)(function, x, v, create_graph, strict)


@same
@pytest.mark.parametrize("product", ["vjp", "jvp", "vhp", "hvp"])
def test_vectors_that_do_not_fit(m, product):
    call = getattr(m.autograd.functional, product)
    x = vector(m, 1.0, 2.0)

    def function(x):
        return (x * x).sum() if product in ("vhp", "hvp") else x * x

    return [
        failure(call, function, x),
        failure(call, function, x, vector(m, 1.0)),
        failure(call, function, x, (x, x)),
        failure(call, function, x, 3.0),
        failure(call, function, 3.0),
        failure(call, function, (x, 3)),
        call(lambda x: x * x, m.tensor(3.0)),
    ]


@same
def test_jacobians_can_be_differentiated(m):
    x = vector(m, 0.5, -1.5, grad=True)
    jacobian = m.autograd.functional.jacobian(
        lambda x: x.exp() * x, x, create_graph=True
    )
    _, product = m.autograd.functional.jvp(
        lambda x: x * x * x, x, x.detach(), create_graph=True
    )
    loss = (jacobian * jacobian).sum() + (product * product).sum()
    return [jacobian, loss, *m.autograd.grad(loss, x)]


def test_an_empty_jacobian():
    """torch cannot stack no rows."""
    x = plugrad.ones(2)
    found = plugrad.autograd.functional.jacobian(lambda x: x[:0], x)
    assert found.shape == (0, 2)


@same
def test_nothing_is_left_behind(m):
    x = vector(m, 0.5, -1.5, grad=True)
    found = m.autograd.functional.hessian(lambda x: (x * x * x).sum(), x)
    with m.no_grad():
        again = m.autograd.functional.jacobian(lambda x: x * x, x)
    return [found, again, x.grad, found.requires_grad, m.is_grad_enabled()]


@same
def test_options(m):
    x = vector(m, 0.5, -1.5)
    jacobian = m.autograd.functional.jacobian
    return [
        jacobian(lambda x: x * x, x, vectorize=True),
        failure(jacobian, lambda x: x * x, x, vectorize=True, strict=True),
        failure(jacobian, lambda x: x * x, x, strategy="forward-mode"),
    ]
