"""y += alpha * x and y = alpha * x + beta * y by NumPy's BLAS: the ufuncs' numbers, and
only where it may."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from plugrad.backends.numpy.kernels import blas
from plugrad.testing import TOLERANCES

N = blas.WORTH + 5


@pytest.fixture
def calls(monkeypatch):
    """What was left to BLAS: True or False of each large update."""
    seen = []

    def noted(call):
        def run(*arguments):
            seen.append(call(*arguments))
            return seen[-1]

        return run

    for name, call in {"axpy": blas.axpy, "combine": blas.axpby}.items():
        place = f"plugrad.backends.numpy.kernels.pointwise.{name}"
        monkeypatch.setattr(place, noted(call))
    return seen


def draw(n=N, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(dtype)


def update(method, y, x, alpha):
    """Plugrad's y.add_(x, alpha=alpha) or sub_, on NumPy's arrays."""
    with plugrad.no_grad():
        getattr(plugrad.from_numpy(y), method)(plugrad.from_numpy(x), alpha=alpha)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["add_", "sub_"])
def test_it_is_the_ufuncs_result(method, dtype, calls):
    y, x = draw(dtype=dtype), draw(dtype=dtype, seed=1)
    expected = y + 0.3 * x if method == "add_" else y - 0.3 * x
    update(method, y, x, 0.3)
    rtol, atol = TOLERANCES[np.dtype(dtype).name]
    np.testing.assert_allclose(y, expected, rtol, atol)
    assert calls == [bool(blas.functions())]


def test_numpys_own_wheel_has_it():
    """The fast way is there where its speed was measured."""
    library = np.show_config("dicts")["Build Dependencies"]["blas"]["name"]
    if library != "scipy-openblas":
        pytest.skip(f"this NumPy was built with {library}, whose names may differ")
    assert set(blas.functions()) == {"f", "d"}


def gaps():
    y, x = draw(2 * N), draw(2 * N, seed=1)
    return y[::2], x[::2]


def overlapping():
    memory = draw(2 * N)
    return memory[:N], memory[3 : N + 3]


def turned():
    return draw(N * 2).reshape(2, N), draw(N * 2, seed=1).reshape(N, 2).T


def unaligned():
    memory = np.zeros(4 * N + 1, np.uint8)[1:].view(np.float32)
    memory[:] = draw()
    return memory, draw(seed=1)


def broadcast():
    return draw(3 * N).reshape(3, N), draw(N, seed=1)


def whole_numbers():
    return np.arange(N, dtype=np.float32), np.arange(N)


NOT_FOR_BLAS = [gaps, overlapping, turned, unaligned, broadcast, whole_numbers]


@pytest.mark.parametrize("make", NOT_FOR_BLAS)
def test_what_is_not_for_blas_is_right_too(make, calls):
    y, x = make()
    alpha = 0.5 if x.dtype.kind == "f" else 2
    expected = y - alpha * x
    update("sub_", y, x, alpha)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])
    assert True not in calls


def test_one_array_with_itself(calls):
    y = draw()
    expected = y - np.float32(0.25) * y
    update("sub_", y, y, 0.25)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])


@pytest.mark.parametrize("alpha", [0.0, 1e-60, float("nan"), float("inf")])
def test_nan_and_infinity_go_through(alpha):
    y, x = draw(), draw(seed=1)
    x[:2] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        expected = y - np.float32(alpha) * x
    update("sub_", y, x, alpha)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    np.testing.assert_allclose(y[2:], expected[2:], *TOLERANCES["float32"])


def test_without_the_library_the_ufuncs_do_it(monkeypatch):
    monkeypatch.setattr(blas, "functions", dict)
    y, x = draw(), draw(seed=1)
    expected = y - np.float32(0.3) * x
    update("sub_", y, x, 0.3)
    np.testing.assert_array_equal(y, expected)


def test_a_read_only_array_is_refused():
    y, x = draw(), draw(seed=1)
    y.flags.writeable = False
    assert not blas.axpy(y, x, 0.5)


# ---- y = alpha * x + beta * y

FACTORS = [(0.3, 0.9), (1, 0.9), (-0.01, 1), (2, 3), (0.3, -1.0)]


def combine(y, x, alpha, beta):
    with plugrad.no_grad():
        plugrad.from_numpy(y).axpby_(plugrad.from_numpy(x), alpha=alpha, beta=beta)


def combined(y, x, alpha, beta):
    return y.dtype.type(alpha) * x + y.dtype.type(beta) * y


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("alpha", "beta"), FACTORS)
def test_two_factors(alpha, beta, dtype, calls):
    y, x = draw(dtype=dtype), draw(dtype=dtype, seed=1)
    expected = combined(y, x, alpha, beta)
    combine(y, x, alpha, beta)
    np.testing.assert_allclose(y, expected, *TOLERANCES[np.dtype(dtype).name])
    assert calls == [None not in blas.functions().get(y.dtype.char, (None,))]


@pytest.mark.parametrize("make", [*NOT_FOR_BLAS, lambda: (draw(99), draw(99, seed=1))])
def test_two_factors_of_what_is_not_for_blas(make, calls):
    y, x = make()
    alpha, beta = (0.5, 0.7) if x.dtype.kind == "f" else (2, 3)
    expected = combined(y, x, alpha, beta)
    combine(y, x, alpha, beta)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])
    assert True not in calls


@pytest.mark.parametrize("n", [99, N])
def test_two_factors_of_one_array(n):
    y = draw(n)
    expected = combined(y, y, 0.25, 3.0)
    combine(y, y, 0.25, 3.0)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.complex64])
@pytest.mark.parametrize("n", [99, N])
def test_two_factors_in_other_dtypes(n, dtype):
    y, x = draw(n, dtype) * dtype(9), draw(n, dtype, seed=1) * dtype(9)
    expected = combined(y, x, 2, 3)
    combine(y, x, 2, 3)
    tolerance = TOLERANCES.get(np.dtype(dtype).name, (0, 0))
    np.testing.assert_allclose(y, expected, *tolerance)


FEW = [0.0, 1e-60, float("nan"), float("inf"), 0.5]


@pytest.mark.parametrize("alpha", FEW)
@pytest.mark.parametrize("beta", FEW)
def test_nan_and_infinity_go_through_both_factors(alpha, beta):
    y, x = draw(), draw(seed=1)
    x[:4] = np.nan, np.inf, 1, 1
    y[:4] = 1, 1, np.nan, np.inf
    with np.errstate(invalid="ignore"):
        expected = combined(y, x, alpha, beta)
    combine(y, x, alpha, beta)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])


@pytest.mark.parametrize("n", [99, N])
@pytest.mark.parametrize(
    ("dtype", "shape", "factors"),
    [
        (np.int32, (), {"alpha": 0.5, "beta": 2}),
        (np.int32, (), {"alpha": 2, "beta": 0.5}),
        (np.float32, (2,), {"beta": 2.0}),
    ],
)
def test_what_raises_changes_nothing(n, dtype, shape, factors):
    y = plugrad.from_numpy(np.arange(n, dtype=dtype))
    x = plugrad.from_numpy(np.ones((*shape, n), dtype))
    with pytest.raises(RuntimeError):
        y.axpby_(x, **factors)
    np.testing.assert_array_equal(y.numpy(), np.arange(n, dtype=dtype))


def test_two_factors_without_the_library(monkeypatch):
    monkeypatch.setattr(blas, "functions", dict)
    y, x = draw(), draw(seed=1)
    expected = combined(y, x, 0.3, 0.9)
    combine(y, x, 0.3, 0.9)
    np.testing.assert_array_equal(y, expected)


def test_without_its_second_function_the_first_does_sums(monkeypatch):
    """In libraries of the standard's functions alone."""
    found = {char: (call, None) for char, (call, _) in blas.functions().items()}
    monkeypatch.setattr(blas, "functions", lambda: found)
    y, x = draw(), draw(seed=1)
    expected = combined(y, x, 0.3, 1)
    assert blas.axpy(y, x, 0.3) == bool(found)
    assert not blas.axpby(y, x, 0.3, 0.9)
    if found:
        np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])


@pytest.mark.parametrize("value", [0.3, 1, 0.0, float("nan")])
@pytest.mark.parametrize("method", ["addcmul_", "addcdiv_"])
def test_products_and_quotients_are_added(method, value):
    y, a, b = draw(), draw(seed=1), draw(seed=2)
    a[0] = np.nan
    part = a * b if method == "addcmul_" else a / b
    expected = y + np.float32(value) * part
    x, a, b = map(plugrad.from_numpy, (y, a, b))
    getattr(x, method)(a, b, value=value)
    np.testing.assert_allclose(y, expected, *TOLERANCES["float32"])
